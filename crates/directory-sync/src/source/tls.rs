//! The authorities that the reader trusts to identify the directory.
//!
//! A directory's certificate is nearly always signed by an authority of the company. With an
//! own authority, only that one counts: the hundreds of public ones have nothing to say about
//! a server in a private network.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::server_url::ServerUrl;
use super::{Configuration, Error};

/// TLS 1.2 or 1.3 with a server whose certificate one of the authorities signed.
pub(super) fn client_configuration(
    configuration: &Configuration,
) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let Authorities { store, listed } = authorities(configuration)?;
    let signed =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
            .build()
            .expect("there are authorities and no revocation lists");
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has both versions of TLS")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { signed, listed }))
        .with_no_client_auth();
    Ok(Arc::new(tls))
}

/// The authorities that the reader trusts.
struct Authorities {
    store: RootCertStore,
    /// The certificates that the configuration lists.
    listed: Vec<CertificateDer<'static>>,
}

fn authorities(configuration: &Configuration) -> Result<Authorities, Error> {
    let mut authorities = Authorities {
        store: RootCertStore::empty(),
        listed: Vec::new(),
    };
    if let Some(file) = &configuration.certificate_authority_file {
        let pem = std::fs::read(file).map_err(|error| Error::CertificateAuthorities {
            file: Some(file.clone()),
            reason: error.to_string(),
        })?;
        add(&mut authorities, &pem, Some(file))?;
    }
    if let Some(pem) = &configuration.certificate_authorities {
        add(&mut authorities, pem.as_bytes(), None)?;
    }
    let store = &mut authorities.store;
    if store.is_empty() {
        // A store has certificates that rustls cannot use; those it can are enough.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if store.is_empty() {
        return Err(Error::NoCertificateAuthorities);
    }
    Ok(authorities)
}

fn add(authorities: &mut Authorities, pem: &[u8], file: Option<&Path>) -> Result<(), Error> {
    let wrong = |reason: String| Error::CertificateAuthorities {
        file: file.map(Path::to_owned),
        reason,
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        authorities
            .store
            .add(certificate.clone())
            .map_err(|error| {
                let reason = match error {
                    rustls::Error::InvalidCertificate(error) => explain_certificate(&error, ""),
                    _ => "it cannot be understood".to_owned(),
                };
                wrong(format!("certificate {}: {reason}", count + 1))
            })?;
        authorities.listed.push(certificate);
        count += 1;
    }
    if count == 0 {
        return Err(wrong(
            "there is no certificate in it; it must be PEM, with `-----BEGIN CERTIFICATE-----`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Accepts what the authorities have signed, and a certificate that is itself listed as an
/// authority: `openssl req -x509` creates a certificate that is both, which webpki refuses to a
/// server (rustls/webpki#205).
#[derive(Debug)]
struct Verifier {
    signed: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let signed = &self.signed;
        match signed.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            // webpki has checked the time by then, and not the name.
            Err(rustls::Error::InvalidCertificate(error))
                if is_of_authority(&error) && self.listed.iter().any(|one| one == certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let signed = &self.signed;
        signed.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let signed = &self.signed;
        signed.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

fn is_of_authority(error: &CertificateError) -> bool {
    let CertificateError::Other(error) = error else {
        return false;
    };
    let error = error.0.downcast_ref::<webpki::Error>();
    matches!(error, Some(webpki::Error::CaUsedAsEndEntity))
}

/// Why TLS with a server fails, and what to do.
pub(super) fn explain(error: &rustls::Error, server: &ServerUrl) -> String {
    match error {
        rustls::Error::InvalidCertificate(wrong) => explain_certificate(wrong, server.host()),
        rustls::Error::InvalidMessage(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. }
        | rustls::Error::PeerSentOversizedRecord => {
            format!("what it sends is not TLS; {}", scheme_and_port(server))
        }
        rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol => {
            "it has no TLS version or cipher suite in common with this program; allow TLS 1.2 or \
             1.3 with ECDHE and AES-GCM or ChaCha20 on the server"
                .to_owned()
        }
        rustls::Error::AlertReceived(_) => {
            "it ended the TLS handshake; its log says why. Most often it has no usable \
             certificate, or allows neither TLS 1.2 nor 1.3"
                .to_owned()
        }
        rustls::Error::NoCertificatesPresented => {
            "it has no certificate; configure one on the server".to_owned()
        }
        _ => {
            "TLS with it failed; try `openssl s_client -connect` with its name and port".to_owned()
        }
    }
}

#[expect(deprecated, reason = "rustls still has the old variants")]
fn explain_certificate(error: &CertificateError, host: &str) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate is not signed by a trusted authority; name the authority that signed it in \
             `certificateAuthorityFile` or `certificateAuthorities`"
                .to_owned()
        }
        CertificateError::BadSignature => {
            "its certificate is not signed by a trusted authority: one of the same name, with \
             another key, is in `certificateAuthorityFile` or `certificateAuthorities`; name the \
             one that signed it"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "its certificate is not for `{host}`; write the server as in the certificate's \
                 subjectAltName, or have a certificate issued that has this name there"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate, or that of an authority, has expired; renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check the clocks".to_owned()
        }
        CertificateError::BadEncoding => {
            "its certificate cannot be understood; have a new one issued".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithm
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its certificate, or that of an authority, is signed with an algorithm that this \
             program does not support, such as a P-521 key or RSASSA-PSS; have it issued by an \
             authority with an RSA key and PKCS #1 v1.5, or with a P-256 or P-384 key"
                .to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not one for servers; have one issued with the extended key usage \
             serverAuth"
                .to_owned()
        }
        CertificateError::UnhandledCriticalExtension => {
            "its certificate has a critical extension that this program does not know; have one \
             issued without it"
                .to_owned()
        }
        error if is_of_authority(error) => {
            "its certificate is that of an authority; issue a server certificate from it \
             (basicConstraints CA:FALSE), or list this certificate itself in \
             `certificateAuthorityFile` or `certificateAuthorities`"
                .to_owned()
        }
        _ => "its certificate cannot be verified; check it with `openssl verify`".to_owned(),
    }
}

/// Which scheme and port belong together.
pub(super) fn scheme_and_port(server: &ServerUrl) -> &'static str {
    if server.is_tls() {
        "`ldaps://` needs a port that begins with TLS, most often 636; for another port, most \
         often 389, write `ldap://`"
    } else {
        "`ldap://` needs a port that begins without TLS, most often 389; for a port of TLS, most \
         often 636, write `ldaps://`"
    }
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, InvalidMessage, OtherError, PeerIncompatible};

    use super::*;

    #[test]
    #[expect(deprecated, reason = "rustls still has the old variants")]
    fn every_message_is_a_sentence_and_no_debug_output() {
        let other = |error: webpki::Error| CertificateError::Other(OtherError(Arc::new(error)));
        let certificate = [
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::NotValidYet,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithm,
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![1],
                public_key_algorithm_id: vec![2],
            },
            CertificateError::NotValidForName,
            CertificateError::InvalidPurpose,
            CertificateError::Revoked,
            other(webpki::Error::CaUsedAsEndEntity),
            other(webpki::Error::UnsupportedCertVersion),
        ];
        let errors = certificate
            .into_iter()
            .map(rustls::Error::InvalidCertificate)
            .chain([
                rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
                rustls::Error::PeerSentOversizedRecord,
                rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                rustls::Error::AlertReceived(AlertDescription::HandshakeFailure),
                rustls::Error::NoCertificatesPresented,
                rustls::Error::DecryptError,
                rustls::Error::General("Some(value)".to_owned()),
            ]);
        let debug = regex::Regex::new(r"[A-Z][A-Za-z]+\(").unwrap();
        let server: ServerUrl = serde_yaml::from_str("ldaps://dc1.example.test").unwrap();
        for error in errors {
            let text = explain(&error, &server);
            assert!(!debug.is_match(&text), "{text}");
            assert!(text.contains("; "), "no next step: {text}");
        }
    }
}

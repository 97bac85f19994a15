//! Whom the reader trusts to be the directory.
//!
//! A directory's certificate is nearly always signed by an authority of the company. With an
//! own authority, only that one counts: the hundreds of public ones have nothing to say about
//! a server in a private network.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::{Configuration, Error};

/// TLS 1.2 or 1.3 with a server whose certificate one of the authorities signed.
pub(super) fn client_configuration(
    configuration: &Configuration,
) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has both versions of TLS")
        .with_root_certificates(authorities(configuration)?)
        .with_no_client_auth();
    Ok(Arc::new(tls))
}

fn authorities(configuration: &Configuration) -> Result<RootCertStore, Error> {
    let mut authorities = RootCertStore::empty();
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
    if authorities.is_empty() {
        // A store has certificates that rustls cannot use; those it can are enough.
        authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if authorities.is_empty() {
        return Err(Error::NoCertificateAuthorities);
    }
    Ok(authorities)
}

fn add(authorities: &mut RootCertStore, pem: &[u8], file: Option<&Path>) -> Result<(), Error> {
    let wrong = |reason: String| Error::CertificateAuthorities {
        file: file.map(Path::to_owned),
        reason,
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        authorities
            .add(certificate)
            .map_err(|error| wrong(format!("certificate {}: {error}", count + 1)))?;
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

/// What is wrong with a server's certificate, and what to do.
pub(super) fn explain(error: &rustls::Error, host: &str) -> String {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return format!("TLS failed: {error}");
    };
    match wrong {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is signed by nobody trusted; name the authority that signed it in \
             `certificateAuthorityFile` or `certificateAuthorities`"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "its certificate is not for `{host}`; write the server as in the certificate's \
                 subjectAltName, or have a certificate issued that has this name there"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired; renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check the clocks".to_owned()
        }
        _ => format!("its certificate cannot be trusted: {error}"),
    }
}

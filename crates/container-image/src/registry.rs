//! Where images are kept: any registry that speaks the OCI distribution specification
//! (<https://github.com/opencontainers/distribution-spec>), Amazon ECR among them.

use std::fmt;

use http::HeaderValue;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};

use crate::Image;

/// Who pushes.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user with a password: `AWS` and an authorization token for ECR.
    Password {
        /// The name.
        user: String,
        /// The password, which is never shown.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password",
        })
    }
}

/// Why an image was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The registry refused, or could not be reached.
    #[error("failed to {action} at {registry}")]
    Registry {
        /// What was to be done.
        action: &'static str,
        /// Host and port.
        registry: String,
        /// Why it failed.
        #[source]
        source: Box<OciDistributionError>,
    },
    /// The registry has no such repository.
    #[error("the repository {repository} does not exist at {registry}")]
    NoRepository {
        /// Host and port.
        registry: String,
        /// The repository's name.
        repository: String,
    },
    /// The tag that the image should get is on another one. Tags are made of digests, so
    /// somebody has put it there by hand.
    #[error("the tag {tag} of {repository} at {registry} is on another image: {actual}")]
    TagTaken {
        /// Host and port.
        registry: String,
        /// The repository's name.
        repository: String,
        /// The tag.
        tag: String,
        /// The digest of the image that has it.
        actual: String,
    },
}

impl PushError {
    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry { .. } => Some(
                "run the same command again: what the registry has already is not sent again"
                    .to_owned(),
            ),
            Self::NoRepository { .. } => None,
            Self::TagTaken {
                repository, tag, ..
            } => Some(format!(
                "find out who put it there, and remove the tag: aws ecr batch-delete-image --repository-name {repository} --image-ids imageTag={tag}"
            )),
        }
    }
}

/// A repository of a registry.
pub struct Registry {
    client: Client,
    registry: String,
    repository: String,
    credentials: RegistryAuth,
}

impl Registry {
    /// The repository `repository` at `registry`, a host with its port if that is not 443.
    /// A registry on this machine is spoken to without TLS.
    #[must_use]
    pub fn new(registry: &str, repository: &str, credentials: Credentials) -> Self {
        // The client asks for the process's provider; one that is there already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let is_local = registry.starts_with("127.0.0.1:") || registry.starts_with("localhost:");
        Self {
            client: Client::new(ClientConfig {
                protocol: if is_local {
                    ClientProtocol::Http
                } else {
                    ClientProtocol::Https
                },
                // Amazon ECR loses what comes after the first chunk
                // (https://github.com/aws/containers-roadmap/issues/2831).
                use_monolithic_push: true,
                ..ClientConfig::default()
            }),
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            credentials: match credentials {
                Credentials::Anonymous => RegistryAuth::Anonymous,
                Credentials::Password { user, password } => RegistryAuth::Basic(user, password),
            },
        }
    }

    /// Pushes an image, and says whether that was necessary. What the repository has
    /// already is not sent again. The image gets a tag that is made of its digest, because
    /// registries clean up what has none.
    ///
    /// # Errors
    /// [`PushError::NoRepository`]; [`PushError::TagTaken`]; [`PushError::Registry`] if the
    /// registry refuses or cannot be reached.
    pub async fn push(&self, image: &Image) -> Result<bool, PushError> {
        let tagged = Reference::with_tag(
            self.registry.clone(),
            self.repository.clone(),
            image.tag().to_owned(),
        );
        self.client
            .auth(&tagged, &self.credentials, RegistryOperation::Push)
            .await
            .map_err(|source| self.error("sign in", source))?;
        match self.digest_of(&tagged).await? {
            Some(actual) if actual == image.digest() => return Ok(false),
            Some(actual) => {
                return Err(PushError::TagTaken {
                    registry: self.registry.clone(),
                    repository: self.repository.clone(),
                    tag: image.tag().to_owned(),
                    actual,
                });
            }
            None => {}
        }
        for (bytes, digest) in [
            (&image.layer, &image.layer_digest),
            (&image.config, &image.config_digest),
        ] {
            let is_there = self
                .client
                .blob_exists(&tagged, digest)
                .await
                .map_err(|source| self.error("look for a part of the image", source))?;
            if !is_there {
                self.client
                    .push_blob(&tagged, bytes.clone(), digest)
                    .await
                    .map_err(|source| self.error("upload a part of the image", source))?;
            }
        }
        self.client
            .push_manifest_raw(
                &tagged,
                image.manifest.clone(),
                HeaderValue::from_static(OCI_IMAGE_MEDIA_TYPE),
            )
            .await
            .map_err(|source| self.error("put the manifest of the image", source))?;
        Ok(true)
    }

    /// The digest of what a reference names; `None` if it names nothing.
    async fn digest_of(&self, reference: &Reference) -> Result<Option<String>, PushError> {
        match self
            .client
            .fetch_manifest_digest(reference, &self.credentials)
            .await
        {
            Ok(digest) => Ok(Some(digest)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(self.error("look for the image", error)),
        }
    }

    fn error(&self, action: &'static str, source: OciDistributionError) -> PushError {
        if has_code(&source, &[OciErrorCode::NameUnknown]) {
            return PushError::NoRepository {
                registry: self.registry.clone(),
                repository: self.repository.clone(),
            };
        }
        PushError::Registry {
            action,
            registry: self.registry.clone(),
            source: Box::new(source),
        }
    }
}

fn is_not_found(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) => true,
        OciDistributionError::ServerError { code, .. } => *code == 404,
        other => has_code(
            other,
            &[
                OciErrorCode::ManifestUnknown,
                OciErrorCode::NotFound,
                // Some registries make a repository when something is put into it; the
                // others say so again then.
                OciErrorCode::NameUnknown,
            ],
        ),
    }
}

fn has_code(error: &OciDistributionError, codes: &[OciErrorCode]) -> bool {
    let OciDistributionError::RegistryError { envelope, .. } = error else {
        return false;
    };
    envelope
        .errors
        .iter()
        .any(|error| codes.contains(&error.code))
}

//! The artifact bucket: packages and large templates on their way to CloudFormation.
//!
//! Everything in it is named by its content, so uploading is idempotent, what is there
//! is never uploaded again, and nothing is ever overwritten with something else. Every
//! call names the account that must own the bucket: bucket names are global, and a
//! bucket that somebody else made under our name must not get our code
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>).
//!
//! The default bucket is made on first use. Its policy is written last; so a policy says
//! that the bucket is set up completely, and a bucket without one is finished by the next
//! run. What people change in it later stays as they want it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{BuildError, SdkError};
use aws_sdk_s3::operation::put_bucket_encryption::PutBucketEncryptionError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, ChecksumMode, CreateBucketConfiguration,
    ObjectOwnership, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::{Artifacts, Error, Package, Sha256};
use crate::cloud::{Cloud, RepeatGarbledReads, ServiceError, failed_to};
use crate::environment::{Environment, url_suffix};

/// Packages that are uploaded at the same time.
const PARALLEL_UPLOADS: usize = 4;

/// Why something did not get into the artifact bucket.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The bucket that the environment names is not there.
    #[error("the artifact bucket {bucket} does not exist")]
    NoBucket {
        /// Its name.
        bucket: String,
    },
    /// The bucket is in another region, where Lambda would not read from.
    #[error("the artifact bucket {bucket} is not in {region}")]
    WrongRegion {
        /// Its name.
        bucket: String,
        /// The region of the environment.
        region: String,
    },
    /// The bucket is somebody else's, or we may not look.
    #[error(
        "the artifact bucket {bucket} cannot be used: it belongs to another account than {account}, or the credentials may not read it"
    )]
    Forbidden {
        /// Its name.
        bucket: String,
        /// The account that should own it.
        account: String,
    },
    /// The name of the default bucket is taken.
    #[error("the artifact bucket {bucket} belongs to another account than {account}")]
    Foreign {
        /// Its name.
        bucket: String,
        /// The account that should own it.
        account: String,
    },
    /// S3 did not do as asked.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The package on this machine is not right.
    #[error(transparent)]
    Artifact(#[from] Error),
}

impl UploadError {
    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoBucket { .. } => Some(
                "create it, or remove artifacts.bucket from the environment file to have one made"
                    .to_owned(),
            ),
            Self::WrongRegion { region, .. } => Some(format!(
                "Lambda reads packages only from its own region: name a bucket in {region} in artifacts.bucket"
            )),
            Self::Forbidden { bucket, .. } => Some(format!(
                "allow s3:ListBucket on arn:aws:s3:::{bucket} to the role that deploys, or name a bucket of this account in artifacts.bucket"
            )),
            Self::Foreign { .. } => {
                Some("name a bucket of this account in artifacts.bucket".to_owned())
            }
            Self::Service(error) => error.hint(),
            Self::Artifact(error) => error.hint(),
        }
    }
}

/// The name of the environment's artifact bucket in `account`.
#[must_use]
pub fn bucket_name(environment: &Environment, account: &str) -> String {
    environment.artifacts.bucket.as_ref().map_or_else(
        || format!("connect-scim-artifacts-{account}-{}", environment.region),
        ToString::to_string,
    )
}

/// The artifact bucket of an environment, which is there and ours.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    account: String,
    url: String,
}

/// An object that whoever uploaded it removes again.
#[derive(Debug)]
pub struct PassingObject {
    /// Where CloudFormation finds it.
    pub url: String,
    key: String,
    version: Option<String>,
}

impl Bucket {
    /// Finds the environment's bucket; makes it if it is the default one and not there.
    ///
    /// # Errors
    /// When it is somebody else's, in another region, missing though named, or S3 refuses.
    pub async fn open(cloud: &Cloud, environment: &Environment) -> Result<Self, UploadError> {
        let config = Builder::from(cloud.config())
            .interceptor(RepeatGarbledReads)
            // A bucket's own host name would not lead to the local cloud.
            .force_path_style(cloud.is_local())
            .build();
        let region = environment.region.to_string();
        let name = bucket_name(environment, cloud.account());
        let url = match cloud.config().endpoint_url() {
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            None => format!(
                "https://{name}.s3.{region}.{}",
                url_suffix(partition(&region))
            ),
        };
        let bucket = Self {
            client: Client::from_conf(config),
            name,
            account: cloud.account().to_owned(),
            url,
        };
        let is_default = environment.artifacts.bucket.is_none();
        if !bucket.exists(&region).await? {
            if !is_default {
                return Err(UploadError::NoBucket {
                    bucket: bucket.name,
                });
            }
            bucket.create(&region).await?;
            bucket.set_up(&region).await?;
        } else if is_default && !bucket.has_policy().await? {
            bucket.set_up(&region).await?;
        }
        Ok(bucket)
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Uploads the packages that are not there yet. Returns those that were uploaded.
    ///
    /// # Errors
    /// When a package was changed since it was built, or S3 refuses.
    pub async fn upload<'a>(
        &self,
        artifacts: &'a Artifacts,
    ) -> Result<Vec<&'a Package>, UploadError> {
        let uploaded: Vec<Option<&Package>> = stream::iter(artifacts.packages())
            .map(async |package| {
                let key = package.key();
                if self.has(&key, package.size, package.sha256).await? {
                    return Ok(None);
                }
                self.put(&key, package.read()?, package.sha256, "application/zip")
                    .await?;
                Ok::<_, UploadError>(Some(package))
            })
            .buffered(PARALLEL_UPLOADS)
            .try_collect()
            .await?;
        Ok(uploaded.into_iter().flatten().collect())
    }

    /// Uploads a template that is too large for a request to CloudFormation (51,200
    /// bytes) and returns the URL for `TemplateURL`.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn upload_template(&self, body: &str) -> Result<String, UploadError> {
        let sha256 = Sha256::of(body.as_bytes());
        let key = format!("templates/{sha256}.template");
        if !self.has(&key, body.len() as u64, sha256).await? {
            self.put(&key, body.as_bytes().to_vec(), sha256, "text/plain")
                .await?;
        }
        Ok(format!("{}/{key}", self.url))
    }

    /// Uploads a template that is needed for a moment only. It has a name of its own, so that
    /// [`Bucket::remove`] takes it from nobody else.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn upload_for_a_moment(&self, body: &str) -> Result<PassingObject, UploadError> {
        let sha256 = Sha256::of(body.as_bytes());
        let key = format!("templates/{}.template", uuid::Uuid::new_v4().simple());
        let version = self
            .put(&key, body.as_bytes().to_vec(), sha256, "text/plain")
            .await?;
        Ok(PassingObject {
            url: format!("{}/{key}", self.url),
            key,
            version,
        })
    }

    /// Removes an object with all that is left of it: in a bucket that keeps versions, the
    /// version too.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn remove(&self, object: &PassingObject) -> Result<(), ServiceError> {
        self.client
            .delete_object()
            .bucket(&self.name)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .expected_bucket_owner(&self.account)
            .send()
            .await
            .map_err(failed_to(format!(
                "delete s3://{}/{}",
                self.name, object.key
            )))?;
        Ok(())
    }

    /// Whether the bucket is there, and ours.
    async fn exists(&self, region: &str) -> Result<bool, UploadError> {
        let answer = self
            .client
            .head_bucket()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await;
        // A HEAD request is refused without a body, so without an error code.
        match answer.as_ref().map_err(status) {
            Ok(_) => Ok(true),
            Err(Some(404)) => Ok(false),
            Err(Some(301)) => Err(UploadError::WrongRegion {
                bucket: self.name.clone(),
                region: region.to_owned(),
            }),
            Err(Some(403)) => Err(UploadError::Forbidden {
                bucket: self.name.clone(),
                account: self.account.clone(),
            }),
            Err(_) => answer
                .map(|_| true)
                .map_err(failed_to(format!("find the artifact bucket {}", self.name)))
                .map_err(UploadError::Service),
        }
    }

    async fn create(&self, region: &str) -> Result<(), UploadError> {
        // us-east-1 is the one region that must not be named.
        let configuration = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        let answer = self
            .client
            .create_bucket()
            .bucket(&self.name)
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .set_create_bucket_configuration(configuration)
            .send()
            .await;
        match answer.as_ref().map_err(ProvideErrorMetadata::code) {
            // Another run was faster.
            Ok(_) | Err(Some("BucketAlreadyOwnedByYou")) => Ok(()),
            Err(Some("BucketAlreadyExists")) => Err(UploadError::Foreign {
                bucket: self.name.clone(),
                account: self.account.clone(),
            }),
            Err(_) => answer
                .map(drop)
                .map_err(failed_to(format!("make the artifact bucket {}", self.name)))
                .map_err(UploadError::Service),
        }
    }

    async fn has_policy(&self) -> Result<bool, UploadError> {
        let answer = self
            .client
            .get_bucket_policy()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .send()
            .await;
        match answer.as_ref().map_err(ProvideErrorMetadata::code) {
            Ok(_) => Ok(true),
            Err(Some("NoSuchBucketPolicy")) => Ok(false),
            Err(_) => answer
                .map(|_| true)
                .map_err(failed_to(format!(
                    "read the policy of the artifact bucket {}",
                    self.name
                )))
                .map_err(UploadError::Service),
        }
    }

    /// Blocks public access, keeps versions, encrypts, and then refuses requests without TLS.
    async fn set_up(&self, region: &str) -> Result<(), UploadError> {
        let action = || format!("set up the artifact bucket {}", self.name);
        self.client
            .put_public_access_block()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .public_access_block_configuration(
                PublicAccessBlockConfiguration::builder()
                    .block_public_acls(true)
                    .ignore_public_acls(true)
                    .block_public_policy(true)
                    .restrict_public_buckets(true)
                    .build(),
            )
            .send()
            .await
            .map_err(failed_to(action()))?;
        self.client
            .put_bucket_versioning()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .versioning_configuration(
                VersioningConfiguration::builder()
                    .status(BucketVersioningStatus::Enabled)
                    .build(),
            )
            .send()
            .await
            .map_err(failed_to(action()))?;
        self.client
            .put_bucket_encryption()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .server_side_encryption_configuration(
                encryption()
                    .map_err(SdkError::<PutBucketEncryptionError>::construction_failure)
                    .map_err(failed_to(action()))?,
            )
            .send()
            .await
            .map_err(failed_to(action()))?;
        self.client
            .put_bucket_policy()
            .bucket(&self.name)
            .expected_bucket_owner(&self.account)
            .policy(tls_only(&self.name, region))
            .send()
            .await
            .map_err(failed_to(action()))?;
        Ok(())
    }

    /// Whether an object is there and whole.
    async fn has(&self, key: &str, size: u64, sha256: Sha256) -> Result<bool, UploadError> {
        let answer = self
            .client
            .head_object()
            .bucket(&self.name)
            .key(key)
            .expected_bucket_owner(&self.account)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match answer {
            Ok(object) => {
                let same_size = object.content_length() == i64::try_from(size).ok();
                let same_content = object
                    .checksum_sha256()
                    .is_none_or(|checksum| checksum == sha256.to_base64());
                Ok(same_size && same_content)
            }
            Err(error) if status(&error) == Some(404) => Ok(false),
            Err(error) if status(&error) == Some(403) => Err(UploadError::Forbidden {
                bucket: self.name.clone(),
                account: self.account.clone(),
            }),
            Err(error) => Err(failed_to(format!("find s3://{}/{key}", self.name))(error).into()),
        }
    }

    /// Uploads an object, and returns its version where the bucket keeps versions.
    async fn put(
        &self,
        key: &str,
        content: Vec<u8>,
        sha256: Sha256,
        content_type: &str,
    ) -> Result<Option<String>, UploadError> {
        let answer = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .expected_bucket_owner(&self.account)
            .content_type(content_type)
            // S3 refuses what arrives with another digest, and keeps this one.
            .checksum_sha256(sha256.to_base64())
            .body(ByteStream::from(content))
            .send()
            .await
            .map_err(failed_to(format!("upload s3://{}/{key}", self.name)))?;
        Ok(answer.version_id)
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

fn encryption() -> Result<ServerSideEncryptionConfiguration, BuildError> {
    let by_default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::Aes256)
        .build()?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .build();
    ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>,
/// "Enforce encryption of data in transit".
fn tls_only(bucket: &str, region: &str) -> String {
    let arn = format!("arn:{}:s3:::{bucket}", partition(region));
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } }
        }]
    })
    .to_string()
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests;

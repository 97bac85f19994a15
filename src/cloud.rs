//! The way to the cloud: credentials, region, endpoint, and the account check.
//!
//! A deployment into the wrong account is the one mistake that nothing later can mend,
//! so [`Cloud::connect`] asks STS who we are before anything else and refuses every
//! account but the one that the environment names.

mod garbled;
mod mfa;
mod policy;
pub mod service;
mod service_error;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use aws_smithy_types::retry::RetryConfig;

use crate::environment::Environment;

pub use garbled::RepeatGarbledReads;
pub use policy::decoded_policy;
pub use service_error::{ServiceError, ServiceErrorKind, failed_call, failed_to};

/// The client of an SDK crate for a [`Cloud`], which repeats reads whose answer was garbled.
macro_rules! client {
    ($sdk:ident, $cloud:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from($cloud.config())
                .interceptor($crate::cloud::RepeatGarbledReads)
                .build(),
        )
    };
}
pub(crate) use client;

/// How often one call is tried before its failure counts. CloudFormation throttles
/// without published limits, so the deployer is patient.
const MAX_ATTEMPTS: u32 = 8;

/// How often the first call is tried: a cloud out of reach should be told soon.
const FIRST_CALL_ATTEMPTS: u32 = 3;

/// Where the calls go instead of AWS.
#[derive(Debug, Clone)]
pub struct LocalEndpoint {
    /// The URL of the local cloud.
    pub url: String,
    /// Its credentials; they open nothing outside this machine.
    pub credentials: Credentials,
}

/// An authenticated way to one account and region.
#[derive(Debug, Clone)]
pub struct Cloud {
    config: SdkConfig,
    account: String,
    local: bool,
}

/// Why there is no way to the cloud.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials belong to another account than the environment's.
    #[error(
        "the credentials belong to account {actual} ({identity}), but the environment is account {expected}"
    )]
    WrongAccount {
        /// The account of the environment file.
        expected: String,
        /// The account that STS names.
        actual: String,
        /// The ARN of the caller.
        identity: String,
    },
    /// There are no credentials.
    #[error("no credentials were found")]
    NoCredentials,
    /// The profile wants a second factor, and nobody was asked for it.
    #[error(
        "the profile {profile} wants a second factor (mfa_serial), and there is no session with one"
    )]
    MfaNeeded {
        /// The profile.
        profile: String,
        /// What STS said.
        source: ServiceError,
    },
    /// STS did not answer the question who we are.
    #[error(transparent)]
    Identity(#[from] ServiceError),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::WrongAccount { expected, .. } => Some(format!(
                "use credentials of account {expected} (AWS_PROFILE, `profile:` or `roleArn:` in the environment file), or correct `account:`"
            )),
            Self::NoCredentials => {
                Some("set AWS_PROFILE, or `profile:` in the environment file".to_owned())
            }
            Self::MfaNeeded { profile, .. } => Some(format!(
                "this asks for the code and hands the session over: eval \"$(aws configure export-credentials --profile {profile} --format env)\"; or sign in by `aws sso login` with a profile of IAM Identity Center"
            )),
            Self::Identity(error) => error.hint(),
        }
    }
}

impl Cloud {
    /// Finds credentials, assumes the environment's role if it names one, and makes sure
    /// that they belong to the environment's account.
    ///
    /// # Errors
    /// [`Error::Identity`] when there are no valid credentials or STS is out of reach,
    /// [`Error::MfaNeeded`] when there are none for want of a second factor,
    /// [`Error::WrongAccount`] when they belong to somebody else.
    pub async fn connect(
        environment: &Environment,
        local: Option<LocalEndpoint>,
    ) -> Result<Self, Error> {
        let is_local = local.is_some();
        let config = load_config(environment, local).await;
        let identity = caller(&config, environment.profile.as_deref()).await?;
        let account = identity.account().unwrap_or_default().to_owned();
        if let Some(expected) = &environment.account
            && expected.as_ref() != account
        {
            return Err(Error::WrongAccount {
                expected: expected.to_string(),
                actual: account,
                identity: identity.arn().unwrap_or_default().to_owned(),
            });
        }
        Ok(Self {
            config,
            account,
            local: is_local,
        })
    }

    /// Finds credentials for whatever account they belong to, for commands that have no
    /// environment yet.
    ///
    /// # Errors
    /// [`Error::Identity`] when there are no valid credentials or STS is out of reach.
    pub async fn discover(region: &str, profile: Option<&str>) -> Result<Self, Error> {
        let mut loader = loader(Region::new(region.to_owned()))
            .http_client(http_client(ProxyConfig::from_env()));
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        let identity = caller(&config, profile).await?;
        Ok(Self {
            account: identity.account().unwrap_or_default().to_owned(),
            config,
            local: false,
        })
    }

    /// The configuration for service clients.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The same way for services that are called without an SDK of their own.
    ///
    /// # Errors
    /// [`Error::NoCredentials`].
    pub fn service_environment(&self) -> Result<aws_json_client::Environment, Error> {
        let region = self.config.region().map_or("", |region| region.as_ref());
        self.service_environment_in(region)
    }

    /// The same in another region, for services that are in one region of a partition only.
    ///
    /// # Errors
    /// [`Error::NoCredentials`].
    pub fn service_environment_in(
        &self,
        region: &str,
    ) -> Result<aws_json_client::Environment, Error> {
        let config = &self.config;
        let credentials = config.credentials_provider().ok_or(Error::NoCredentials)?;
        let mut environment = aws_json_client::Environment::new(region, credentials);
        if let Some(client) = config.http_client() {
            environment = environment.http_client(client);
        }
        if let Some(url) = config.endpoint_url() {
            environment = environment.endpoint_url(None, url);
        }
        Ok(environment)
    }

    /// The 12-digit account id that STS named.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether this is the local cloud.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.local
    }
}

/// Asks STS who we are.
async fn caller(
    config: &SdkConfig,
    profile: Option<&str>,
) -> Result<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput, Error> {
    let patience = aws_sdk_sts::config::Builder::from(config)
        .retry_config(RetryConfig::standard().with_max_attempts(FIRST_CALL_ATTEMPTS))
        .interceptor(RepeatGarbledReads)
        .build();
    aws_sdk_sts::Client::from_conf(patience)
        .get_caller_identity()
        .send()
        .await
        .map_err(failed_to("ask STS for the caller's identity"))
        .map_err(|source| {
            let is_refused = matches!(
                source.kind,
                ServiceErrorKind::Credentials | ServiceErrorKind::Denied
            );
            match mfa::profile_with_mfa(profile) {
                Some(profile) if is_refused => Error::MfaNeeded { profile, source },
                _ => Error::Identity(source),
            }
        })
}

fn loader(region: Region) -> aws_config::ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
}

async fn load_config(environment: &Environment, local: Option<LocalEndpoint>) -> SdkConfig {
    let region = Region::new(environment.region.to_string());
    let loader = loader(region.clone());
    if let Some(local) = local {
        return loader
            .http_client(http_client(ProxyConfig::disabled()))
            .endpoint_url(local.url)
            .credentials_provider(local.credentials)
            .load()
            .await;
    }
    let mut loader = loader.http_client(http_client(ProxyConfig::from_env()));
    if let Some(profile) = &environment.profile {
        loader = loader.profile_name(profile);
    }
    let base = loader.load().await;
    let Some(role) = &environment.role_arn else {
        return base;
    };
    let mut provider = AssumeRoleProvider::builder(role.to_string())
        .session_name("connect-scim")
        .region(region);
    if let Some(external_id) = &environment.external_id {
        provider = provider.external_id(external_id.to_string());
    }
    let provider = provider.configure(&base).build().await;
    base.to_builder()
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(provider),
        )
        .build()
}

/// rustls with ring: the SDK's default (aws-lc) is a C library whose build costs every
/// fresh clone two minutes. Proxies come from the usual variables, as in every SDK.
fn http_client(proxy: ProxyConfig) -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, _components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build()
    })
}

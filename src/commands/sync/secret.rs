//! The two secrets of a directory sync. The task gets them from Secrets Manager; here they
//! are handed over, and read for a run from this machine.

use aws_json_client::{Client, Service};
use directory_sync::configuration::Secrets;
use directory_sync::token::TokenExpiry;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::json;

use crate::cli::{EnvironmentArg, SyncSecret, SyncSecretSetArgs};
use crate::cloud::{ServiceError, failed_call};
use crate::commands::error::{StackError, SyncError};
use crate::commands::interrupt::{InCloud, run_interruptibly};
use crate::commands::target::{self, Target};
use crate::commands::token::{read_secret_text, read_token_text};
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::stack::StackDescription;
use crate::token;

/// The variables that hold the secrets in the task, and may hold them here.
const BIND_PASSWORD: &str = "DIRECTORY_SYNC_BIND_PASSWORD";
const TOKEN: &str = "DIRECTORY_SYNC_TOKEN";

/// The members of the token's secret, as the task definition names them.
const TOKEN_MEMBER: &str = "token";
const EXPIRES_MEMBER: &str = "expires";

/// The secrets in the environment variables, if both are there.
pub(super) fn given() -> Option<Secrets> {
    let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Secrets {
        bind_password: read(BIND_PASSWORD)?.into(),
        token: read(TOKEN)?.into(),
    })
}

/// The secrets that the task gets, and when the token expires.
pub(super) async fn kept(
    target: &Target,
    environment: &EnvironmentArg,
) -> Result<(Secrets, Option<TokenExpiry>), Error> {
    let secrets = token::Secrets::new(&target.service_environment()?);
    let stack = target.describe_existing().await?;
    let read = async |secret, member| {
        let arn = arn(target, &stack, secret)?;
        let value = match secrets.read(&arn, member).await {
            // It stands, and was never filled.
            Err(empty) if empty.has_code("ResourceNotFoundException") => None,
            value => value?,
        };
        let value = value.map(|value| value.reveal(|text| SecretString::from(text.to_owned())));
        Ok::<_, Error>(value.filter(|value| !value.expose_secret().is_empty()))
    };
    let there = |value: Option<SecretString>, secret| {
        value.ok_or_else(|| SyncError::NoSecret {
            secret,
            environment: target::name(environment),
        })
    };
    let bind_password = read(SyncSecret::BindPassword, None).await?;
    let token = read(SyncSecret::Token, Some(TOKEN_MEMBER)).await?;
    let expires = read(SyncSecret::Token, Some(EXPIRES_MEMBER)).await?;
    let expires = expires.and_then(|text| text.expose_secret().parse().ok());
    let secrets = Secrets {
        bind_password: there(bind_password, SyncSecret::BindPassword)?,
        token: there(token, SyncSecret::Token)?,
    };
    Ok((secrets, expires))
}

/// The ARN of a secret of the deployed stack.
pub(in crate::commands) fn arn(
    target: &Target,
    stack: &StackDescription,
    secret: SyncSecret,
) -> Result<String, Error> {
    let output = match secret {
        SyncSecret::BindPassword => "BindPasswordSecretArn",
        SyncSecret::Token => "TokenSecretArn",
    };
    stack.outputs.get(output).cloned().ok_or_else(|| {
        StackError::Incomplete {
            stack: target.stack_name(),
            what: output,
        }
        .into()
    })
}

/// Runs `sync secret set`.
pub(super) fn set(args: &SyncSecretSetArgs, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), async {
        let expires = expires(args)?;
        let environment = target::environment(&args.environment)?;
        environment.directory_sync()?;
        let target = Target::open(&args.environment, environment).await?;
        let stack = target.describe_existing().await?;
        let arn = arn(&target, &stack, args.secret)?;
        let question = format!("{} (not shown):", args.secret);
        let value = match args.secret {
            // A password may begin and end with a space.
            SyncSecret::BindPassword => read_secret_text(printer, &question)?,
            SyncSecret::Token => read_token_text(printer, &question)?,
        };
        if value.expose_secret().is_empty() {
            return Err(SyncError::EmptySecret {
                secret: args.secret,
            }
            .into());
        }
        let client = Client::new(Service::SECRETS_MANAGER, &target.service_environment()?);
        let value = match args.secret {
            SyncSecret::BindPassword => value.expose_secret().to_owned(),
            SyncSecret::Token => {
                json!({TOKEN_MEMBER: value.expose_secret(), EXPIRES_MEMBER: expires}).to_string()
            }
        };
        put(&client, &arn, &value).await?;
        printer.message(&match args.secret {
            SyncSecret::BindPassword => "the next run reads the directory with it".to_owned(),
            SyncSecret::Token => format!(
                "the next run writes with it; an alarm reminds 90 days before {expires}, when it expires"
            ),
        });
        Ok(Outcome::SUCCESS)
    })
}

/// The day on which the token expires.
fn expires(args: &SyncSecretSetArgs) -> Result<String, SyncError> {
    let Some(text) = &args.expires else {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        return Ok(today.saturating_add(1.year()).to_string());
    };
    if args.secret == SyncSecret::BindPassword {
        return Err(SyncError::PasswordExpires);
    }
    let expiry: TokenExpiry = text.parse()?;
    if expiry.days_left(Timestamp::now()) < 0 {
        return Err(SyncError::Expired(text.clone()));
    }
    Ok(text.trim().to_owned())
}

/// Without `Debug`, because of the value.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue<'a> {
    secret_id: &'a str,
    /// Makes a repetition of the same call harmless.
    client_request_token: String,
    secret_string: &'a str,
}

async fn put(client: &Client, arn: &str, value: &str) -> Result<(), ServiceError> {
    let request = PutSecretValue {
        secret_id: arn,
        client_request_token: uuid::Uuid::new_v4().to_string(),
        secret_string: value,
    };
    let _version: serde_json::Value = client
        .call("PutSecretValue", &request)
        .await
        .map_err(failed_call(format!("write the secret {arn}")))?;
    Ok(())
}

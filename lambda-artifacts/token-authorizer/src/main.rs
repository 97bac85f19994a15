//! The Lambda function `token-authorizer`.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use aws_json_client::{Client, Environment, Service};
use lambda_runtime::LambdaEvent;
use token_authorizer::authorizer::Authorizer;
use token_authorizer::clients::Settings;
use token_authorizer::policy::AuthorizerEvent;
use token_authorizer::reading::Stores;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda_support::logging::start(&["token_authorizer"]);
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    // A request waits for this read, and API Gateway for the authorizer.
    let environment = Environment::from_process()?;
    let client = |service| {
        Client::builder(service, &environment)
            .connect_timeout(Duration::from_secs(1))
            .attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
    };
    let ssm = client(Service::SSM).build();
    let secrets = client(Service::SECRETS_MANAGER)
        .http_client(ssm.http_client())
        .build();
    let authorizer = &Authorizer::new(settings, Stores { ssm, secrets });
    lambda_support::serve(|event: LambdaEvent<AuthorizerEvent>| async move {
        authorizer
            .authorize(&event.payload, SystemTime::now())
            .await
    })
    .await
}

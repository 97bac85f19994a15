//! The Lambda function `token-generator`.

use std::process::ExitCode;

use aws_json_client::{Client, Environment, Service};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use token_generator::handler::handle;
use token_generator::response_url::ResponseHosts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda_support::logging::start(&["token_generator"]);
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let ssm = &Client::builder(Service::SSM, &Environment::from_process()?)
        .max_attempts(1)
        .build();
    let hosts = &ResponseHosts::read(|name| std::env::var(name).ok())?;
    lambda_support::serve(|event: LambdaEvent<Value>| async move {
        handle(ssm, hosts, &event.payload, event.context.deadline()).await
    })
    .await
}

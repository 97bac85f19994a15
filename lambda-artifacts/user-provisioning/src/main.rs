//! The Lambda function `user-provisioning`.

use std::process::ExitCode;

use lambda_runtime::LambdaEvent;
use user_provisioning::{configuration::Configuration, event::ProxyEvent, handler::Handler};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda_support::logging::start(&["user_provisioning", "connect_directory"]);
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let configuration = Configuration::read(|name| std::env::var(name).ok())?;
    let environment = aws_json_client::Environment::from_process()?;
    let handler = &Handler::new(&configuration, &environment)?;
    lambda_support::serve(|event: LambdaEvent<ProxyEvent>| async move {
        Ok::<_, std::convert::Infallible>(
            handler.handle(event.payload, event.context.deadline).await,
        )
    })
    .await
}

//! The Lambda function `user-provisioning`.

use std::process::ExitCode;

use connect_directory::configuration::Configuration;
use lambda_runtime::LambdaEvent;
use user_provisioning::{caller::Callers, event::ProxyEvent, handler::Handler};

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
    let variable = |name: &str| std::env::var(name).ok();
    let environment = aws_json_client::Environment::from_process()?;
    let directory = Configuration::read(variable)?.directory(&environment)?;
    let handler = &Handler::new(
        directory,
        Callers::read(variable)?,
        variable("SCIM_BASE_URL"),
    );
    lambda_support::serve(|event: LambdaEvent<ProxyEvent>| async move {
        Ok::<_, std::convert::Infallible>(
            handler.handle(event.payload, event.context.deadline).await,
        )
    })
    .await
}

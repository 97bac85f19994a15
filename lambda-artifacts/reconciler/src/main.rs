//! The Lambda function `reconciler`.

use std::process::ExitCode;

use connect_directory::configuration::Configuration;
use lambda_runtime::LambdaEvent;
use reconciler::{event::Event, handler::Handler};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda_support::logging::start(&["reconciler", "connect_directory"]);
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let environment = aws_json_client::Environment::from_process()?;
    let directory =
        Configuration::read(|name| std::env::var(name).ok())?.directory(&environment)?;
    let handler = &Handler::new(directory);
    lambda_support::serve(|event: LambdaEvent<Event>| async move {
        let answer = handler.handle(event.payload, event.context.deadline).await;
        answer.map_err(|error| error.to_string())
    })
    .await
}

//! `local`: the local cloud on this machine.

use super::{Error, Outcome};
use crate::cli::{ConnectSimulatorArgs, LocalCommand, StatusFormat};
use crate::exit_code::Exit;
use crate::local_cloud::{self, Folder, LocalCloud, Status};
use crate::printer::Printer;

/// Runs `local up|down|status`.
pub(super) fn run(command: LocalCommand, printer: &Printer) -> Result<Outcome, Error> {
    if let LocalCommand::ConnectSimulator(arguments) = command {
        return connect_simulator(arguments);
    }
    let directory = std::env::current_dir().map_err(|source| Error::Io {
        action: "find the current directory".to_owned(),
        source,
    })?;
    let folder = Folder::find(&directory);
    match command {
        LocalCommand::Up => up(&folder, printer),
        LocalCommand::Down => down(&folder, printer),
        LocalCommand::Status { format } => status(&folder, format, printer),
        LocalCommand::ConnectSimulator(arguments) => connect_simulator(arguments),
    }
}

fn up(folder: &Folder, printer: &Printer) -> Result<Outcome, Error> {
    let cloud = LocalCloud::ensure_running(folder, &|text| printer.message(text))?;
    printer.message(if cloud.is_new() {
        "The local cloud runs, and is empty"
    } else {
        "The local cloud runs already"
    });
    printer.data_line(&format!("AWS services    {}", cloud.endpoint_url()));
    printer.data_line(&format!("Amazon Connect  {}", cloud.simulator_url()));
    Ok(Outcome::SUCCESS)
}

fn down(folder: &Folder, printer: &Printer) -> Result<Outcome, Error> {
    let was_there = local_cloud::stop(folder, &|text| printer.message(text))?;
    printer.message(if was_there {
        "The local cloud is stopped and forgotten"
    } else {
        "The local cloud was not running"
    });
    Ok(Outcome::SUCCESS)
}

/// Exit code 0 when the cloud runs or is stopped, 1 when it is neither: `up` mends that.
fn status(folder: &Folder, format: StatusFormat, printer: &Printer) -> Result<Outcome, Error> {
    let status = local_cloud::status(folder)?;
    match format {
        StatusFormat::Text => printer.data(&text(&status)),
        StatusFormat::Json => printer.data_line(&serde_json::json!(status).to_string()),
    }
    if status.health.is_sound() {
        Ok(Outcome::SUCCESS)
    } else {
        printer.message("`connect-scim local up` replaces the local cloud by an empty one");
        Ok(Outcome(Exit::Failure))
    }
}

fn text(status: &Status) -> String {
    let mut lines = vec![format!("Local cloud  {}", status.health.as_str())];
    if let Some(started_at) = status.started_at {
        lines.push(format!("Started      {started_at:.0}"));
    }
    if status.outdated {
        lines.push("Version      another than this program's; `up` replaces it".to_owned());
    }
    lines.push(format!("Folder       {}", status.folder.display()));
    for service in &status.services {
        lines.push(String::new());
        lines.push(format!("{}  {}", service.service, service.health.as_str()));
        if let Some(url) = &service.url {
            lines.push(format!("  URL      {url}"));
        }
        if let Some(process_id) = service.process_id {
            lines.push(format!("  Process  {process_id}"));
        }
        lines.push(format!("  Log      {}", service.log.display()));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn connect_simulator(arguments: ConnectSimulatorArgs) -> Result<Outcome, Error> {
    local_cloud::serve_connect(arguments.port, arguments.state, arguments.authorizer)?;
    Ok(Outcome::SUCCESS)
}

//! `render`: the CloudFormation template of an environment, offline.

use std::path::Path;

use super::{Error, Outcome, target};
use crate::artifact::{Artifacts, ContainerImage, bucket_name, default_directory, find_workspace};
use crate::cli::{RenderArgs, TemplateFormat};
use crate::environment::{Cloud, Environment, StackKind};
use crate::local_cloud::{self, Folder, Service};
use crate::printer::Printer;
use crate::template::{Code, CodeLocations, LocalCloud, Options, Template};

/// Stands for the account where the environment names none.
const LOCAL_ACCOUNT: &str = "000000000000";

/// Stands for the id of a group.
const NO_GROUP: &str = "00000000-0000-0000-0000-000000000000";

/// Stands for the address of a local cloud that does not run.
const NOT_RUNNING: &str = "http://not-running.invalid";

/// Runs `render`.
pub(super) fn run(args: &RenderArgs, printer: &Printer) -> Result<Outcome, Error> {
    let environment = target::environment(&args.environment)?;
    let named = environment.assignments.iter();
    let groups = named.flat_map(|assignments| assignments.groups.keys());
    let options = Options {
        // Only Identity Center knows the ids.
        groups: groups
            .map(|group| (group.to_string(), NO_GROUP.to_owned()))
            .collect(),
        local_cloud: match environment.cloud {
            Cloud::Local => Some(local_cloud(printer)?),
            Cloud::Aws => None,
        },
        // Only AWS knows whether the account needs it.
        account_logging_role: environment.api.create_account_logging_role,
    };
    let code = match environment.kind() {
        StackKind::Endpoint => {
            Code::Functions(code(&environment, args.artifacts.as_deref(), printer)?)
        }
        StackKind::DirectorySync => {
            Code::Image(image(&environment, args.artifacts.as_deref(), printer)?)
        }
    };
    let template = Template::render(&environment, &code, &options)?;
    match args.format {
        TemplateFormat::Yaml => printer.data(template.text()),
        TemplateFormat::Json => printer.data_line(&format!("{:#}", template.canonical())),
    }
    Ok(Outcome::SUCCESS)
}

/// Where `deploy` puts the packages, or would put them if they were built.
fn code(
    environment: &Environment,
    directory: Option<&Path>,
    printer: &Printer,
) -> Result<CodeLocations, Error> {
    let account = environment
        .account
        .as_ref()
        .map_or(LOCAL_ACCOUNT, AsRef::as_ref);
    let bucket = bucket_name(environment, account);
    let architecture = environment.functions.architecture;
    let built = match directory {
        Some(directory) => Some(directory.to_owned()),
        None => find_workspace(Path::new("."))
            .ok()
            .map(|workspace| default_directory(&workspace, architecture))
            .filter(|directory| directory.is_dir()),
    };
    let Some(built) = built else {
        printer.warning(
            "the functions have not been built; their keys are shown as `unbuilt` (connect-scim build)",
        );
        return CodeLocations::from_keys(&bucket, |_| Ok("unbuilt".to_owned()));
    };
    let artifacts = Artifacts::load(&built, architecture)?;
    CodeLocations::from_keys(&bucket, |function| Ok(artifacts.package(function)?.key()))
}

/// The digest of the image that `deploy` pushes, or would push if it was built.
fn image(
    environment: &Environment,
    directory: Option<&Path>,
    printer: &Printer,
) -> Result<String, Error> {
    let architecture = environment.directory_sync()?.task.architecture;
    if let Some(directory) = directory {
        return Ok(ContainerImage::load(directory, architecture)?
            .digest()
            .to_owned());
    }
    let built = find_workspace(Path::new("."))
        .ok()
        .and_then(|workspace| ContainerImage::built(&workspace, architecture));
    Ok(match built {
        Some(image) => image.digest().to_owned(),
        None => {
            printer.warning(
                "the image has not been built; its digest is shown as zeroes (connect-scim build --image)",
            );
            format!("sha256:{}", "0".repeat(64))
        }
    })
}

/// The addresses of the local cloud, if it runs.
fn local_cloud(printer: &Printer) -> Result<LocalCloud, Error> {
    let status = local_cloud::status(&Folder::find(Path::new(".")))?;
    let url = |service| {
        status
            .services
            .iter()
            .find(|status| status.service == service)
            .and_then(|status| status.url.clone())
    };
    let (mini_stack, simulator) = (url(Service::MiniStack), url(Service::ConnectSimulator));
    if mini_stack.is_none() || simulator.is_none() {
        printer.warning(&format!(
            "the local cloud has no address yet; {NOT_RUNNING} stands for it (connect-scim local up)"
        ));
    }
    let or_placeholder = |url: Option<String>| url.unwrap_or_else(|| NOT_RUNNING.to_owned());
    Ok(LocalCloud {
        connect_endpoint: or_placeholder(simulator),
        base_url: local_cloud::base_url_pattern(&or_placeholder(mini_stack)),
    })
}

//! What every command that goes to the cloud starts from: the environment, the way to its
//! cloud, and the stacks there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_json_client::Service;

use super::Error;
use super::error::StackError;
use crate::artifact::{self, Artifacts, Bucket, CLibrary, ContainerImage};
use crate::cli::EnvironmentArg;
use crate::cloud::{self, LocalEndpoint};
use crate::environment::{Cloud, Environment, EnvironmentFile};
use crate::local_cloud::{Folder, LocalCloud};
use crate::printer::Printer;
use crate::stack::{StackDescription, Stacks};
use crate::template;

/// One environment and the way to its cloud.
pub(super) struct Target {
    pub(super) environment: Environment,
    pub(super) cloud: cloud::Cloud,
    pub(super) stacks: Stacks,
    local: Option<LocalCloud>,
}

/// The one environment that a command line means.
pub(super) fn environment(argument: &EnvironmentArg) -> Result<Environment, Error> {
    let file = EnvironmentFile::load(&argument.environment)?;
    Ok(file.one(argument.target.as_deref())?)
}

/// What follows `--env` in a command line that means the same environment.
pub(super) fn name(argument: &EnvironmentArg) -> String {
    match &argument.target {
        None => argument.environment.clone(),
        Some(target) => format!("{} --target {target}", argument.environment),
    }
}

/// Starts the local cloud if the environment lives in it and it does not run.
pub(super) fn start_local_cloud(
    environment: &Environment,
    printer: &Printer,
) -> Result<Option<LocalCloud>, Error> {
    match environment.cloud {
        Cloud::Aws => Ok(None),
        Cloud::Local => Ok(Some(LocalCloud::ensure_running(
            &Folder::find(&current_directory()?),
            &|message| printer.message(message),
        )?)),
    }
}

/// The packages of the functions: those in `directory`, or built here.
pub(super) fn artifacts(
    environment: &Environment,
    directory: Option<&Path>,
    printer: &Printer,
) -> Result<Artifacts, Error> {
    let architecture = environment.functions.architecture;
    match directory {
        Some(directory) => Ok(Artifacts::load(directory, architecture)?),
        None => {
            let workspace = artifact::find_workspace(&current_directory()?)?;
            let progress = artifact::Progress {
                message: &|text| printer.message(text),
                quiet: printer.is_quiet(),
            };
            Ok(Artifacts::build_if_needed(&workspace, architecture, None, &progress)?.artifacts)
        }
    }
}

/// The image of a directory sync: the one in `directory`, or built here.
pub(super) fn image(
    environment: &Environment,
    directory: Option<&Path>,
    printer: &Printer,
) -> Result<ContainerImage, Error> {
    let architecture = environment.directory_sync()?.task.architecture;
    if let Some(directory) = directory {
        return Ok(ContainerImage::load(directory, architecture)?);
    }
    let workspace = artifact::find_workspace(&current_directory()?)?;
    let progress = artifact::Progress {
        message: &|text| printer.message(text),
        quiet: printer.is_quiet(),
    };
    let built =
        ContainerImage::build_if_needed(&workspace, architecture, CLibrary::Musl, None, &progress)?;
    Ok(built.image)
}

fn current_directory() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|source| Error::Io {
        action: "find the current directory".to_owned(),
        source,
    })
}

impl Target {
    /// Opens the environment that a command line means.
    pub(super) async fn find(argument: &EnvironmentArg) -> Result<Self, Error> {
        Self::open(argument, environment(argument)?).await
    }

    /// Opens the environment that a command line means, for a command about endpoints.
    pub(super) async fn find_endpoint(argument: &EnvironmentArg) -> Result<Self, Error> {
        let environment = environment(argument)?;
        environment.connect()?;
        Self::open(argument, environment).await
    }

    /// Opens an environment for a command that only looks; a local cloud that does not
    /// run is not started for it.
    pub(super) async fn open(
        argument: &EnvironmentArg,
        environment: Environment,
    ) -> Result<Self, Error> {
        let local = match environment.cloud {
            Cloud::Aws => None,
            Cloud::Local => {
                let local = LocalCloud::find(&Folder::find(&current_directory()?))?;
                Some(local.ok_or_else(|| Error::LocalCloudDown {
                    environment: argument.environment.clone(),
                })?)
            }
        };
        Self::connect(environment, local).await
    }

    /// Connects to the environment's cloud.
    pub(super) async fn connect(
        environment: Environment,
        local: Option<LocalCloud>,
    ) -> Result<Self, Error> {
        let endpoint = local.as_ref().map(|local| LocalEndpoint {
            url: local.endpoint_url(),
            credentials: local.credentials(),
        });
        let cloud = cloud::Cloud::connect(&environment, endpoint).await?;
        let stacks = Stacks::new(&cloud);
        Ok(Self {
            environment,
            cloud,
            stacks,
            local,
        })
    }

    pub(super) fn stack_name(&self) -> String {
        self.environment.stack_name.to_string()
    }

    /// The stack, if there is one.
    pub(super) async fn describe(&self) -> Result<Option<StackDescription>, Error> {
        Ok(self
            .stacks
            .describe(self.environment.stack_name.as_ref())
            .await?)
    }

    /// The stack, which has to be there.
    pub(super) async fn describe_existing(&self) -> Result<StackDescription, Error> {
        self.describe().await?.ok_or_else(|| {
            StackError::NotDeployed {
                stack: self.stack_name(),
            }
            .into()
        })
    }

    /// The way to services that are called without an SDK of their own; Connect among them.
    pub(super) fn service_environment(&self) -> Result<aws_json_client::Environment, Error> {
        let environment = self.cloud.service_environment()?;
        Ok(match &self.local {
            None => environment,
            Some(local) => environment.endpoint_url(Some(Service::CONNECT), local.simulator_url()),
        })
    }

    /// The bucket of the function packages, which is made if it has to be.
    pub(super) async fn bucket(&self) -> Result<Bucket, Error> {
        Ok(Bucket::open(&self.cloud, &self.environment).await?)
    }

    /// What the template needs to know besides the environment and the code.
    pub(super) fn template_options(
        &self,
        groups: BTreeMap<String, String>,
        account_logging_role: bool,
    ) -> template::Options {
        template::Options {
            groups,
            local_cloud: self.local.as_ref().map(|local| template::LocalCloud {
                connect_endpoint: local.simulator_url(),
                base_url: local.base_url_pattern(),
            }),
            account_logging_role,
        }
    }

    /// The stack's outputs, with every URL as it can be reached from here.
    pub(super) fn reachable_outputs(&self, stack: &StackDescription) -> BTreeMap<String, String> {
        match &self.local {
            None => stack.outputs.clone(),
            Some(local) => stack
                .outputs
                .iter()
                .map(|(key, value)| {
                    let reachable = local.local_invoke_url(value);
                    (key.clone(), reachable.unwrap_or_else(|| value.clone()))
                })
                .collect(),
        }
    }
}

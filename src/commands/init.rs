//! `init`: writes `environments/NAME.yaml`, by asking a person or by flags.
//!
//! What AWS knows is not asked for: the account comes from the credentials, the instances
//! from Connect, and how users are managed from the instance. Every answer is also a flag,
//! so that nobody has to be there.

mod file;
mod question;

use std::path::{Path, PathBuf};

use super::error::InitError;
use super::interrupt::{InCloud, run_interruptibly};
use super::{Error, Outcome};
use crate::cli::{CloudArg, IdentityManagementArg, InitArgs};
use crate::cloud;
use crate::connect_instance::{Instance, Instances};
use crate::environment::{EnvironmentFile, json_schema};
use crate::printer::Printer;

use file::{AwsAnswers, LocalAnswers};
use question::Questions;

/// Where environment files are.
const DIRECTORY: &str = "environments";

/// Runs `init`.
pub(super) fn run(args: &InitArgs, printer: &Printer) -> Result<Outcome, Error> {
    let questions = Questions { printer };
    let name = match &args.name {
        Some(name) => name.clone(),
        None => questions.text("name of the environment", "dev", "NAME")?,
    };
    let path = Path::new(DIRECTORY).join(format!("{name}.yaml"));
    if path.exists() {
        return Err(InitError::FileExists { path }.into());
    }
    let cloud = match args.cloud {
        Some(cloud) => cloud,
        None => questions.cloud()?,
    };
    let stack_name = args
        .stack_name
        .clone()
        .unwrap_or_else(|| format!("connect-scim-{name}"));
    let text = match cloud {
        CloudArg::Local => file::local(&LocalAnswers {
            name: &name,
            stack_name: &stack_name,
            args,
        }),
        CloudArg::Aws => run_interruptibly(
            &InCloud::default(),
            aws(args, &questions, &name, &stack_name),
        )?,
    };

    // Whatever was typed is checked as the file will be, before there is one.
    EnvironmentFile::parse(&path.display().to_string(), &text)?;
    write(&path, &text)?;
    printer.message(&format!("wrote {}", path.display()));
    printer.message(&format!(
        "next:\n  connect-scim doctor --env {name}\n  connect-scim deploy --env {name}"
    ));
    Ok(Outcome::SUCCESS)
}

/// The file of a stack on AWS.
async fn aws(
    args: &InitArgs,
    questions: &Questions<'_>,
    name: &str,
    stack_name: &str,
) -> Result<String, Error> {
    let region = match args.region.clone().or_else(region_of_the_machine) {
        Some(region) => region,
        None => questions.text("region of the Connect instance", "eu-central-1", "--region")?,
    };
    let complete =
        args.account.is_some() && args.instance_id.is_some() && args.identity_management.is_some();
    // With everything on the command line nothing is asked of AWS either.
    let cloud = if complete {
        None
    } else {
        Some(cloud::Cloud::discover(&region, args.profile.as_deref()).await?)
    };
    let account = match (&args.account, &cloud) {
        (Some(account), _) => account.clone(),
        (None, Some(cloud)) => cloud.account().to_owned(),
        (None, None) => String::new(),
    };
    let instance = match &cloud {
        Some(cloud) => {
            let instances = Instances::new(&cloud.service_environment()?);
            Some(choose(args, questions, &instances, &region).await?)
        }
        None => None,
    };
    let named = args.identity_management.map(word);
    let instance_id = match &instance {
        Some(instance) => instance.id.as_str(),
        None => args.instance_id.as_deref().unwrap_or_default(),
    };
    let identity_management = named
        .or(instance
            .as_ref()
            .map(|instance| instance.identity_management.as_str()))
        .unwrap_or("SAML");
    Ok(file::aws(&AwsAnswers {
        name,
        account: &account,
        region: &region,
        stack_name,
        instance_id,
        identity_management,
        args,
    }))
}

/// The instance that was named, the only one, or the one that a person picks.
async fn choose(
    args: &InitArgs,
    questions: &Questions<'_>,
    instances: &Instances,
    region: &str,
) -> Result<Instance, Error> {
    let not_asked = |source| InitError::Connect {
        action: "list the account's Connect instances",
        source: Box::new(source),
    };
    if let Some(id) = &args.instance_id {
        return Ok(instances.describe(id).await.map_err(not_asked)?);
    }
    let mut found = instances.list().await.map_err(not_asked)?;
    match found.len() {
        0 => Err(InitError::NoInstance {
            region: region.to_owned(),
        }
        .into()),
        1 => Ok(found.remove(0)),
        _ => {
            let chosen = questions.instance(&found)?;
            Ok(found.swap_remove(chosen))
        }
    }
}

fn word(identity_management: IdentityManagementArg) -> &'static str {
    match identity_management {
        IdentityManagementArg::Saml => "SAML",
        IdentityManagementArg::ConnectManaged => "CONNECT_MANAGED",
    }
}

fn region_of_the_machine() -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|region| !region.is_empty())
}

/// Writes the file, and beside it the schema that its first line points editors to.
fn write(path: &PathBuf, text: &str) -> Result<(), Error> {
    let failed = |path: &Path| {
        let action = format!("write {}", path.display());
        move |source| Error::Io { action, source }
    };
    let directory = Path::new(DIRECTORY);
    std::fs::create_dir_all(directory).map_err(failed(directory))?;
    let schema = directory.join("schema.json");
    if !schema.exists() {
        std::fs::write(&schema, format!("{:#}\n", json_schema())).map_err(failed(&schema))?;
    }
    // Never over a file that somebody made meanwhile.
    std::fs::File::create_new(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .map_err(failed(path))
}

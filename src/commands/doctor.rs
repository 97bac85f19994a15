//! `doctor`: would a deployment succeed, and the endpoint work? Each check is a line; what
//! cannot be asked is a line as well, so that one failure hides no other.

mod facts;

use owo_colors::{OwoColorize as _, Style};

use super::error::HealthError;
use super::interrupt::{InCloud, run_interruptibly};
use super::target::{self, Target};
use super::{Error, Outcome};
use crate::cli::{DoctorArgs, StatusFormat};
use crate::doctor::{self, Check};
use crate::environment::{Connect, Environment, MappedProfiles};
use crate::printer::Printer;

/// Runs `doctor`.
pub(super) fn run(args: &DoctorArgs, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), async {
        let environment = target::environment(&args.environment)?;
        let mut checks = vec![facts::tools()];
        match Target::open(&args.environment, environment.clone()).await {
            Ok(target) => checks.extend(in_cloud(&target).await),
            Err(error) => {
                checks.push(no_way_to_the_cloud(&error));
                checks.extend(facts::clock(&environment, None).await);
            }
        }
        report(&checks, args.format, printer)
    })
}

/// The checks that need the cloud, all at once.
async fn in_cloud(target: &Target) -> Vec<Check> {
    let endpoint = target.cloud.config().endpoint_url();
    let (clock, caller, instance, logging_role, stack) = tokio::join!(
        facts::clock(&target.environment, endpoint),
        facts::caller(target),
        facts::instance(target),
        facts::logging_role(target),
        facts::stack(target),
    );
    let mut checks: Vec<Check> = clock.into_iter().collect();
    checks.extend(caller);
    checks.extend(instance);
    checks.push(logging_role);
    checks.push(stack);
    checks
}

/// Nothing in the cloud can be looked at.
fn no_way_to_the_cloud(error: &Error) -> Check {
    let cure = match error {
        Error::LocalCloudDown { .. } => "start it with `connect-scim local up`".to_owned(),
        error => error.hint().unwrap_or_default(),
    };
    Check::fail("cloud", error.to_string(), cure)
}

fn report(checks: &[Check], format: StatusFormat, printer: &Printer) -> Result<Outcome, Error> {
    let failures = checks
        .iter()
        .filter(|check| check.outcome == doctor::Outcome::Fail)
        .count();
    match format {
        StatusFormat::Text => checks.iter().for_each(|check| {
            printer.data(&text(check));
        }),
        StatusFormat::Json => printer.data(&format!(
            "{:#}\n",
            serde_json::json!({"ok": failures == 0, "checks": checks})
        )),
    }
    if failures == 0 {
        Ok(Outcome::SUCCESS)
    } else {
        Err(HealthError::Unwell { failures }.into())
    }
}

fn text(check: &Check) -> String {
    let (word, style) = match check.outcome {
        doctor::Outcome::Ok => ("ok  ", Style::new().green()),
        doctor::Outcome::Warn => ("warn", Style::new().yellow()),
        doctor::Outcome::Fail => ("FAIL", Style::new().red().bold()),
    };
    let mut text = format!(
        "{}  {:17}  {}\n",
        word.style(style),
        check.check,
        check.detail
    );
    if let Some(cure) = &check.cure {
        text += &format!("{:25}{cure}\n", "");
    }
    text
}

/// The names of the profiles that an environment gives to users, without repetitions.
fn named_profiles<'a>(
    environment: &'a Environment,
    connect: &'a Connect,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut security = vec![connect.default_security_profile.get()];
    if let Some(suspended) = &environment.provisioning.suspended_security_profile {
        security.push(suspended.get());
    }
    let mapped = environment.provisioning.groups.values();
    for profile in mapped.flat_map(MappedProfiles::iter) {
        if !security.contains(&profile.get()) {
            security.push(profile.get());
        }
    }
    let routing = vec![connect.default_routing_profile.get()];
    (security, routing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_of_mapped_groups_have_to_exist_too() {
        let text = "cloud: local\nregion: us-east-1\nstackName: scim\nconnect: {instanceId: 11111111-2222-4333-8444-555555555555}\napi: {requireApiKey: false}\nprovisioning: {groups: {APP-AGENTS: Agent, APP-LEADS: [Agent, Lead]}}\n";
        let environment = Environment::parse("environments/local.yaml", text).unwrap();
        let connect = environment.connect().unwrap();
        let (security, _) = named_profiles(&environment, connect);
        assert_eq!(security, ["Agent", "Lead"]);
    }

    #[test]
    fn a_cure_stands_below_its_check() {
        let checks = [
            Check::ok("tools", "cargo 1.95.0"),
            Check::warn("users", "450 of 500", "ask for more"),
            Check::fail("clock", "400 seconds slow", "set the clock"),
        ];
        let text: String = checks.iter().map(text).collect();
        insta::assert_snapshot!(anstream::adapter::strip_str(&text), @r"
        ok    tools              cargo 1.95.0
        warn  users              450 of 500
                                 ask for more
        FAIL  clock              400 seconds slow
                                 set the clock
        ");
    }
}

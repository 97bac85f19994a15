//! What is so: each function asks one service, and words the failure to ask as a check.

use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};
use connect_directory::connect::Connect;
use jiff::Timestamp;

use super::named_profiles;
use crate::cloud::{self, ServiceError, failed_to};
use crate::commands::Error;
use crate::commands::deploy::logging_role as role;
use crate::commands::target::Target;
use crate::connect_instance::Instances;
use crate::doctor::{self, Actor, Check, Decision, ProfileKind, Tool};
use crate::environment::{self, Cloud, Environment, StackKind, url_suffix};
use crate::stack::StackStatus;

/// How long a service may take to tell the time.
const CLOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// To whom the roles of a stack are passed.
fn runs_with_the_roles(stack: StackKind) -> &'static str {
    match stack {
        StackKind::Endpoint => "lambda.amazonaws.com",
        StackKind::DirectorySync => "ecs-tasks.amazonaws.com",
    }
}
/// To whom the stack's service role is passed.
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";

/// The programs that a build runs.
pub(super) fn tools() -> Check {
    let found: Vec<Tool> = ["cargo", "rustc", "python3"]
        .into_iter()
        .map(|name| Tool {
            name,
            version: version(name),
        })
        .collect();
    doctor::tools(&found)
}

/// The first line of what a program answers to `--version`, without the date in brackets.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let line = answer.lines().next()?;
    Some(line.split(" (").next().unwrap_or(line).trim().to_owned())
}

/// The clock against STS, or against the local cloud; nothing where neither is there.
pub(super) async fn clock(environment: &Environment, endpoint: Option<&str>) -> Option<Check> {
    let url = match (endpoint, environment.cloud) {
        (Some(url), _) => url.to_owned(),
        (None, Cloud::Local) => return None,
        (None, Cloud::Aws) => {
            let region = environment.region.get();
            let suffix = url_suffix(environment.region.partition());
            format!("https://sts.{region}.{suffix}")
        }
    };
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(CLOCK_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        let response = agent.get(&url).call().ok()?;
        let date = response.headers().get("date")?.to_str().ok()?.to_owned();
        doctor::skew(&date, Timestamp::now())
    })
    .await;
    Some(match asked.ok().flatten() {
        Some(skew) => doctor::clock(skew),
        None => Check::warn(
            "clock",
            "the cloud did not tell its time",
            "check the network and the proxy variables (HTTPS_PROXY, NO_PROXY)",
        ),
    })
}

/// Who is calling, and whether that principal may deploy.
pub(super) async fn caller(target: &Target) -> Vec<Check> {
    let identity = cloud::client!(aws_sdk_sts, target.cloud)
        .get_caller_identity()
        .send()
        .await
        .map_err(failed_to("ask STS for the caller's identity"));
    let arn = match identity {
        Ok(identity) => identity.arn().unwrap_or_default().to_owned(),
        Err(error) => return vec![not_asked("caller", &error)],
    };
    let account = target.cloud.account();
    let region = &target.environment.region;
    let mut checks = vec![Check::ok(
        "caller",
        format!("{arn} in account {account}, {region}"),
    )];
    checks.extend(permissions(target, &arn).await);
    checks
}

/// Simulates every action of a deployment, for whoever does it.
async fn permissions(target: &Target, caller: &str) -> Vec<Check> {
    let service_role = service_role(target).await;
    let mut checks = Vec::new();
    if caller.ends_with(":root") {
        checks.push(root(target));
    } else {
        checks.push(callers_permissions(target, caller, service_role.as_deref()).await);
    }
    if let Some(role) = service_role {
        let simulated = simulate_all(target, &role, Actor::CloudFormation).await;
        checks.push(judged(doctor::SERVICE_ROLE, &role, simulated));
    }
    checks
}

fn root(target: &Target) -> Check {
    if target.cloud.is_local() {
        Check::ok(doctor::CALLER, "the root user may do everything")
    } else {
        Check::warn(
            doctor::CALLER,
            "the account's root user may do everything",
            "deploy with a role that has the permissions it needs, and no more",
        )
    }
}

/// The role with which CloudFormation makes the resources: the environment's, or the one that
/// the stack has and keeps.
async fn service_role(target: &Target) -> Option<String> {
    if let Some(role) = &target.environment.stack.service_role_arn {
        return Some(role.to_string());
    }
    // A stack that cannot be looked at has a line of its own.
    target.describe().await.ok()??.service_role
}

/// What the caller does itself, and what CloudFormation does with its rights.
async fn callers_permissions(target: &Target, caller: &str, service_role: Option<&str>) -> Check {
    let simulated = async {
        let principal = principal(target, caller).await?;
        let mut decisions = simulate_all(target, &principal, Actor::Deployer).await?;
        decisions.extend(match service_role {
            None => simulate_all(target, &principal, Actor::CloudFormation).await?,
            Some(role) => {
                simulate(target, &principal, &["iam:PassRole"], role, CLOUDFORMATION).await?
            }
        });
        Ok((principal, decisions))
    };
    match simulated.await {
        Ok((principal, decisions)) => judged(doctor::CALLER, &principal, Ok(decisions)),
        Err(error) => judged(doctor::CALLER, caller, Err(error)),
    }
}

fn judged(
    check: &'static str,
    principal: &str,
    simulated: Result<Vec<Decision>, ServiceError>,
) -> Check {
    match simulated {
        Ok(decisions) => doctor::permissions(check, principal, &decisions),
        Err(error) if error.has_code("NoSuchEntity") => Check::fail(
            check,
            format!("there is no {principal}"),
            "correct `stack.serviceRoleArn` or `roleArn`",
        ),
        Err(error) => Check::warn(
            check,
            format!("could not be simulated: {error}"),
            "allow iam:SimulatePrincipalPolicy and iam:GetRole to the principal, or go on without",
        ),
    }
}

/// The principal whose policies count: for a session that of its role, with its path.
async fn principal(target: &Target, caller: &str) -> Result<String, ServiceError> {
    if let Some(role) = &target.environment.role_arn {
        return Ok(role.to_string());
    }
    let Some((_, session)) = caller.split_once(":assumed-role/") else {
        return Ok(caller.to_owned());
    };
    let role = session.split('/').next().unwrap_or(session);
    let answer = cloud::client!(aws_sdk_iam, target.cloud)
        .get_role()
        .role_name(role)
        .send()
        .await
        .map_err(failed_to(format!("look up the role {role}")))?;
    Ok(answer
        .role()
        .map_or_else(String::new, |role| role.arn().to_owned()))
}

/// Tries all that `actor` does in a deployment with the policies of `principal`.
async fn simulate_all(
    target: &Target,
    principal: &str,
    actor: Actor,
) -> Result<Vec<Decision>, ServiceError> {
    let environment = &target.environment;
    let mut decisions = Vec::new();
    let needed = doctor::actions(environment);
    for permission in needed.filter(|permission| permission.actor == actor) {
        let resource = permission.resource_arn(
            environment.region.partition(),
            environment.region.get(),
            target.cloud.account(),
            environment.stack_name.get(),
        );
        let service = runs_with_the_roles(environment.kind());
        let actions = permission.actions;
        decisions.extend(simulate(target, principal, actions, &resource, service).await?);
    }
    Ok(decisions)
}

/// Tries actions on a resource. A role would be passed to the service `passed_to`: policies
/// commonly say to whom.
async fn simulate(
    target: &Target,
    principal: &str,
    actions: &[&str],
    resource: &str,
    passed_to: &str,
) -> Result<Vec<Decision>, ServiceError> {
    let actions = actions.iter().map(|action| (*action).to_owned());
    let answer = cloud::client!(aws_sdk_iam, target.cloud)
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(actions.collect()))
        .resource_arns(resource)
        .context_entries(
            ContextEntry::builder()
                .context_key_name("iam:PassedToService")
                .context_key_type(ContextKeyTypeEnum::String)
                .context_key_values(passed_to)
                .build(),
        )
        .send()
        .await
        .map_err(failed_to(format!("simulate the policies of {principal}")))?;
    Ok(answer
        .evaluation_results()
        .iter()
        .map(|result| Decision {
            action: result.eval_action_name().to_owned(),
            allowed: result.eval_decision().as_str() == "allowed",
            explicitly_denied: result.eval_decision().as_str() == "explicitDeny",
        })
        .collect())
}

/// The instance, its profiles, and its users.
pub(super) async fn instance(target: &Target) -> Vec<Check> {
    const CHECK: &str = "Connect instance";
    let services = match target.service_environment() {
        Ok(services) => services,
        Err(error) => return vec![Check::fail(CHECK, error.to_string(), "sign in again")],
    };
    let environment = &target.environment;
    let Ok(connect) = environment.connect() else {
        return Vec::new();
    };
    let id = connect.instance_id.get();
    let instances = Instances::new(&services);
    let found = match instances.describe(id).await {
        Ok(found) => found,
        Err(error) if error.code() == Some("ResourceNotFoundException") => {
            return vec![Check::fail(
                CHECK,
                format!("there is no instance {id} in {}", environment.region),
                "correct `connect.instanceId` or `region`; the id is at the end of the instance's ARN",
            )];
        }
        Err(error) => return vec![connect_not_asked(CHECK, &error)],
    };
    let mut checks = vec![doctor::instance(&found, connect.identity_management)];
    checks.extend(profiles(target, connect, &services).await);
    checks.push(users(target, &instances, id).await);
    checks
}

async fn profiles(
    target: &Target,
    instance: &environment::Connect,
    services: &aws_json_client::Environment,
) -> Vec<Check> {
    let environment = &target.environment;
    let arn = format!(
        "arn:{}:connect:{}:{}:instance/{}",
        environment.region.partition(),
        environment.region,
        target.cloud.account(),
        instance.instance_id
    );
    let client = aws_json_client::Client::new(aws_json_client::Service::CONNECT, services);
    let connect = match Connect::new(client, &arn) {
        Ok(connect) => connect,
        Err(error) => {
            return vec![Check::fail(
                "profiles",
                error.to_string(),
                "correct `connect.instanceId`",
            )];
        }
    };
    let (security, routing) = named_profiles(environment, instance);
    let mut checks = Vec::new();
    for (kind, wanted, listed) in [
        (
            ProfileKind::Security,
            security,
            connect.security_profiles().await,
        ),
        (
            ProfileKind::Routing,
            routing,
            connect.routing_profiles().await,
        ),
    ] {
        checks.push(match listed {
            Ok(listed) => {
                let existing: Vec<String> =
                    listed.into_iter().map(|profile| profile.name).collect();
                doctor::profiles(kind, &wanted, &existing)
            }
            Err(error) => connect_not_asked("profiles", &error),
        });
    }
    checks
}

async fn users(target: &Target, instances: &Instances, id: &str) -> Check {
    let count = match instances.count_users(id).await {
        Ok(count) => count,
        Err(error) => return connect_not_asked("users", &error),
    };
    let quota = match target.cloud.is_local() {
        true => None,
        // Not everybody may read quotas, and it is only for a warning.
        false => instances.user_quota().await.ok().flatten(),
    };
    doctor::users(count, quota)
}

/// The account's role for API Gateway's logs.
pub(super) async fn logging_role(target: &Target) -> Check {
    const CHECK: &str = "API logging role";
    let found = match role::find(target).await {
        Ok(found) => found,
        Err(error) => return command_failed(CHECK, &error),
    };
    match found.belongs_in_stack(None) {
        Ok(true) => Check::ok(CHECK, "the stack makes it"),
        Ok(false) if target.environment.api.access_logs => Check::ok(CHECK, "the account has one"),
        Ok(false) => Check::ok(CHECK, "not needed without access logs"),
        Err(error) => command_failed(CHECK, &error),
    }
}

/// The stack, if it is there.
pub(super) async fn stack(target: &Target) -> Check {
    const CHECK: &str = "stack";
    let name = target.stack_name();
    match target.describe().await {
        Ok(None) => Check::ok(CHECK, format!("{name} is not there yet")),
        Ok(Some(stack)) => {
            let detail = format!("{name} is {}", stack.status);
            match stack.status {
                StackStatus::Failed(_) | StackStatus::Other(_) => Check::fail(
                    CHECK,
                    detail,
                    "`connect-scim deploy` says what this state needs",
                ),
                StackStatus::InProgress(_) => Check::warn(
                    CHECK,
                    detail,
                    "another operation is under way: wait for it with `deploy --wait`",
                ),
                _ => Check::ok(CHECK, detail),
            }
        }
        Err(error) => command_failed(CHECK, &error),
    }
}

fn not_asked(check: &'static str, error: &ServiceError) -> Check {
    Check::fail(check, error.to_string(), error.hint().unwrap_or_default())
}

fn command_failed(check: &'static str, error: &Error) -> Check {
    Check::fail(check, error.to_string(), error.hint().unwrap_or_default())
}

fn connect_not_asked(check: &'static str, error: &aws_json_client::Error) -> Check {
    let cure = match error.code() {
        Some(code) if code.contains("AccessDenied") => {
            "allow connect:DescribeInstance, connect:ListUsers, connect:ListSecurityProfiles and connect:ListRoutingProfiles to the principal"
        }
        _ => "check the network and `region`, then run doctor again",
    };
    Check::fail(check, error.to_string(), cure)
}

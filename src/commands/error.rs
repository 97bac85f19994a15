//! Everything that can go wrong in a command, with its exit code and the next step.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use connect_directory::configuration::ConfigurationError;
use connect_directory::connect::InstanceArnError;
use connect_directory::store::StoreError;

use super::interrupt::Ongoing;
use super::operation::Failure;
use crate::artifact::{self, UploadError};
use crate::cloud::{self, ServiceError, ServiceErrorKind};
use crate::exit_code::Exit;
use crate::plan::Approval;
use crate::report::github::{Annotation, Level};
use crate::stack::{RetainedResource, StackStatus, ValidationProblem};
use crate::token::{MalformedToken, NoRandomness};
use crate::{environment, local_cloud, smoke, template};

/// A failure of a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written, or the operating system refused something.
    #[error("failed to {action}")]
    Io {
        /// What was tried, with the path.
        action: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The environment file is invalid.
    #[error(transparent)]
    Environment(#[from] environment::Error),
    /// The template could not be rendered.
    #[error(transparent)]
    Template(#[from] template::Error),
    /// The functions could not be built or their packages not be read.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// The packages could not be uploaded.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A deployed template could not be read.
    #[error("failed to read the deployed template")]
    DeployedTemplate(#[from] template::CanonicalError),
    /// The local cloud could not be started or asked.
    #[error(transparent)]
    LocalCloud(#[from] local_cloud::Error),
    /// There is no way to the cloud.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// A service refused or could not be reached.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The environment lives in the local cloud, and that does not run.
    #[error("the local cloud is not running")]
    LocalCloudDown {
        /// The environment's name.
        environment: String,
    },
    /// The stack is not there.
    #[error("there is no stack {stack}")]
    NotDeployed {
        /// Its name.
        stack: String,
    },
    /// Another operation holds the stack.
    #[error("{stack} is busy: {status}{}", .token.as_deref().map(|token| format!(", operation {token}")).unwrap_or_default())]
    Busy {
        /// The stack's name.
        stack: String,
        /// Its state.
        status: String,
        /// The token of the operation that holds it.
        token: Option<String>,
        /// The environment, as it was named on the command line.
        environment: String,
    },
    /// The operation goes on, but this run will not see its end.
    #[error("{ongoing}, but cannot be followed")]
    NotSeenThrough {
        /// What goes on.
        ongoing: Box<Ongoing>,
        /// What the service said.
        source: ServiceError,
    },
    /// The time was up.
    #[error("the time of {} is up; {}", human_duration(.timeout), left_behind(.ongoing.as_ref()))]
    TimedOut {
        /// The time.
        timeout: Duration,
        /// What goes on.
        ongoing: Option<Ongoing>,
    },
    /// The stack is in a state that this program must not change.
    #[error("{stack} is in the state {status}, which needs somebody's decision")]
    NeedsHuman {
        /// The stack's name.
        stack: String,
        /// The state.
        status: String,
        /// What to do.
        advice: String,
    },
    /// What a failed first deployment left in the account may hold data.
    #[error("{stack} was rolled back, and left data in the account: {}", list(.resources.iter().map(|resource| format!("{} {}", resource.resource_type, resource.physical_id))))]
    DataRetained {
        /// The stack's name.
        stack: String,
        /// The environment, as it was named on the command line.
        environment: String,
        /// What was left.
        resources: Vec<RetainedResource>,
    },
    /// Only what could not be undone can be left as it is.
    #[error("{} cannot be skipped", list(.named))]
    NotSkippable {
        /// What was to be skipped.
        named: Vec<String>,
        /// What can be.
        skippable: Vec<String>,
    },
    /// CloudFormation refused the change set.
    #[error("CloudFormation refused the change set for {stack}: {reason}{}", .problems.iter().map(|problem| format!("\n  {problem}")).collect::<String>())]
    ChangeSetRefused {
        /// The stack's name.
        stack: String,
        /// The service's reason.
        reason: String,
        /// What its validation found.
        problems: Vec<ValidationProblem>,
    },
    /// The operation failed. The first real cause comes last.
    #[error("{stack} {failure}")]
    OperationFailed {
        /// The stack's name.
        stack: String,
        /// The environment, as it was named on the command line.
        environment: String,
        /// How.
        failure: Box<Failure>,
    },
    /// The stack is protected from deletion.
    #[error("{stack} is protected")]
    Protected {
        /// The stack's name.
        stack: String,
    },
    /// A question could not be asked.
    #[error("nobody can be asked here, and {flag} was not given")]
    ConfirmationNeeded {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// The file is no plan.
    #[error("{} is no plan", .path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The plan was made by another version of this program.
    #[error("{} is a plan of version {version}, which this connect-scim cannot carry out", .path.display())]
    PlanVersion {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// What a saved plan rests on has changed.
    #[error("{} cannot be carried out: {change}; nothing was changed", .path.display())]
    StalePlan {
        /// The file.
        path: PathBuf,
        /// The environment.
        environment: String,
        /// What has changed.
        change: &'static str,
    },
    /// The plan has to be approved, and nobody can be asked.
    #[error(
        "{}; nobody can be asked here, and nothing was changed",
        approval_needed(stack, missing)
    )]
    ApprovalNeeded {
        /// The stack.
        stack: String,
        /// Whether `--yes` was given.
        yes: bool,
        /// What has to be approved by name.
        missing: Vec<Approval>,
    },
    /// Something has to be known, and nobody can be asked.
    #[error("nobody can be asked here, and {flag} was not given")]
    AnswerNeeded {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// A file is there already.
    #[error("{} is there already", .path.display())]
    FileExists {
        /// Where.
        path: PathBuf,
    },
    /// The account has no Connect instance.
    #[error("the account has no Amazon Connect instance in {region}")]
    NoInstance {
        /// Where none was found.
        region: String,
    },
    /// Connect did not answer a question about its instances.
    #[error("failed to {action}")]
    Connect {
        /// What was tried.
        action: &'static str,
        /// What Connect said.
        source: Box<aws_json_client::Error>,
    },
    /// The answer was no.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// The account has no API Gateway logging role.
    #[error(
        "access logs need the account's API Gateway logging role, and this account and region have none"
    )]
    NoLoggingRole,
    /// The stack lacks an output or a resource that this program's templates have.
    #[error("the stack {stack} has no {what}")]
    Incomplete {
        /// The stack's name.
        stack: String,
        /// What it lacks.
        what: &'static str,
    },
    /// The deployed functions have a configuration that this program does not understand.
    #[error("the function {function} is configured otherwise than this program does it")]
    FunctionConfiguration {
        /// The function's name.
        function: String,
        /// What is wrong.
        source: ConfigurationError,
    },
    /// The deployed functions have an instance ARN that is none.
    #[error(transparent)]
    InstanceArn(#[from] InstanceArnError),
    /// The directory table could not be used.
    #[error(transparent)]
    Directory(#[from] StoreError),
    /// Amazon Connect or the queue refused or could not be reached.
    #[error(transparent)]
    Call(#[from] aws_json_client::Error),
    /// The directory has no such user. Who was asked for stands in no log.
    #[error("the directory has no user of this id or userName")]
    NoSuchUser,
    /// It is not clear which client is meant.
    #[error("{}", match .named { Some(name) => format!("the environment has no client {name}"), None => "the environment has several clients".to_owned() })]
    WhichClient {
        /// What was asked for.
        named: Option<String>,
        /// What there is.
        clients: Vec<String>,
    },
    /// The client's token is not there.
    #[error("there is no token in the SSM parameter {parameter}")]
    NoToken {
        /// The parameter's name.
        parameter: String,
    },
    /// The stack knows no such token parameter.
    #[error("the stack {stack} has no token for the client {client}")]
    ClientNotDeployed {
        /// The client.
        client: String,
        /// The stack's name.
        stack: String,
    },
    /// What was to become a token is none.
    #[error("that is no token that the endpoint accepts: {0}")]
    MalformedToken(#[from] MalformedToken),
    /// No token could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The client's token is somebody else's to make and to change.
    #[error(
        "the token of the client {client} is kept in {place}, where this program does not change or read it"
    )]
    TokenKeptElsewhere {
        /// The client.
        client: String,
        /// Where the token is.
        place: String,
    },
    /// The client's token is with its issuer.
    #[error("a token of the client {client} is needed, and only {issuer} makes them")]
    TokenNeeded {
        /// The client.
        client: String,
        /// Who makes its JWTs.
        issuer: String,
    },
    /// `doctor` found what has to be mended.
    #[error("{failures} of the checks failed")]
    Unwell {
        /// How many.
        failures: usize,
    },
    /// The stack has no such log.
    #[error("the stack {stack} has no log group of {source_name}")]
    NoLogGroup {
        /// What was asked for.
        source_name: String,
        /// The stack's name.
        stack: String,
    },
    /// The endpoint did not do what it should.
    #[error("the endpoint failed to {step}")]
    SmokeFailed {
        /// What was tried.
        step: &'static str,
        /// What happened.
        source: Box<smoke::Failure>,
    },
    /// The client has no token that could be shown.
    #[error("the client {client} has no token: it signs in with JWTs of {issuer}")]
    SignsInWithJwts {
        /// The client.
        client: String,
        /// Who makes its JWTs.
        issuer: String,
    },
    /// A command for several targets did not succeed for all of them.
    #[error("failed: {}{}", failed.join(", "), if not_started.is_empty() { String::new() } else { format!("; not started: {}", not_started.join(", ")) })]
    Targets {
        /// The targets whose runs failed; each has told why.
        failed: Vec<String>,
        /// Those of later waves.
        not_started: Vec<String>,
        /// How the first of those that failed ended.
        exit: Exit,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted; {}", left_behind(.ongoing.as_ref()))]
    Interrupted {
        /// Which signal.
        exit: Exit,
        /// What goes on.
        ongoing: Option<Ongoing>,
    },
}

fn left_behind(ongoing: Option<&Ongoing>) -> String {
    ongoing.map_or_else(
        || "nothing is going on in the cloud".to_owned(),
        ToString::to_string,
    )
}

fn list(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    words.join(", ")
}

/// `90s`, `1h 30m`.
fn human_duration(duration: &Duration) -> String {
    jiff::SignedDuration::try_from(*duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

/// `scim-prod: permissions are broadened, and resources are replaced or data is lost`
fn approval_needed(stack: &str, missing: &[Approval]) -> String {
    let reasons: Vec<&str> = missing
        .iter()
        .map(|approval| approval.describes())
        .collect();
    if reasons.is_empty() {
        format!("{stack} would change, and that has not been approved")
    } else {
        format!("{stack} would change so that {}", reasons.join(", and "))
    }
}

impl Error {
    /// What the shell sees.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.exit().into()
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Environment(_)
            | Self::Template(_)
            | Self::NoLoggingRole
            | Self::ChangeSetRefused { .. } => Exit::InvalidEnvironment,
            Self::Cloud(
                cloud::Error::WrongAccount { .. }
                | cloud::Error::NoCredentials
                | cloud::Error::MfaNeeded { .. },
            ) => Exit::Credentials,
            Self::Cloud(cloud::Error::Identity(error))
            | Self::Service(error)
            | Self::Upload(UploadError::Service(error))
            | Self::NotSeenThrough { source: error, .. } => match error.kind {
                ServiceErrorKind::Credentials => Exit::Credentials,
                _ => Exit::Failure,
            },
            Self::Busy { .. }
            | Self::TimedOut {
                ongoing: Some(_), ..
            } => Exit::Busy,
            Self::NeedsHuman { .. } | Self::DataRetained { .. } => Exit::NeedsHuman,
            Self::OperationFailed { failure, .. } => match failure.status {
                StackStatus::Failed(_) | StackStatus::Other(_) => Exit::NeedsHuman,
                _ => Exit::RolledBack,
            },
            Self::WhichClient { .. }
            | Self::SignsInWithJwts { .. }
            | Self::MalformedToken(_)
            | Self::TokenNeeded { .. }
            | Self::TokenKeptElsewhere { .. }
            | Self::ConfirmationNeeded { .. }
            | Self::NotSkippable { .. }
            | Self::AnswerNeeded { .. }
            | Self::FileExists { .. }
            | Self::NotAPlan { .. }
            | Self::PlanVersion { .. } => Exit::Usage,
            Self::ApprovalNeeded { .. } => Exit::ApprovalNeeded,
            Self::Interrupted { exit, .. } | Self::Targets { exit, .. } => *exit,
            Self::Io { .. }
            | Self::TimedOut { ongoing: None, .. }
            | Self::Artifact(_)
            | Self::Upload(_)
            | Self::DeployedTemplate(_)
            | Self::LocalCloud(_)
            | Self::LocalCloudDown { .. }
            | Self::NotDeployed { .. }
            | Self::NoToken { .. }
            | Self::ClientNotDeployed { .. }
            | Self::NoRandomness(_)
            | Self::SmokeFailed { .. }
            | Self::NoLogGroup { .. }
            | Self::Unwell { .. }
            | Self::NoInstance { .. }
            | Self::Connect { .. }
            | Self::Protected { .. }
            | Self::Incomplete { .. }
            | Self::FunctionConfiguration { .. }
            | Self::InstanceArn(_)
            | Self::Directory(_)
            | Self::Call(_)
            | Self::NoSuchUser
            | Self::StalePlan { .. }
            | Self::NotConfirmed => Exit::Failure,
        }
    }

    /// What to do next, if there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. }
            | Self::NotConfirmed
            | Self::Template(_)
            | Self::DeployedTemplate(_)
            | Self::NoRandomness(_)
            | Self::Unwell { .. } => return None,
            Self::NotAPlan { .. } | Self::PlanVersion { .. } => {
                "`connect-scim plan --out FILE` makes one".to_owned()
            }
            Self::StalePlan { path, environment, .. } => format!(
                "review a new one: `connect-scim plan --env {environment} --out {}`",
                path.display()
            ),
            Self::ApprovalNeeded { yes, missing, .. } => {
                let flags = (!yes).then(|| "--yes".to_owned()).into_iter().chain(
                    missing
                        .iter()
                        .map(|approval| format!("--approve {}", approval.word())),
                );
                format!("if that is what you want, add {}", flags.collect::<Vec<_>>().join(" "))
            }
            Self::Environment(error) => return error.hint(),
            Self::Artifact(error) => return error.hint(),
            Self::Upload(error) => return error.hint(),
            Self::LocalCloud(error) => return error.hint(),
            Self::Cloud(error) => return error.hint(),
            Self::Service(error) => return error.hint(),
            Self::LocalCloudDown { environment } => {
                format!("`connect-scim deploy --env {environment}` starts it and deploys into it")
            }
            Self::NotDeployed { .. } => "`connect-scim deploy` makes it".to_owned(),
            Self::NoToken { .. } => {
                "somebody deleted it; `connect-scim token rotate` writes a new one".to_owned()
            }
            Self::Busy { environment, .. } => format!(
                "`connect-scim watch --env {environment}` follows it; `deploy --wait` waits for it to end and deploys then"
            ),
            Self::NotSeenThrough { ongoing, source } => {
                let resume = ongoing.resume_command();
                match source.kind {
                    ServiceErrorKind::Credentials => {
                        format!("sign in again; `{resume}` follows it to its end")
                    }
                    _ => format!("`{resume}` follows it to its end"),
                }
            }
            Self::Interrupted { ongoing: Some(ongoing), .. }
            | Self::TimedOut { ongoing: Some(ongoing), .. } => {
                format!("`{}` follows it to its end", ongoing.resume_command())
            }
            Self::Targets { .. } => {
                "mend what stands above, and run it again: targets that are done stay as they are".to_owned()
            }
            Self::Interrupted { ongoing: None, .. } => "run the same command again to finish the job".to_owned(),
            Self::TimedOut { ongoing: None, .. } => {
                "run the same command again, with a longer `--timeout`".to_owned()
            }
            Self::DataRetained { environment, .. } => format!(
                "`connect-scim recover --env {environment}` deletes the stack and leaves that in the account; `deploy` makes a new one then"
            ),
            Self::NotSkippable { skippable, .. } if skippable.is_empty() => {
                "nothing can be skipped in this state; leave `--skip` away".to_owned()
            }
            Self::NotSkippable { skippable, .. } => format!(
                "only what failed to be undone can be skipped: {}",
                list(skippable)
            ),
            Self::NeedsHuman { advice, .. } => advice.clone(),
            Self::ChangeSetRefused { .. } => {
                "nothing was changed; mend what the reason names and deploy again".to_owned()
            }
            Self::OperationFailed { failure, environment, .. } => match failure.status {
                StackStatus::Failed(_) => format!(
                    "mend the cause, then `connect-scim recover --env {environment}`"
                ),
                StackStatus::Other(_) => {
                    "mend the cause; `connect-scim status` shows where the stack stands".to_owned()
                }
                _ => "the stack is back where it was; mend the cause and deploy again".to_owned(),
            },
            Self::Protected { .. } => {
                "set `protected: false` in the environment file, deploy, and destroy then".to_owned()
            }
            Self::Incomplete { .. } | Self::FunctionConfiguration { .. } | Self::InstanceArn(_) => {
                "`connect-scim deploy` brings the stack up to date".to_owned()
            }
            Self::Call(error) if matches!(error.status(), Some(401 | 403)) => {
                format!("use credentials that are permitted {}", error.operation())
            }
            Self::Directory(_) | Self::Call(_) => {
                "nothing is half done; run the same command again".to_owned()
            }
            Self::NoSuchUser => {
                "`connect-scim users list` shows those it has, with --unmanaged those that only Amazon Connect has".to_owned()
            }
            Self::AnswerNeeded { flag } => format!("add {flag}, or run it on a terminal"),
            Self::FileExists { .. } => "edit it, or choose another name".to_owned(),
            Self::NoInstance { .. } => {
                "make one in the Amazon Connect console, or name another region or profile".to_owned()
            }
            Self::Connect { .. } => {
                "check --region and --profile; the action connect:ListInstances must be allowed".to_owned()
            }
            Self::ConfirmationNeeded { flag } => format!("add {flag} if that is what you want"),
            Self::NoLoggingRole => {
                "set `api.createAccountLoggingRole: true` to have the stack make it, or `api.accessLogs: false`".to_owned()
            }
            Self::ClientNotDeployed { .. } => {
                "`connect-scim deploy` first: the client, or `token.parameterName`, is not deployed as the environment file has it".to_owned()
            }
            Self::TokenKeptElsewhere { .. } => {
                "change it there: the endpoint accepts the new one at once, and the one before it for `token.overlapMinutes`; `smoke` takes it with --token-stdin".to_owned()
            }
            Self::TokenNeeded { .. } => {
                "get one from the issuer and pipe it in with --token-stdin, or put it into the variable CONNECT_SCIM_TOKEN".to_owned()
            }
            Self::NoLogGroup { .. } => {
                "the access log is there with `api.accessLogs: true`; a function's log is made by the next `connect-scim deploy`".to_owned()
            }
            Self::SmokeFailed { .. } => {
                "`connect-scim logs --since 5m` shows what the functions did; docs/operations.md has a table of causes".to_owned()
            }
            Self::MalformedToken(_) => {
                "it needs 43 to 4096 letters, digits, `-` and `_`, such as 32 random bytes in base64url without padding; leave `Bearer` out".to_owned()
            }
            Self::SignsInWithJwts { .. } => {
                "the issuer hands its JWTs to the identity provider; there is nothing to enter".to_owned()
            }
            Self::WhichClient { clients, .. } => {
                format!("name one with --client: {}", clients.join(", "))
            }
        })
    }

    /// The error drawn with its source snippet, where it lies in a file that a person wrote.
    #[must_use]
    pub fn diagnostic(&self) -> Option<String> {
        match self {
            Self::Environment(error) => error.diagnostic(),
            _ => None,
        }
    }

    /// The failure as GitHub Actions shows it: beside the lines of the file where it is
    /// about some.
    #[must_use]
    pub fn annotations(&self) -> Vec<Annotation> {
        let annotation = |message: String, help: Option<&str>, place| Annotation {
            level: Level::Error,
            title: "connect-scim".to_owned(),
            message: match help {
                Some(help) => format!("{message}\n{help}"),
                None => message,
            },
            place,
        };
        if let Self::Environment(environment::Error::Invalid(problems)) = self {
            let beside_its_line = |problem: &environment::Problem| {
                let place = (problems.file.clone(), problems.position(problem));
                annotation(
                    problem.message.clone(),
                    problem.help.as_deref(),
                    Some(place),
                )
            };
            return problems.problems.iter().map(beside_its_line).collect();
        }
        let mut message = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            message.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        vec![annotation(message, self.hint().as_deref(), None)]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Error;
    use crate::cloud::{ServiceError, ServiceErrorKind};
    use crate::commands::interrupt::Ongoing;
    use crate::commands::operation::Failure;
    use crate::exit_code::Exit;
    use crate::stack::StackStatus;

    fn service_error(kind: ServiceErrorKind) -> ServiceError {
        ServiceError {
            action: "try".to_owned(),
            kind,
            code: None,
            message: String::new(),
        }
    }

    fn ended(status: &str) -> Error {
        Error::OperationFailed {
            stack: "scim".to_owned(),
            environment: "prod".to_owned(),
            failure: Box::new(Failure {
                status: StackStatus::parse(status),
                cause: Vec::new(),
                not_undone: Vec::new(),
                logs: Vec::new(),
            }),
        }
    }

    fn ongoing() -> Ongoing {
        Ongoing {
            what: "the deployment of scim".to_owned(),
            environment: "prod".to_owned(),
        }
    }

    #[test]
    fn how_an_operation_ended_decides_the_exit_code() {
        for status in ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"] {
            assert_eq!(ended(status).exit(), Exit::RolledBack, "{status}");
        }
        for status in [
            "UPDATE_ROLLBACK_FAILED",
            "ROLLBACK_FAILED",
            "DELETE_FAILED",
            "SOMETHING_NEW",
        ] {
            assert_eq!(ended(status).exit(), Exit::NeedsHuman, "{status}");
        }
    }

    #[test]
    fn whoever_leaves_says_what_goes_on_and_how_to_follow_it() {
        let hint = "`connect-scim watch --env prod` follows it to its end";
        let expired = Error::NotSeenThrough {
            ongoing: Box::new(ongoing()),
            source: service_error(ServiceErrorKind::Credentials),
        };
        assert_eq!(expired.exit(), Exit::Credentials);
        assert_eq!(expired.hint(), Some(format!("sign in again; {hint}")));
        assert_eq!(
            expired.to_string(),
            "the deployment of scim goes on in the cloud, but cannot be followed"
        );
        let late = Error::TimedOut {
            timeout: Duration::from_secs(5400),
            ongoing: Some(ongoing()),
        };
        assert_eq!(late.exit(), Exit::Busy);
        assert_eq!(late.hint().as_deref(), Some(hint));
        assert_eq!(
            late.to_string(),
            "the time of 1h 30m is up; the deployment of scim goes on in the cloud"
        );
        let idle = Error::TimedOut {
            timeout: Duration::from_secs(90),
            ongoing: None,
        };
        assert_eq!(idle.exit(), Exit::Failure);
        assert_eq!(
            idle.to_string(),
            "the time of 1m 30s is up; nothing is going on in the cloud"
        );
    }

    #[test]
    fn every_failure_of_credentials_has_its_own_exit_code() {
        for (kind, exit) in [
            (ServiceErrorKind::Credentials, Exit::Credentials),
            (ServiceErrorKind::Denied, Exit::Failure),
            (ServiceErrorKind::Throttled, Exit::Failure),
            (ServiceErrorKind::Unreachable, Exit::Failure),
            (ServiceErrorKind::Refused, Exit::Failure),
        ] {
            assert_eq!(Error::Service(service_error(kind)).exit(), exit, "{kind:?}");
        }
    }
}

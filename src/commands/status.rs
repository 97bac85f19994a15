//! `status`: the state of the stack, its endpoint, its functions and its tokens.

mod directory_sync;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use self::directory_sync::DirectorySyncStatus;
use super::interrupt::{InCloud, run_interruptibly};
use super::target::Target;
use super::token::kept;
use super::{Error, Outcome};
use crate::artifact::{self, Artifacts, Sha256};
use crate::cli::{StatusArgs, StatusFormat};
use crate::cloud::{self, ServiceErrorKind, failed_to};
use crate::drift::record::{Record, Records};
use crate::environment::StackKind;
use crate::printer::Printer;
use crate::stack::StackDescription;
use crate::template;
use crate::token::Place;

/// How long the endpoint may take to answer.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs `status`.
pub(super) fn run(args: &StatusArgs, printer: &Printer) -> Result<Outcome, Error> {
    run_interruptibly(&InCloud::default(), async {
        let target = Target::find(&args.environment).await?;
        let stack = target.describe_existing().await?;
        let is_endpoint = target.environment.kind() == StackKind::Endpoint;
        let (functions, tokens, directory_sync) = if is_endpoint {
            let (functions, tokens) =
                tokio::try_join!(functions(&target, &stack), tokens(&target))?;
            (functions, tokens, None)
        } else {
            let sync = directory_sync::look(&target, &stack).await?;
            (BTreeMap::new(), BTreeMap::new(), Some(sync))
        };
        let records = Records::new(&target.cloud);
        let parameter = target.environment.drift_parameter();
        let drift = match records.read(&parameter, &stack.id).await {
            Ok(record) => record.map(LastDrift::of),
            // Whoever may look at the stack need not be let into the parameter.
            Err(error) if error.kind == ServiceErrorKind::Denied => {
                printer.warning(&format!("the last result of `drift` is not known: {error}"));
                None
            }
            Err(error) => return Err(error.into()),
        };
        let outputs = target.reachable_outputs(&stack);
        let status = Status {
            stack_name: target.stack_name(),
            status: stack.status.to_string(),
            status_reason: stack.status_reason.clone(),
            termination_protection: stack.termination_protection,
            endpoint: match is_endpoint {
                true => Some(endpoint(outputs.get("OktaBaseUrl")).await),
                false => None,
            },
            functions,
            tokens,
            directory_sync,
            drift,
        };
        printer.data(&match args.format {
            StatusFormat::Text => status.text(),
            StatusFormat::Json => format!("{:#}\n", serde_json::json!(status)),
        });
        Ok(Outcome::SUCCESS)
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    stack_name: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    termination_protection: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    functions: BTreeMap<String, FunctionStatus>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tokens: BTreeMap<String, TokenStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory_sync: Option<DirectorySyncStatus>,
    /// The last result of `drift --record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<LastDrift>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastDrift {
    #[serde(flatten)]
    record: Record,
    age_hours: i64,
}

impl LastDrift {
    fn of(record: Record) -> Self {
        let age_hours = Timestamp::now().duration_since(record.time).as_hours();
        Self { record, age_hours }
    }

    fn text(&self) -> String {
        let counts = &self.record.counts;
        let mut result = match (counts.drift, counts.not_checked) {
            (0, 0) => "none".to_owned(),
            (0, unchecked) => format!("none, but {unchecked} not checked"),
            (1, _) => "1 FINDING".to_owned(),
            (drift, _) => format!("{drift} FINDINGS"),
        };
        if counts.accepted > 0 {
            result.push_str(&format!(", {} accepted", counts.accepted));
        }
        let age = match self.age_hours {
            0 => "within the last hour".to_owned(),
            1 => "an hour ago".to_owned(),
            hours if hours < 48 => format!("{hours} hours ago"),
            hours => format!("{} days ago", hours / 24),
        };
        let commit = self.record.commit.as_ref();
        let commit = commit.map(|commit| format!(", commit {commit}"));
        format!(
            "{result}  {age} ({:.0}{})",
            self.record.time,
            commit.unwrap_or_default()
        )
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    url: String,
    /// Whether it refuses a call without a token, as it should.
    answers: bool,
    detail: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionStatus {
    name: String,
    /// Whether the code that runs is the package that the template names.
    code_as_deployed: bool,
    /// Whether it is what this checkout builds; absent where that was not built.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_as_in_checkout: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// The ARN, of a token that a company's vault keeps in Secrets Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    version: Option<kept::Version>,
    written: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_days: Option<i64>,
    /// Why nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Status {
    fn text(&self) -> String {
        let mut lines = vec![format!(
            "stack     {}  {}{}",
            self.stack_name,
            self.status,
            self.status_reason
                .as_deref()
                .map(|reason| format!(" ({reason})"))
                .unwrap_or_default()
        )];
        if let Some(endpoint) = &self.endpoint {
            lines.push(format!("endpoint  {}  {}", endpoint.url, endpoint.detail));
        }
        if let Some(sync) = &self.directory_sync {
            lines.extend(sync.lines());
        }
        for function in self.functions.values() {
            lines.push(format!("function  {}  {}", function.name, function.code()));
        }
        for (client, token) in &self.tokens {
            lines.push(format!("token     {client}  {}", token.text()));
        }
        if let Some(drift) = &self.drift {
            lines.push(format!("drift     {}", drift.text()));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

impl TokenStatus {
    fn new(place: Place, looked: Result<kept::Known, String>) -> Self {
        let (parameter, secret) = match place {
            Place::Parameter(parameter) => (Some(parameter), None),
            Place::Secret { arn, .. } => (None, Some(arn)),
        };
        let (known, problem) = match looked {
            Ok(known) => (Some(known), None),
            Err(problem) => (None, Some(problem)),
        };
        Self {
            parameter,
            secret,
            written: known.as_ref().and_then(kept::written),
            age_days: known
                .as_ref()
                .and_then(|known| known.written_at)
                .map(|written| Timestamp::now().duration_since(written).as_hours() / 24),
            version: known.and_then(|known| known.version),
            problem,
        }
    }

    fn text(&self) -> String {
        if let Some(problem) = &self.problem {
            return format!("NOT KNOWN: {problem}");
        }
        let version = self
            .version
            .as_ref()
            .map(|version| format!("version {version}"));
        let age = match self.age_days {
            Some(0) => " (today)".to_owned(),
            Some(1) => " (a day ago)".to_owned(),
            Some(days) => format!(" ({days} days ago)"),
            None => String::new(),
        };
        let written = self
            .written
            .as_ref()
            .map(|written| format!("written {written}{age}"));
        version
            .into_iter()
            .chain(written)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl FunctionStatus {
    fn code(&self) -> &'static str {
        match (self.code_as_deployed, self.code_as_in_checkout) {
            (false, _) => "RUNS OTHER CODE than the deployed package; deploy again",
            (true, None) => "runs the deployed package",
            (true, Some(true)) => "runs the deployed package, which is this checkout's",
            (true, Some(false)) => {
                "runs the deployed package, which is not this checkout's; deploy brings it up to date"
            }
        }
    }
}

/// The digests of the packages that this checkout builds, if they are built.
fn built_here(target: &Target) -> Option<Vec<Sha256>> {
    let workspace = artifact::find_workspace(&std::env::current_dir().ok()?).ok()?;
    let built = Artifacts::built(&workspace, target.environment.functions.architecture)?;
    let packages = built.packages().iter();
    Some(packages.map(|package| package.sha256).collect())
}

/// Compares the code of every function with the package that the deployed template names:
/// CloudFormation's own drift detection cannot see it.
async fn functions(
    target: &Target,
    stack: &StackDescription,
) -> Result<BTreeMap<String, FunctionStatus>, Error> {
    let text = target.stacks.template(&stack.id).await?.unwrap_or_default();
    let deployed = template::canonical(&text)?;
    let client = cloud::client!(aws_sdk_lambda, target.cloud);
    let built = built_here(target);
    let mut functions = BTreeMap::new();
    for (logical_id, name) in target
        .stacks
        .resources(&stack.id, "AWS::Lambda::Function")
        .await?
    {
        let live = client
            .get_function_configuration()
            .function_name(&name)
            .send()
            .await
            .map_err(failed_to(format!(
                "read the configuration of the function {name}"
            )))?;
        let live_hash = live
            .code_sha256()
            .and_then(|hash| Sha256::from_base64(hash).ok());
        let package = &deployed["Resources"][&logical_id]["Properties"]["Code"]["S3Key"];
        let code_as_deployed = package
            .as_str()
            .zip(live_hash.as_ref())
            .is_some_and(|(key, hash)| key.contains(&hash.to_string()));
        let code_as_in_checkout = built
            .as_ref()
            .zip(live_hash)
            .map(|(built, hash)| built.contains(&hash));
        functions.insert(
            logical_id,
            FunctionStatus {
                name,
                code_as_deployed,
                code_as_in_checkout,
            },
        );
    }
    Ok(functions)
}

async fn tokens(target: &Target) -> Result<BTreeMap<String, TokenStatus>, Error> {
    let mut statuses = BTreeMap::new();
    for client in target.environment.clients.keys() {
        // JWTs are their issuer's to look after.
        let Ok(place) = kept::place(&target.environment, client) else {
            continue;
        };
        let looked = match kept::look(target, &place).await {
            // What a vault keeps, not everybody may look at.
            Err(Error::Service(denied)) if denied.kind == ServiceErrorKind::Denied => {
                Err(denied.to_string())
            }
            looked => looked?.ok_or_else(|| format!("{place} is not there")),
        };
        statuses.insert(client.to_string(), TokenStatus::new(place, looked));
    }
    Ok(statuses)
}

/// Calls the endpoint without a token: a healthy one refuses with 401.
async fn endpoint(base_url: Option<&String>) -> Endpoint {
    let Some(url) = base_url.cloned() else {
        return Endpoint {
            url: String::new(),
            answers: false,
            detail: "the stack has no output OktaBaseUrl".to_owned(),
        };
    };
    let probe = format!("{url}/ServiceProviderConfig");
    let answer = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(ENDPOINT_TIMEOUT))
            .http_status_as_error(false)
            .build()
            .into();
        agent
            .get(&probe)
            .call()
            .map(|response| response.status().as_u16())
    })
    .await;
    let (answers, detail) = match answer {
        Ok(Ok(401)) => (
            true,
            "answers, and refuses a call without a token".to_owned(),
        ),
        Ok(Ok(403)) => (true, "answers, but refuses this address".to_owned()),
        Ok(Ok(status)) => (
            false,
            format!("answers {status} to a call without a token; 401 was expected"),
        ),
        Ok(Err(error)) => (false, format!("does not answer: {error}")),
        Err(error) => (false, format!("was not asked: {error}")),
    };
    Endpoint {
        url,
        answers,
        detail,
    }
}

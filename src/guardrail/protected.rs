//! The resources that the guardrail protects, by the names that a stack gives them.

use super::statements::Exceptions;
use crate::artifact::bucket_name;
use crate::environment::{Connect, Environment, IamName};

/// The resources that the guardrail protects, as ARNs (or as the text of a `Fn::Sub`
/// that yields one). `*` is a wildcard in all of them.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    /// The Connect instance.
    pub connect_instance: String,
    /// The resources that only deployers change: the stack, the functions and their roles,
    /// the API, the sweep, the alarms, the watch, the packages, the guardrail, and the
    /// principals that deploy or are exempt.
    pub endpoint: Vec<String>,
    /// The resources that the functions change as well: the tokens with every path above
    /// them, the directory, the queues.
    pub data: Vec<String>,
    /// The parameters that hold tokens.
    pub tokens: Vec<String>,
    /// The functions, as `lambda:FunctionArn` holds them.
    pub functions: String,
    /// The policies made of these statements: a template cannot name a policy within itself.
    pub guardrail_policies: String,
    /// What every ARN of IAM in this account begins with.
    pub iam: String,
    /// The groups that the guardrail is attached to, at any path.
    pub groups: Vec<String>,
    /// The principals that have the guardrail as their permissions boundary, at any path.
    pub bounded: Vec<String>,
}

/// A stack's place and the names of its resources: texts, or variables of `Fn::Sub`.
pub struct Names<'a> {
    /// `aws`.
    pub partition: &'a str,
    /// `eu-central-1`.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// The stack's name.
    pub stack: &'a str,
    /// The name of the resource with a logical id; `None` if the stack has no such resource.
    pub resource: &'a dyn Fn(&str) -> Option<String>,
    /// Keeps a text of the environment file from being read as a variable.
    pub literal: &'a dyn Fn(&str) -> String,
}

/// The stack lacks a resource that this program's templates have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stack has no {0}")]
pub struct Missing(pub &'static str);

/// The longest name of a stack that CloudFormation leaves whole in the names of the
/// functions' roles: a role's name has 64 characters, and `-UserProvisioningRole-` with 13
/// random ones follows.
const LONGEST_WHOLE_NAME: usize = 29;

impl Names<'_> {
    /// What every ARN of IAM in this account begins with.
    #[must_use]
    pub fn iam(&self) -> String {
        format!("arn:{}:iam::{}:", self.partition, self.account)
    }

    /// The Connect instance, in each region that it is replicated to: the replica has the
    /// same id.
    fn connect_instance(&self, connect: &Connect) -> String {
        self.unique("connect", &format!("instance/{}", connect.instance_id))
    }

    /// The ARNs of the roles of the functions that write to Connect and to the directory.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn provisioning_roles(&self) -> Result<Vec<String>, Missing> {
        self.roles(["ReconcilerRole", "UserProvisioningRole"])
    }

    fn roles(&self, logical_ids: [&'static str; 2]) -> Result<Vec<String>, Missing> {
        let role = |id| Ok(format!("{}role/{}", self.iam(), self.required(id)?));
        logical_ids.into_iter().map(role).collect()
    }

    /// The exceptions of an environment's stack. Its roles are exempt by patterns, which are
    /// shorter than the ARNs; nobody who is bound can create a role that matches them.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn exceptions(&self, environment: &Environment) -> Result<Exceptions, Missing> {
        let pattern = |name| format!("{}role/{}-{name}Role-*", self.iam(), self.stack);
        let (provisioning, tokens) = if environment.stack_name.get().len() <= LONGEST_WHOLE_NAME {
            (
                vec![pattern("Reconciler"), pattern("UserProvisioning")],
                vec![pattern("Token*")],
            )
        } else {
            (
                self.provisioning_roles()?,
                self.roles(["TokenAuthorizerRole", "TokenGeneratorRole"])?,
            )
        };
        let exempt = &environment.guardrails.exempt_principals;
        let literal = |arns: Vec<String>| arns.iter().map(|arn| (self.literal)(arn)).collect();
        Ok(Exceptions {
            provisioning,
            tokens,
            deployers: literal(environment.deployers()),
            exempt: literal(exempt.iter().map(ToString::to_string).collect()),
        })
    }

    fn required(&self, logical_id: &'static str) -> Result<String, Missing> {
        (self.resource)(logical_id).ok_or(Missing(logical_id))
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        let (partition, region, account) = (self.partition, self.region, self.account);
        format!("arn:{partition}:{service}:{region}:{account}:{rest}")
    }

    /// A resource with a name that no other region or account has, or that nobody has.
    fn unique(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:*:*:{rest}", self.partition)
    }
}

impl Protected {
    /// The resources of an environment's stack, which has these names.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn new(
        environment: &Environment,
        connect: &Connect,
        names: &Names<'_>,
        exceptions: &Exceptions,
    ) -> Result<Self, Missing> {
        let guardrail_policies = format!("{}policy/{}-Guardrail*", names.iam(), names.stack);
        let functions = names.arn("lambda", &format!("function:{}-*", names.stack));
        let endpoint = [
            vec![
                names.arn("cloudformation", &format!("stack/{}/*", names.stack)),
                functions.clone(),
                names.arn("cloudwatch", &format!("alarm:{}-*", names.stack)),
                guardrail_policies.clone(),
            ],
            exceptions.provisioning.clone(),
            exceptions.tokens.clone(),
            api(environment, names)?,
            rules_and_topic(environment, names)?,
            bucket(environment, names),
            principals(exceptions),
        ]
        .concat();
        let (tokens, paths) = tokens(environment, names);
        let data = [
            paths,
            vec![
                names.unique(
                    "dynamodb",
                    &format!("table/{}*", names.required("DirectoryTable")?),
                ),
                names.unique("sqs", &names.required("ReconcileQueue")?),
                names.unique("sqs", &names.required("ReconcileDeadLetterQueue")?),
            ],
        ]
        .concat();
        let guardrails = &environment.guardrails;
        Ok(Self {
            connect_instance: names.connect_instance(connect),
            endpoint,
            data,
            tokens,
            functions,
            guardrail_policies,
            iam: names.iam(),
            groups: named(names, "group", &guardrails.attach_to.groups),
            bounded: [
                named(names, "role", &guardrails.boundary_of.roles),
                named(names, "user", &guardrails.boundary_of.users),
            ]
            .concat(),
        })
    }
}

/// Everything below the REST API and its tags, the usage plans and API keys of its clients,
/// and its own domain. API Gateway's ids are unique, and the ARN of a tagged resource
/// contains the resource's id.
fn api(environment: &Environment, names: &Names<'_>) -> Result<Vec<String>, Missing> {
    let below = |id: String| format!("arn:{}:apigateway:*::/*{id}*", names.partition);
    let of_clients = environment.clients.keys().flat_map(|client| {
        let part = client.logical_id_part();
        ["UsagePlan", "ApiKey"].map(|kind| (names.resource)(&format!("{kind}{part}")))
    });
    let host = environment.api.base_url.as_ref().and_then(|url| {
        let after_scheme = url.get().split_once("://")?.1;
        let host = after_scheme.split(['/', ':']).next()?;
        (!host.contains(['{', '$']) && host.contains(char::is_alphabetic)).then_some(host)
    });
    let domain = host.map(|host| {
        format!(
            "arn:{}:apigateway:*:*:/domainnames/{host}*",
            names.partition
        )
    });
    Ok(std::iter::once(names.required("RestApi")?)
        .chain(of_clients.flatten())
        .map(below)
        .chain(domain)
        .collect())
}

/// The rule of the sweep; the rule and the topic of `drift.watch`.
fn rules_and_topic(environment: &Environment, names: &Names<'_>) -> Result<Vec<String>, Missing> {
    // The ARN of a rule may have the name of its event bus in front.
    let rule = |name: String| names.unique("events", &format!("rule/*{name}"));
    let mut arns = vec![rule(names.required("ReconcilerSchedule")?)];
    if let Some(watch) = &environment.drift.watch {
        arns.extend((names.resource)("UserEditsRule").map(rule));
        if watch.topic_arn.is_none() {
            arns.push(names.arn("sns", &format!("{}-user-edits", names.stack)));
        }
    }
    Ok(arns)
}

/// The artifact bucket and its objects.
fn bucket(environment: &Environment, names: &Names<'_>) -> Vec<String> {
    let bucket = format!(
        "arn:{}:s3:::{}",
        names.partition,
        bucket_name(environment, names.account)
    );
    vec![format!("{bucket}/*"), bucket]
}

/// The principals that deploy or are exempt. The root user is no resource of IAM.
fn principals(exceptions: &Exceptions) -> Vec<String> {
    let mut arns: Vec<String> = Vec::new();
    for arn in exceptions.deployers.iter().chain(&exceptions.exempt) {
        if !arn.ends_with(":root") && !arns.contains(arn) {
            arns.push(arn.clone());
        }
    }
    arns
}

/// The parameters that hold tokens, and these with every path above them:
/// `GetParametersByPath` is authorized against the path that it is asked for. Whether that
/// ends with a slash is the caller's choice.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html>
fn tokens(environment: &Environment, names: &Names<'_>) -> (Vec<String>, Vec<String>) {
    let arn = |name: &str| names.arn("ssm", &format!("parameter/{name}"));
    let above = |name: &str| names.unique("ssm", &format!("parameter/{name}"));
    let literal = |name: &str| (names.literal)(name.trim_start_matches('/'));
    let path = literal(&environment.token_path());
    let elsewhere = environment.clients.values().filter_map(|client| {
        let name = client.token.as_ref()?.parameter_name.as_ref()?;
        Some(literal(name.get()))
    });
    let elsewhere: Vec<String> = elsewhere.collect();
    let mut tokens = vec![arn(&format!("{path}/*"))];
    // The names next to the default path are the stack's own.
    let mut paths = match environment.token.parameter_name {
        None => vec![above(""), arn(&format!("{path}*"))],
        Some(_) => vec![above(""), arn(&path), arn(&format!("{path}/*"))],
    };
    for name in &elsewhere {
        tokens.push(arn(name));
        paths.push(arn(name));
    }
    for name in std::iter::once(&path).chain(&elsewhere) {
        for (end, _) in name.match_indices('/') {
            paths.push(above(&name[..end]));
            paths.push(above(&name[..=end]));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    (tokens, paths)
}

/// Principals by name, at any path.
fn named(names: &Names<'_>, kind: &str, listed: &[IamName]) -> Vec<String> {
    let iam = names.iam();
    let arns = |name: &IamName| {
        [
            format!("{iam}{kind}/{name}"),
            format!("{iam}{kind}/*/{name}"),
        ]
    };
    listed.iter().flat_map(arns).collect()
}

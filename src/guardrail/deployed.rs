//! The guardrail of a deployed stack: the same statements as in its template, with the
//! names that its resources have.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::statements::{Exceptions, Protected, Statement, document, statements};
use crate::environment::{Connect, Environment};

/// A deployed stack, as far as its guardrail is concerned.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The ARN of the Connect instance.
    pub connect_instance: String,
    /// The roles of the functions that edit users: ARNs.
    pub provisioning_roles: Vec<String>,
    /// The ARN of the policy that is attached to principals.
    pub policy: String,
    /// The ARN of the policy that is a permissions boundary, if the stack has one.
    pub boundary: Option<String>,
    /// What every ARN of IAM in this account begins with.
    pub iam: String,
    protected: Protected,
    exceptions: Exceptions,
}

/// The stack lacks a resource that this program's templates have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stack has no {0}")]
pub struct Missing(pub &'static str);

impl Deployed {
    /// The stack with this ARN and these physical ids by logical id, for a Connect instance.
    ///
    /// # Errors
    /// [`Missing`] where another version of this program deployed the stack.
    pub fn new(
        environment: &Environment,
        connect: &Connect,
        stack_id: &str,
        physical_ids: &BTreeMap<String, String>,
    ) -> Result<Self, Missing> {
        let mut parts = stack_id.splitn(6, ':').skip(1);
        let mut part = || parts.next().unwrap_or_default();
        let (partition, _service, region, account) = (part(), part(), part(), part());
        let id = |logical_id: &'static str| {
            let found = physical_ids.get(logical_id);
            found.map(String::as_str).ok_or(Missing(logical_id))
        };
        let iam = format!("arn:{partition}:iam::{account}:");
        let arn = |service: &str, rest: String| {
            format!("arn:{partition}:{service}:{region}:{account}:{rest}")
        };
        let role = |logical_id| Ok(format!("{iam}role/{}", id(logical_id)?));
        let stack_name = &environment.stack_name;
        let roles = [
            role("ReconcilerRole")?,
            role("TokenAuthorizerRole")?,
            role("TokenGeneratorRole")?,
            role("UserProvisioningRole")?,
        ];
        let [reconciler, authorizer, generator, user_provisioning] = roles.clone();
        let (provisioning, tokens) = ([reconciler, user_provisioning], [authorizer, generator]);
        let connect_instance = arn("connect", format!("instance/{}", connect.instance_id));
        let stack = stack_id.rsplit_once('/').map_or(stack_id, |(name, _)| name);
        let policy = id("GuardrailPolicy")?.to_owned();
        let protected = Protected {
            connect_instance: connect_instance.clone(),
            stack: format!("{stack}/*"),
            functions: arn("lambda", format!("function:{stack_name}-*")),
            roles: roles.into(),
            table: arn("dynamodb", format!("table/{}", id("DirectoryTable")?)),
            tokens: arn("ssm", format!("parameter{}/*", environment.token_path())),
            rest_api: format!(
                "arn:{partition}:apigateway:{region}::/restapis/{}",
                id("RestApi")?
            ),
            guardrail_policies: format!("{iam}policy/{stack_name}-Guardrail*"),
            principals: iam.clone(),
        };
        let exempt = &environment.guardrails.exempt_principals;
        Ok(Self {
            connect_instance,
            provisioning_roles: provisioning.to_vec(),
            policy,
            boundary: physical_ids.get("GuardrailBoundary").cloned(),
            iam,
            protected,
            exceptions: Exceptions {
                provisioning: provisioning.into(),
                tokens: tokens.into(),
                deployers: environment.deployers(),
                exempt: exempt.iter().map(ToString::to_string).collect(),
            },
        })
    }

    /// Its statements.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        statements(&self.protected, &self.exceptions)
    }

    /// The policy as it is attached to principals, and as a service control policy: both
    /// only deny.
    #[must_use]
    pub fn document(&self) -> Value {
        document(&self.statements())
    }

    /// The policy as a permissions boundary, which has to allow what is left.
    #[must_use]
    pub fn boundary_document(&self) -> Value {
        let mut document = self.document();
        if let Some(statements) = document["Statement"].as_array_mut() {
            let everything =
                json!({"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"});
            statements.insert(0, everything);
        }
        document
    }

    /// Who deploys, `*` allowed.
    #[must_use]
    pub fn deployers(&self) -> &[String] {
        &self.exceptions.deployers
    }

    /// Who is exempt from everything, `*` allowed.
    #[must_use]
    pub fn exempt(&self) -> &[String] {
        &self.exceptions.exempt
    }
}

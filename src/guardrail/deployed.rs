//! The guardrail of a deployed stack: the same statements as in its template, with the
//! names that its resources have.

use std::collections::BTreeMap;

use serde_json::Value;

use super::protected::{Missing, Names, Protected};
use super::statements::{
    Exceptions, Statement, boundary_document, boundary_statements, document, statements,
};
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
        let names = Names {
            partition,
            region,
            account,
            stack: environment.stack_name.get(),
            // The physical id of a queue is its URL, which ends with its name.
            resource: &|id| {
                let physical_id = physical_ids.get(id)?.rsplit('/').next()?;
                Some(physical_id.to_owned())
            },
            literal: &str::to_owned,
        };
        let exceptions = names.exceptions(environment)?;
        let policy = physical_ids.get("GuardrailPolicy");
        Ok(Self {
            connect_instance: format!(
                "arn:{partition}:connect:{region}:{account}:instance/{}",
                connect.instance_id
            ),
            provisioning_roles: names.provisioning_roles()?,
            policy: policy.ok_or(Missing("GuardrailPolicy"))?.clone(),
            boundary: physical_ids.get("GuardrailBoundary").cloned(),
            iam: names.iam(),
            protected: Protected::new(environment, connect, &names, &exceptions)?,
            exceptions,
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
        boundary_document(&boundary_statements(&self.protected, &self.exceptions))
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

//! The CloudFormation template of an environment.
//!
//! The template is text that people read and CloudFormation keeps, so it is written
//! as YAML with Handlebars in `templates/`, one file per concern. Here are the values
//! that go in (`context` for an endpoint, `directory_sync` for a directory sync), the engine with its escaping (`engine`), and the
//! canonical form in which two templates are compared ([`canonical()`]).
//!
//! Pure: no AWS, no files, no clock. The same environment and the same code give the
//! same text, byte for byte; that is what lets `deploy` find that nothing changed.

mod canonical;
mod context;
mod directory_sync;
mod engine;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::environment::{Environment, StackKind};

pub use canonical::{Error as CanonicalError, canonical};

/// The most that CloudFormation takes as `TemplateBody`; a longer template goes
/// through S3.
pub const LONGEST_TEMPLATE_BODY: usize = 51_200;

/// A rendered template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: String,
    canonical: Value,
}

/// The software that a stack runs, as its template names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// An endpoint's functions.
    Functions(CodeLocations),
    /// A directory sync's container image, by the digest of its manifest: `sha256:…`.
    Image(String),
}

/// Where a function's package is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CodeLocation {
    /// The S3 bucket, in the stack's region.
    pub bucket: String,
    /// The object's key. It must change with the content: CloudFormation looks no further.
    pub key: String,
}

/// Where the package of each function is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeLocations {
    /// Answers SCIM requests.
    pub user_provisioning: CodeLocation,
    /// Brings Connect up to date where a request could not.
    pub reconciler: CodeLocation,
    /// Recognises clients by their bearer tokens.
    pub token_authorizer: CodeLocation,
    /// Keeps the bearer tokens.
    pub token_generator: CodeLocation,
}

impl CodeLocations {
    /// All packages in one bucket; `key` gives a package's key by the name of its function.
    ///
    /// # Errors
    ///
    /// What `key` fails with.
    pub fn from_keys<E>(bucket: &str, key: impl Fn(&str) -> Result<String, E>) -> Result<Self, E> {
        let location = |function| {
            Ok(CodeLocation {
                bucket: bucket.to_owned(),
                key: key(function)?,
            })
        };
        Ok(Self {
            user_provisioning: location("user-provisioning")?,
            reconciler: location("reconciler")?,
            token_authorizer: location("token-authorizer")?,
            token_generator: location("token-generator")?,
        })
    }
}

/// What a template depends on besides the environment and the code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the local cloud answers; `None` on AWS.
    pub local_cloud: Option<LocalCloud>,
    /// The ids that groups have in the identity store, by display name. The assignments of
    /// a group that is not there are left out: it comes with the first run.
    pub groups: BTreeMap<String, String>,
    /// Puts the account-wide API Gateway logging role into the stack. To be decided by
    /// asking API Gateway: when the account has none, and from then on as long as the
    /// stack contains it.
    pub account_logging_role: bool,
}

/// Where the local cloud answers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalCloud {
    /// The Connect simulator's URL, as the functions reach it.
    pub connect_endpoint: String,
    /// The URL of a stage, with `{apiId}` and `{stage}` to be replaced.
    pub base_url: String,
}

impl Template {
    /// Renders the template of `environment`.
    ///
    /// # Errors
    ///
    /// A value that no template can carry, software of another kind of stack, or a mistake in
    /// the templates themselves.
    pub fn render(
        environment: &Environment,
        code: &Code,
        options: &Options,
    ) -> Result<Self, Error> {
        let engine = engine::engine()?;
        let text = match (environment.kind(), code) {
            (StackKind::Endpoint, Code::Functions(code)) => {
                let mut context = context::Context::new(environment, code, options)?;
                // Rendered twice, because the deployment's logical id is made of the rest.
                let draft = canonical(&engine::render(&engine, engine::ENDPOINT, &context)?)?;
                context.snapshot = snapshot::Snapshot::of(&draft);
                engine::render(&engine, engine::ENDPOINT, &context)?
            }
            (StackKind::DirectorySync, Code::Image(digest)) => {
                let context = directory_sync::Context::new(environment, digest, options)?;
                engine::render(&engine, engine::DIRECTORY_SYNC, &context)?
            }
            (kind, _) => return Err(Error::OtherCode(kind)),
        };
        let canonical = canonical(&text)?;
        check(&canonical, "")?;
        Ok(Self { text, canonical })
    }

    /// The YAML, as it is sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The template in the form in which templates are compared; see [`canonical()`].
    #[must_use]
    pub fn canonical(&self) -> &Value {
        &self.canonical
    }
}

/// Refuses what would silently become something else: an empty value is a variable
/// that was not there, and a dynamic reference is replaced by CloudFormation, which
/// offers no way to escape one.
fn check(value: &Value, path: &str) -> Result<(), Error> {
    match value {
        Value::Null => Err(Error::Empty(path.to_owned())),
        Value::String(text) if text.is_empty() => Err(Error::Empty(path.to_owned())),
        Value::String(text) if text.contains("{{resolve:") => {
            Err(Error::DynamicReference(path.to_owned()))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(item, &format!("{path}/{index}"))),
        Value::Object(members) => members
            .iter()
            .try_for_each(|(key, member)| check(member, &format!("{path}/{key}"))),
        _ => Ok(()),
    }
}

/// A template could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value that CloudFormation would replace.
    #[error(
        "the value at {0} contains `{{{{resolve:`, which CloudFormation takes for a dynamic reference"
    )]
    DynamicReference(String),
    /// A value came out empty.
    #[error("the value at {0} of the template is empty")]
    Empty(String),
    /// The environment describes another kind of stack than the one that the template is for.
    #[error(transparent)]
    OtherKind(#[from] crate::environment::Error),
    /// The guardrail cannot be deployed.
    #[error(transparent)]
    Guardrail(#[from] crate::guardrail::Unfit),
    /// The software is of another kind of stack.
    #[error("the software of another stack was to be put into {0}")]
    OtherCode(StackKind),
    /// The environment has no form that the templates can read.
    #[error("failed to hand the environment to the templates")]
    Environment(#[source] serde_json::Error),
    /// A file in `templates/` is not valid Handlebars.
    #[error("failed to read templates/")]
    Source(#[source] Box<handlebars::TemplateError>),
    /// A file in `templates/` asks for what is not there.
    #[error("failed to render the template")]
    Render(#[source] Box<handlebars::RenderError>),
    /// The rendered text is not a template.
    #[error("failed to read the rendered template")]
    Canonical(#[from] CanonicalError),
}

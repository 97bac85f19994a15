//! What should stand in the cloud, in a form that compares with what stands there.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::environment::{Environment, StackKind};
use crate::stack::{StackDescription, StackSettings};
use crate::template::{self, Template};

/// The stack as the environment wants it.
#[derive(Debug)]
pub(super) struct Intended {
    pub(super) template: Template,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) settings: StackSettings,
    /// Whether the stack is to be guarded.
    pub(super) protected: bool,
    /// Whether no update may replace or delete the directory of users that an endpoint has.
    pub(super) keeps_directory: bool,
    /// Twelve hexadecimal digits of the SHA-256 of all of it: marks the operations that bring it.
    digest: String,
}

impl Intended {
    pub(super) fn new(environment: &Environment, template: Template) -> Self {
        let tags: BTreeMap<String, String> = environment
            .tags
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        let settings = StackSettings {
            service_role: environment
                .stack
                .service_role_arn
                .as_ref()
                .map(ToString::to_string),
            notification_topics: environment
                .stack
                .notification_topic_arns
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        let mut hash = Sha256::new();
        hash.update(template.canonical().to_string());
        hash.update(format!("{tags:?}{settings:?}"));
        let digest = hash.finalize()[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            template,
            tags,
            settings,
            protected: environment.protected,
            keeps_directory: environment.protected && environment.kind() == StackKind::Endpoint,
            digest,
        }
    }

    /// How the token of every operation that brings this begins.
    pub(super) fn token_prefix(&self) -> String {
        format!("connect-scim-{}-", self.digest)
    }

    /// A token for one more operation that brings this; also the name of its change set.
    pub(super) fn new_token(&self) -> String {
        format!("{}{}", self.token_prefix(), uuid::Uuid::new_v4().simple())
    }

    /// Whether the deployed template, tags and settings are what they should be.
    pub(super) fn stands(
        &self,
        deployed: &StackDescription,
        deployed_template: Option<&str>,
    ) -> bool {
        self.tags == deployed.tags
            && self.settings.stand(deployed)
            && deployed_template
                .and_then(|text| template::canonical(text).ok())
                .is_some_and(|canonical| &canonical == self.template.canonical())
    }
}

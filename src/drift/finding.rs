//! What a detector found, as plain data.

use std::fmt;

use super::trail::Attribution;
use crate::environment::AcceptedFinding;

/// What kind of thing was found; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The cloud is not as it was deployed.
    Drift,
    /// Something could not be checked, so that nobody knows.
    NotChecked,
    /// Drift, or something that could not be checked, which somebody has accepted until a
    /// day. It does not count.
    Accepted,
    /// This commit would deploy something else than what is deployed. No drift: nobody
    /// touched the cloud.
    UndeployedChange,
}

/// How bad it is if it is what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody can do, run or read what they should not, or the endpoint is open.
    High,
    /// The endpoint works in another way than intended, or does not work.
    Medium,
    /// To be put in order.
    Low,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Read from the service itself, and compared in full.
    Certain,
    /// As a service reports it, whose comparison is known to err.
    Reported,
    /// Nobody knows.
    Unknown,
}

/// Who found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detector {
    /// Compares the deployed template with what this commit renders.
    Template,
    /// Compares the Lambda functions with the deployed template and packages.
    Function,
    /// Compares the REST API and what its stage serves with the deployed template.
    Api,
    /// Compares roles and managed policies with the deployed template.
    Iam,
    /// Looks at the token parameters, never at the tokens.
    Token,
    /// Compares the queues with the deployed template.
    Queue,
    /// Compares the directory table with the deployed template.
    Table,
    /// Compares alarms and the dashboard with the deployed template.
    Alarm,
    /// Compares log groups with the deployed template.
    Logs,
    /// Compares what starts functions and tasks by the clock with the deployed template.
    Schedule,
    /// Compares the task of a directory sync, and its cluster, with the deployed template.
    Task,
    /// Compares the repository of images with the deployed template, and looks for the
    /// deployed image in it.
    Repository,
    /// Compares what a task may reach, and who may reach it, with the deployed template.
    Network,
    /// Looks at secrets and who may read them, never at what they hold.
    Secret,
    /// Compares parameters with the deployed template.
    Parameter,
    /// Compares topics and their policies with the deployed template.
    Topic,
    /// Compares the users of Amazon Connect with the directory, and looks at who may edit them.
    Connect,
    /// Has CloudFormation compare what no other detector does.
    CloudFormation,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The same in every run for the same thing: `check:LogicalId`, or
    /// `check:LogicalId:part`. A check keeps its name from version to version.
    pub id: String,
    /// Drift, or something else.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// Who found it.
    pub detector: Detector,
    /// The resource's name in the template, or the id of what is none of it.
    pub resource: String,
    /// What the service calls what it is about, where that is no resource of the template.
    pub service_id: Option<String>,
    /// What it is, in a sentence.
    pub what: String,
    /// What should be there.
    pub expected: Option<String>,
    /// What is there.
    pub actual: Option<String>,
    /// How sure it is.
    pub certainty: Certainty,
    /// How to mend it.
    pub cure: String,
    /// Since when it is so and who did it, where CloudTrail tells.
    pub attribution: Option<Attribution>,
    /// Who accepted it until when; of [`Kind::Accepted`].
    pub acceptance: Option<AcceptedFinding>,
}

impl Finding {
    /// Something that is not as it was deployed.
    #[must_use]
    pub fn drift(
        detector: Detector,
        severity: Severity,
        check: &str,
        resource: &str,
        what: impl Into<String>,
    ) -> Self {
        Self {
            id: format!("{}.{check}:{resource}", detector.word()),
            kind: Kind::Drift,
            severity,
            detector,
            resource: resource.to_owned(),
            service_id: None,
            what: what.into(),
            expected: None,
            actual: None,
            certainty: Certainty::Certain,
            cure: String::new(),
            attribution: None,
            acceptance: None,
        }
    }

    /// Something that could not be checked.
    #[must_use]
    pub fn not_checked(
        detector: Detector,
        check: &str,
        resource: &str,
        reason: impl fmt::Display,
    ) -> Self {
        Self {
            kind: Kind::NotChecked,
            certainty: Certainty::Unknown,
            cure: "mend what the message names, and run `drift` again".to_owned(),
            ..Self::drift(
                detector,
                Severity::Medium,
                check,
                resource,
                format!("could not be checked: {reason}"),
            )
        }
    }

    /// The same finding, about a part of the resource.
    #[must_use]
    pub fn part(mut self, part: &str) -> Self {
        self.id.push(':');
        self.id.push_str(part);
        self
    }

    /// What was looked at: the id without the detector, the resource and its part.
    #[must_use]
    pub fn check(&self) -> &str {
        let check = self.id.split(':').next().unwrap_or_default();
        check.split_once('.').map_or(check, |(_, check)| check)
    }

    /// Which part of the resource it is about, if it is about one.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        let (_, rest) = self.id.split_once(':')?;
        rest.strip_prefix(self.resource.as_str())?.strip_prefix(':')
    }

    /// What the service calls what it is about.
    #[must_use]
    pub fn service_id(mut self, id: impl Into<String>) -> Self {
        self.service_id = Some(id.into());
        self
    }

    /// What should be there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What is there.
    #[must_use]
    pub fn actual(mut self, actual: impl Into<String>) -> Self {
        self.actual = Some(actual.into());
        self
    }

    /// How to mend it.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::NotChecked => "notChecked",
            Self::Accepted => "accepted",
            Self::UndeployedChange => "undeployedChange",
        }
    }
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl Certainty {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Reported => "reported",
            Self::Unknown => "unknown",
        }
    }
}

impl Detector {
    /// Who looks at resources of a type; `None` where nobody does.
    #[must_use]
    pub fn of(resource_type: &str) -> Option<Self> {
        super::coverage::of(resource_type).map(|covered| covered.detector)
    }

    /// The word for it, with which the ids of its findings begin.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Function => "function",
            Self::Api => "api",
            Self::Iam => "iam",
            Self::Token => "token",
            Self::Queue => "queue",
            Self::Table => "table",
            Self::Alarm => "alarm",
            Self::Logs => "logs",
            Self::Schedule => "schedule",
            Self::Task => "task",
            Self::Repository => "repository",
            Self::Network => "network",
            Self::Secret => "secret",
            Self::Parameter => "parameter",
            Self::Topic => "topic",
            Self::Connect => "connect",
            Self::CloudFormation => "cloudformation",
        }
    }
}

//! Who may edit users, as it was simulated, and whether that is as it should be.

use super::actions::USER_EDITS;

/// What the policy engine says to one action of one principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It may.
    Allowed,
    /// A policy denies it, whatever others allow.
    DeniedExplicitly,
    /// No policy allows it, so that the next one attached may.
    DeniedImplicitly,
    /// The answer depends on what a simulation does not know, or there was none.
    NotChecked,
}

/// What a principal is to the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A role of the endpoint's functions: it has to edit users.
    Endpoint,
    /// It deploys; it edits no users.
    Deployer,
    /// The environment exempts it.
    Exempt,
    /// Everybody else.
    Other,
}

impl Part {
    /// As it is written in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Deployer => "deployer",
            Self::Exempt => "exempt",
            Self::Other => "other",
        }
    }
}

impl Decision {
    /// As it is written in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::DeniedExplicitly => "deniedExplicitly",
            Self::DeniedImplicitly => "deniedImplicitly",
            Self::NotChecked => "notChecked",
        }
    }
}

/// A principal, and the decisions on all actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its ARN.
    pub principal: String,
    /// What it is to the endpoint.
    pub part: Part,
    /// One for each of [`USER_EDITS`], in their order.
    pub decisions: Vec<Decision>,
}

impl Row {
    /// `role/Administrator`.
    #[must_use]
    pub fn name(&self) -> &str {
        name(&self.principal)
    }

    /// How many decisions are `decision`.
    #[must_use]
    pub fn count(&self, decision: Decision) -> usize {
        self.decisions
            .iter()
            .filter(|one| **one == decision)
            .count()
    }

    /// The actions that are allowed and must not be, or the other way round; by their
    /// places in [`USER_EDITS`].
    #[must_use]
    pub fn unexpected(&self) -> Vec<usize> {
        let is_wrong = |place: usize, decision: Decision| {
            let must_edit = self.part == Part::Endpoint && USER_EDITS[place].by_endpoint;
            match (self.part, decision) {
                (Part::Exempt, _) | (_, Decision::NotChecked) => false,
                (_, Decision::Allowed) => !must_edit,
                (_, Decision::DeniedExplicitly | Decision::DeniedImplicitly) => must_edit,
            }
        };
        self.decisions
            .iter()
            .enumerate()
            .take(USER_EDITS.len())
            .filter(|(place, decision)| is_wrong(*place, **decision))
            .map(|(place, _)| place)
            .collect()
    }
}

/// The part of an ARN that people know: `role/Administrator`.
#[must_use]
pub fn name(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

/// Whether somebody who deploys still can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The ARN of who deploys, or of the role that CloudFormation takes on.
    pub principal: String,
    /// How many actions it needs.
    pub actions: usize,
    /// Those that it may not do.
    pub denied: Vec<String>,
}

/// Something that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// What.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The environment, as it is named on a command line.
    pub environment: String,
    /// The stack's name.
    pub stack_name: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region.
    pub region: String,
    /// How many roles and users the account has, where it was searched.
    pub searched: Option<usize>,
    /// Everybody who was simulated; whoever is not as it should be first.
    pub rows: Vec<Row>,
    /// Everybody who deploys.
    pub deployments: Vec<Deployment>,
    /// What could not be checked.
    pub not_checked: Vec<NotChecked>,
}

/// What a verification comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The endpoint edits users, who deploys can deploy, and nobody else edits users.
    Holds,
    /// It does not hold.
    Broken,
    /// It holds as far as it was checked.
    NotFullyChecked,
}

impl Verification {
    /// Brings the rows into the order of reading.
    pub fn sort(&mut self) {
        self.rows
            .sort_by_key(|row| (row.unexpected().is_empty(), row.part, row.principal.clone()));
    }

    /// What it comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let broken = self.rows.iter().any(|row| !row.unexpected().is_empty())
            || self
                .deployments
                .iter()
                .any(|deployment| !deployment.denied.is_empty());
        let unknown = !self.not_checked.is_empty()
            || self
                .rows
                .iter()
                .any(|row| row.count(Decision::NotChecked) > 0);
        match (broken, unknown) {
            (true, _) => Verdict::Broken,
            (false, true) => Verdict::NotFullyChecked,
            (false, false) => Verdict::Holds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(part: Part, decisions: impl Fn(usize) -> Decision) -> Row {
        Row {
            principal: "arn:aws:iam::111122223333:role/ops/Admin".to_owned(),
            part,
            decisions: (0..USER_EDITS.len()).map(decisions).collect(),
        }
    }

    fn of(rows: Vec<Row>) -> Verification {
        Verification {
            environment: "prod".to_owned(),
            stack_name: "scim".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            searched: None,
            rows,
            deployments: Vec::new(),
            not_checked: Vec::new(),
        }
    }

    #[test]
    fn the_endpoint_must_be_allowed_what_it_does_and_nobody_else_anything() {
        let needed = |place: usize| match USER_EDITS[place].by_endpoint {
            true => Decision::Allowed,
            false => Decision::DeniedImplicitly,
        };
        let endpoint = row(Part::Endpoint, needed);
        assert_eq!(endpoint.unexpected(), Vec::<usize>::new());
        assert_eq!(
            row(Part::Endpoint, |_| Decision::Allowed)
                .unexpected()
                .len(),
            16
        );
        assert_eq!(
            row(Part::Endpoint, |_| Decision::DeniedExplicitly)
                .unexpected()
                .len(),
            12
        );
        for part in [Part::Other, Part::Deployer] {
            assert_eq!(
                row(part, |_| Decision::DeniedImplicitly).unexpected().len(),
                0
            );
            assert_eq!(row(part, needed).unexpected().len(), 12);
        }
        assert_eq!(
            row(Part::Exempt, |_| Decision::Allowed).unexpected().len(),
            0
        );
        assert_eq!(endpoint.name(), "role/ops/Admin");
    }

    #[test]
    fn an_allowed_edit_weighs_more_than_what_was_not_checked() {
        let denied = row(Part::Other, |_| Decision::DeniedExplicitly);
        let unknown = row(Part::Other, |_| Decision::NotChecked);
        let allowed = row(Part::Other, |_| Decision::Allowed);
        assert_eq!(of(vec![denied.clone()]).verdict(), Verdict::Holds);
        assert_eq!(
            of(vec![denied.clone(), unknown.clone()]).verdict(),
            Verdict::NotFullyChecked
        );
        let mut broken = of(vec![denied, unknown, allowed.clone()]);
        assert_eq!(broken.verdict(), Verdict::Broken);
        broken.sort();
        assert_eq!(broken.rows[0], allowed);
        let mut idle = of(Vec::new());
        idle.deployments.push(Deployment {
            principal: "arn:aws:iam::111122223333:role/Deployer".to_owned(),
            actions: 2,
            denied: vec!["lambda:UpdateFunctionCode".to_owned()],
        });
        assert_eq!(idle.verdict(), Verdict::Broken);
    }
}

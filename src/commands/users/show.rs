//! `users show`: what is wanted of a user beside what Connect has.

use std::collections::BTreeMap;

use connect_directory::directory::{Comparison, GrantingGroup};
use connect_directory::facet::facets;
use connect_directory::store::Record;
use serde::Serialize;
use serde_json::json;

use super::{Deployed, Entry};
use crate::cli::{UsersFormat, UsersShowArgs};
use crate::commands::error::UsersError;
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::report::table;

/// Runs `users show`.
pub(super) async fn run(args: &UsersShowArgs, printer: &Printer) -> Result<Outcome, Error> {
    let deployed = Deployed::open(&args.environment).await?;
    let record = deployed.find(&args.user).await?;
    let record = record.ok_or(UsersError::NoSuchUser)?;
    let names = deployed.directory.names_by_id().await?;
    let comparison = deployed.directory.compare(&record).await?;
    let groups = deployed.directory.granting_groups(&record).await?;
    let shown = Shown::of(&record, &comparison, &names, groups);
    printer.data(&match args.format {
        UsersFormat::Json => format!("{:#}\n", json!(shown)),
        UsersFormat::Text => shown.text(),
    });
    Ok(Outcome::SUCCESS)
}

/// A user, and what Connect has of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    user: Entry,
    /// Whose the Connect user is by its tags; absent: there is no user, or it is nobody's.
    owner: Option<String>,
    /// Whether Connect has a user.
    exists: bool,
    /// The groups of the user.
    groups: Vec<ShownGroup>,
    /// Why it cannot be worked out what is wanted.
    problem: Option<String>,
    facets: Vec<ShownFacet>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownGroup {
    name: String,
    /// The security profiles that the group grants.
    security_profiles: Vec<String>,
}

impl From<GrantingGroup> for ShownGroup {
    fn from(group: GrantingGroup) -> Self {
        Self {
            name: group.name,
            security_profiles: group.security_profiles,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownFacet {
    name: String,
    desired: Option<String>,
    actual: Option<String>,
    /// Whether SCIM has a say in it.
    decided: bool,
    differs: bool,
}

impl Shown {
    fn of(
        record: &Record,
        comparison: &Comparison,
        names: &BTreeMap<String, String>,
        groups: Vec<GrantingGroup>,
    ) -> Self {
        let actual = comparison.actual.as_ref();
        let actual_user = actual.map(|actual| &actual.user);
        let before = record.connect.applied.as_ref().map(|before| &before.user);
        // What is wanted is unknown: nothing can be said to differ.
        let (desired, problem) = match &comparison.desired {
            Ok(desired) => (desired.as_ref(), None),
            Err(error) => (actual_user, Some(error.to_string())),
        };
        Self {
            user: Entry::of(record),
            owner: actual.and_then(|actual| actual.owner()).map(str::to_owned),
            exists: actual.is_some(),
            groups: groups.into_iter().map(ShownGroup::from).collect(),
            facets: facets(desired, actual_user, before, names)
                .into_iter()
                .map(|facet| ShownFacet {
                    differs: facet.differs(),
                    name: facet.name,
                    desired: facet.desired.filter(|_| problem.is_none()),
                    actual: facet.actual,
                    decided: facet.decided,
                })
                .collect(),
            problem,
        }
    }

    fn text(&self) -> String {
        let user = &self.user;
        let owner = match &self.owner {
            Some(owner) if *owner == user.id => "this user".to_owned(),
            Some(owner) => format!("ANOTHER USER: {owner}"),
            None if self.exists => "NOBODY".to_owned(),
            None => "-".to_owned(),
        };
        let head = [
            ("user name", user.user_name.clone()),
            ("id", user.id.clone()),
            ("active", if user.active { "yes" } else { "no" }.to_owned()),
            ("state", user.state_text()),
            (
                "Connect user",
                user.connect_user_id.clone().unwrap_or("-".to_owned()),
            ),
            ("owner", owner),
        ];
        let mut text: String = head
            .into_iter()
            .map(|(name, value)| format!("{name:<12}  {value}\n"))
            .collect();
        for group in &self.groups {
            let profiles = match &group.security_profiles[..] {
                [] => "nothing".to_owned(),
                profiles => profiles.join(", "),
            };
            text.push_str(&format!("group         {} grants {profiles}\n", group.name));
        }
        if let Some(problem) = &self.problem {
            text.push_str(&format!("problem       {problem}\n"));
        }
        if self.facets.is_empty() {
            text.push_str("\nNo user is wanted, and Amazon Connect has none.\n");
            return text;
        }
        let cell = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
        let rows = self.facets.iter().map(|facet| {
            let desired = if facet.decided {
                cell(&facet.desired)
            } else {
                "(no say)".to_owned()
            };
            vec![
                if facet.differs { "!" } else { "" }.to_owned(),
                facet.name.clone(),
                desired,
                cell(&facet.actual),
            ]
        });
        text.push('\n');
        text.push_str(&table(&["", "FACET", "DIRECTORY", "AMAZON CONNECT"], rows));
        if self.facets.iter().any(|facet| facet.differs) {
            text.push_str(&format!(
                "\n! differs; `connect-scim users reconcile {}` makes Amazon Connect as the directory\n",
                user.user_name
            ));
        }
        text
    }
}

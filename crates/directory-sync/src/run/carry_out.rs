//! Carries out a plan phase by phase. The writes of a phase run concurrently.
//!
//! A failed write does not stop the others, unless the server rejects the token, which ends the
//! run. Writes that depend on a failed one are not attempted, and are reported.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};

use super::naming::Naming;
use super::report::{Command, Entry, Outcome, Report, Result as RunResult};
use super::{Comparison, Options, Progress, refusal};
use crate::attribute::Attribute;
use crate::configuration::Configuration;
use crate::plan::{Operation, Reference, ResourceId, Subject, UserChanges};
use crate::snapshot::EntryId;
use crate::target::{CONCURRENT, Client, Error, Made};
use crate::wording::counted;

/// Carries out the plan, unless its removals exceed a safety limit.
pub async fn carry_out(
    comparison: Comparison,
    client: &Client,
    configuration: &Configuration,
    options: &Options,
) -> Report {
    let refusal = refusal(&comparison, configuration, options);
    if refusal.is_some() {
        let mut report = Report::of_comparison(Command::Run, &comparison, client, options);
        report.result = RunResult::Refused;
        return report.with_refusal(refusal.as_ref(), options);
    }
    let total = comparison.plan.operations().count();
    (options.progress)(Progress::Writing { done: 0, total });
    let run = Run {
        client,
        made: Mutex::default(),
    };
    let naming = Naming::new(&comparison, options);
    let mut entries = Vec::with_capacity(total);
    let mut credentials_refused = false;
    for phase in &comparison.plan.phases {
        let mut results = stream::iter(phase.iter().enumerate())
            .map(|(index, operation)| {
                let run = &run;
                async move {
                    if options.is_stopped() {
                        return (index, None);
                    }
                    (index, Some(run.write(operation).await))
                }
            })
            .buffer_unordered(CONCURRENT);
        let mut of_phase: Vec<Entry> = phase
            .iter()
            .map(|operation| Entry::planned(operation, &naming))
            .collect();
        let mut done = entries.len();
        while let Some((index, written)) = results.next().await {
            done += 1;
            (options.progress)(Progress::Writing { done, total });
            let entry = &mut of_phase[index];
            match written {
                None => not_attempted(entry, "the run was ended"),
                Some(Ok(written)) => written.record(entry),
                Some(Err(Failure::Dependency(reason))) => not_attempted(entry, reason),
                Some(Err(Failure::Refused(error))) => {
                    if error.is_credentials() {
                        credentials_refused = true;
                        options
                            .stop
                            .store(true, std::sync::atomic::Ordering::Relaxed);
                    }
                    tracing::warn!(action = ?entry.action, id = entry.id, entry = entry.entry, %error, "a write failed");
                    entry.outcome = Outcome::Failed;
                    entry.reason = Some(describe(&error));
                }
            }
        }
        drop(results);
        entries.extend(of_phase);
    }
    let failed = entries.iter().any(|entry| entry.outcome == Outcome::Failed);
    let stopped = entries
        .iter()
        .any(|entry| entry.outcome == Outcome::NotAttempted);
    let result = if credentials_refused {
        RunResult::CredentialsRefused
    } else if options.is_stopped() && stopped {
        RunResult::Interrupted
    } else if failed || stopped {
        RunResult::Failed
    } else if !comparison.plan.held_back.is_empty() {
        RunResult::HeldBack
    } else if entries.is_empty() {
        RunResult::Equal
    } else {
        RunResult::Done
    };
    Report::new(Command::Run, result, &comparison, entries, client, options)
}

fn not_attempted(entry: &mut Entry, reason: &str) {
    entry.outcome = Outcome::NotAttempted;
    entry.reason = Some(reason.to_owned());
}

fn describe(error: &Error) -> String {
    match error.status() {
        Some(409) => format!("{error}: another user or group has this name or e-mail address"),
        Some(404) => format!("{error}: it is gone; the next run makes it again"),
        _ => error.to_string(),
    }
}

/// The objects that the run created, by their entries.
#[derive(Default)]
struct NewObjects {
    users: HashMap<EntryId, ResourceId>,
    groups: HashMap<EntryId, ResourceId>,
}

struct Run<'a> {
    client: &'a Client,
    made: Mutex<NewObjects>,
}

enum Failure {
    /// The server rejected the write, or did not respond.
    Refused(Error),
    /// Depends on a write that failed.
    Dependency(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// The result of a write.
#[derive(Default)]
struct Written {
    id: Option<ResourceId>,
    was_there: bool,
    /// Entries of members that could not be added, because their users were not created.
    withheld: Vec<EntryId>,
}

impl Written {
    fn record(self, entry: &mut Entry) {
        entry.outcome = Outcome::Done;
        entry.added_members.retain(|member| {
            let is_withheld = |entry: &EntryId| member.entry.as_ref() == Some(&entry.0);
            !self.withheld.iter().any(is_withheld)
        });
        entry.added = entry.added_members.len();
        if let Some(id) = self.id {
            entry.id = Some(id.0);
        }
        if self.was_there {
            entry.reason = Some("was there already, with the mark of this sync".to_owned());
        }
        if !self.withheld.is_empty() {
            entry.reason = Some(format!(
                "without {}: the users could not be created",
                counted(self.withheld.len(), "new member")
            ));
        }
    }
}

impl From<Made> for Written {
    fn from(made: Made) -> Self {
        Self {
            id: Some(made.id),
            was_there: made.was_there,
            withheld: Vec::new(),
        }
    }
}

impl Run<'_> {
    async fn write(&self, operation: &Operation) -> Result<Written, Failure> {
        let subject = operation.subject();
        match operation {
            Operation::CreateUser {
                external_id,
                profile,
                ..
            } => {
                let made = self.client.create_user(external_id, profile).await?;
                if let Some(entry) = &subject.entry {
                    let id = made.id.clone();
                    self.with_made(|new| new.users.insert(entry.clone(), id));
                }
                Ok(made.into())
            }
            Operation::UpdateUser { changes, .. } => self.update_user(subject, changes).await,
            Operation::DeleteUser { .. } => {
                self.client
                    .delete_user(existing(subject.id.as_ref())?)
                    .await?;
                Ok(Written::default())
            }
            Operation::CreateGroup {
                external_id,
                members,
                ..
            } => {
                let (ids, withheld) = self.resolve(members);
                let made = self
                    .client
                    .create_group(external_id, &subject.name, &ids)
                    .await?;
                if let Some(entry) = &subject.entry {
                    let id = made.id.clone();
                    self.with_made(|new| new.groups.insert(entry.clone(), id));
                }
                Ok(Written {
                    withheld,
                    ..made.into()
                })
            }
            Operation::UpdateGroup {
                display_name,
                external_id,
                ..
            } => {
                let id = existing(subject.id.as_ref())?;
                self.client
                    .update_group(id, display_name.as_deref(), external_id.as_deref())
                    .await?;
                Ok(Written::default())
            }
            Operation::DeleteGroup { .. } => {
                self.client
                    .delete_group(existing(subject.id.as_ref())?)
                    .await?;
                Ok(Written::default())
            }
            Operation::ChangeMembers {
                group,
                added,
                removed,
                ..
            } => {
                let group = match group {
                    Reference::Existing(id) => id.clone(),
                    Reference::New(entry) => {
                        self.with_made(|new| new.groups.get(entry).cloned())
                            .ok_or(Failure::Dependency("the group could not be made"))?
                    }
                };
                let (added, withheld) = self.resolve(added);
                if added.is_empty() && removed.is_empty() {
                    return Err(Failure::Dependency("the new members could not be made"));
                }
                self.client.change_members(&group, &added, removed).await?;
                Ok(Written {
                    withheld,
                    ..Written::default()
                })
            }
        }
    }

    /// Updates a user. The run may have created the user and its new manager.
    async fn update_user(
        &self,
        subject: &Subject,
        changes: &UserChanges,
    ) -> Result<Written, Failure> {
        let made = |entry: &EntryId| self.with_made(|new| new.users.get(entry).cloned());
        let id = match (&subject.id, &subject.entry) {
            (None, Some(entry)) => made(entry),
            (id, _) => id.clone(),
        };
        let id = id.ok_or(Failure::Dependency("the user could not be made"))?;
        let Some(manager) = &changes.new_manager else {
            self.client.update_user(&id, changes).await?;
            return Ok(Written::default());
        };
        let manager = made(manager).ok_or(Failure::Dependency("the manager could not be made"))?;
        let mut changes = changes.clone();
        changes.set.insert(Attribute::Manager, manager.0);
        self.client.update_user(&id, &changes).await?;
        Ok(Written {
            id: Some(id),
            ..Written::default()
        })
    }

    fn with_made<T>(&self, use_it: impl FnOnce(&mut NewObjects) -> T) -> T {
        use_it(&mut self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The ids of users, and the entries of those that have none because they could not be created.
    fn resolve(&self, users: &[Reference]) -> (Vec<ResourceId>, Vec<EntryId>) {
        let (mut ids, mut withheld) = (Vec::new(), Vec::new());
        self.with_made(|new| {
            for user in users {
                match user {
                    Reference::Existing(id) => ids.push(id.clone()),
                    Reference::New(entry) => match new.users.get(entry) {
                        Some(id) => ids.push(id.clone()),
                        None => withheld.push(entry.clone()),
                    },
                }
            }
        });
        (ids, withheld)
    }
}

fn existing(id: Option<&ResourceId>) -> Result<&ResourceId, Failure> {
    id.ok_or(Failure::Dependency("the server's id is not known"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Operation;

    #[test]
    fn a_conflict_and_a_missing_object_are_explained() {
        for (status, ending) in [
            (
                409,
                ": another user or group has this name or e-mail address",
            ),
            (404, ": it is gone; the next run makes it again"),
            (400, ""),
        ] {
            let error = Error::Refused {
                operation: Operation::PatchUser,
                status,
                scim_type: None,
                request_id: None,
            };
            let expected = format!("PatchUser was refused with status {status}{ending}");
            assert_eq!(describe(&error), expected);
        }
    }
}

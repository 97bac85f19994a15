//! The report of `plan`, `run` and `verify`. The JSON format is a public interface; its version
//! changes when a field changes its meaning or is removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::naming::{Memberships, Naming};
use super::{Comparison, Options};
use crate::attribute::Attribute;
use crate::exit::Exit;
use crate::mapping::Kind;
use crate::plan::{
    Foreign, HeldBack, Operation, Plan, Refusal, Removals, ResourceId, Subject, TakenOver,
};
use crate::snapshot::{EntryId, UnresolvedMember};
use crate::target::{self, Client};
use crate::token::RENEWAL_DAYS;

/// The version of the JSON format.
pub const REPORT_VERSION: u32 = 1;

/// The command that produced a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// `plan`: reports the changes without writing.
    Plan,
    /// `run`: writes the changes.
    Run,
    /// `verify`: reports whether the server differs from the directory.
    Verify,
}

/// The result of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Result {
    /// The server already matches the directory.
    Equal,
    /// The server differs from the directory. `plan` and `verify` only.
    Changes,
    /// All changes were written. `run` only.
    Done,
    /// At least one write failed. `run` only.
    Failed,
    /// Users or groups whose entry may be deleted or inactive are held back; see `heldBack`. All
    /// other changes are written (`run`) or planned (`plan`, `verify`).
    HeldBack,
    /// Nothing was written, because the removals exceed a safety limit; see `refusal`.
    Refused,
    /// The server rejected the token during the writes.
    CredentialsRefused,
    /// The run was interrupted before all changes were written.
    Interrupted,
}

/// The type of a change to a user or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The user or group is created.
    Create,
    /// Attributes change.
    Update,
    /// The user becomes inactive and can no longer sign in.
    Deactivate,
    /// The user becomes active again and can sign in.
    Reactivate,
    /// The user or group is deleted.
    Delete,
    /// Members are added to and removed from the group.
    ChangeMembers,
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Not written, because the command only plans.
    Planned,
    /// Written.
    Done,
    /// The write failed; `reason` has the error.
    Failed,
    /// Not attempted; `reason` has the cause.
    NotAttempted,
}

/// A reference to a user or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// The SCIM `id`. Absent for a user or group that the run creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The directory entry (objectGUID or entryUUID) of a user or group that the run creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The `userName` of a user, with `--names` only; the `displayName` of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A change of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The attribute, such as `displayName`.
    pub attribute: Attribute,
    /// The value before the change; of `manager`, the manager's user name. Absent if there was no
    /// value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value after the change. Absent if the value is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// One change to a user or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The type of the change.
    pub action: Action,
    /// The type of the changed object.
    pub kind: Kind,
    /// The outcome of the change.
    pub outcome: Outcome,
    /// The directory entry: objectGUID or entryUUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The SCIM `id`. Absent for an object that is not created yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The `userName` of a user, with `--names` only; the `displayName` of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The names of the attributes that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// The old and new value of each attribute that changes. With `--names` only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The number of members that are added.
    #[serde(skip_serializing_if = "is_zero")]
    pub added: usize,
    /// The number of memberships that end: the members that are removed from a group, or the
    /// memberships of a deleted user.
    #[serde(skip_serializing_if = "is_zero")]
    pub removed: usize,
    /// The members that are added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added_members: Vec<Named>,
    /// The members that are removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_members: Vec<Named>,
    /// The groups in which a membership of the deleted user ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_groups: Vec<Named>,
    /// The cause, if the change failed or was not attempted; a note, if the object already existed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// An entry or attribute that is not synchronized; the server keeps its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportSkip {
    /// The type of the entry.
    pub kind: Kind,
    /// The directory entry: objectGUID or entryUUID. Absent if it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The SCIM `id` of the object that keeps its values. Absent if there is no such object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The `userName` of a user, with `--names` only; the `displayName` of a group. Of an entry
    /// without an object on the server, the name in the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user or group that already has the unique value, such as a user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Named>,
    /// The distinguished name of the entry. With `--names` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinguished_name: Option<String>,
    /// The attribute that is not synchronized. Absent if it is the whole entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Attribute>,
    /// `true` if users or groups are held back because the account cannot read this entry; see
    /// `heldBack`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub holds_back: bool,
    /// The cause, and how to correct it.
    pub reason: String,
}

/// A user or group that is not changed although its entry may be deleted or inactive, because the
/// account cannot read an entry that is or may be its own. That entry is in `skipped` with
/// `holdsBack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaverHeldBack {
    /// `user` or `group`.
    pub kind: Kind,
    /// The SCIM `id`.
    pub id: String,
    /// The directory entry that `externalId` names. Absent if `externalId` is not a mark of this
    /// sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The `userName` of a user, with `--names` only; the `displayName` of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A member value of a group that identifies no directory entry. For information only: it affects
/// neither the changes nor the exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportUnresolved {
    /// The directory entry of the group. Absent if its identifier cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The name of the group in the directory (`cn`).
    pub group_name: String,
    /// The member value. With `--names` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Why the value identifies no entry.
    pub reason: String,
}

/// A user or group that is reassigned to another directory entry with the same name, because its
/// former entry is deleted. It keeps all assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportReassigned {
    /// `user` or `group`.
    pub kind: Kind,
    /// The SCIM `id`.
    pub id: String,
    /// The `userName` of a user, with `--names` only; the `displayName` of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The former directory entry.
    pub old_entry: String,
    /// The new directory entry.
    pub new_entry: String,
    /// The distinguished name of the new entry. With `--names` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinguished_name: Option<String>,
}

/// A user of AWS's PowerShell sample without an entry in scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftBehind {
    /// The SCIM `id`.
    pub id: String,
    /// The user name. With `--names` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The number of changes by type: written (`run`) or planned (`plan`, `verify`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Users created.
    pub users_created: usize,
    /// Users with changed attributes, except those that are activated or deactivated.
    pub users_updated: usize,
    /// Users deactivated.
    pub users_deactivated: usize,
    /// Users activated again.
    pub users_reactivated: usize,
    /// Users deleted.
    pub users_deleted: usize,
    /// Groups created.
    pub groups_created: usize,
    /// Groups renamed or adopted.
    pub groups_updated: usize,
    /// Groups deleted.
    pub groups_deleted: usize,
    /// Memberships added, including those of new groups.
    pub memberships_added: usize,
    /// Memberships removed, including those of deleted users and groups.
    pub memberships_removed: usize,
    /// Entries and attributes in `skipped`.
    pub skipped: usize,
    /// Failed writes.
    pub failed: usize,
    /// Writes that were not attempted.
    pub not_attempted: usize,
}

/// The validity of the access token of the SCIM server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The time at which the token expires (RFC 3339).
    pub expires: String,
    /// Whole days until the token expires; negative if it has expired.
    pub days_left: i64,
    /// `true` if fewer than 90 days are left, so that the token should be replaced.
    pub renew: bool,
}

impl Token {
    pub(super) fn of(options: &Options) -> Option<Self> {
        let expiry = options.token_expires?;
        let days_left = expiry.days_left(Timestamp::now());
        Some(Self {
            expires: expiry.to_string(),
            days_left,
            renew: days_left < RENEWAL_DAYS,
        })
    }
}

/// The report of `plan`, `run` or `verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of the format.
    pub version: u32,
    /// The command that produced the report.
    pub command: Command,
    /// The result of the command.
    pub result: Result,
    /// The number of changes by type.
    pub summary: Summary,
    /// The number of removals and the totals that the safety limits apply to.
    pub removals: Removals,
    /// The safety limit that the removals exceed. Absent if they exceed none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// How to continue after a refusal, as a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Objects on the server that the sync does not manage. They are never changed.
    pub foreign: Foreign,
    /// Objects of another tool that the sync adopts.
    pub taken_over: TakenOver,
    /// With `matchBy: objectSid`, users of AWS's PowerShell sample without an entry in scope. They
    /// are not changed. With `takeOverLeavers`, they are treated as leavers instead and are in
    /// `entries`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<LeftBehind>,
    /// Users and groups that are held back. Not empty if `result` is `heldBack`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<LeaverHeldBack>,
    /// Users and groups that are reassigned to another directory entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reassigned: Vec<ReportReassigned>,
    /// Member values of groups that identify no directory entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<ReportUnresolved>,
    /// The number of requests to the SCIM server by operation, including repeated ones.
    pub calls: BTreeMap<target::Operation, usize>,
    /// The number of requests among them that repeat an earlier one.
    pub repeated_calls: usize,
    /// The time (RFC 3339) at which the server last matched the directory. Present if the directory
    /// has not changed since; the server was not read, and the figures of the report are 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equal_since: Option<String>,
    /// The validity of the access token. Absent without `--token-expires`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The changes, in the order in which they are written.
    pub entries: Vec<Entry>,
    /// Entries and attributes that are not synchronized.
    pub skipped: Vec<ReportSkip>,
    /// Whether the report contains names. The text format is complete then.
    #[serde(skip)]
    pub has_names: bool,
}

impl Entry {
    pub(super) fn planned(operation: &Operation, naming: &Naming<'_>) -> Self {
        let (action, kind) = action(operation);
        let subject = operation.subject();
        let Memberships {
            added,
            removed,
            left,
        } = naming.memberships(operation);
        Self {
            action,
            kind,
            outcome: Outcome::Planned,
            entry: subject.entry.as_ref().map(|entry| entry.0.clone()),
            id: subject.id.as_ref().map(|id| id.0.clone()),
            name: name(kind, subject, naming),
            attributes: attributes(operation),
            changes: naming.changes(operation),
            added: added.len(),
            removed: removed.len() + left.len(),
            added_members: added,
            removed_members: removed,
            left_groups: left,
            reason: None,
        }
    }
}

/// The name of a group, or with `--names` of a user.
fn name(kind: Kind, subject: &Subject, naming: &Naming<'_>) -> Option<String> {
    match kind {
        Kind::Group => Some(subject.name.clone()),
        Kind::User | Kind::Entry => naming.on_request(|| subject.name.clone()),
    }
}

fn action(operation: &Operation) -> (Action, Kind) {
    match operation {
        Operation::CreateUser { .. } => (Action::Create, Kind::User),
        Operation::UpdateUser { changes, .. } => {
            let action = match changes.active {
                Some(false) => Action::Deactivate,
                Some(true) => Action::Reactivate,
                None => Action::Update,
            };
            (action, Kind::User)
        }
        Operation::DeleteUser { .. } => (Action::Delete, Kind::User),
        Operation::CreateGroup { .. } => (Action::Create, Kind::Group),
        Operation::UpdateGroup { .. } => (Action::Update, Kind::Group),
        Operation::DeleteGroup { .. } => (Action::Delete, Kind::Group),
        Operation::ChangeMembers { .. } => (Action::ChangeMembers, Kind::Group),
    }
}

fn attributes(operation: &Operation) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    match operation {
        Operation::UpdateUser { changes, .. } => {
            names.extend(
                changes
                    .external_id
                    .as_ref()
                    .map(|_| "externalId".to_owned()),
            );
            let changed = changes.set.keys().chain(&changes.removed);
            names.extend(changed.map(|attribute| attribute.key().to_owned()));
            let new_manager = changes.new_manager.as_ref().map(|_| Attribute::Manager);
            names.extend(new_manager.map(|attribute| attribute.key().to_owned()));
        }
        Operation::UpdateGroup {
            display_name,
            external_id,
            ..
        } => {
            names.extend(external_id.as_ref().map(|_| "externalId".to_owned()));
            names.extend(display_name.as_ref().map(|_| "displayName".to_owned()));
        }
        _ => {}
    }
    names
}

impl Summary {
    pub(super) fn of(entries: &[Entry], skipped: usize) -> Self {
        let mut summary = Self {
            skipped,
            ..Self::default()
        };
        for entry in entries {
            match entry.outcome {
                Outcome::Failed => {
                    summary.failed += 1;
                    continue;
                }
                Outcome::NotAttempted => {
                    summary.not_attempted += 1;
                    continue;
                }
                Outcome::Planned | Outcome::Done => {}
            }
            summary.memberships_added += entry.added;
            summary.memberships_removed += entry.removed;
            let figure = match (entry.kind, entry.action) {
                (Kind::Group, Action::Create) => &mut summary.groups_created,
                (Kind::Group, Action::Delete) => &mut summary.groups_deleted,
                (Kind::Group, Action::ChangeMembers) => continue,
                (Kind::Group, _) => &mut summary.groups_updated,
                (_, Action::Create) => &mut summary.users_created,
                (_, Action::Deactivate) => &mut summary.users_deactivated,
                (_, Action::Reactivate) => &mut summary.users_reactivated,
                (_, Action::Delete) => &mut summary.users_deleted,
                (_, Action::Update | Action::ChangeMembers) => &mut summary.users_updated,
            };
            *figure += 1;
        }
        summary
    }
}

impl Report {
    pub(super) fn of_comparison(
        command: Command,
        comparison: &Comparison,
        client: &Client,
        options: &Options,
    ) -> Self {
        let naming = Naming::new(comparison, options);
        let entries: Vec<Entry> = comparison
            .plan
            .operations()
            .map(|operation| Entry::planned(operation, &naming))
            .collect();
        let result = if !comparison.plan.held_back.is_empty() {
            Result::HeldBack
        } else if entries.is_empty() {
            Result::Equal
        } else {
            Result::Changes
        };
        Self::new(command, result, comparison, entries, client, options)
    }

    pub(super) fn new(
        command: Command,
        result: Result,
        comparison: &Comparison,
        entries: Vec<Entry>,
        client: &Client,
        options: &Options,
    ) -> Self {
        let objects = comparison.plan.held_back.iter();
        let of_held_back: BTreeSet<&EntryId> = objects
            .filter_map(|object| object.subject.entry.as_ref())
            .collect();
        let naming = Naming::new(comparison, options);
        let of_directory = comparison.desired.skipped.iter().map(|skip| {
            let entry = skip.entry.as_ref();
            let named = entry.map(|entry| naming.of_entry(skip.kind, entry));
            let (id, name) = named.map_or((None, None), |named| (named.id, named.name));
            // The name in the directory, for an entry without a user or group.
            let in_directory = || match skip.kind {
                Kind::Group => skip.name.clone(),
                Kind::User | Kind::Entry => naming.on_request(|| skip.name.clone()).flatten(),
            };
            ReportSkip {
                kind: skip.kind,
                entry: entry.map(|entry| entry.0.clone()),
                id,
                name: name.or_else(in_directory),
                holder: None,
                distinguished_name: naming.on_request(|| skip.distinguished_name.clone()),
                attribute: skip.attribute,
                holds_back: skip.is_unidentified
                    || entry.is_some_and(|entry| of_held_back.contains(entry)),
                reason: skip.reason.clone(),
            }
        });
        let of_server = comparison.plan.skipped.iter().map(|skip| {
            let object = |id: &ResourceId| match skip.kind {
                Kind::Group => naming.of_group(id),
                Kind::User | Kind::Entry => naming.of_user(id),
            };
            let entry = skip.entry.as_ref();
            let named = match (&skip.id, entry) {
                (Some(id), _) => Some(object(id)),
                (None, Some(entry)) => Some(naming.of_entry(skip.kind, entry)),
                (None, None) => None,
            };
            let (id, name) = named.map_or((None, None), |named| (named.id, named.name));
            ReportSkip {
                kind: skip.kind,
                entry: entry.map(|entry| entry.0.clone()),
                id,
                name,
                holder: skip.holder.as_ref().map(object),
                distinguished_name: entry.and_then(|entry| naming.distinguished_name(entry)),
                attribute: skip.attribute,
                holds_back: false,
                reason: skip.reason.clone(),
            }
        });
        let skipped: Vec<ReportSkip> = of_directory.chain(of_server).collect();
        Self {
            version: REPORT_VERSION,
            command,
            result,
            summary: Summary::of(&entries, skipped.len()),
            removals: comparison.plan.removals,
            refusal: None,
            hint: None,
            foreign: comparison.plan.foreign,
            taken_over: comparison.plan.taken_over,
            left_behind: left_behind(&comparison.plan, options),
            held_back: held_back(&comparison.plan, &naming),
            reassigned: reassigned(&comparison.plan, &naming),
            unresolved: unresolved(&comparison.desired.unresolved, &naming),
            calls: client.calls(),
            repeated_calls: client.repeated(),
            equal_since: None,
            token: Token::of(options),
            entries,
            skipped,
            has_names: options.names,
        }
    }

    /// The report of a run that reads the same directory state as the last one.
    pub(super) fn unchanged(compared_at: Timestamp, options: &Options) -> Self {
        Self {
            version: REPORT_VERSION,
            command: Command::Run,
            result: Result::Equal,
            summary: Summary::default(),
            removals: Removals::default(),
            refusal: None,
            hint: None,
            foreign: Foreign::default(),
            taken_over: TakenOver::default(),
            left_behind: Vec::new(),
            held_back: Vec::new(),
            reassigned: Vec::new(),
            unresolved: Vec::new(),
            calls: BTreeMap::new(),
            repeated_calls: 0,
            equal_since: Some(compared_at.to_string()),
            token: Token::of(options),
            entries: Vec::new(),
            skipped: Vec::new(),
            has_names: options.names,
        }
    }

    pub(super) fn with_refusal(mut self, refusal: Option<&Refusal>, options: &Options) -> Self {
        self.refusal = refusal.map(ToString::to_string);
        self.hint = refusal.map(|refusal| refusal.hint(|verb| options.command(verb)));
        self
    }

    /// The exit code for this report.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.result {
            Result::Changes => Exit::Changes,
            Result::Refused => Exit::ApprovalNeeded,
            Result::CredentialsRefused => Exit::Credentials,
            Result::Failed | Result::HeldBack => Exit::Incomplete,
            Result::Interrupted => Exit::Terminated,
            Result::Equal | Result::Done if self.skipped.is_empty() => Exit::Success,
            Result::Equal | Result::Done => Exit::Incomplete,
        }
    }

    /// The report as JSON, with a trailing newline.
    #[must_use]
    pub fn json(&self) -> String {
        // Serializing plain data with string keys cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn left_behind(plan: &Plan, options: &Options) -> Vec<LeftBehind> {
    let users = plan.left_behind.iter().filter_map(|subject| {
        Some(LeftBehind {
            id: subject.id.as_ref()?.0.clone(),
            name: options.names.then(|| subject.name.clone()),
        })
    });
    users.collect()
}

fn held_back(plan: &Plan, naming: &Naming<'_>) -> Vec<LeaverHeldBack> {
    let objects = plan
        .held_back
        .iter()
        .filter_map(|HeldBack { kind, subject }| {
            Some(LeaverHeldBack {
                kind: *kind,
                id: subject.id.as_ref()?.0.clone(),
                entry: subject.entry.as_ref().map(|entry| entry.0.clone()),
                name: name(*kind, subject, naming),
            })
        });
    objects.collect()
}

fn reassigned(plan: &Plan, naming: &Naming<'_>) -> Vec<ReportReassigned> {
    let objects = plan.reassigned.iter().filter_map(|reassigned| {
        let subject = &reassigned.subject;
        let new = subject.entry.as_ref()?;
        Some(ReportReassigned {
            kind: reassigned.kind,
            id: subject.id.as_ref()?.0.clone(),
            name: name(reassigned.kind, subject, naming),
            old_entry: reassigned.old.0.clone(),
            new_entry: new.0.clone(),
            distinguished_name: naming.distinguished_name(new),
        })
    });
    objects.collect()
}

fn unresolved(members: &[UnresolvedMember], naming: &Naming<'_>) -> Vec<ReportUnresolved> {
    let members = members.iter().map(|member| ReportUnresolved {
        group: member.group.as_ref().map(|id| id.0.clone()),
        group_name: member.group_name.clone(),
        member: naming.on_request(|| member.member.clone()),
        reason: member.reason.to_owned(),
    });
    members.collect()
}

/// The JSON Schema of the JSON format, with a trailing newline.
#[must_use]
pub fn report_schema() -> String {
    // The schema of the output: a field that is omitted when it is empty is not required.
    let settings = SchemaSettings::default().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Report>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{env, fs};

    use super::*;

    #[test]
    fn the_schema_in_the_documentation_matches_the_code() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/directory-sync-report.schema.json");
        if env::var_os("UPDATE_REFERENCE").is_some() {
            fs::write(&file, report_schema()).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            written,
            report_schema(),
            "out of date: UPDATE_REFERENCE=1 cargo test -p directory-sync --lib"
        );
    }
}

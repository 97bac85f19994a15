//! What a run did, or would do. The JSON form is a public interface; its version changes when
//! a field loses its meaning.

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

/// The version of the JSON form.
pub const REPORT_VERSION: u32 = 1;

/// Which command made a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// Says what would be done.
    Plan,
    /// Does it.
    Run,
    /// Says whether there is anything to do.
    Verify,
}

/// How it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Result {
    /// Both sides were equal already.
    Equal,
    /// They differ (`plan`, `verify`).
    Changes,
    /// Everything was done.
    Done,
    /// Some of it failed.
    Failed,
    /// Everything else was done, or would be; users or groups that may be gone or inactive are held
    /// back.
    HeldBack,
    /// Nothing was done: too much would have been taken away.
    Refused,
    /// The server refused the token while writing.
    CredentialsRefused,
    /// Ended before it was done.
    Interrupted,
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Made.
    Create,
    /// Changed.
    Update,
    /// May no longer sign in.
    Deactivate,
    /// May sign in again.
    Reactivate,
    /// Deleted.
    Delete,
    /// Members added and removed.
    ChangeMembers,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// To be done.
    Planned,
    /// Done.
    Done,
    /// Failed; `reason` says why.
    Failed,
    /// Not begun; `reason` says why.
    NotAttempted,
}

/// A user or group that a report names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// The server's id; without it, an object that the run creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The entry of an object that the run creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The name. Of users only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A value that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The attribute.
    pub attribute: Attribute,
    /// The value before. Of `manager`, the user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value after. Without it, the attribute loses its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// What is done.
    pub action: Action,
    /// To what.
    pub kind: Kind,
    /// What became of it.
    pub outcome: Outcome,
    /// The entry of the directory: objectGUID or entryUUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The server's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is called. Of users only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The attributes that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// The values that change; only on request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Members added.
    #[serde(skip_serializing_if = "is_zero")]
    pub added: usize,
    /// Memberships that end: of a group, its members; of a deleted user, its own.
    #[serde(skip_serializing_if = "is_zero")]
    pub removed: usize,
    /// The users that become members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added_members: Vec<Named>,
    /// The users whose membership ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_members: Vec<Named>,
    /// Of a deleted user, the groups in which a membership ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_groups: Vec<Named>,
    /// Why it failed, or was not begun; or that the object was already there.
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

/// Something left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportSkip {
    /// What.
    pub kind: Kind,
    /// The entry of the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The server's id of the object that is left as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the object. Of users only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object that has a value which cannot be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Named>,
    /// Where it is in the directory; only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinguished_name: Option<String>,
    /// The only attribute that is left; without it, the whole entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Attribute>,
    /// Whether users or groups that may be gone or inactive are held back while the account cannot
    /// read this entry.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub holds_back: bool,
    /// Why, and what to do.
    pub reason: String,
}

/// A user or group that keeps everything, although its entry may be gone or inactive: the account
/// cannot read an entry that is or may be its own. `skipped` has that entry with `holdsBack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaverHeldBack {
    /// User or group.
    pub kind: Kind,
    /// The server's id.
    pub id: String,
    /// The entry that the object stands for, if it has a mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The name of the user or group. Of users only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A member value of a group that leads to no entry of the directory. Nothing depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportUnresolved {
    /// The entry of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The name of the group.
    pub group_name: String,
    /// The value; only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Why it leads to no entry.
    pub reason: String,
}

/// A user or group that stands for another entry than before. The entry before is gone, and the
/// new one has its name; everything that is assigned to the user or group stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportReassigned {
    /// User or group.
    pub kind: Kind,
    /// The server's id.
    pub id: String,
    /// The name. Of users only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The entry before.
    pub old_entry: String,
    /// The entry after.
    pub new_entry: String,
    /// Where the new entry is in the directory; only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinguished_name: Option<String>,
}

/// A user whom nobody removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftBehind {
    /// The server's id.
    pub id: String,
    /// The user name; only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Objects by what was, or would be, done to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Users made.
    pub users_created: usize,
    /// Users changed in other ways than below.
    pub users_updated: usize,
    /// Users who may no longer sign in.
    pub users_deactivated: usize,
    /// Users who may sign in again.
    pub users_reactivated: usize,
    /// Users deleted.
    pub users_deleted: usize,
    /// Groups made.
    pub groups_created: usize,
    /// Groups renamed or taken over.
    pub groups_updated: usize,
    /// Groups deleted.
    pub groups_deleted: usize,
    /// Members added, with those of new groups.
    pub memberships_added: usize,
    /// Memberships that ended, with those of deleted users and groups.
    pub memberships_removed: usize,
    /// Entries and attributes left as they are.
    pub skipped: usize,
    /// Writes that failed.
    pub failed: usize,
    /// Writes that were not begun.
    pub not_attempted: usize,
}

/// How long the server's token will be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// When it expires (RFC 3339).
    pub expires: String,
    /// Whole days until then; negative when it has expired.
    pub days_left: i64,
    /// Whether it is time to make a new one.
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

/// What a run did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// Which command made it.
    pub command: Command,
    /// How it came out.
    pub result: Result,
    /// In figures: what was done; of a plan, what would be.
    pub summary: Summary,
    /// What is taken away, and of how many.
    pub removals: Removals,
    /// Why nothing was done, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the server has of others; never changed.
    pub foreign: Foreign,
    /// What another tool made, and this sync takes over.
    pub taken_over: TakenOver,
    /// With `matchBy: objectSid`, users whom AWS's PowerShell sample made and for whom nobody is
    /// in scope: that sample removes nobody. They are left as they are, unless `takeOverLeavers`
    /// makes leavers of them, who stand among the writes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<LeftBehind>,
    /// Users and groups that keep everything for now. Never empty if `result` is
    /// `heldBack`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<LeaverHeldBack>,
    /// Users and groups that stand for another entry than before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reassigned: Vec<ReportReassigned>,
    /// Member values of groups that lead to no entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<ReportUnresolved>,
    /// Calls to the server, by operation.
    pub calls: BTreeMap<target::Operation, usize>,
    /// Calls among them that had to be repeated.
    pub repeated_calls: usize,
    /// When both sides were last compared and found, or made, equal; set only where the directory
    /// has not changed since, so that the server was not read. There are no figures of it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equal_since: Option<String>,
    /// How long the server's token will be taken, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The writes.
    pub entries: Vec<Entry>,
    /// What is left as it is.
    pub skipped: Vec<ReportSkip>,
    /// Whether the report has names, and its text form is therefore not shortened.
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

/// The name of a group, and on request that of a user.
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
            // Of an entry without a user or group, the name in the directory.
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

    /// Of a run that found the directory as the last one left it.
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

    /// How a program ends that shows this report.
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

    /// The JSON form, with a line end.
    #[must_use]
    pub fn json(&self) -> String {
        // Plain data with text keys always has a JSON form.
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

/// The JSON Schema of the JSON form, with a line end.
#[must_use]
pub fn report_schema() -> String {
    // Of what is written: a field that is left out when it is empty is not required.
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
    fn the_schema_in_the_documentation_is_that_of_the_code() {
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

//! Carries a plan out against a table and an instance of its own.

use std::{
    fmt::Write as _,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_json_client::SharedHttpClient;
use connect_directory::{
    directory::{
        ChangeError, Context, Directory, DirectoryError, Group, GroupChange, GroupError, Reconciled,
    },
    store::{Store, StoreError, StoredUser},
};
use connect_simulator::AssignedKind;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use test_support::Cloud;
use tokio::time::Instant;

use crate::{
    line::{Fault, Line},
    model::{Creation, Effect, FAMILY_NAME, Model, Outcome},
    plan::{
        Action, MAPPED_GROUPS, NAMES, PROFILE_GROUPS, Plan, RECENT, Round, Step, TEMPORARY,
        second_name,
    },
};

/// The client that all requests are of.
pub const CLIENT: &str = "idp";

/// Longer than a claim holds.
const LATER: SignedDuration = SignedDuration::from_secs(40);

/// How often the recovery looks for users who are pending.
const RECOVERIES: usize = 6;

pub struct World {
    pub cloud: Cloud,
    pub plan: Plan,
    model: Mutex<Model>,
    /// How far the clock of requests is ahead, in milliseconds.
    ahead: AtomicI64,
}

/// An instance of the function.
struct Instance {
    line: Line,
    directory: Directory,
}

/// What a request that was not killed came to, with what it may have changed until then.
#[derive(Default)]
struct Progress {
    effects: Mutex<Vec<Effect>>,
    /// The id of a group that was created.
    created: OnceLock<String>,
}

impl Progress {
    fn may_change(&self, effects: impl IntoIterator<Item = Effect>) {
        let mut all = self.effects.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(effects);
    }

    /// Replaces the name of a group in the effects with its id, or with each of its possible
    /// ids.
    fn name_group(&self, name: &str, ids: &[String]) {
        let mut effects = self.effects.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_group =
            |effect: &mut Effect| effect.group_id().is_some_and(|group| group == name);
        let of_group: Vec<Effect> = effects.extract_if(.., is_of_group).collect();
        for id in ids {
            effects.extend(of_group.iter().cloned().map(|mut effect| {
                if let Some(group) = effect.group_id() {
                    group.clone_from(id);
                }
                effect
            }));
        }
    }

    fn into_effects(self) -> Vec<Effect> {
        self.effects
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// Carries a plan out in an empty cloud.
    pub async fn new(cloud: Cloud, plan: Plan) -> Self {
        let world = Self {
            cloud,
            plan,
            model: Mutex::default(),
            ahead: AtomicI64::new(0),
        };
        let simulator = &world.cloud.simulator;
        let kind = AssignedKind::SecurityProfiles;
        simulator.create(kind, TEMPORARY).unwrap();
        let directory = world.directory();
        let groups = directory.groups(world.context(false)).await.unwrap();
        let exist = groups.into_iter().map(|group| Effect::Group {
            id: group.stored.id,
            exists: true,
        });
        world.model().record(0, exist.collect(), true);
        world
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory as a new instance of the function has it.
    pub fn directory(&self) -> Directory {
        self.instance().directory
    }

    fn instance(&self) -> Instance {
        let line = Line::new(self.cloud.dynamodb.http_client());
        let mapping = json!(std::collections::BTreeMap::from(MAPPED_GROUPS)).to_string();
        let configuration = self.cloud.configuration(&[
            ("GROUP_MAPPING", &mapping),
            ("DEPROVISION", self.plan.deprovision),
            ("SUSPENDED_SECURITY_PROFILE", "Suspended"),
            ("RENAME", self.plan.rename),
        ]);
        let directory = configuration
            .directory_over(
                self.cloud.environment(),
                SharedHttpClient::new(line.clone()),
            )
            .unwrap();
        Instance { line, directory }
    }

    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::SeqCst));
        Timestamp::now() + ahead
    }

    pub fn context(&self, is_connect_lost: bool) -> Context<'static> {
        let begin = Instant::now();
        let patience = if is_connect_lost { 200 } else { 8_000 };
        Context {
            now: self.now(),
            deadline: begin + Duration::from_millis(patience),
            stop: begin + Duration::from_secs(10),
            client: CLIENT,
        }
    }

    fn let_claims_expire(&self) {
        let later = i64::try_from(LATER.as_millis()).unwrap_or(i64::MAX);
        self.ahead.fetch_add(later, Ordering::SeqCst);
        self.model().log.push("-- claims expire".to_owned());
    }

    /// The problems of a case, with its history; none if all is well.
    pub async fn failure(cloud: Cloud, seed: u64) -> Option<String> {
        let world = Self::new(cloud, Plan::new(seed)).await;
        let problems = world.run().await;
        let history = world.history();
        (!problems.is_empty())
            .then(|| format!("seed {seed}\n{history}\nPROBLEMS\n{}", problems.join("\n")))
    }

    /// Carries everything out. The result is what is wrong at the end or before.
    pub async fn run(&self) -> Vec<String> {
        for round in &self.plan.rounds {
            self.model().log.push("-- round".to_owned());
            self.round(round).await;
            if round.claims_expire {
                self.let_claims_expire();
            }
            if round.is_checked {
                self.recover().await;
                let found = self.compare().await;
                let mut model = self.model();
                model.log.push("-- recovered and compared".to_owned());
                model.problems.extend(found);
            }
            if !self.model().problems.is_empty() {
                break;
            }
        }
        if self.model().problems.is_empty() {
            self.probe().await;
        }
        std::mem::take(&mut self.model().problems)
    }

    async fn round(&self, round: &Round) {
        let instances = round.instances.iter().enumerate();
        let work = instances.map(|(number, steps)| async move {
            let mut instance = self.instance();
            for step in steps {
                self.step(number, &mut instance, step).await;
            }
        });
        join_all(work).await;
    }

    /// Carries out what a crash left, as the reconciler and the sweep do.
    async fn recover(&self) {
        self.let_claims_expire();
        let directory = self.directory();
        for _ in 0..RECOVERIES {
            let pending = directory.store().pending_ids(Timestamp::MAX).await.unwrap();
            let swept = directory.sweep_groups(self.context(false)).await;
            if let Err(error) = &swept {
                self.problem(format!("the sweep of groups fails: {error}"));
            }
            if pending.is_empty() && swept.is_ok_and(|ended| ended == 0) {
                return;
            }
            for id in pending {
                match directory.reconcile(&id, self.context(false)).await {
                    Ok(Reconciled::Synchronised | Reconciled::Gone) => {}
                    Ok(Reconciled::Pending(code)) => {
                        let line = format!("recovery of {id}: pending, {code}");
                        self.model().log.push(line);
                    }
                    Ok(Reconciled::Refused(refusal)) => {
                        self.problem(format!("recovery of {id}: {refusal}"));
                    }
                    Ok(Reconciled::Busy) => self.problem(format!("recovery of {id}: busy")),
                    Err(error) => self.problem(format!("recovery of {id}: {error}")),
                }
            }
        }
        self.problem("the recovery does not end".to_owned());
    }

    pub fn problem(&self, problem: String) {
        self.model().problems.push(problem);
    }

    /// Requests that must succeed now: every name that is free can be given to a new user,
    /// and every group takes a member.
    async fn probe(&self) {
        let mut instance = self.instance();
        for name in NAMES {
            let taken = instance.directory.store().find_by_user_name(name).await;
            if taken.unwrap().is_none() {
                let action = Action::Create { name, active: true };
                self.demand(&mut instance, action).await;
            }
        }
        let exist = |position: &usize| {
            let model = self.model();
            let ids = model.recent(&[*position]);
            let mut users = ids.iter().filter_map(|id| model.users.get(id));
            users.all(|user| user.exists.permits(&true))
        };
        let users: Vec<usize> = (0..RECENT).filter(exist).collect();
        for (group, _) in MAPPED_GROUPS {
            let known = instance.directory.store().find_group_by_name(group).await;
            let users = users.clone();
            let action = match known.unwrap() {
                None => Action::CreateGroup { group, users },
                Some(_) => Action::Add { group, users },
            };
            self.demand(&mut instance, action).await;
        }
        self.recover().await;
        let found = self.compare().await;
        self.model().problems.extend(found);
    }

    async fn demand(&self, instance: &mut Instance, action: Action) {
        let step = Step {
            action,
            fault: None,
        };
        let outcome = self.step(9, instance, &step).await;
        if outcome != Outcome::Acknowledged {
            self.problem(format!("{:?} must succeed: {outcome:?}", step.action));
        }
    }

    async fn step(&self, number: usize, instance: &mut Instance, step: &Step) -> Outcome {
        let began = {
            let mut model = self.model();
            let began = model.tick();
            let line = format!("{began:>4} [{number}] {:?} {:?}", step.action, step.fault);
            model.log.push(line);
            began
        };
        let progress = Progress::default();
        let is_connect_lost = matches!(step.fault, Some(Fault::ConnectLost { .. }));
        let context = self.context(is_connect_lost);
        let creation = format!("creation-{began}");
        instance.line.set(step.fault);
        let outcome = tokio::select! {
            outcome = self.request(&instance.directory, &step.action, &creation, &progress, context) => outcome,
            () = instance.line.killed() => Outcome::Unknown("killed".to_owned()),
        };
        instance.line.idle().await;
        if matches!(outcome, Outcome::Unknown(_)) {
            *instance = self.instance();
        }
        instance.line.set(None);
        let store = instance.directory.store();
        if let Action::CreateGroup { group, .. } = step.action {
            let ids = match progress.created.get() {
                None => self.group_ids(store, group).await,
                Some(id) => vec![id.clone()],
            };
            progress.name_group(group, &ids);
        }
        let effects = progress.into_effects();
        match &outcome {
            Outcome::Acknowledged => self.model().record(began, effects, true),
            Outcome::Unknown(_) => self.model().record(began, effects, false),
            Outcome::Refused(_) => {}
        }
        if let Action::Create { name, .. } = step.action {
            self.look_for_user(store, name, &creation, &outcome).await;
        }
        let mut model = self.model();
        let ended = model.tick();
        model
            .log
            .push(format!("{ended:>4} [{number}] ({began}) {outcome:?}"));
        outcome
    }

    /// The user whom a request without a response has created.
    async fn look_for_user(&self, store: &Store, name: &str, creation: &str, outcome: &Outcome) {
        if matches!(outcome, Outcome::Refused(_))
            && let Some(creation) = self.model().creations.get_mut(creation)
        {
            creation.is_refused = true;
        }
        if let Some(user) = store.find_by_user_name(name).await.unwrap() {
            self.model().add_user(&user.id, creation_of(&user));
        }
    }

    /// The id of the security profile of this name, or the ids of the groups that a request
    /// to create a group of this name may have created.
    async fn group_ids(&self, store: &Store, name: &str) -> Vec<String> {
        if let Some(id) = self.security_profile(name) {
            return vec![id];
        }
        let first = store.find_group_by_name(name).await.unwrap();
        let second = store.find_group_by_name(&second_name(name)).await.unwrap();
        first.into_iter().chain(second).collect()
    }

    async fn request(
        &self,
        directory: &Directory,
        action: &Action,
        creation: &str,
        progress: &Progress,
        context: Context<'static>,
    ) -> Outcome {
        let user = |position: &usize| self.model().recent(&[*position]).pop();
        match action {
            Action::Create { name, active } => {
                self.model().creations.insert(
                    creation.to_owned(),
                    Creation {
                        name,
                        active: *active,
                        is_refused: false,
                    },
                );
                let user = new_user(name, *active, creation);
                match directory.create(user, None, context).await {
                    Ok(written) => {
                        self.model().add_user(&written.user.id, creation);
                        Outcome::Acknowledged
                    }
                    Err(error) => self.refused(&error),
                }
            }
            Action::Rename {
                user: position,
                name,
            } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                progress.may_change([Effect::Name(id.clone(), name)]);
                self.update(directory, &id, context, |user| {
                    user.document.insert("userName".to_owned(), json!(name));
                })
                .await
            }
            Action::SetActive {
                user: position,
                active,
            } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                progress.may_change([Effect::Active(id.clone(), *active)]);
                self.update(directory, &id, context, |user| {
                    user.document.insert("active".to_owned(), json!(active));
                })
                .await
            }
            Action::Entitle {
                user: position,
                profile,
            } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                progress.may_change([Effect::Entitlement(id.clone(), *profile)]);
                self.update(directory, &id, context, |user| {
                    match profile {
                        Some(profile) => user
                            .document
                            .insert("entitlements".to_owned(), json!([{"value": profile}])),
                        None => user.document.remove("entitlements"),
                    };
                })
                .await
            }
            Action::SetFamilyName {
                user: position,
                family_name,
            } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                progress.may_change([Effect::FamilyName(id.clone(), family_name.clone())]);
                self.update(directory, &id, context, |user| {
                    set_family_name(user, family_name)
                })
                .await
            }
            Action::SetExternalId {
                user: position,
                external_id,
            } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                progress.may_change([Effect::ExternalId(id.clone(), external_id.clone())]);
                self.update(directory, &id, context, |user| {
                    user.external_ids
                        .insert(CLIENT.to_owned(), external_id.clone());
                })
                .await
            }
            Action::Delete { user: position } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                progress.may_change([Effect::UserDeleted(id.clone())]);
                match directory.delete(&id, |_| Ok::<(), ()>(()), context).await {
                    Ok(_) => Outcome::Acknowledged,
                    Err(ChangeError::Caller(())) => missing(),
                    Err(ChangeError::Directory(error)) => self.refused(&error),
                }
            }
            Action::Add { group, users } => {
                let users = self.model().recent(users);
                self.change_members(directory, group, progress, context, |_| (users, Vec::new()))
                    .await
            }
            Action::Remove { group, users } => {
                let users = self.model().recent(users);
                self.change_members(directory, group, progress, context, |_| (Vec::new(), users))
                    .await
            }
            Action::Replace { group, users } => {
                let users = self.model().recent(users);
                self.change_members(directory, group, progress, context, |members| {
                    let is_new = |id: &&String| !members.contains(id);
                    let added = users.iter().filter(is_new).cloned().collect();
                    let leaves = |id: &String| !users.contains(id);
                    (
                        added,
                        members.iter().filter(|id| leaves(id)).cloned().collect(),
                    )
                })
                .await
            }
            Action::CreateGroup { group, users } => {
                let users = self.model().recent(users);
                let change = GroupChange {
                    display_name: (*group).to_owned(),
                    external_id: Some(creation.to_owned()),
                    added: users.iter().cloned().collect(),
                    ..GroupChange::default()
                };
                // Until the id is known, the effects have the name of the group in its place.
                let id = || (*group).to_owned();
                progress.may_change([
                    Effect::Group {
                        id: id(),
                        exists: true,
                    },
                    Effect::GroupExternalId {
                        id: id(),
                        external_id: change.external_id.clone(),
                    },
                ]);
                if !PROFILE_GROUPS.contains(group) {
                    progress.may_change([Effect::GroupName {
                        id: id(),
                        name: id(),
                    }]);
                }
                progress.may_change(members(group, &users, true));
                match directory.create_group(&change, context).await {
                    Ok((group, _)) => {
                        progress.created.set(group.stored.id).unwrap();
                        Outcome::Acknowledged
                    }
                    Err(GroupError::NameTaken) => Outcome::Refused("NameTaken".to_owned()),
                    Err(error) => self.unknown(&error),
                }
            }
            Action::DeleteGroup { group } => {
                let Some(group) = find(directory, group, context).await else {
                    return missing();
                };
                progress.may_change([Effect::Group {
                    id: group.stored.id.clone(),
                    exists: false,
                }]);
                let deleted = directory
                    .delete_group(&group.stored.id, |_| Ok::<(), GroupError>(()), context)
                    .await;
                match deleted {
                    Ok(_) => Outcome::Acknowledged,
                    Err(GroupError::NotFound) => missing(),
                    Err(error) => self.unknown(&error),
                }
            }
            Action::RenameGroup { group, is_second } => {
                let Some(found) = find(directory, group, context).await else {
                    return missing();
                };
                let name = match is_second {
                    true => second_name(group),
                    false => (*group).to_owned(),
                };
                progress.may_change([Effect::GroupName {
                    id: found.stored.id.clone(),
                    name: name.clone(),
                }]);
                let change = GroupChange {
                    display_name: name,
                    ..no_change(&found)
                };
                self.change_group(directory, &found, &change, context).await
            }
            Action::SetGroupExternalId { group, external_id } => {
                let Some(found) = find(directory, group, context).await else {
                    return missing();
                };
                progress.may_change([Effect::GroupExternalId {
                    id: found.stored.id.clone(),
                    external_id: external_id.clone(),
                }]);
                let change = GroupChange {
                    external_id: external_id.clone(),
                    ..no_change(&found)
                };
                self.change_group(directory, &found, &change, context).await
            }
            Action::ToggleSecurityProfile { is_replaced } => {
                self.toggle_security_profile(*is_replaced)
            }
            Action::Sweep => sweep(directory, context).await,
            Action::Repair { user: position } => {
                let Some(id) = user(position) else {
                    return missing();
                };
                match directory.mend(&id, context).await {
                    Ok(outcome) => Outcome::Refused(format!("{outcome:?}")),
                    Err(error) => Outcome::Refused(error.to_string()),
                }
            }
        }
    }

    /// The id of the security profile of this name.
    fn security_profile(&self, name: &str) -> Option<String> {
        let state = self.cloud.simulator.state();
        let mut profiles = state["securityProfiles"].as_object()?.iter();
        let profile = profiles.find(|(_, value)| value["profile"]["SecurityProfileName"] == name);
        profile.map(|(id, _)| id.clone())
    }

    fn toggle_security_profile(&self, is_replaced: bool) -> Outcome {
        let simulator = &self.cloud.simulator;
        let kind = AssignedKind::SecurityProfiles;
        let outcome = match self.security_profile(TEMPORARY) {
            None => {
                let began = self.model().tick();
                simulator.create(kind, TEMPORARY).map(|id| {
                    let created = Effect::Group { id, exists: true };
                    self.model().record(began, vec![created], true);
                })
            }
            Some(id) => {
                let instead = self.security_profile("Agent").filter(|_| is_replaced);
                let deleted = simulator.delete(kind, &id, instead.as_deref());
                deleted.map(|()| {
                    self.model().deleted_profiles.insert(id);
                })
            }
        };
        match outcome {
            Ok(()) => Outcome::Acknowledged,
            Err(error) => Outcome::Refused(format!("{error:?}")),
        }
    }

    async fn update(
        &self,
        directory: &Directory,
        id: &str,
        context: Context<'_>,
        change: impl Fn(&mut StoredUser),
    ) -> Outcome {
        let change = |user: &mut StoredUser| {
            change(user);
            Ok::<(), ()>(())
        };
        match directory.update(id, change, context).await {
            Ok(_) => Outcome::Acknowledged,
            Err(ChangeError::Caller(())) => missing(),
            Err(ChangeError::Directory(error)) => self.refused(&error),
        }
    }

    /// As a PATCH or PUT of a group: reads it, and the members, in the request.
    async fn change_members(
        &self,
        directory: &Directory,
        name: &str,
        progress: &Progress,
        context: Context<'_>,
        change: impl FnOnce(&[String]) -> (Vec<String>, Vec<String>),
    ) -> Outcome {
        let Some(group) = find(directory, name, context).await else {
            return missing();
        };
        let id = &group.stored.id;
        let before = match directory.store().members(id).await {
            Ok(members) => members,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let before: Vec<String> = before.into_iter().map(|member| member.user_id).collect();
        let (added, removed) = change(&before);
        {
            // A member may be a user whose creation has had no response yet.
            let model = self.model();
            let known = |ids: &[String]| -> Vec<String> {
                let known = ids.iter().filter(|id| model.users.contains_key(*id));
                known.cloned().collect()
            };
            progress.may_change(members(id, &known(&removed), false));
            progress.may_change(members(id, &known(&added), true));
        }
        let change = GroupChange {
            added: added.into_iter().collect(),
            removed: removed.into_iter().collect(),
            ..no_change(&group)
        };
        self.change_group(directory, &group, &change, context).await
    }

    async fn change_group(
        &self,
        directory: &Directory,
        group: &Group,
        change: &GroupChange,
        context: Context<'_>,
    ) -> Outcome {
        match directory.change_group(group, change, context).await {
            Ok(_) => Outcome::Acknowledged,
            Err(error @ (GroupError::NameTaken | GroupError::Changed)) => {
                Outcome::Refused(error.to_string())
            }
            Err(error) => self.unknown(&error),
        }
    }

    /// Sorts an error of a request for one user.
    fn refused(&self, error: &DirectoryError) -> Outcome {
        match error {
            DirectoryError::Store(
                StoreError::DynamoDb(_) | StoreError::ClaimLost | StoreError::Malformed,
            ) => Outcome::Unknown(error.to_string()),
            DirectoryError::Store(_) | DirectoryError::Rename | DirectoryError::Unchecked(_) => {
                Outcome::Refused(error.to_string())
            }
            DirectoryError::Mapping(_)
            | DirectoryError::Profile(_)
            | DirectoryError::Refused(_) => {
                self.problem(format!("refused without a reason: {error}"));
                Outcome::Refused(error.to_string())
            }
        }
    }

    /// Sorts an error of a request for a group, a part of which may have been carried out.
    fn unknown(&self, error: &GroupError) -> Outcome {
        if matches!(error, GroupError::Refused(_)) {
            self.problem(format!("refused without a reason: {error}"));
        }
        Outcome::Unknown(error.to_string())
    }

    pub fn history(&self) -> String {
        let model = self.model();
        let mut text = format!(
            "deprovision: {}, rename: {}",
            self.plan.deprovision, self.plan.rename
        );
        for (id, user) in &model.users {
            write!(text, "\n{id}: {:?}", user.name).unwrap();
        }
        for line in &model.log {
            write!(text, "\n{line}").unwrap();
        }
        text
    }
}

async fn sweep(directory: &Directory, context: Context<'_>) -> Outcome {
    let mut outcomes = String::new();
    match directory.store().pending_ids(context.now).await {
        Ok(pending) => {
            for id in pending {
                let outcome = directory.reconcile(&id, context).await;
                write!(outcomes, "{id}: {outcome:?}; ").unwrap();
            }
        }
        Err(error) => outcomes = error.to_string(),
    }
    let groups = directory.sweep_groups(context).await;
    Outcome::Refused(format!("{outcomes}groups: {groups:?}"))
}

/// The group of this name, or the group that had this name before a rename.
async fn find(directory: &Directory, name: &str, context: Context<'_>) -> Option<Group> {
    for name in [name, &second_name(name)] {
        let groups = directory.groups_by_name(name, context).await.ok()?;
        if let Some(group) = groups.into_iter().next() {
            return Some(group);
        }
    }
    None
}

/// A change that keeps the name and the external id of a group as they were read.
fn no_change(group: &Group) -> GroupChange {
    GroupChange {
        display_name: group.display_name.clone(),
        external_id: group.stored.external_ids.get(CLIENT).cloned(),
        ..GroupChange::default()
    }
}

fn missing() -> Outcome {
    Outcome::Refused("not found".to_owned())
}

fn members<'a>(
    group: &'a str,
    users: &'a [String],
    is_member: bool,
) -> impl Iterator<Item = Effect> + 'a {
    users.iter().map(move |user| Effect::Member {
        user: user.clone(),
        group: group.to_owned(),
        is_member,
    })
}

fn new_user(name: &str, active: bool, creation: &str) -> StoredUser {
    let mut user = StoredUser {
        document: Map::from_iter([
            ("userName".to_owned(), json!(name)),
            ("active".to_owned(), json!(active)),
            ("nickName".to_owned(), json!(creation)),
        ]),
        ..StoredUser::default()
    };
    user.external_ids
        .insert(CLIENT.to_owned(), creation.to_owned());
    set_family_name(&mut user, FAMILY_NAME);
    user
}

fn set_family_name(user: &mut StoredUser, family_name: &str) {
    let name = json!({"givenName": "Ada", "familyName": family_name});
    user.document.insert("name".to_owned(), name);
    let emails = json!([{"value": format!("{family_name}@example.net")}]);
    user.document.insert("emails".to_owned(), emails);
}

/// The request that created a user.
pub fn creation_of(user: &StoredUser) -> &str {
    user.document
        .get("nickName")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

//! How many users a plan affects by removed clients and changed groups, as the directory
//! table says. Nothing is read where the plan has neither.

use std::collections::BTreeMap;

use aws_json_client::{Client, Service};
use connect_directory::store::{Store, StoreError};

use super::Survey;
use crate::commands::Error;
use crate::commands::target::Target;
use crate::plan::{self, Notice, Plan, Severity};

impl Survey {
    /// The plan with the numbers of affected users.
    pub(in crate::commands) async fn with_affected_users(
        &self,
        target: &Target,
        plan: Plan,
    ) -> Result<Plan, Error> {
        let Some(deployed) = self.deployed()? else {
            return Ok(plan);
        };
        let after = self.intended.template.canonical();
        let clients = plan::removed_clients(&deployed.template, after);
        let groups = plan::changed_groups(&deployed.template, after);
        let outputs = self.stack.as_ref().map(|stack| &stack.outputs);
        let table = outputs.and_then(|outputs| outputs.get("DirectoryTableName"));
        let Some(table) = table.filter(|_| !clients.is_empty() || !groups.is_empty()) else {
            return Ok(plan);
        };
        let dynamodb = Client::new(Service::DYNAMODB, &target.service_environment()?);
        let store = Store::new(dynamodb, table);
        let mut notices = Vec::new();
        let read = async {
            if !clients.is_empty() {
                let counts = external_ids(&store).await?;
                for client in &clients {
                    notices.extend(counts.get(client).map(|count| removed(client, *count)));
                }
            }
            for group in &groups {
                if let Some(id) = store.find_group_by_name(group).await? {
                    notices.push(changed(group, store.members(&id).await?.len()));
                }
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = read.await {
            notices.push(unreadable(table, &error));
        }
        Ok(plan.with_notices(notices))
    }
}

/// The number of users and groups of which each client has external ids.
async fn external_ids(store: &Store) -> Result<BTreeMap<String, usize>, StoreError> {
    let ids = store.ids().await?;
    let users = store.users(&ids).await?;
    let of_users = users.iter().flat_map(|user| user.external_ids.keys());
    let groups = store.groups().await?;
    let of_groups = groups.iter().flat_map(|group| group.external_ids.keys());
    let mut counts = BTreeMap::new();
    for client in of_users.chain(of_groups) {
        *counts.entry(client.clone()).or_default() += 1;
    }
    Ok(counts)
}

fn removed(client: &str, external_ids: usize) -> Notice {
    Notice {
        severity: Severity::Warning,
        subject: format!("client {client}"),
        text: format!(
            "is removed, and the directory has {external_ids} external id{} of it: another client finds these users and groups by userName and displayName only, until it has sent external ids of its own",
            if external_ids == 1 { "" } else { "s" }
        ),
    }
}

fn changed(group: &str, members: usize) -> Notice {
    Notice {
        severity: Severity::Warning,
        subject: format!("group {group}"),
        text: format!(
            "has {members} member{}",
            if members == 1 { "" } else { "s" }
        ),
    }
}

fn unreadable(table: &str, error: &StoreError) -> Notice {
    let cause = std::error::Error::source(error);
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    Notice {
        severity: Severity::Note,
        subject: table.to_owned(),
        text: format!("cannot be read, so the numbers of affected users are unknown{cause}"),
    }
}

//! Users of a directory that was lost, taken over by another one: what took their rights away
//! before does so again.

use std::collections::BTreeSet;

use connect_directory::{
    directory::{AssignedBy, Directory, GroupChange},
    user::owner,
};
use serde_json::{Value, json};
use test_support::{Cloud, directory_table};
use uuid::Uuid;

use crate::common::{context, create, set};

struct Lost {
    cloud: Cloud,
    /// Of the directory that replaces the lost one.
    variables: Vec<(&'static str, String)>,
}

impl Lost {
    async fn start(variables: &[(&'static str, &str)]) -> Self {
        let cloud = Cloud::in_process().await;
        let variables = variables.iter();
        Self {
            cloud,
            variables: variables
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
        }
    }

    fn directory(&self) -> Directory {
        let variables: Vec<(&str, &str)> = self
            .variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let configuration = self.cloud.configuration(&variables);
        configuration.directory(self.cloud.environment()).unwrap()
    }

    async fn create(&self, user_name: &str, more: &Value) -> String {
        create(&self.directory(), user_name, more).await
    }

    /// Loses the table, and takes all users over into a new one.
    async fn lose_and_import(&mut self, assigned_by: AssignedBy) {
        let table = Uuid::new_v4().to_string();
        let dynamodb = &self.cloud.dynamodb;
        dynamodb
            .call::<Value>("CreateTable", &directory_table(&table))
            .await
            .unwrap();
        self.variables.push(("DIRECTORY_TABLE", table));
        let directory = self.directory();
        let names = directory.names_by_id().await.unwrap();
        for user in self.cloud.connect_users() {
            let id = user["Id"].as_str().unwrap();
            let user = directory.connect().describe_user(id).await.unwrap();
            assert!(owner(&user.tags).is_some());
            let imported = directory.import(user, &names, assigned_by, context());
            assert!(!imported.await.unwrap().pending);
        }
    }

    /// The security profiles that a user has in Connect.
    async fn profiles(&self, user_name: &str) -> BTreeSet<String> {
        let names = self.directory().names_by_id().await.unwrap();
        let user = self.cloud.connect_user(user_name).unwrap();
        let ids = user["SecurityProfileIds"].as_array().unwrap().iter();
        ids.map(|id| names[id.as_str().unwrap()].clone()).collect()
    }

    async fn change_members(&self, group: &str, added: &[&str], removed: &[&str]) {
        let directory = self.directory();
        let groups = directory.groups_by_name(group, context()).await.unwrap();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let change = GroupChange {
            display_name: group.to_owned(),
            added: ids(added),
            removed: ids(removed),
            ..GroupChange::default()
        };
        directory
            .change_group(&groups[0], &change, context())
            .await
            .unwrap();
    }

    async fn set(&self, id: &str, attribute: &str, value: Value) {
        let changed = set(&self.directory(), id, attribute, value, context()).await;
        changed.unwrap();
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn removal_from_a_group_has_its_effect_after_a_directory_was_lost() {
    let mut setup = Lost::start(&[]).await;
    let id = setup.create("member", &json!({})).await;
    setup.change_members("CallCenterManager", &[&id], &[]).await;
    assert_eq!(
        setup.profiles("member").await,
        names(&["CallCenterManager"])
    );

    setup.lose_and_import(AssignedBy::Groups).await;
    assert_eq!(
        setup.profiles("member").await,
        names(&["CallCenterManager"])
    );
    let directory = setup.directory();
    let stored = directory.store().get(&id).await.unwrap().unwrap();
    assert_eq!(stored.document.get("entitlements"), None);
    assert_eq!(stored.external_ids["idp"], "00u-member");
    setup.change_members("CallCenterManager", &[], &[&id]).await;
    assert_eq!(setup.profiles("member").await, names(&["Agent"]));
}

#[tokio::test]
async fn removal_of_an_entitlement_has_its_effect_after_a_directory_was_lost() {
    let mut setup = Lost::start(&[]).await;
    let entitlements = json!({"entitlements": [{"value": "Admin"}, {"value": "Agent"}]});
    let id = setup.create("named", &entitlements).await;
    setup.lose_and_import(AssignedBy::Attributes).await;
    assert_eq!(setup.profiles("named").await, names(&["Admin", "Agent"]));
    setup
        .set(&id, "entitlements", json!([{"value": "Agent"}]))
        .await;
    assert_eq!(setup.profiles("named").await, names(&["Agent"]));
}

#[tokio::test]
async fn a_user_with_the_defaults_follows_changed_defaults_after_a_directory_was_lost() {
    for assigned_by in [AssignedBy::Groups, AssignedBy::Attributes] {
        let mut setup = Lost::start(&[]).await;
        let id = setup.create("default", &json!({})).await;
        setup.lose_and_import(assigned_by).await;
        assert_eq!(setup.profiles("default").await, names(&["Agent"]));
        let changed = ("DEFAULT_SECURITY_PROFILE", "QualityAnalyst".to_owned());
        setup.variables.push(changed);
        let record = setup.directory().store().get_record(&id).await.unwrap();
        let record = record.unwrap();
        assert!(record.user.groups.is_empty());
        for attribute in ["entitlements", "roles"] {
            assert_eq!(record.user.document.get(attribute), None);
        }
        let directory = setup.directory();
        let applied = directory.are_applied(&[&record]).await.unwrap();
        assert!(matches!(applied[..], [Ok(false)]));
        directory.mend(&id, context()).await.unwrap();
        assert_eq!(setup.profiles("default").await, names(&["QualityAnalyst"]));
    }
}

#[tokio::test]
async fn a_suspended_user_stays_inactive_after_a_directory_was_lost() {
    let suspend = [
        ("DEPROVISION", "suspend"),
        ("SUSPENDED_SECURITY_PROFILE", "QualityAnalyst"),
    ];
    let mut setup = Lost::start(&suspend).await;
    let id = setup.create("leaver", &json!({})).await;
    setup.set(&id, "active", json!(false)).await;
    assert_eq!(setup.profiles("leaver").await, names(&["QualityAnalyst"]));

    setup.lose_and_import(AssignedBy::Groups).await;
    let directory = setup.directory();
    let stored = directory.store().get(&id).await.unwrap().unwrap();
    assert!(!stored.is_active());
    assert!(stored.groups.is_empty());
    assert_eq!(setup.profiles("leaver").await, names(&["QualityAnalyst"]));
    setup.set(&id, "active", json!(true)).await;
    assert_eq!(setup.profiles("leaver").await, names(&["Agent"]));
}

//! Settings that change under existing users: each is found not to be applied, and is applied
//! by a reconciliation.

use connect_directory::directory::{Directory, GroupChange};
use serde_json::json;
use test_support::Cloud;

use crate::common::{context, create, set};

fn directory(cloud: &Cloud, variables: &[(&str, &str)]) -> Directory {
    let configuration = cloud.configuration(variables);
    configuration.directory(cloud.environment()).unwrap()
}

/// Whether what is wanted of each user was written to Connect.
async fn applied(directory: &Directory) -> Vec<bool> {
    let records = directory.records().await.unwrap();
    let records: Vec<_> = records.iter().collect();
    let applied = directory.are_applied(&records).await.unwrap();
    applied.into_iter().map(Result::unwrap).collect()
}

async fn reconcile(directory: &Directory) {
    for record in directory.records().await.unwrap() {
        directory.mend(&record.user.id, context()).await.unwrap();
    }
}

/// The value of a variable by its name.
type Variable = (&'static str, &'static str);

#[tokio::test]
async fn each_changed_setting_is_not_applied_until_users_are_reconciled() {
    const MAPPING: Variable = ("GROUP_MAPPING", r#"{"APP-LEADS": ["Admin"]}"#);
    const SUSPEND: Variable = ("DEPROVISION", "suspend");
    const SUSPENDED: Variable = ("SUSPENDED_SECURITY_PROFILE", "QualityAnalyst");
    // The users are: one without anything named, one with a title, a member of APP-LEADS,
    // and an inactive one.
    let cases: &[(&[Variable], [bool; 4])] = &[
        (&[], [true, true, true, true]),
        (
            &[("DEFAULT_SECURITY_PROFILE", "CallCenterManager")],
            [false, false, true, true],
        ),
        (
            &[("DEFAULT_ROUTING_PROFILE", "Sales")],
            [false, false, false, false],
        ),
        (
            &[("ATTRIBUTE_MAPPING", r#"{"securityProfiles": "title"}"#)],
            [true, false, true, true],
        ),
        (
            &[("GROUP_MAPPING", r#"{"APP-LEADS": ["CallCenterManager"]}"#)],
            [true, true, false, true],
        ),
        (&[("DEPROVISION", "delete")], [true, true, true, false]),
        (
            &[("SUSPENDED_SECURITY_PROFILE", "CallCenterManager")],
            [true, true, true, false],
        ),
        (&[("RENAME", "recreate")], [true, true, true, true]),
    ];
    for (changed, expected) in cases {
        let cloud = Cloud::in_process().await;
        let before = directory(&cloud, &[MAPPING, SUSPEND, SUSPENDED]);
        create(&before, "default", &json!({})).await;
        create(&before, "titled", &json!({"title": "Admin"})).await;
        let member = create(&before, "member", &json!({})).await;
        let inactive = create(&before, "inactive", &json!({})).await;
        let deactivated = set(&before, &inactive, "active", json!(false), context());
        deactivated.await.unwrap();
        let group = GroupChange {
            display_name: "APP-LEADS".to_owned(),
            added: [member].into(),
            ..GroupChange::default()
        };
        before.create_group(&group, context()).await.unwrap();
        assert_eq!(applied(&before).await, [true; 4]);

        // The first value of a variable counts.
        let variables = [*changed, &[MAPPING, SUSPEND, SUSPENDED]].concat();
        let after = directory(&cloud, &variables);
        assert_eq!(applied(&after).await, expected, "{changed:?}");
        reconcile(&after).await;
        assert_eq!(applied(&after).await, [true; 4], "{changed:?}");
    }
}

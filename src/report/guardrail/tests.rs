use serde_json::json;

use super::*;
use crate::guardrail::{Deployment, NotChecked, Part, Row};

fn row(principal: &str, part: Part, decision: impl Fn(usize) -> Decision) -> Row {
    Row {
        principal: format!("arn:aws:iam::111122223333:{principal}"),
        part,
        decisions: (0..USER_EDITS.len()).map(decision).collect(),
    }
}

fn verification(rows: Vec<Row>) -> Verification {
    let mut verification = Verification {
        environment: "prod".to_owned(),
        stack_name: "scim".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
        searched: Some(40),
        rows,
        deployments: Vec::new(),
        not_checked: Vec::new(),
    };
    verification.sort();
    verification
}

fn endpoint() -> Row {
    row(
        "role/scim-UserProvisioningRole-1A",
        Part::Endpoint,
        |place| match USER_EDITS[place].by_endpoint {
            true => Decision::Allowed,
            false => Decision::DeniedImplicitly,
        },
    )
}

fn broken() -> Verification {
    let mut verification = verification(vec![
        endpoint(),
        row("role/Administrator", Part::Other, |_| {
            Decision::DeniedExplicitly
        }),
        row("role/ops/Forgotten", Part::Other, |place| match place {
            0 | 24 => Decision::Allowed,
            1 => Decision::NotChecked,
            _ => Decision::DeniedImplicitly,
        }),
    ]);
    verification.deployments.push(Deployment {
        principal: "arn:aws:iam::111122223333:role/Deployer".to_owned(),
        actions: 66,
        denied: vec!["lambda:UpdateFunctionCode".to_owned()],
    });
    verification.not_checked.push(NotChecked {
        subject: "role/Gone".to_owned(),
        reason: "failed to simulate".to_owned(),
    });
    verification
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn the_text_has_a_letter_for_each_decision_and_writes_out_what_is_wrong() {
    insta::assert_snapshot!(plain(&text(&broken(), None)), @r"
    scim in account 111122223333, eu-central-1

                                                 0000000001111111111222222222
    PRINCIPAL                          PART      1234567890123456789012345678
    role/ops/Forgotten                 other     A?......................A...  !
    role/scim-UserProvisioningRole-1A  endpoint  AAAA.AAAAAAAA...............
    role/Administrator                 other     DDDDDDDDDDDDDDDDDDDDDDDDDDDD

     1 CreateUser                                11 DisassociateUserProficiencies             21 UpdateSecurityProfile
     2 DeleteUser                                12 TagResource                               22 DeleteSecurityProfile
     3 UpdateUserHierarchy                       13 UntagResource                             23 AssociateSecurityProfiles
     4 UpdateUserIdentityInfo                    14 AssociateTrafficDistributionGroupUser     24 DisassociateSecurityProfiles
     5 UpdateUserNotificationStatus              15 DisassociateTrafficDistributionGroupUser  25 CreateAuthenticationProfile
     6 UpdateUserPhoneConfig                     16 CreateUserHierarchyGroup                  26 UpdateAuthenticationProfile
     7 UpdateUserProficiencies                   17 DeleteUserHierarchyGroup                  27 AdminGetEmergencyAccessToken
     8 UpdateUserRoutingProfile                  18 UpdateUserHierarchyGroupName              28 DeleteInstance
     9 UpdateUserSecurityProfiles                19 UpdateUserHierarchyStructure
    10 AssociateUserProficiencies                20 CreateSecurityProfile

    D denied by a policy   . denied because nothing allows it   A allowed   ? not checked

    role/Deployer may do 65 of the 66 actions of a deployment

    Not as it should be
      role/ops/Forgotten may CreateUser, CreateAuthenticationProfile
      role/Deployer deploys, and may not lambda:UpdateFunctionCode

    Not checked
      role/Gone: failed to simulate

    scim: the guardrail does not hold (3 principals of 40 roles and users, 28 actions each)
    ");
}

#[test]
fn a_narrow_terminal_gets_every_cell_and_the_end_of_each_name() {
    let text = plain(&text(&broken(), Some(60)));
    insta::assert_snapshot!(text.lines().skip(2).take(5).collect::<Vec<_>>().join("\n"), @r"
                                 0000000001111111111222222222
    PRINCIPAL          PART      1234567890123456789012345678
    …le/ops/Forgotten  other     A?......................A...  !
    …visioningRole-1A  endpoint  AAAA.AAAAAAAA...............
    …le/Administrator  other     DDDDDDDDDDDDDDDDDDDDDDDDDDDD
    ");
    assert!(
        text.lines()
            .skip(7)
            .take(28)
            .all(|line| line.chars().count() <= 60),
        "{text}"
    );
}

#[test]
fn markdown_counts_and_marks_what_is_wrong() {
    let text = markdown(&broken());
    insta::assert_snapshot!(text.lines().take(24).collect::<Vec<_>>().join("\n"), @r"
    ## Guardrail of `scim`

    Account 111122223333, eu-central-1. scim: the guardrail does not hold (3 principals of 40 roles and users, 28 actions each).

    ### Not as it should be

    - role/ops/Forgotten may CreateUser, CreateAuthenticationProfile
    - role/Deployer deploys, and may not lambda:UpdateFunctionCode

    ### Not checked

    - role/Gone: failed to simulate

    ### Who may edit users

    | Principal | Part | Denied by a policy | Allowed by nothing | Allowed | Not checked |
    |---|---|---:|---:|---:|---:|
    | `role/ops/Forgotten` | other | 0 | 25 | 2 | 1 |
    | `role/scim-UserProvisioningRole-1A` | endpoint | 0 | 16 | 12 | 0 |
    | `role/Administrator` | other | 28 | 0 | 0 | 0 |

    `role/Deployer` may do 65 of the 66 actions of a deployment.

    <details><summary>Every action</summary>
    ");
    assert!(text.contains("| CreateUser | **A** | A | D |"), "{text}");
}

#[test]
fn json_has_every_decision_by_its_action() {
    let json = json!(json_v1::VerificationReport::from(&broken()));
    assert_eq!(json["version"], 1);
    assert_eq!(json["verdict"], "broken");
    let first = &json["principals"][0];
    assert_eq!(
        first["principal"],
        "arn:aws:iam::111122223333:role/ops/Forgotten"
    );
    assert_eq!(first["decisions"].as_object().unwrap().len(), 28);
    assert_eq!(first["decisions"]["connect:DeleteUser"], "notChecked");
    assert_eq!(
        first["unexpected"],
        json!(["connect:CreateUser", "connect:CreateAuthenticationProfile"])
    );
    assert_eq!(
        json["deployers"][0]["denied"],
        json!(["lambda:UpdateFunctionCode"])
    );
    let holds = verification(vec![endpoint()]);
    assert_eq!(
        json!(json_v1::VerificationReport::from(&holds))["verdict"],
        "holds"
    );
}

#[test]
fn the_audit_shows_profiles_that_edit_users_and_how_many_have_them() {
    use crate::guardrail::{Audit, AuditedProfile};

    let profile = |name: &str, accepted, users, editing: &[&str]| AuditedProfile {
        id: name.to_lowercase(),
        name: name.to_owned(),
        accepted,
        users,
        editing: editing.iter().map(ToString::to_string).collect(),
        kept: Vec::new(),
    };
    let audit = Audit {
        environment: "prod".to_owned(),
        instance_id: "1111".to_owned(),
        profiles: vec![
            profile("Admin", true, 2, &["SecurityProfiles.Edit", "Users.Create"]),
            profile("Agent", false, 300, &[]),
            profile("CallCenterManager", false, 12, &["Users.Edit"]),
        ],
        users_who_edit: 13,
    };
    insta::assert_snapshot!(plain(&audit_text(&audit)), @r"
    SECURITY PROFILE   USERS  STATUS    PERMISSIONS THAT EDIT USERS
    Admin              2      accepted  SecurityProfiles.Edit, Users.Create
    CallCenterManager  12     open      Users.Edit

    1 security profile of 3 may edit users in the admin website and should not; 13 users may, with those that the environment names
    ");
    insta::assert_snapshot!(audit_markdown(&audit), @r"
    ## Security profiles of the instance `1111`

    1 security profile of 3 may edit users in the admin website and should not; 13 users may, with those that the environment names.

    | Security profile | Users | Status | Permissions that edit users |
    |---|---:|---|---|
    | Admin | 2 | accepted | `SecurityProfiles.Edit`, `Users.Create` |
    | CallCenterManager | 12 | open | `Users.Edit` |
    ");
    let page = audit_html(&audit);
    assert!(
        page.contains("<th scope=\"row\">Admin</th><td class=\"number\">2</td><td>accepted</td>")
    );
    assert!(page.contains("</span> CallCenterManager</th>"), "{page}");
    let json = json!(json_v1::AuditReport::from(&audit));
    assert_eq!(
        json["securityProfiles"][2]["editingPermissions"],
        json!(["Users.Edit"])
    );
    assert_eq!(json["securityProfiles"][1]["users"], 300);
}

#[test]
fn the_page_has_a_letter_for_each_decision_and_frames_what_is_wrong() {
    let page = html(&broken());
    assert!(page.contains("<title>Guardrail: scim</title>"));
    for (class, letter) in [
        ("explicit", 'D'),
        ("implicit", '.'),
        ("unknown", '?'),
        ("allowed wrong", 'A'),
    ] {
        let cell = format!("<td class=\"decision {class}\" title=\"");
        let (_, rest) = page.split_once(&cell).unwrap_or_else(|| panic!("{class}"));
        let (_, rest) = rest.split_once("\">").unwrap();
        assert!(rest.starts_with(letter), "{class}: {rest:.20}");
    }
    assert_eq!(page.matches("<td class=\"decision ").count(), 3 * 28);
    assert_eq!(page.matches("allowed wrong").count(), 2);
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("<tr class=\""))
        .map(|line| line.split_once('"').unwrap().0)
        .collect();
    assert_eq!(
        rows,
        [
            "is-broken of-other",
            "is-sound of-endpoint",
            "is-sound of-other"
        ]
    );
    for (class, count) in [("broken", 1), ("sound", 2), ("endpoint", 1), ("other", 2)] {
        let choice = format!("class=\"show-{class}\" checked>");
        let (_, rest) = page
            .split_once(&choice)
            .unwrap_or_else(|| panic!("{class}"));
        assert!(rest.contains(&format!("({count})</label>")), "{class}");
    }
    for words in [
        "may CreateUser, CreateAuthenticationProfile",
        "role/Gone: failed to simulate",
        "may do 65 of the 66 actions",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn names_on_the_page_are_text() {
    let mut verification = broken();
    verification.rows[0].principal = "arn:aws:iam::1:role/<script>".to_owned();
    assert!(html(&verification).contains("role/&lt;script&gt;"));
    assert!(!html(&verification).contains("<script>"));
}

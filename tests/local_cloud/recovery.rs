//! Recovery of a lost directory: the commands of each procedure in `docs/operations.md`, in
//! their order. Afterwards every SCIM operation has its normal effect.

use std::fs;
use std::path::Path;

use aws_json_client::Service;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::deploy::connect_users;
use crate::endpoint::Endpoint;
use crate::project::{Project, finish};
use crate::users::Instance;

/// The commands of a procedure, as they are in the text.
fn commands(heading: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let text = fs::read_to_string(guide).unwrap();
    let level = heading.split(' ').next().unwrap().len();
    let is_end = |line: &&str| {
        let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
        hashes > 0 && hashes <= level
    };
    let section = text.lines().skip_while(|line| *line != heading).skip(1);
    let commands: Vec<String> = section
        .take_while(|line| !is_end(line))
        .flat_map(|line| line.split('`'))
        .map(|part| part.split(" #").next().unwrap_or_default().trim())
        .filter(|part| part.starts_with("connect-scim "))
        .map(str::to_owned)
        .collect();
    assert!(!commands.is_empty(), "{heading} has no commands");
    commands
}

/// Runs a command of the guide against the local cloud, and answers its questions.
fn run(project: &Project, command: &str, table: &str) {
    let command = command
        .replace("--env prod", "--env local")
        .replace("--env NEW", "--env local")
        .replace("TABLE", table);
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    if words[0] == "deploy" {
        project.deploy();
        return;
    }
    let asks = words[0] == "destroy" || ["import", "reconcile"].contains(&words[1]);
    let yes: &[&str] = if asks { &["--yes"] } else { &[] };
    finish(project.command(&words).args(yes)).expect_code(0);
}

/// Users of each kind, and what SCIM shows of them.
struct Company {
    group: String,
    ids: Vec<String>,
    shown: Vec<Value>,
}

const MEMBER: usize = 0;
const NAMED: usize = 1;
const DEFAULT: usize = 2;
const INACTIVE: usize = 3;

impl Company {
    fn of(scim: &Endpoint) -> Self {
        let create = |name: &str, more: Value| {
            let mut user = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": format!("{name}@example.com"),
                "externalId": format!("00u{name}"),
                "name": {"givenName": name, "familyName": "Doe"},
                "active": true,
            });
            user.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            scim.post("/Users", &user).expect(201).id()
        };
        let ids = vec![
            create("member", json!({})),
            create("named", json!({"entitlements": [{"value": "Admin"}]})),
            create("default", json!({})),
            create("inactive", json!({"title": "Lead"})),
        ];
        let group = group(scim, "CallCenterManager");
        let members = json!([{"value": ids[MEMBER]}, {"value": ids[INACTIVE]}]);
        change(scim, &format!("/Groups/{group}"), "add", "members", members);
        let inactive = format!("/Users/{}", ids[INACTIVE]);
        change(scim, &inactive, "replace", "active", json!(false));
        let mut company = Self {
            group,
            shown: Vec::new(),
            ids,
        };
        company.shown = company.shown(scim);
        company
    }

    /// The users as SCIM shows them, without the URL of the endpoint.
    fn shown(&self, scim: &Endpoint) -> Vec<Value> {
        let shown = |id: &String| {
            let mut user = scim.get(&format!("/Users/{id}")).expect(200).body;
            user["meta"].as_object_mut().unwrap().remove("location");
            for group in user["groups"].as_array_mut().into_iter().flatten() {
                group.as_object_mut().unwrap().remove("$ref");
            }
            user
        };
        self.ids.iter().map(shown).collect()
    }
}

fn group(scim: &Endpoint, name: &str) -> String {
    let found = scim.find("/Groups", &format!("displayName eq \"{name}\""));
    found.resources()[0]["id"].as_str().unwrap().to_owned()
}

fn change(scim: &Endpoint, path: &str, operation: &str, attribute: &str, value: Value) {
    let mut change = json!({"op": operation, "path": attribute});
    if !value.is_null() {
        change["value"] = value;
    }
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [change],
    });
    let answer = scim.patch(path, &patch);
    assert!([200, 204].contains(&answer.status), "{:#}", answer.body);
}

/// The names of the security profiles that a user has in Connect.
fn profiles(project: &Project, name: &str) -> Vec<String> {
    let shown = finish(&mut project.command(&[
        "users",
        "show",
        &format!("{name}@example.com"),
        "--env",
        "local",
        "--format",
        "json",
    ]))
    .expect_code(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let facets = shown["facets"].as_array().unwrap();
    let facet = facets
        .iter()
        .find(|facet| facet["name"] == "security profiles");
    let actual = facet.and_then(|facet| facet["actual"].as_str());
    let names = actual.unwrap_or_default().split(", ");
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Each change that the identity provider sends from now on does what it always did.
fn operations_have_their_effect(project: &Project, company: &Company) {
    let scim = Endpoint::of(project);
    assert_eq!(profiles(project, "member"), ["CallCenterManager"]);
    let group = format!("/Groups/{}", company.group);
    let path = format!("members[value eq \"{}\"]", company.ids[MEMBER]);
    change(&scim, &group, "remove", &path, Value::Null);
    assert_eq!(profiles(project, "member"), ["Agent"]);

    assert_eq!(profiles(project, "default"), ["Agent"]);
    project.edit_environment(
        "connect:\n",
        "connect:\n  defaultSecurityProfile: QualityAnalyst\n",
    );
    let deployed = project.deploy();
    assert!(
        deployed
            .stderr
            .contains("connect.defaultSecurityProfile changed"),
        "{}",
        deployed.stderr
    );
    run(project, "connect-scim users reconcile --all --env prod", "");
    assert_eq!(profiles(project, "default"), ["QualityAnalyst"]);
    assert_eq!(profiles(project, "member"), ["QualityAnalyst"]);
}

/// Everything is as it was: ids, ETags, groups, inactive users, external ids.
fn nothing_is_lost(project: &Project, company: &Company) {
    let scim = Endpoint::of(project);
    assert_eq!(company.shown(&scim), company.shown);
    let found = scim.find("/Users", "externalId eq \"00unamed\"");
    assert_eq!(found.resources()[0]["id"], company.ids[NAMED].as_str());
    assert_eq!(profiles(project, "named"), ["Admin"]);
    assert_eq!(profiles(project, "inactive"), [""; 0]);
    let inactive = format!("/Users/{}", company.ids[INACTIVE]);
    change(&scim, &inactive, "replace", "active", json!(true));
    assert_eq!(profiles(project, "inactive"), ["CallCenterManager"]);
}

/// Copies the table of the stack as a restore of DynamoDB or the deletion of a protected
/// stack leaves one.
fn leave_a_copy_of_the_table(project: &Project, copy: &str) {
    let aws = Aws::of(project);
    let outputs = project.outputs();
    let table = outputs["DirectoryTableName"].as_str().unwrap();
    let items = aws.call(Service::DYNAMODB, "Scan", &json!({"TableName": table}));
    let definition = test_support::directory_table(copy);
    aws.call(Service::DYNAMODB, "CreateTable", &definition);
    for item in items["Items"].as_array().unwrap() {
        let put = json!({"TableName": copy, "Item": item});
        aws.call(Service::DYNAMODB, "PutItem", &put);
    }
}

fn deployed() -> (Project, Company) {
    let project = Project::new();
    project.deploy();
    project.change_simulator(&json!({"throttle": null}));
    let company = Company::of(&Endpoint::of(&project));
    (project, company)
}

#[test]
fn a_damaged_table_is_recovered_from_a_restored_one() {
    let (project, company) = deployed();
    leave_a_copy_of_the_table(&project, "restored");
    // The damage.
    Endpoint::of(&project)
        .delete(&format!("/Users/{}", company.ids[DEFAULT]))
        .expect(204);
    for command in commands("### The table is damaged") {
        run(&project, &command, "");
    }
    nothing_is_lost(&project, &company);
    operations_have_their_effect(&project, &company);
}

#[test]
fn a_retained_table_is_moved_into_a_new_stack() {
    let (project, company) = deployed();
    let table = "connect-scim-local-DirectoryTable-1ABC";
    leave_a_copy_of_the_table(&project, table);
    project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
    for command in commands("### The stack is lost, and its table was retained") {
        run(&project, &command, table);
    }
    nothing_is_lost(&project, &company);
    operations_have_their_effect(&project, &company);
}

#[test]
fn a_lost_region_is_recovered_from_a_file_into_an_empty_instance() {
    let (project, company) = deployed();
    let export = [
        "users",
        "export",
        "--env",
        "local",
        "--out",
        "directory.jsonl",
    ];
    project.run(&export).expect_code(0);
    let again = project.run(&export).expect_code(1);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
    let instance = Instance::of(&project);
    for user in connect_users(&project) {
        instance.delete(user["Username"].as_str().unwrap());
    }
    project.deploy();
    for command in commands("### The account or the region is lost") {
        run(&project, &command, "");
    }
    nothing_is_lost(&project, &company);
    let refused = project
        .run(&["users", "restore", "--env", "local", "directory.jsonl"])
        .expect_code(1);
    assert!(refused.stderr.contains("--merge"), "{}", refused.stderr);
    operations_have_their_effect(&project, &company);
}

#[test]
fn without_a_copy_the_users_of_connect_are_imported_with_the_documented_losses() {
    let (project, company) = deployed();
    project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
    for command in commands("### Without a copy") {
        run(&project, &command, "");
    }
    let scim = Endpoint::of(&project);
    scim.get(&format!("/Users/{}", company.ids[INACTIVE]))
        .expect_scim_error(404);
    for (user, group) in [
        (MEMBER, "CallCenterManager"),
        // What assigned the security profile is lost.
        (NAMED, "Admin"),
    ] {
        let user = scim
            .get(&format!("/Users/{}", company.ids[user]))
            .expect(200);
        assert_eq!(user.body["groups"][0]["display"], group);
        assert_eq!(user.body["entitlements"], Value::Null);
    }
    let default = format!("/Users/{}", company.ids[DEFAULT]);
    let default = scim.get(&default).expect(200).body;
    assert_eq!(default["groups"], Value::Null);
    let found = scim.find("/Users", "externalId eq \"00umember\"");
    assert_eq!(found.resources()[0]["id"], company.ids[MEMBER].as_str());
    operations_have_their_effect(&project, &company);
}

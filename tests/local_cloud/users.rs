//! What an operator does to users: look, compare, mend, take over, put back, purge.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use aws_json_client::{Client, Environment, Method, Request, Service};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};

use crate::aws::Aws;
use crate::deploy::{connect_users, jane};
use crate::endpoint::Endpoint;
use crate::project::{Project, Run};

/// The instance of `environments/local.yaml`.
const INSTANCE: &str = "11111111-2222-4333-8444-555555555555";

#[test]
fn an_operator_sees_mends_takes_over_and_purges_users() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    let connect = Instance::of(&project);

    nobody_is_there_yet(&project);
    let id = scim.post("/Users", &jane()).expect(201).body["id"]
        .as_str()
        .unwrap()
        .to_owned();

    what_somebody_changed_by_hand_is_shown_and_undone(&project, &connect, &id);
    what_connect_does_not_take_stays_pending(&project, &connect, &scim, &id);
    users_from_before_are_taken_over(&project, &connect, &scim);
    whom_scim_cannot_have_is_refused_with_the_reason(&project, &connect);
    the_users_of_a_lost_directory_keep_their_id(&project, &connect, &scim);
    dead_letters_go_back_to_the_reconciler(&project, &id);
    only_users_who_are_inactive_are_purged(&project, &scim, &id);
    an_interrupted_import_goes_on_where_it_was(&project, &connect);
}

fn nobody_is_there_yet(project: &Project) {
    let list = users(project, &["list"]).expect_code(0);
    assert_eq!(
        (list.stdout.as_str(), list.stderr.as_str()),
        ("", "no users\n")
    );
    assert_eq!(listed(project, &[]), Vec::<Value>::new());
    let missing = users(project, &["show", "jane"]).expect_code(1);
    assert!(missing.stderr.contains("the directory has no user of"));
    assert!(missing.stderr.contains("users list"), "{}", missing.stderr);
}

fn what_somebody_changed_by_hand_is_shown_and_undone(
    project: &Project,
    connect: &Instance,
    id: &str,
) {
    let user = &listed(project, &[])[0];
    assert_eq!(user["id"], id);
    assert_eq!(user["userName"], "jane.doe@example.com");
    assert_eq!(user["active"], true);
    assert_eq!(user["state"], "synchronised");
    let connect_user = connect_users(project)[0]["Id"].clone();
    assert_eq!(user["connectUserId"], connect_user);
    let text = users(project, &["list"]).expect_code(0).stdout;
    assert!(text.starts_with("USER NAME "), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");

    let before = shown(project, id);
    assert_eq!(before["owner"], id);
    assert_eq!(differing(&before), Vec::<&str>::new());

    let user_id = connect_user.as_str().unwrap();
    connect.update(
        "UpdateUserIdentityInfo",
        &["users", INSTANCE, user_id, "identity-info"],
        &json!({"IdentityInfo": {"FirstName": "Jane", "LastName": "Tampered"}}),
    );
    let shown = shown(project, "JANE.DOE@example.com");
    assert_eq!(differing(&shown), ["last name", "secondary e-mail"]);
    let text = users(project, &["show", id]).expect_code(0).stdout;
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with("! ")).collect();
    assert!(
        marked[0].contains("last name") && marked[0].contains("Doe"),
        "{text}"
    );
    assert!(marked[0].contains("Tampered"), "{text}");

    let refused = users(project, &["reconcile", "--all"]).expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    users(project, &["reconcile"]).expect_code(2);
    let mended = users(project, &["reconcile", "--all", "--yes"]).expect_code(0);
    assert!(
        mended.stdout.starts_with("synchronised"),
        "{}",
        mended.stdout
    );
    assert_eq!(connect_users(project)[0]["IdentityInfo"]["LastName"], "Doe");

    connect.update("DeleteUser", &["users", INSTANCE, user_id], &Value::Null);
    let run = users(
        project,
        &[
            "reconcile",
            "jane.doe@example.com",
            "ghost",
            "--format",
            "json",
        ],
    )
    .expect_code(1);
    let lines = json_lines(&run);
    assert_eq!(lines[0]["outcome"], "missing");
    assert_eq!(lines[0]["userName"], "ghost");
    assert_eq!(lines[1]["outcome"], "synchronised");
    assert_eq!(lines[2]["type"], "result");
    assert_eq!(lines[2]["failed"], 1);
    assert_eq!(connect_users(project).len(), 1, "the user is there again");
}

fn what_connect_does_not_take_stays_pending(
    project: &Project,
    connect: &Instance,
    scim: &Endpoint,
    id: &str,
) {
    assert_eq!(listed(project, &["--pending"]), Vec::<Value>::new());
    connect.fail_always("UpdateUserIdentityInfo");
    let renamed = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "name.familyName", "value": "Smith"}],
    });
    scim.patch(&format!("/Users/{id}"), &renamed).expect(200);
    let pending = listed(project, &["--pending"]);
    assert_eq!(pending[0]["state"], "pending");
    assert!(pending[0]["pendingSince"].is_string());

    let run = users(project, &["reconcile", "--pending"]).expect_code(1);
    assert!(run.stdout.starts_with("pending"), "{}", run.stdout);
    assert!(
        run.stdout.contains("jane.doe@example.com"),
        "{}",
        run.stdout
    );
    connect.recover();
    users(project, &["reconcile", id]).expect_code(0);
    assert_eq!(
        connect_users(project)[0]["IdentityInfo"]["LastName"],
        "Smith"
    );
    assert_eq!(listed(project, &["--pending"]), Vec::<Value>::new());
}

fn users_from_before_are_taken_over(project: &Project, connect: &Instance, scim: &Endpoint) {
    connect.create("ada@example.com", &json!({}));
    connect.create("bob", &json!({}));
    let unmanaged = listed(project, &["--unmanaged"]);
    let names: Vec<&Value> = unmanaged.iter().map(|user| &user["userName"]).collect();
    assert_eq!(names, ["ada@example.com", "bob"]);

    users(project, &["import"]).expect_code(2);
    for (arguments, code) in [
        (["import", "--all", "--dry-run"], 0),
        (["import", "--all", "--quiet"], 2),
    ] {
        let plan = users(project, &arguments).expect_code(code);
        assert_eq!(
            plan.stdout,
            "planned       ada@example.com  Old Timer; Agent, QualityAnalyst; Sales\n\
             planned       bob  Old Timer; Agent, QualityAnalyst; Sales\n"
        );
        assert_eq!(
            plan.stderr.contains("add --yes"),
            code == 2,
            "{}",
            plan.stderr
        );
    }
    nobody_else_takes_them_over(project, connect, scim);

    let before = connect.user("ada@example.com");
    let run = users(
        project,
        &[
            "import",
            "--user",
            "ghost",
            "--user",
            "ada@example.com",
            "--yes",
            "--format",
            "json",
        ],
    )
    .expect_code(1);
    let lines = json_lines(&run);
    assert_eq!(lines[0]["outcome"], "missing");
    assert_eq!(lines[1]["outcome"], "imported");
    let id = lines[1]["id"].as_str().unwrap();

    let mut after = connect.user("ada@example.com");
    assert_eq!(after["Tags"]["scim:id"], id);
    assert_eq!(after["Tags"]["scim:managed-by"], "connect-scim");
    for ours in ["Tags", "LastModifiedTime"] {
        after[ours] = before[ours].clone();
    }
    assert_eq!(after, before, "nothing but the tags was changed");

    let found = scim
        .get("/Users?filter=userName%20eq%20%22Ada%40example.com%22")
        .expect(200);
    let user = &found.body["Resources"][0];
    assert_eq!(user["id"], id);
    assert_eq!(user["active"], true);
    assert_eq!(user["name"]["familyName"], "Timer");
    assert_eq!(user["emails"][0]["value"], "old.timer@example.org");
    assert_eq!(user["roles"][0]["value"], "Sales");
    let entitlements: Vec<&Value> = user["entitlements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entitlement| &entitlement["value"])
        .collect();
    assert_eq!(entitlements, ["Agent", "QualityAnalyst"]);
    assert_eq!(differing(&shown(project, id)), Vec::<&str>::new());

    let again = users(project, &["import", "--user", "ada@example.com", "--yes"]).expect_code(0);
    assert!(again.stdout.starts_with("skipped"), "{}", again.stdout);
    let all = users(project, &["import", "--all", "--yes"]).expect_code(0);
    assert!(all.stderr.contains("1 imported"), "{}", all.stderr);
    assert_eq!(listed(project, &["--unmanaged"]), Vec::<Value>::new());
    let imported = (connect_users(project), listed(project, &[]));
    let again = users(project, &["import", "--all", "--yes"]).expect_code(0);
    assert_eq!((&*again.stdout, &*again.stderr), ("", "no users\n"));
    assert_eq!((connect_users(project), listed(project, &[])), imported);
}

fn nobody_else_takes_them_over(project: &Project, connect: &Instance, scim: &Endpoint) {
    let mut ada = jane();
    ada["userName"] = json!("ada@example.com");
    ada["externalId"] = json!("00u8");
    scim.post("/Users", &ada).expect(409);
    users(project, &["reconcile", "--all", "--yes"]).expect_code(0);
    assert_eq!(listed(project, &["--unmanaged"]).len(), 2);
    for username in ["ada@example.com", "bob"] {
        let tags = &connect.user(username)["Tags"];
        assert!(tags.as_object().is_none_or(Map::is_empty), "{username}");
    }
}

fn whom_scim_cannot_have_is_refused_with_the_reason(project: &Project, connect: &Instance) {
    connect.create("x", &json!({}));
    for arguments in [
        ["import", "--all", "--dry-run"],
        ["import", "--all", "--yes"],
    ] {
        let refused = users(project, &arguments).expect_code(1);
        assert_eq!(
            refused.stdout,
            "refused       x  userName: Amazon Connect instances with SAML take 2 to 64 characters\n"
        );
    }
    connect.delete("x");
}

fn an_interrupted_import_goes_on_where_it_was(project: &Project, connect: &Instance) {
    let names: Vec<String> = (1..=6).map(|number| format!("many{number}")).collect();
    for name in &names {
        connect.create(name, &json!({}));
    }
    let mut child = project
        .command(&["users", "import", "--all", "--yes", "--env", "local"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("imported"), "{line}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_ne!(listed(project, &["--unmanaged"]), Vec::<Value>::new());

    users(project, &["import", "--all", "--yes"]).expect_code(0);
    assert_eq!(listed(project, &["--unmanaged"]), Vec::<Value>::new());
    let listed = listed(project, &[]);
    for name in &names {
        let of_the_name = listed.iter().filter(|user| user["userName"] == **name);
        assert_eq!(of_the_name.count(), 1, "{name}");
    }
}

fn the_users_of_a_lost_directory_keep_their_id(
    project: &Project,
    connect: &Instance,
    scim: &Endpoint,
) {
    let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    connect.create(
        "lost",
        &json!({"scim:managed-by": "connect-scim", "scim:id": id, "scim:external-id": "00u7"}),
    );
    let run = users(project, &["import", "--all", "--yes"]).expect_code(0);
    assert!(run.stdout.contains("--orphaned"), "{}", run.stdout);
    scim.get(&format!("/Users/{id}")).expect(404);
    users(project, &["import", "--all", "--orphaned", "--yes"]).expect_code(0);
    assert_eq!(
        scim.get(&format!("/Users/{id}")).expect(200).body["userName"],
        "lost"
    );
    let found = scim
        .get("/Users?filter=externalId%20eq%20%2200u7%22")
        .expect(200);
    assert_eq!(found.body["Resources"][0]["id"], id);
}

fn dead_letters_go_back_to_the_reconciler(project: &Project, id: &str) {
    let empty = users(project, &["reconcile", "--dead-letters"]).expect_code(0);
    assert_eq!(empty.stderr, "no users\n");
    let aws = Aws::of(project);
    let queues = aws.call(Service::SQS, "ListQueues", &json!({}));
    let url = queues["QueueUrls"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .find(|url| url.contains("DeadLetter"))
        .unwrap()
        .to_owned();
    let gone = "11111111-0000-4000-8000-000000000000";
    for (position, body) in [
        json!({"userId": id}).to_string(),
        json!({"userId": gone}).to_string(),
        "not of ours".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        aws.call(
            Service::SQS,
            "SendMessage",
            &json!({
                "QueueUrl": url,
                "MessageBody": body,
                "MessageGroupId": position.to_string(),
                "MessageDeduplicationId": position.to_string(),
            }),
        );
    }
    let reconciled = || {
        let logs = aws.logs();
        let of_the_user = format!("\"user_id\":\"{id}\"");
        let lines = logs
            .lines()
            .filter(|line| line.contains("\"message\":\"reconciled\""));
        lines.filter(|line| line.contains(&of_the_user)).count()
    };
    let before = reconciled();
    let run = users(project, &["reconcile", "--dead-letters"]).expect_code(1);
    let outcome = |word: &str| run.stdout.lines().find(|line| line.starts_with(word));
    assert!(outcome("queued").unwrap().contains("jane.doe@example.com"));
    assert!(outcome("gone").unwrap().contains(gone));
    assert!(outcome("failed").unwrap().contains("names no user"));

    let attributes = aws.call(
        Service::SQS,
        "GetQueueAttributes",
        &json!({"QueueUrl": url, "AttributeNames": ["All"]}),
    );
    let messages: u32 = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
    ]
    .iter()
    .map(|name| {
        attributes["Attributes"][name]
            .as_str()
            .unwrap()
            .parse::<u32>()
            .unwrap()
    })
    .sum();
    assert_eq!(messages, 1, "what is none of ours stays");
    malformed_dead_letters_are_removed_on_request(project, &aws, &url);
    let end = Instant::now() + Duration::from_secs(60);
    while reconciled() == before {
        assert!(
            Instant::now() < end,
            "the reconciler was not given the user"
        );
        thread::sleep(Duration::from_millis(500));
    }
}

/// One malformed message is in the queue, and another run has just ended.
fn malformed_dead_letters_are_removed_on_request(project: &Project, aws: &Aws, url: &str) {
    let again = users(project, &["reconcile", "--dead-letters"]).expect_code(1);
    assert!(again.stdout.starts_with("failed"), "{}", again.stdout);

    let received = aws.call(
        Service::SQS,
        "ReceiveMessage",
        &json!({"QueueUrl": url, "VisibilityTimeout": 60}),
    );
    let hidden = users(project, &["reconcile", "--dead-letters"]).expect_code(1);
    assert!(hidden.stdout.starts_with("hidden"), "{}", hidden.stdout);
    aws.call(
        Service::SQS,
        "ChangeMessageVisibility",
        &json!({
            "QueueUrl": url,
            "ReceiptHandle": received["Messages"][0]["ReceiptHandle"],
            "VisibilityTimeout": 0,
        }),
    );

    let remove = ["reconcile", "--dead-letters", "--remove-malformed"];
    let removed = users(project, &remove).expect_code(0);
    assert!(
        removed.stdout.contains("\"not of ours\""),
        "{}",
        removed.stdout
    );
    let empty = users(project, &["reconcile", "--dead-letters"]).expect_code(0);
    assert_eq!(empty.stderr, "no users\n");
}

fn only_users_who_are_inactive_are_purged(project: &Project, scim: &Endpoint, id: &str) {
    let path = format!("/Users/{id}");
    let deactivated = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": {"active": false}}],
    });
    scim.patch(&path, &deactivated).expect(200);
    let inactive = listed(project, &["--inactive"]);
    assert_eq!(inactive.len(), 1);
    assert_eq!(inactive[0]["id"], id);

    let none = users(project, &["purge", "--inactive-for", "1d", "--yes"]).expect_code(0);
    assert_eq!(none.stdout, "");
    for (flag, code) in [("--dry-run", 0), ("--quiet", 2)] {
        let plan = users(project, &["purge", "--inactive-for", "0d", flag]).expect_code(code);
        assert!(plan.stdout.starts_with("planned"), "{}", plan.stdout);
        assert_eq!(plan.stdout.lines().count(), 1, "{}", plan.stdout);
    }
    scim.get(&path).expect(200);

    let run = users(
        project,
        &["purge", "--inactive-for", "0", "--yes", "--format", "json"],
    )
    .expect_code(0);
    let lines = json_lines(&run);
    assert_eq!(lines[0]["outcome"], "removed");
    assert_eq!(lines[0]["id"], id);
    assert_eq!(lines[1]["outcomes"], json!({"removed": 1}));
    scim.get(&path).expect(404);
    assert_eq!(listed(project, &[]).len(), 3, "the active ones stay");
}

fn users(project: &Project, arguments: &[&str]) -> Run {
    let all: Vec<&str> = ["users"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(["--env", "local"])
        .collect();
    project.run(&all)
}

fn listed(project: &Project, arguments: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = ["list", "--format", "json"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let list: Value = serde_json::from_str(&users(project, &all).expect_code(0).stdout).unwrap();
    list["users"].as_array().unwrap().clone()
}

fn shown(project: &Project, user: &str) -> Value {
    let run = users(project, &["show", user, "--format", "json"]).expect_code(0);
    serde_json::from_str(&run.stdout).unwrap()
}

fn differing(shown: &Value) -> Vec<&str> {
    let facets = shown["facets"].as_array().unwrap();
    facets
        .iter()
        .filter(|facet| facet["differs"] == true)
        .map(|facet| facet["name"].as_str().unwrap())
        .collect()
}

fn json_lines(run: &Run) -> Vec<Value> {
    run.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The simulated instance, changed behind SCIM's back.
pub struct Instance<'a> {
    project: &'a Project,
    runtime: tokio::runtime::Runtime,
    client: Client,
    url: String,
}

impl<'a> Instance<'a> {
    pub fn of(project: &'a Project) -> Self {
        let url = project.simulator_url();
        let variables = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::from_variables(variables).unwrap();
        Self {
            project,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            client: Client::builder(Service::CONNECT, &environment)
                .endpoint_url(&url)
                // The endpoint uses the instance's quota as well.
                .max_attempts(10)
                .operation_timeout(Duration::from_secs(60))
                .build(),
            url,
        }
    }

    fn update(&self, operation: &'static str, segments: &[&str], body: &Value) {
        let method = match operation {
            "CreateUser" => Method::Put,
            "DeleteUser" => Method::Delete,
            _ => Method::Post,
        };
        let mut request = Request::rest(operation, method, segments);
        if !body.is_null() {
            request = request.body(body).unwrap();
        }
        self.runtime.block_on(self.client.send(request)).unwrap();
    }

    /// Creates a user with two security profiles and a routing profile.
    pub fn create(&self, username: &str, tags: &Value) {
        self.create_with(&["Agent", "QualityAnalyst"], username, tags);
    }

    /// Creates a user with these security profiles.
    pub fn create_with(&self, security_profiles: &[&str], username: &str, tags: &Value) {
        let security_profile = |name: &&str| self.id("ListSecurityProfiles", name);
        let mut user = json!({
            "Username": username,
            "IdentityInfo": {
                "FirstName": "Old",
                "LastName": "Timer",
                "SecondaryEmail": "old.timer@example.org",
                "Mobile": "+4930123456",
            },
            "PhoneConfig": {"PhoneType": "SOFT_PHONE", "AfterContactWorkTimeLimit": 15},
            "SecurityProfileIds": Vec::from_iter(security_profiles.iter().map(security_profile)),
            "RoutingProfileId": self.id("ListRoutingProfiles", "Sales"),
        });
        if tags != &json!({}) {
            user["Tags"] = tags.clone();
        }
        self.update("CreateUser", &["users", INSTANCE], &user);
    }

    pub fn delete(&self, username: &str) {
        let user = self.user(username);
        let segments = ["users", INSTANCE, user["Id"].as_str().unwrap()];
        self.update("DeleteUser", &segments, &Value::Null);
    }

    pub fn user(&self, username: &str) -> Value {
        connect_users(self.project)
            .into_iter()
            .find(|user| user["Username"] == username)
            .unwrap()
    }

    /// The id of a profile.
    fn id(&self, operation: &'static str, name: &str) -> Value {
        let (path, list) = match operation {
            "ListSecurityProfiles" => ("security-profiles-summary", "SecurityProfileSummaryList"),
            _ => ("routing-profiles-summary", "RoutingProfileSummaryList"),
        };
        let request = Request::rest(operation, Method::Get, &[path, INSTANCE]);
        let answer = self.runtime.block_on(self.client.send(request)).unwrap();
        let answer: Value = answer.json().unwrap();
        let profiles = answer[list].as_array().unwrap();
        let profile = profiles.iter().find(|profile| profile["Name"] == name);
        profile.unwrap()["Id"].clone()
    }

    fn fail_always(&self, operation: &str) {
        let rule = json!({"operation": operation, "fault": {"kind": "error", "status": 500}});
        ureq::post(format!("{}/_simulator/faults", self.url))
            .header("Content-Type", "application/json")
            .send(rule.to_string())
            .unwrap();
    }

    fn recover(&self) {
        ureq::delete(format!("{}/_simulator/faults", self.url))
            .call()
            .unwrap();
    }
}

//! `init`: a file that passes `validate`, without a person and without a cloud.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use test_support::{HttpAnswer, HttpServer};

use crate::cloud::{on_terminal, result};
use crate::{connect_scim, outcome};

fn init(directory: &Path, arguments: &[&str]) -> String {
    outcome(
        connect_scim()
            .current_dir(directory)
            .arg("init")
            .args(arguments),
    )
}

#[test]
fn a_local_environment_is_written_offline_and_is_valid() {
    let directory = tempfile::tempdir().unwrap();
    let told = init(directory.path(), &["trial", "--cloud", "local"]);
    insta::assert_snapshot!(told, @r"
    exit code: 0
    --- stdout
    --- stderr
    wrote environments/trial.yaml
    next:
      connect-scim doctor --env trial
      connect-scim deploy --env trial
    ");
    let text = fs::read_to_string(directory.path().join("environments/trial.yaml")).unwrap();
    insta::assert_snapshot!(text, @r"
    # yaml-language-server: $schema=./schema.json
    #
    # The local cloud on this machine: `connect-scim deploy --env trial` starts it.
    # `connect-scim validate --schema` prints every key with its meaning.

    cloud: local
    region: us-east-1
    stackName: connect-scim-trial

    connect:
      # The instance that the Connect simulator has.
      instanceId: 11111111-2222-4333-8444-555555555555
      # Of users for whom the identity provider names none.
      defaultSecurityProfile: Agent
      defaultRoutingProfile: Basic Routing Profile

    api:
      # A new local cloud has no such role, so the stack makes it.
      createAccountLoggingRole: true
      # The local API Gateway takes keys from a header that SCIM clients do not send.
      requireApiKey: false

    clients:
      # One entry for each identity provider; each gets a token of its own.
      idp: {}
    ");
    connect_scim()
        .current_dir(directory.path())
        .args(["validate", "--env", "trial"])
        .assert()
        .code(0);
    assert!(directory.path().join("environments/schema.json").exists());
}

#[test]
fn an_environment_on_aws_is_written_from_flags_alone() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "prod",
        "--cloud=aws",
        "--account=012345678901",
        "--region=eu-central-1",
        "--profile=scim-prod",
        "--instance-id=22222222-3333-4444-8555-666666666666",
        "--identity-management=connectManaged",
        "--security-profile=Call Centre: Agents",
        "--client=okta",
        "--client=entra",
    ];
    let told = init(directory.path(), &arguments);
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    let text = fs::read_to_string(directory.path().join("environments/prod.yaml")).unwrap();
    insta::assert_snapshot!(text, @r#"
    # yaml-language-server: $schema=./schema.json
    #
    # `connect-scim validate --schema` prints every key with its meaning.

    # The deployer asks AWS whose credentials it has, and refuses any other account.
    account: "012345678901"
    region: eu-central-1
    profile: scim-prod
    stackName: connect-scim-prod
    stage: prod

    connect:
      # The UUID at the end of the instance's ARN.
      instanceId: "22222222-3333-4444-8555-666666666666"
      identityManagement: connectManaged
      # Of users for whom the identity provider names none.
      defaultSecurityProfile: "Call Centre: Agents"
      defaultRoutingProfile: Basic Routing Profile

    clients:
      # One entry for each identity provider; each gets a token of its own.
      okta: {}
      entra: {}
    "#);
    connect_scim()
        .current_dir(directory.path())
        .args(["validate", "--env", "prod"])
        .assert()
        .code(0);

    let again = init(directory.path(), &arguments);
    insta::assert_snapshot!(again, @r"
    exit code: 2
    --- stdout
    --- stderr
    error: environments/prod.yaml is there already
    hint: edit it, or choose another name
    ");
    let unchanged = fs::read_to_string(directory.path().join("environments/prod.yaml")).unwrap();
    assert_eq!(unchanged, text);
}

#[test]
fn what_the_file_could_not_say_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let told = init(
        directory.path(),
        &["trial", "--cloud=local", "--stack-name=9lives"],
    );
    assert!(told.starts_with("exit code: 3\n"), "{told}");
    assert!(told.contains("must start with a letter"), "{told}");
    assert!(!directory.path().join("environments").exists());
}

#[test]
fn without_a_person_the_missing_flag_is_named() {
    let directory = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(init(directory.path(), &["trial"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: nobody can be asked here, and --cloud was not given
    hint: add --cloud, or run it on a terminal
    ");
    insta::assert_snapshot!(init(directory.path(), &["trial", "--cloud", "aws"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: nobody can be asked here, and --region was not given
    hint: add --region, or run it on a terminal
    ");
    insta::assert_snapshot!(init(directory.path(), &[]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: nobody can be asked here, and NAME was not given
    hint: add NAME, or run it on a terminal
    ");
}

/// An account with these Connect instances, told one a page.
fn account(instances: &'static [(&str, &str)]) -> HttpServer {
    let instance = |(id, kind): &(&str, &str)| -> Value {
        json!({"Id": id, "InstanceAlias": kind, "IdentityManagementType": kind})
    };
    HttpServer::start(move |request| {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        if path == "/" {
            return result(
                "GetCallerIdentity",
                "<Account>012345678901</Account><Arn>arn:aws:iam::012345678901:user/jane</Arn>",
            );
        }
        let page: usize = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("nextToken="))
            .map_or(0, |token| token.parse().unwrap());
        let mut answer = json!({"InstanceSummaryList": [instance(&instances[page])]});
        if page + 1 < instances.len() {
            answer["NextToken"] = json!((page + 1).to_string());
        }
        HttpAnswer::ok(answer.to_string())
    })
}

fn init_on(account: &HttpServer, directory: &Path) -> String {
    outcome(
        connect_scim()
            .current_dir(directory)
            .env("AWS_ENDPOINT_URL", account.url())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .args(["init", "prod", "--cloud=aws", "--region=eu-central-1"]),
    )
}

#[test]
fn the_account_and_its_only_instance_are_asked_of_aws() {
    let directory = tempfile::tempdir().unwrap();
    let account = account(&[("22222222-3333-4444-8555-666666666666", "CONNECT_MANAGED")]);
    let told = init_on(&account, directory.path());
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    let text = fs::read_to_string(directory.path().join("environments/prod.yaml")).unwrap();
    for line in [
        "account: \"012345678901\"",
        "instanceId: \"22222222-3333-4444-8555-666666666666\"",
        "identityManagement: connectManaged",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
}

#[test]
fn among_several_instances_somebody_has_to_choose() {
    let directory = tempfile::tempdir().unwrap();
    let account = account(&[
        ("22222222-3333-4444-8555-666666666666", "SAML"),
        ("33333333-3333-4444-8555-666666666666", "SAML"),
    ]);
    let told = init_on(&account, directory.path());
    assert!(told.starts_with("exit code: 2\n"), "{told}");
    assert!(told.contains("--instance-id"), "{told}");
    assert!(!directory.path().join("environments/prod.yaml").exists());
    let pages = account
        .requests()
        .iter()
        .filter(|request| request.target.starts_with("/instance"))
        .count();
    assert_eq!(pages, 2, "all pages were read");
}

#[test]
fn on_a_terminal_one_of_several_instances_is_chosen() {
    const DOWN: &str = "\u{1b}[B";
    let instances = &[
        ("22222222-3333-4444-8555-666666666666", "SAML"),
        ("33333333-3333-4444-8555-666666666666", "CONNECT_MANAGED"),
        ("44444444-3333-4444-8555-666666666666", "SAML"),
    ];
    for (keys, chosen) in [
        ("\r".to_owned(), Some(0)),
        (format!("{DOWN}\r"), Some(1)),
        (format!("{DOWN}{DOWN}\r"), Some(2)),
        ("\u{3}".to_owned(), None),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let account = account(instances);
        let variables = [
            ("AWS_ENDPOINT_URL", account.url()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ];
        let line = "init prod --cloud=aws --region=eu-central-1";
        // The last of them is there: now the keys are heard.
        let answers = [("44444444", keys.as_str())];
        let (code, shown) = on_terminal(directory.path(), &variables, 100, line, &answers);
        let file = directory.path().join("environments/prod.yaml");
        match chosen {
            Some(position) => {
                let (id, _): (&str, &str) = instances[position];
                assert_eq!(code, Some(0), "{shown}");
                let text = fs::read_to_string(file).unwrap();
                assert!(text.contains(&format!("instanceId: \"{id}\"")), "{text}");
                assert_eq!(
                    text.contains("identityManagement: connectManaged"),
                    position == 1,
                    "{text}"
                );
            }
            None => {
                assert_eq!(code, Some(130), "{shown}");
                assert!(!file.exists());
            }
        }
    }
}

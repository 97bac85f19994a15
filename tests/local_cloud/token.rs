//! Who is let in: the right token, and nobody else; and no faster than the stage allows.

use std::thread;
use std::time::{Duration, Instant};

use crate::aws::Aws;
use crate::endpoint::Endpoint;
use crate::project::{Project, finish, finish_with_input};
use crate::terminal::Terminal;

/// As long as the shortest overlap, or an authorizer's memory, and some more.
const A_GOOD_MINUTE: Duration = Duration::from_secs(90);

#[test]
fn calls_without_a_valid_token_get_scim_errors() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    scim.get("/Users").expect(200);

    let missing = scim
        .with_authorization(None)
        .get("/Users")
        .expect_scim_error(401);
    assert!(
        missing
            .www_authenticate
            .is_some_and(|challenge| challenge.starts_with("Bearer"))
    );
    let wrong = format!("Bearer {}", "A".repeat(43));
    for authorization in [
        wrong.as_str(),
        "Bearer short",
        "Basic dXNlcjpwYXNzd29yZA==",
        "non-token",
    ] {
        scim.with_authorization(Some(authorization))
            .get("/Users")
            .expect_scim_error(401);
    }
    scim.get("/NoSuchThing").expect_scim_error(404);
    scim.get("/Users").expect(200);
}

#[test]
fn a_token_whose_parameter_was_removed_is_refused() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    let aws = Aws::of(&project);
    let outputs = project.outputs();
    let parameter = outputs["TokenParameterNameIdp"].as_str().unwrap();
    aws.wait(aws.ssm().delete_parameter().name(parameter).send())
        .unwrap();
    scim.get("/Users").expect_scim_error(401);
}

#[test]
fn a_client_over_the_rate_gets_429_as_a_scim_error() {
    let project = Project::new();
    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 1, burst: 2}\n");
    project.deploy();
    let scim = Endpoint::of(&project);
    let throttled = (0..20)
        .map(|_| scim.get("/ServiceProviderConfig"))
        .find(|answer| answer.status != 200)
        .expect("twenty requests in a row exceed one a second");
    let throttled = throttled.expect_scim_error(429);
    assert!(throttled.retry_after.is_some(), "{throttled:?}");
}

#[test]
fn after_a_rotation_both_tokens_work_and_after_the_overlap_only_the_new_one() {
    let project = quickly_forgetting();
    project.deploy();
    let old = Endpoint::of(&project);
    old.get("/Users").expect(200);

    let rotated = project
        .run(&["token", "rotate", "--env", "local", "--reveal"])
        .expect_code(0);
    let new = old.with_authorization(Some(&format!("Bearer {}", rotated.stdout.trim_end())));
    new.get("/Users").expect(200);
    old.get("/Users").expect(200);
    assert!(
        rotated.stderr.contains("idp has a new token, version 2")
            && rotated.stderr.contains("The old one works until")
            && rotated.stderr.contains("enter it at Okta"),
        "{}",
        rotated.stderr
    );
    assert_eq!(project.token(), rotated.stdout.trim_end());

    // Neither a deployment nor CloudFormation takes notice.
    let deploy = project.deploy();
    assert!(
        deploy.stderr.contains("nothing changed"),
        "{}",
        deploy.stderr
    );
    assert_eq!(project.token(), rotated.stdout.trim_end());

    // A second rotation within the overlap would end the old token before its time.
    let again = project
        .run(&["token", "rotate", "--env", "local"])
        .expect_code(2);
    assert!(again.stderr.contains("add --yes"), "{}", again.stderr);
    old.get("/Users").expect(200);

    wait_for_refusal(&old);
    new.get("/Users").expect(200);
}

#[test]
fn after_a_revocation_no_old_token_works() {
    let project = quickly_forgetting();
    project.edit_environment("overlapMinutes: 1", "overlapMinutes: 60");
    project.deploy();
    let first = Endpoint::of(&project);
    project
        .run(&["token", "rotate", "--env", "local"])
        .expect_code(0);
    let second = Endpoint::of(&project);
    first.get("/Users").expect(200);
    second.get("/Users").expect(200);

    let unconfirmed = project
        .run(&["token", "revoke", "--env", "local"])
        .expect_code(2);
    assert!(unconfirmed.stderr.contains("add --yes"));
    second.get("/Users").expect(200);

    let revoked = project
        .run(&["token", "revoke", "--env", "local", "--yes"])
        .expect_code(0);
    assert!(
        revoked
            .stderr
            .contains("idp has a new token that nobody knows, version 4"),
        "{}",
        revoked.stderr
    );
    assert_eq!(revoked.stdout, "", "nobody asked for it");
    wait_for_refusal(&second);
    wait_for_refusal(&first);
    Endpoint::of(&project).get("/Users").expect(200);
}

#[test]
fn a_token_that_somebody_else_made_is_read_from_standard_input() {
    let project = Project::new();
    project.deploy();
    let old = Endpoint::of(&project);
    let token = "a-token_of-the-vault".repeat(3);
    let set = |input: &str| {
        let mut command = project.command(&["token", "set", "--env", "local"]);
        finish_with_input(&mut command, input)
    };

    let refused = set("Bearer canary").expect_code(2);
    assert!(
        refused
            .stderr
            .contains("the character at position 7 is none of"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    set("").expect_code(2);

    let done = set(&format!("{token}\n")).expect_code(0);
    assert!(done.stderr.contains("version 2"), "{}", done.stderr);
    assert!(!(done.stdout + &done.stderr).contains(&token));
    let new = old.with_authorization(Some(&format!("Bearer {token}")));
    new.get("/Users").expect(200);
    old.get("/Users").expect(200);
}

#[test]
fn on_a_terminal_the_token_is_asked_for_and_not_echoed() {
    let project = Project::new();
    project.deploy();
    let token = "typed-by-a-person".repeat(3);
    let mut terminal = Terminal::start(&project, &["token", "set", "--env", "local"]);
    terminal.wait_for("token of idp (not shown):");
    terminal.type_line(&token);
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains(&token), "{screen}");
    assert_eq!(project.token(), token);
}

#[test]
fn a_token_is_not_written_for_a_client_that_is_not_deployed() {
    let project = Project::new();
    project.deploy();
    project.edit_environment("\nfunctions:\n", "\nclients:\n  hr: {}\nfunctions:\n");
    for verb in ["rotate", "revoke"] {
        let run = finish(&mut project.command(&["token", verb, "--env", "local", "--yes"]))
            .expect_code(1);
        assert!(
            run.stderr
                .contains("the stack connect-scim-local has no token for the client hr"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_companys_vault_may_keep_the_tokens() {
    let project = Project::new();
    project.run(&["local", "up"]).expect_code(0);
    let aws = Aws::of(&project);
    let in_parameter = "in-a-parameter-of-the-vault".repeat(2);
    let in_secret = "in-a-secret-of-the-vault".repeat(2);
    aws.put_secure_string("/vault/scim/okta", &in_parameter);
    let arn = aws.create_secret("scim/entra", &format!("{{\"token\": \"{in_secret}\"}}"));
    project.edit_environment(
        "\nfunctions:\n",
        &format!(
            "\nclients:\n  okta:\n    token: {{parameterName: /vault/scim/okta}}\n  entra:\n    token:\n      secretArn: {arn}\n      secretKey: token\nfunctions:\n"
        ),
    );
    project.deploy();

    let base = project.outputs()["OktaBaseUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let with = |token: &str| Endpoint::new(base.clone(), Some(format!("Bearer {token}")));
    with(&in_parameter).get("/Users").expect(200);
    with(&in_secret).get("/Users").expect(200);
    with(&"A".repeat(43)).get("/Users").expect(401);

    // The vault rotates; the endpoint follows at once.
    let rotated = "rotated-by-the-vault-itself".repeat(2);
    aws.put_secure_string("/vault/scim/okta", &rotated);
    with(&rotated).get("/Users").expect(200);
    with(&in_parameter).get("/Users").expect(200);

    what_a_vault_keeps_is_read_from_there(&project, &aws, [&rotated, &in_secret], &arn);
    for (client, place) in [
        ("okta", "the SSM parameter /vault/scim/okta".to_owned()),
        ("entra", format!("the secret {arn}")),
    ] {
        for verb in ["rotate", "revoke"] {
            let run = project
                .run(&["token", verb, "--env", "local", "--client", client, "--yes"])
                .expect_code(2);
            assert!(
                run.stderr.contains(&format!(
                    "the token of the client {client} is kept in {place}"
                )),
                "{}",
                run.stderr
            );
        }
    }
    project
        .run(&["destroy", "--env", "local", "--yes"])
        .expect_code(0);
    assert!(
        aws.leftovers().contains("parameter /vault/scim/okta"),
        "the vault's parameter is the vault's"
    );
}

fn what_a_vault_keeps_is_read_from_there(
    project: &Project,
    aws: &Aws,
    [in_parameter, in_secret]: [&str; 2],
    arn: &str,
) {
    let shown = |client: &str, flags: &[&str]| {
        let arguments = ["token", "show", "--env", "local", "--client", client];
        project
            .run(&[&arguments[..], flags].concat())
            .expect_code(0)
            .stdout
    };
    for (client, token, place) in [
        (
            "okta",
            in_parameter,
            "parameter  /vault/scim/okta\nversion    2\n",
        ),
        (
            "entra",
            in_secret,
            &format!("secret     {arn}\nmember     token\nversion    "),
        ),
    ] {
        project
            .run(&["smoke", "--env", "local", "--client", client])
            .expect_code(0);
        assert_eq!(shown(client, &["--reveal"]), format!("{token}\n"));
        let facts = shown(client, &[]);
        assert!(
            facts.contains(place) && facts.contains("\nwritten    20"),
            "{facts}"
        );
        assert!(!facts.contains(token));
    }

    let status = |format: &str| {
        let arguments = ["status", "--env", "local", "--format", format];
        project.run(&arguments).expect_code(0).stdout
    };
    let report: serde_json::Value = serde_json::from_str(&status("json")).unwrap();
    let tokens = &report["tokens"];
    assert_eq!(tokens["okta"]["parameter"], "/vault/scim/okta");
    assert_eq!(tokens["okta"]["version"], 2);
    assert_eq!(tokens["entra"]["secret"], arn);
    for client in ["okta", "entra"] {
        assert_eq!(tokens[client]["ageDays"], 0, "{tokens}");
    }
    assert!(!status("json").contains(in_secret) && !status("text").contains(in_secret));

    aws.put_secret(arn, "no JSON");
    let arguments = [
        "token", "show", "--env", "local", "--client", "entra", "--reveal",
    ];
    let run = project.run(&arguments).expect_code(1);
    assert!(
        run.stderr
            .contains("holds no text as the member `token` of a JSON object"),
        "{}",
        run.stderr
    );
    aws.delete_secret(arn);
    let gone = project.run(&arguments[..6]).expect_code(1);
    assert!(
        gone.stderr.contains(&format!("there is no secret {arn}")),
        "{}",
        gone.stderr
    );
    let text = status("text");
    assert!(
        text.contains(&format!("entra  NOT KNOWN: the secret {arn} is not there")),
        "{text}"
    );
}

/// A project whose gateway remembers nobody, and with the shortest overlap.
fn quickly_forgetting() -> Project {
    let project = Project::new();
    project.edit_environment("\napi:\n", "\napi:\n  authorizerTtlSeconds: 0\n");
    project.edit_environment(
        "\nfunctions:\n",
        "\ntoken:\n  overlapMinutes: 1\nfunctions:\n",
    );
    project
}

#[track_caller]
fn wait_for_refusal(scim: &Endpoint) {
    let begin = Instant::now();
    while scim.get("/Users").status != 401 {
        assert!(
            begin.elapsed() < A_GOOD_MINUTE,
            "the token still works after {:?}",
            begin.elapsed()
        );
        thread::sleep(Duration::from_secs(1));
    }
}

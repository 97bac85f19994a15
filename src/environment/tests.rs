//! Whole files through the loader.

use proptest::prelude::*;
use serde_json::Value;

use super::{Cloud, Environment, EnvironmentFile, Error, UnmappedGroups, json_schema};

const GOOD: &str = r#"account: "123456789012"
region: eu-central-1
stackName: connect-scim
connect:
  instanceId: 11111111-2222-4333-8444-555555555555
"#;

fn problems(text: &str) -> Vec<String> {
    match Environment::parse("test.yaml", text) {
        Ok(_) => Vec::new(),
        Err(Error::Invalid(problems)) => problems
            .problems
            .into_iter()
            .map(|problem| match problem.help {
                Some(help) => format!("{} | {help}", problem.message),
                None => problem.message,
            })
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

fn drawing(text: &str) -> String {
    let error = Environment::parse("environments/test.yaml", text).unwrap_err();
    let drawing = error.diagnostic().unwrap();
    anstream::adapter::strip_str(&drawing)
        .to_string()
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

#[test]
fn a_minimal_file_gets_the_defaults() {
    let environment = Environment::parse("test.yaml", GOOD).unwrap();
    assert_eq!(environment.cloud, Cloud::Aws);
    assert_eq!(environment.stage.get(), "dev");
    assert!(environment.api.require_api_key);
    assert_eq!(
        environment
            .clients
            .keys()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>(),
        ["idp"]
    );
    assert_eq!(
        environment.connect().unwrap().default_routing_profile.get(),
        "Basic Routing Profile"
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert_eq!(problems(&text), Vec::<String>::new());
    assert!(drawing(&format!("{text}stag: x\r\n")).contains("test.yaml:6:1"));
}

#[test]
fn every_problem_is_told_at_once_with_its_line_and_advice() {
    let text = r#"account: 123456789012
region: us-est-1
stack_name: connect-scim
stage: dev_1
connect:
  instanceId: arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-4333-8444-555555555555
api:
  throttle: { rate: fast, burst: 50 }
  allowedCidrs: [10.0.0.1/8, 192.0.2.0/24, 300.0.0.0/8]
  accessLogs: yes
provisioning:
  deprovision: suspended
clients:
  Okta: {}
functions:
  logRetentionDays: 100
tags:
"#;
    insta::assert_snapshot!(drawing(text));
}

#[test]
fn impossible_combinations_are_all_told_at_once() {
    let text = r#"account: "123456789012"
region: us-gov-west-1
stackName: connect-scim
roleArn: arn:aws:iam::210987654321:role/Deployer
connect:
  instanceId: 11111111-2222-4333-8444-555555555555
provisioning:
  deprovision: suspend
api:
  baseUrl: http://scim.example.com
  requireApiKey: false
  accessLogs: false
  createAccountLoggingRole: true
  throttle: { rate: 25, burst: 50 }
clients:
  okta-a: { throttle: { rate: 30, burst: 60 } }
  oktaa: {}
guardrails:
  exemptPrincipals:
    - arn:aws:iam::123456789012:role/BreakGlass
"#;
    insta::assert_snapshot!(drawing(text));
}

#[test]
fn clients_with_jwts_are_checked_against_each_other_and_the_cloud() {
    let clients = |clients: &str| problems(&format!("{GOOD}clients:\n{clients}"));
    let long = "x".repeat(230);
    let jwt = |more: &str| format!("jwt: {{issuer: 'https://i.example', audience: a{more}}}");
    let told = [
        format!("  a: {{{}, tokenGeneration: 1}}\n", jwt("")),
        "  a: {jwt: {issuer: 'http://i.example', audience: a}}\n".to_owned(),
        "  a: {jwt: {issuer: 'http://127.0.0.1:80', audience: a}}\n".to_owned(),
        format!("  a: {{{}}}\n", jwt(", jwksUrl: 'http://i.example/keys'")),
        format!("  a: {{{}}}\n  b: {{{}}}\n", jwt(""), jwt(", requiredScope: s")),
        format!(
            "  a: {{{}}}\n  b: {{{}}}\n",
            jwt(", requiredScope: r"),
            jwt(", requiredScope: s")
        ),
        format!(
            "  a: {{{}}}\n  b: {{{}}}\n",
            jwt(", requiredClientId: r"),
            jwt(", requiredScope: s, requiredClientId: s")
        ),
        (0..10)
            .map(|client| format!("  a{client}: {{jwt: {{issuer: 'https://i.example/{long}', audience: a{client}}}}}\n"))
            .collect(),
    ]
    .map(|text| clients(&text).join("\n"))
    .join("\n--\n");
    insta::assert_snapshot!(told);
    let local = GOOD.replace("account: \"123456789012\"", "cloud: local")
        + "api: {requireApiKey: false}\nclients: {a: {jwt: {issuer: 'http://127.0.0.1:8080', audience: a}}}\n";
    assert_eq!(problems(&local), Vec::<String>::new());
}

#[test]
fn a_token_that_is_kept_elsewhere_is_in_one_place_that_is_not_the_stacks() {
    let secret = "secretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf'";
    let elsewhere = secret.replace("eu-central-1", "us-east-1");
    let told = [
        "token: {}".to_owned(),
        format!("token: {{parameterName: /vault/a, {secret}}}"),
        format!("token: {{{elsewhere}}}"),
        "token: {parameterName: /vault/a, secretKey: token}".to_owned(),
        "token: {parameterName: /connect-scim/connect-scim/token/a}".to_owned(),
        "token: {parameterName: /vault/a}, tokenGeneration: 1".to_owned(),
        "token: {parameterName: /vault/a}, jwt: {issuer: 'https://i.example', audience: a}"
            .to_owned(),
        "token: {secretArn: scim/okta}".to_owned(),
        "token: {parameterName: /vault/a, kmsKeyArn: alias/vault}".to_owned(),
        format!("token: {{{secret}, secretKey: token}}"),
    ]
    .map(|client| problems(&format!("{GOOD}clients:\n  a: {{{client}}}\n")).join("\n"))
    .join("\n--\n");
    insta::assert_snapshot!(told, @r"
    `clients.a.token` does not say where the token is | name a `parameterName` or a `secretArn`; without `token` the stack makes one
    --
    `clients.a.token` names a parameter and a secret | remove one of them
    --
    the secret is in us-east-1, and the stack in eu-central-1 | replicate the secret into the stack's region, and name the replica
    --
    `secretKey` has no effect without `secretArn` | remove the line
    --
    `/connect-scim/connect-scim/token/a` is among the parameters that the stack makes and deletes | keep the token elsewhere, or leave `token` out to have the stack make it
    --
    `tokenGeneration` has no effect: the token of `a` is not the stack's | remove the line
    --
    the client `a` has both `token` and `jwt` | remove one of them
    --
    `clients.a.token.secretArn` must be the whole ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:123456789012:secret:scim/okta-AbCdEf
    --
    `clients.a.token.kmsKeyArn` must be the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555
    --
    ");
}

/// A directory sync with nothing that could be left out.
const SYNC: &str = "account: '123456789012'
region: eu-central-1
stackName: directory-sync
directorySync:
  owner: corp
  source:
    servers: [ldaps://dc1.corp.example.com]
    bindName: reader@corp.example.com
    searchBases: ['DC=corp,DC=example,DC=com']
    users:
      memberOf: [aws-users]
  target:
    endpoint: https://scim.example.com/scim/v2/
task:
  network:
    vpcId: vpc-0123456789abcdef0
    subnetIds: [subnet-0123456789abcdef0]
    directoryCidrs: [10.0.0.0/16]
";

#[test]
fn a_directory_sync_needs_no_connect_instance() {
    let environment = Environment::parse("test.yaml", SYNC).unwrap();
    assert_eq!(environment.kind(), super::StackKind::DirectorySync);
    assert!(environment.connect().is_err());
    let task = environment.directory_sync().unwrap().task;
    assert_eq!(task.every_minutes.get(), 60);
    assert!(task.cpu.offers(task.memory_mb.get()));
}

#[test]
fn what_a_directory_sync_cannot_have_is_told_where_it_stands() {
    let with = |from: &str, to: &str| SYNC.replacen(from, to, 1);
    let texts = [
        with("task:", "clients: {okta: {}}\nstage: dev\ntask:"),
        with(
            "directorySync:",
            "connect: {instanceId: 11111111-2222-4333-8444-555555555555}\ndirectorySync:",
        ),
        with("owner: corp", "owner: Corp!"),
        with("ldaps://", "https://"),
        with(
            "  target:",
            "  takeOverLeavers: true\n  secrets: {tokenFile: token, tokenVariable: TOKEN}\n  target:",
        ),
        with(
            "    searchBases",
            "    certificateAuthorityFile: ca.pem\n    searchBases",
        ),
        with(
            "task:",
            "task:\n  cpu: 1024\n  memoryMb: 512\n  everyMinutes: 15\n  jitterMinutes: 15",
        ),
        with("[subnet-0123456789abcdef0]", "[]").replace("[10.0.0.0/16]", "[]"),
        with("task:", "drift: {watch: {}}\ntask:"),
        SYNC[..SYNC.find("task:").unwrap()].to_owned(),
        SYNC[..SYNC.find("directorySync:").unwrap()].to_owned(),
        format!(
            "{GOOD}task:\n  network:\n    vpcId: vpc-0123456789abcdef0\n    subnetIds: [subnet-0123456789abcdef0]\n    directoryCidrs: [10.0.0.0/16]\n"
        ),
        format!(
            "{SYNC}assignments:\n  instanceArn: arn:aws:sso:::instance/ssoins-1234567890abcdef\n  identityStoreId: d-1234567890\n  permissionSets:\n    Reader: {{managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}}\n  groups:\n    aws-admins:\n    - {{permissionSet: Admin, accounts: ['111122223333']}}\n    aws-readers:\n    - {{permissionSet: Reader, accounts: ['111122223333', '111122223333']}}\n"
        )
        .replace("account: '123456789012'", "cloud: local"),
        format!(
            "{SYNC}assignments:\n  instanceArn: ssoins-1234567890abcdef\n  identityStoreId: d-1\n  permissionSets: {{Is it: {{sessionHours: 13}}}}\n  groups: {{}}\n"
        ),
    ];
    let told: Vec<_> = texts.iter().flat_map(|text| problems(text)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_of_aws_cannot_go_with_the_local_cloud() {
    let text = GOOD.to_owned()
        + "cloud: local\nprotected: true\nprofile: me\nroleArn: arn:aws:iam::123456789012:role/A\n";
    insta::assert_snapshot!(problems(&text).join("\n"));
}

#[test]
fn the_traps_of_yaml_are_explained() {
    let table = [
        "",
        "# nothing but a comment\n",
        "- a\n- list\n",
        "account: 012345678901\nregion: eu-central-1\nstackName: a\nconnect: {instanceId: 11111111-2222-4333-8444-555555555555}\n",
        "region: eu-central-1\nregion: us-east-1\n",
        "tags:\n  a: x\n  b: y\n  a: z\n",
        "clients:\n  okta: {}\n  okta: {}\n",
        "region: eu-central-1\n---\nregion: us-east-1\n",
        "api:\n\tthrottle: {}\n",
        "base: &base {rate: 1}\nthrottle:\n  <<: *base\n",
        "region: !Sub x\n",
        "1: x\n",
        "region: *nothing\n",
        "region: 'unclosed\n",
        "rate: .inf\n",
        "rate: 123456789012345678901234567890\n",
    ]
    .map(|text| format!("{text:?}\n  {}\n", problems(text).join("\n  ")))
    .concat();
    insta::assert_snapshot!(table);
}

#[test]
fn aliases_are_followed_but_not_bombs_of_them() {
    let aliased = GOOD.to_owned()
        + "api:\n  throttle: &limits {rate: 25, burst: 50}\nclients:\n  okta:\n    throttle: *limits\n";
    assert_eq!(problems(&aliased), Vec::<String>::new());
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .iter()
        .zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        bomb += &format!(
            "{name}: &{name} [*{before},*{before},*{before},*{before},*{before},*{before},*{before},*{before},*{before}]\n"
        );
    }
    assert_eq!(problems(&bomb).len(), 1);
}

#[test]
fn a_file_that_is_not_utf_8_is_told_by_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("latin1.yaml");
    std::fs::write(&path, b"region: eu-central-1\nstackName: gr\xfc\xdfe\n").unwrap();
    let error = EnvironmentFile::load_file(&path).unwrap_err();
    assert!(
        error.to_string().contains("line 2 is not UTF-8 text"),
        "{error}"
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_names_there_are() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("environments/deeper/down");
    std::fs::create_dir_all(&below).unwrap();
    for name in ["dev", "prod"] {
        std::fs::write(
            directory.path().join(format!("environments/{name}.yaml")),
            GOOD,
        )
        .unwrap();
    }
    assert!(EnvironmentFile::load_from(&below, "dev").is_ok());
    let hint = |name| {
        EnvironmentFile::load_from(&below, name)
            .unwrap_err()
            .hint()
            .unwrap()
    };
    assert_eq!(hint("prdo"), "did you mean `prod`? there are: dev, prod");
    assert_eq!(hint("staging"), "there are: dev, prod");
    let error = EnvironmentFile::load_from(&below, "no/such.yaml").unwrap_err();
    assert!(error.to_string().contains("no/such.yaml"));
}

/// Values that the schema and the parser must judge alike: a line in place of one of
/// [`GOOD`]'s, or after it.
#[test]
fn the_schema_and_the_parser_agree() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    for (is_good, line) in [
        (true, ""),
        (true, "stage: prod-1"),
        (true, "clients: {okta: {}, entra-id: {tokenGeneration: 3}}"),
        (
            true,
            "api: {throttle: {rate: 0.5, burst: 1}, quota: {limit: 5, period: day}}",
        ),
        (
            true,
            "functions: {architecture: arm64, logRetentionDays: 365, reservedConcurrency: 1}",
        ),
        (
            true,
            "clients: {entra: {jwt: {issuer: 'https://sts.windows.net/11111111-2222-4333-8444-555555555555/', audience: 8adf8e6e-67b2-4cf2-a259-e3dc5476c621}}}",
        ),
        (
            true,
            "clients: {a: {jwt: {issuer: 'https://i.example', audience: a, requiredScope: x, jwksUrl: 'https://i.example/keys?a=b'}}, b: {}}",
        ),
        (true, "tags: {team: contact centre, empty: ''}"),
        (true, "token: {parameterName: /a/b/c, overlapMinutes: 0}"),
        (
            true,
            "connect: {instanceId: 11111111-2222-4333-8444-555555555555, identityManagement: connectManaged}",
        ),
        (
            true,
            "guardrails: {attachTo: {roles: [Admin]}, exemptPrincipals: ['arn:aws:iam::123456789012:role/x*']}",
        ),
        (true, "guardrails: {editingProfiles: []}"),
        (
            true,
            "guardrails: {boundaryOf: {roles: [Admin]}, deployers: ['arn:aws:iam::123456789012:role/ci/Deploy*']}",
        ),
        (
            false,
            "guardrails: {deployers: ['arn:aws:iam::123456789012:role/*']}",
        ),
        (
            true,
            "drift: {accepted: [{id: 'connect.unmanaged:*', reason: they stay, expires: 2027-01-31}]}",
        ),
        (
            false,
            "drift: {accepted: [{id: 'connect.unmanaged:*', expires: 2027-01-31}]}",
        ),
        (true, "drift: {watch: {}}"),
        (
            true,
            "drift: {watch: {topicArn: 'arn:aws:sns:eu-central-1:123456789012:operations'}}",
        ),
        (
            true,
            "drift: {watch: {kmsKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555'}}",
        ),
        (false, "drift: {watch: {topic: operations}}"),
        (true, "profile:"),
        (false, "account: 123456789012"),
        (false, "region: moon"),
        (false, "stackName: 1st"),
        (false, "stage: dev_1"),
        (false, "stag: dev"),
        (false, "cloud: azure"),
        (false, "protected: yes"),
        (false, "api:"),
        (false, "api: {throttle: {rate: 25}}"),
        (false, "api: {throttle: {rate: 0, burst: 1}}"),
        (false, "api: {throttle: {rate: 25, burst: 0}}"),
        (false, "api: {throttle: {rate: 25, burst: 1.5}}"),
        (false, "api: {allowedCidrs: 10.0.0.0/8}"),
        (false, "api: {allowedCidrs: [everyone]}"),
        (false, "api: {baseUrl: https://example.com/scim/v2}"),
        (false, "api: {baseUrl: 'https://example.com/{region}'}"),
        (false, "api: {authorizerTtlSeconds: 3601}"),
        (false, "clients: {}"),
        (false, "clients: {Okta: {}}"),
        (false, "clients: {okta: {tokenGeneration: -1}}"),
        (false, "clients: {okta: {tokenGeneration: 4294967296}}"),
        (false, "clients: {a: {jwt: {issuer: 'https://i.example'}}}"),
        (
            false,
            "clients: {a: {jwt: {issuer: i.example, audience: a}}}",
        ),
        (
            false,
            "clients: {a: {jwt: {issuer: 'https://i.example', audience: a b}}}",
        ),
        (
            false,
            "clients: {a: {jwt: {issuer: 'https://i.example', audience: a, requiredScope: ''}}}",
        ),
        (
            false,
            "clients: {a: {jwt: {issuer: 'https://i.example', audience: a, scope: x}}}",
        ),
        (
            false,
            "clients: {a: {jwt: {issuer: 'https://i.example', audience: a, jwksUrl: keys}}}",
        ),
        (false, "functions: {reservedConcurrency: 0}"),
        (false, "functions: {logRetentionDays: 100}"),
        (false, "functions: {timeoutSeconds: 30}"),
        (false, "functions: {memoryMb: 64}"),
        (false, "functions: {architecture: x86}"),
        (false, "tags: {'aws:x': y}"),
        (false, "tags: {x: '<y>'}"),
        (false, "tags: {x: 1}"),
        (false, "token: {parameterName: /ssm/x}"),
        (false, "token: {parameterName: x/}"),
        (
            false,
            "guardrails: {attachTo: {roles: ['arn:aws:iam::123456789012:role/x']}}",
        ),
        (false, "guardrails: {exemptPrincipals: ['*']}"),
        (false, "artifacts: {bucket: My_Bucket}"),
        (
            true,
            "alarms: {topicArn: 'arn:aws:sns:eu-central-1:123456789012:operations', tokenMaxAgeDays: 90, pendingMaxMinutes: 30}",
        ),
        (false, "alarms: {topicArn: operations}"),
        (
            true,
            "stack: {serviceRoleArn: 'arn:aws:iam::123456789012:role/CloudFormation', notificationTopicArns: ['arn:aws:sns:eu-central-1:123456789012:operations']}",
        ),
        (false, "stack: {notificationTopicArns: [operations]}"),
        (false, "stack: {serviceRoleArn: CloudFormation}"),
        (false, "stack: {policy: {}}"),
        (
            true,
            "roleArn: 'arn:aws:iam::123456789012:role/Deployer'\nexternalId: connect-scim",
        ),
        (false, "externalId: 'not valid'"),
        (
            false,
            "alarms: {topicArn: 'arn:aws:sns:eu-central-1:123456789012:operations.fifo'}",
        ),
        (false, "alarms: {tokenMaxAgeDays: 0}"),
        (false, "alarms: {pendingMaxMinutes: 5}"),
        (false, "connect: {}"),
    ] {
        let key = line.split(':').next().unwrap();
        let mut text: String = match key {
            "connect" => GOOD
                .lines()
                .take(3)
                .map(|line| format!("{line}\n"))
                .collect(),
            "" => GOOD.to_owned(),
            _ => GOOD
                .lines()
                .filter(|line| !line.starts_with(&format!("{key}:")))
                .map(|line| format!("{line}\n"))
                .collect(),
        };
        text += line;
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let by_schema = validator.is_valid(&value);
        let by_parser = problems(&text);
        assert_eq!(by_schema, is_good, "the schema about {line}");
        assert_eq!(
            by_parser.is_empty(),
            is_good,
            "the parser about {line}: {by_parser:?}"
        );
    }
}

#[test]
fn a_pasted_secret_is_refused_and_never_shown() {
    let token = "k3JvQ9x_Zb7TqL0aWm-5RfYh2NcPs8UeXoGd1iKtV4A";
    for text in [
        format!("{GOOD}token: {{value: {token}}}\n"),
        format!("# {token}\n{GOOD}"),
        format!("{GOOD}{token}: [\n"),
        format!("token: \"{token}\n\tbroken"),
    ] {
        let error = Environment::parse("test.yaml", &text).unwrap_err();
        let shown = format!("{error} {error:?} {}", error.diagnostic().unwrap());
        assert!(shown.contains("looks like a bearer token"), "{shown}");
        assert!(!error.to_string().contains(token));
        assert!(!shown.contains(token), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_an_environment_or_a_drawn_problem(text in "(?s).{0,200}") {
        if let Err(error) = Environment::parse("test.yaml", &text) {
            prop_assert!(error.diagnostic().is_some_and(|drawing| !drawing.is_empty()));
        }
    }

    /// Text that looks much more like YAML than chance would have it.
    #[test]
    fn any_mixture_of_yaml_gives_an_environment_or_a_drawn_problem(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "region", "connect", "instanceId", "api", "tags", "clients", "a", ": ", ":", "\n", "\n  ",
                "\n    ", "- ", "[", "]", "{", "}", ", ", "\"", "'", "#", " #", "&x ", "*x", "<<", "!t ",
                "|\n", ">\n", "---\n", "...\n", "? ", "%YAML 1.1\n", "1", "0x1F", ".nan", "~", "ü", "\u{2028}",
                "\u{85}", "\r", "\t", "\0", "\u{feff}", "😀", "eu-central-1", "true",
            ]),
            0..40,
        )
    ) {
        let text = pieces.concat();
        if let Err(error) = Environment::parse("test.yaml", &text) {
            prop_assert!(error.diagnostic().is_some_and(|drawing| !drawing.is_empty()));
        }
    }

    /// A good file with one line damaged.
    #[test]
    fn any_damage_to_a_good_file_is_survived(
        (at, piece) in (0..GOOD.len(), "(?s).{0,12}")
    ) {
        let text = format!("{}{piece}{}", &GOOD[..at], &GOOD[at..]);
        if let Err(error) = Environment::parse("test.yaml", &text) {
            prop_assert!(error.diagnostic().is_some_and(|drawing| !drawing.is_empty()));
        }
    }
}

#[test]
fn attributes_that_no_user_has_are_told_with_their_line() {
    let text = GOOD.to_owned()
        + r#"provisioning:
  attributes:
    routingProfile: favouriteColour
    mobile: ["phoneNumbers[type eq", roles]
    securityProfiles: name
    firstname: nickName
    lastName: 5
    email: password
"#;
    let problems = problems(&text);
    for (problem, reason) in problems.iter().zip([
        "`provisioning.attributes.routingProfile` names `favouriteColour`, which is no attribute",
        "`provisioning.attributes.mobile[0]` must be a SCIM path",
        "`provisioning.attributes.securityProfiles` names `name`, which has several parts",
        "unknown key `provisioning.attributes.firstname` | did you mean `firstName`?",
        "`provisioning.attributes.lastName` must be text",
        "`provisioning.attributes.email` names `password`",
    ]) {
        assert!(problem.starts_with(reason), "{problem}");
    }
    assert_eq!(problems.len(), 6);
    assert!(drawing(&text).contains("test.yaml:9:14"));
}

#[test]
fn attributes_that_do_not_fit_into_the_functions_environment_are_refused() {
    let with = |paths: usize| {
        let list = vec!["userType"; paths].join(", ");
        problems(&format!(
            "{GOOD}provisioning:\n  attributes:\n    routingProfile: [{list}]\n"
        ))
    };
    assert_eq!(with(250), Vec::<String>::new());
    let problems = with(400);
    assert!(
        problems[0].contains("takes 4420 bytes, and 3046 are left"),
        "{problems:?}"
    );
}

#[test]
fn a_group_grants_one_security_profile_or_a_list_of_them() {
    let text = format!(
        "{GOOD}provisioning:\n  groups:\n    APP-CONNECT-AGENTS: Agent\n    Führung: [Agent, CallCenterManager]\n  unmappedGroups: accept\n"
    );
    let environment = Environment::parse("test.yaml", &text).unwrap();
    assert_eq!(
        environment.provisioning.group_mapping().unwrap(),
        r#"{"APP-CONNECT-AGENTS":["Agent"],"Führung":["Agent","CallCenterManager"]}"#
    );
    assert_eq!(
        environment.provisioning.unmapped_groups,
        UnmappedGroups::Accept
    );
    let without = Environment::parse("test.yaml", GOOD).unwrap();
    assert_eq!(without.provisioning.group_mapping(), None);
    assert_eq!(without.provisioning.unmapped_groups, UnmappedGroups::Reject);
}

#[test]
fn groups_that_cannot_be_mapped_are_refused_with_their_line() {
    let with = |groups: &str| format!("{GOOD}provisioning:\n  groups:\n{groups}");
    let values = with(
        "    \" Agents\": Agent\n    \"\": Agent\n    Comma: [\"Agent,Admin\"]\n    Number: 5\n  unmappedGroups: ignore\n",
    );
    let relations = with(
        "    Leads: []\n    Twice: [Agent, Admin, Agent]\n    Many: [a, b, c, d, e, f, g, h, i, j, k]\n",
    );
    let refusals = [
        (
            &values,
            &[
                "`provisioning.groups. Agents` must not start or end with a space",
                "`provisioning.groups.` must not be empty",
                "`provisioning.groups.Comma[0]` must have letters, digits, spaces and `_@-` only",
                "`provisioning.groups.Number` must be text, the name of a security profile",
                "`provisioning.unmappedGroups` cannot be `ignore`",
            ][..],
        ),
        (
            &relations,
            &[
                "the group `Leads` names 0 security profiles: there can be 1 to 10",
                "the group `Many` names 11 security profiles: there can be 1 to 10",
                "the group `Twice` names the security profile `Agent` twice",
            ],
        ),
    ];
    for (text, reasons) in refusals {
        let mut problems = problems(text);
        problems.sort();
        let mut reasons = reasons.to_vec();
        reasons.sort_unstable();
        assert_eq!(problems.len(), reasons.len(), "{problems:?}");
        for (problem, reason) in problems.iter().zip(reasons) {
            assert!(problem.starts_with(reason), "{problem}");
        }
    }
    assert!(drawing(&values).contains("test.yaml:8:5"));
}

#[test]
fn two_names_of_one_group_are_refused() {
    let problems = problems(&format!(
        "{GOOD}provisioning:\n  groups:\n    STRASSE-É: Agent\n    strasse-e\u{301}: Admin\n    Agents: Agent\n"
    ));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("are one to SCIM, which ignores case"));
}

#[test]
fn groups_and_attributes_share_the_bytes_of_the_functions_environment() {
    let with = |paths: usize, groups: usize| {
        let list = vec!["userType"; paths].join(", ");
        let groups: String = (0..groups)
            .map(|number| format!("    group-{number:03}: Agent\n"))
            .collect();
        let attributes = match paths {
            0 => String::new(),
            _ => format!("  attributes:\n    routingProfile: [{list}]\n"),
        };
        problems(&format!(
            "{GOOD}provisioning:\n{attributes}  groups:\n{groups}"
        ))
    };
    assert_eq!(with(125, 60), Vec::<String>::new());
    for (paths, groups, message) in [
        (
            0,
            150,
            "`provisioning.groups` takes 3301 bytes, and 3046 are left",
        ),
        (
            250,
            60,
            "`provisioning.attributes` and `provisioning.groups` take 2770 and 1321 bytes, and 3046 are left",
        ),
    ] {
        let problems = with(paths, groups);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(message), "{problems:?}");
    }
}

const TARGETS: &str = r#"stackName: connect-scim
stage: live
tags: { team: contact-centre }
targets:
  london:
    account: "222222222222"
    region: eu-west-2
    connect: { instanceId: 22222222-2222-4333-8444-555555555555 }
    tags: { city: london }
    wave: 2
  frankfurt:
    account: "123456789012"
    region: eu-central-1
    connect: { instanceId: 11111111-2222-4333-8444-555555555555 }
"#;

#[test]
fn a_target_is_the_file_with_its_own_lines_laid_over() {
    let file = EnvironmentFile::parse("test.yaml", TARGETS).unwrap();
    assert!(file.has_targets());
    let told: Vec<_> = file
        .targets
        .iter()
        .map(|target| {
            let environment = &target.environment;
            let tags = environment.tags.iter();
            format!(
                "{} {} {} {} {:?}",
                target.name.as_ref().unwrap(),
                target.wave,
                environment.region,
                environment.stage,
                tags.map(|(key, value)| format!("{key}={value}"))
                    .collect::<Vec<_>>()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"frankfurt 1 eu-central-1 live ["team=contact-centre"]"#,
            r#"london 2 eu-west-2 live ["city=london", "team=contact-centre"]"#,
        ]
    );
}

#[test]
fn one_target_is_chosen_by_its_name() {
    let file = || EnvironmentFile::parse("test.yaml", TARGETS).unwrap();
    assert_eq!(
        file().one(Some("london")).unwrap().region.get(),
        "eu-west-2"
    );
    let told = |error: Error| format!("{error} | {}", error.hint().unwrap());
    assert_eq!(
        told(file().one(None).unwrap_err()),
        "test.yaml has several targets: frankfurt, london | choose one with --target NAME"
    );
    assert_eq!(
        told(file().one(Some("frankfort")).unwrap_err()),
        "test.yaml has no target `frankfort` | did you mean `frankfurt`? there are: frankfurt, london"
    );
    let single = EnvironmentFile::parse("test.yaml", GOOD).unwrap();
    assert!(!single.has_targets());
    assert!(told(single.only(Some("london")).unwrap_err()).contains("leave out --target"),);
}

#[test]
fn problems_of_targets_are_told_where_they_stand() {
    let text = r#"stackName: connect_scim
targets:
  Paris: {}
"#;
    assert_eq!(
        problems(text)[0],
        "the name of a target, `Paris`, must have lower-case letters, digits and single `-` only"
    );
    let text = r#"stackName: connect-scim
api: { authorizerTtlSeconds: 3601 }
targets:
  london:
    account: 222222222222
    region: eu-west-2
    connect: { instanceid: 22222222-2222-4333-8444-555555555555 }
  frankfurt:
    account: "123456789012"
    region: eu-central-1
    connect: { instanceId: 11111111-2222-4333-8444-555555555555 }
    tags: { "aws:x": y }
  madrid:
    region: eu-south-2
    wave: 0
"#;
    insta::assert_snapshot!(drawing(&text.replace("    wave: 0\n", "")));
    assert_eq!(
        problems(text),
        [
            "`targets.madrid.wave` must be a whole number from 1 to 20, not 0 | targets of a later wave wait until all of the earlier ones have succeeded"
        ]
    );
}

#[test]
fn two_targets_cannot_be_the_same_stack() {
    let text = TARGETS
        .replace("222222222222", "123456789012")
        .replace("eu-west-2", "eu-central-1");
    assert_eq!(
        problems(&text),
        [
            "the targets `frankfurt` and `london` are the same stack | give one of them another account, region or stackName"
        ]
    );
}

#[test]
fn the_schema_knows_targets() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let is_valid = |text: &str| validator.is_valid(&serde_yaml::from_str(text).unwrap());
    assert!(is_valid(TARGETS));
    assert!(is_valid(GOOD));
    assert!(!is_valid("stackName: connect-scim\n"));
    assert!(!is_valid(&TARGETS.replace("frankfurt", "Frankfurt")));
    assert!(!is_valid(&TARGETS.replace("eu-west-2", "eu_west_2")));
    assert!(!is_valid(&TARGETS.replace("    wave: 2", "    wafe: 2")));
}

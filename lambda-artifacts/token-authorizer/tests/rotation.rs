//! The life of a token, against MiniStack's SSM.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_json_client::{Client as Ssm, Environment, Service};
use lambda_support::metrics;
use serde_json::{Value, json};
use test_support::{CapturedLog, MiniStack};
use token_authorizer::authorizer::{Authorizer, Refusal};
use token_authorizer::clients::{Client, SecretSettings, Settings, SignIn};
use token_authorizer::freshness::CLIENT_TOKENS;
use token_authorizer::policy::AuthorizerEvent;
use token_authorizer::reading::Stores;
use tracing_subscriber::layer::SubscriberExt;

const OVERLAP: Duration = Duration::from_secs(3600);
const FIRST: &str = "first-0123456789abcdefghijklmnopqrstuvwxyzABCD";
const SECOND: &str = "second-0123456789abcdefghijklmnopqrstuvwxyzABC";
const THIRD: &str = "third-0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// An authorizer for the clients `idp` and `hr`, with parameters that no other test uses.
struct Api {
    ssm: Ssm,
    test: &'static str,
    authorizer: Authorizer,
    _ministack: Arc<MiniStack>,
}

impl Api {
    fn new(test: &'static str) -> Self {
        let ministack = MiniStack::shared();
        let environment = Environment::from_variables(ministack.variables()).unwrap();
        let ssm = Ssm::new(Service::SSM, &environment);
        let secrets = Ssm::new(Service::SECRETS_MANAGER, &environment);
        let settings = Settings {
            clients: ["idp", "hr"]
                .map(|name| Client {
                    name: name.into(),
                    sign_in: SignIn::Token {
                        parameter_name: format!("/connect-scim/{test}/token/{name}"),
                    },
                    usage_identifier_key: Some(format!("0a1b-{name}")),
                })
                .to_vec(),
            overlap: OVERLAP,
        };
        Self {
            authorizer: Authorizer::new(
                settings,
                Stores {
                    ssm: ssm.clone(),
                    secrets,
                },
            ),
            ssm,
            test,
            _ministack: ministack,
        }
    }

    async fn put(&self, client: &str, token: &str) {
        let input = json!({
            "Name": format!("/connect-scim/{}/token/{client}", self.test),
            "Value": token,
            "Type": "SecureString",
            "Overwrite": true
        });
        self.ssm
            .call::<Value>("PutParameter", &input)
            .await
            .unwrap();
    }

    async fn delete(&self, client: &str) {
        let input = json!({"Name": format!("/connect-scim/{}/token/{client}", self.test)});
        self.ssm
            .call::<Value>("DeleteParameter", &input)
            .await
            .unwrap();
    }

    /// The principal of a request with `token`.
    async fn principal(&self, token: &str, now: SystemTime) -> Result<String, Refusal> {
        let event: AuthorizerEvent = serde_json::from_value(json!({
            "type": "TOKEN",
            "authorizationToken": format!("Bearer {token}"),
            "methodArn": "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3/dev/GET/Users"
        }))
        .unwrap();
        let allow = self.authorizer.authorize(&event, now).await?;
        let answer = serde_json::to_value(allow).unwrap();
        Ok(answer["principalId"].as_str().unwrap().to_owned())
    }
}

fn ok(client: &str) -> Result<String, Refusal> {
    Ok(client.to_owned())
}

#[tokio::test]
async fn each_client_is_known_by_its_token() {
    let api = Api::new("clients");
    api.put("idp", FIRST).await;
    api.put("hr", SECOND).await;
    let now = SystemTime::now();
    assert_eq!(api.principal(FIRST, now).await, ok("idp"));
    assert_eq!(api.principal(SECOND, now).await, ok("hr"));
    assert_eq!(api.principal(THIRD, now).await, Err(Refusal::Unauthorized));
}

#[tokio::test]
async fn a_client_without_a_parameter_does_not_shut_out_the_others() {
    let api = Api::new("missing");
    api.put("hr", SECOND).await;
    let now = SystemTime::now();
    assert_eq!(api.principal(SECOND, now).await, ok("hr"));
    assert_eq!(api.principal(FIRST, now).await, Err(Refusal::Unauthorized));
    // And its token works as soon as there is one.
    api.put("idp", FIRST).await;
    assert_eq!(api.principal(FIRST, now).await, ok("idp"));
}

#[tokio::test]
async fn a_rotated_token_works_at_once_and_its_predecessor_until_the_overlap_ends() {
    let api = Api::new("rotate");
    api.put("idp", FIRST).await;
    let now = SystemTime::now();
    assert_eq!(api.principal(FIRST, now).await, ok("idp"));

    api.put("idp", SECOND).await;
    assert_eq!(
        api.principal(SECOND, now).await,
        ok("idp"),
        "in the same second"
    );
    assert_eq!(
        api.principal(FIRST, now).await,
        ok("idp"),
        "the predecessor"
    );
    assert_eq!(
        api.principal(FIRST, now + OVERLAP - Duration::from_secs(5))
            .await,
        ok("idp"),
        "just before the end of the overlap"
    );
    let after = SystemTime::now() + OVERLAP + Duration::from_secs(1);
    assert_eq!(
        api.principal(FIRST, after).await,
        Err(Refusal::Unauthorized)
    );
    assert_eq!(api.principal(SECOND, after).await, ok("idp"));
}

#[tokio::test]
async fn the_overlap_ends_also_between_two_reads_of_ssm() {
    let api = Api::new("overlap-end");
    api.put("idp", FIRST).await;
    api.put("idp", SECOND).await;
    let end = SystemTime::now() + OVERLAP;
    let shortly_before = end - Duration::from_secs(10);
    assert_eq!(api.principal(FIRST, shortly_before).await, ok("idp"));
    // Within CLIENT_TOKENS.max_age of that read.
    let shortly_after = end + Duration::from_secs(1);
    assert_eq!(
        api.principal(FIRST, shortly_after).await,
        Err(Refusal::Unauthorized)
    );
}

#[tokio::test]
async fn only_the_last_predecessor_is_accepted() {
    let api = Api::new("rotate-twice");
    for token in [FIRST, SECOND, THIRD] {
        api.put("idp", token).await;
    }
    let now = SystemTime::now();
    assert_eq!(api.principal(FIRST, now).await, Err(Refusal::Unauthorized));
    assert_eq!(api.principal(SECOND, now).await, ok("idp"));
    assert_eq!(api.principal(THIRD, now).await, ok("idp"));
}

#[tokio::test]
async fn a_revoked_token_dies_with_the_next_read() {
    let api = Api::new("revoke");
    api.put("idp", FIRST).await;
    api.put("hr", SECOND).await;
    let now = SystemTime::now();
    assert_eq!(api.principal(FIRST, now).await, ok("idp"));
    api.delete("idp").await;
    let later = now + CLIENT_TOKENS.max_age;
    assert_eq!(
        api.principal(FIRST, later).await,
        Err(Refusal::Unauthorized)
    );
    assert_eq!(api.principal(SECOND, later).await, ok("hr"));
}

#[tokio::test]
async fn refused_tokens_and_the_age_of_the_oldest_are_measured() {
    let log = CapturedLog::default();
    let writer = log.clone();
    let layer = metrics::layer("scim-dev".to_owned(), move || writer.clone());
    // With a single subscriber tracing asks that of the thread which meets an event first,
    // and that thread may be another test's.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let api = Api::new("measured");
    api.put("idp", FIRST).await;
    api.put("hr", SECOND).await;
    let days = Duration::from_secs(86_400);
    let in_100_days = SystemTime::now() + 100 * days + Duration::from_secs(60);
    assert_eq!(api.principal(FIRST, in_100_days).await, ok("idp"));
    assert_eq!(
        api.principal(THIRD, in_100_days).await,
        Err(Refusal::Unauthorized)
    );
    let measured: Vec<Value> = log
        .text()
        .lines()
        .map(|line| {
            let mut document: Value = serde_json::from_str(line).unwrap();
            document.as_object_mut().unwrap().remove("_aws");
            document
        })
        .collect();
    let age = json!({"Stack": "scim-dev", "TokenAge": 100});
    let refusal = json!({"Stack": "scim-dev", "RefusedTokens": 1});
    // The unknown token is looked for in SSM.
    assert_eq!(measured, [age.clone(), age, refusal]);
}

#[tokio::test]
async fn a_token_in_a_secret_works_at_once_and_its_predecessor_until_the_overlap_ends() {
    let ministack = MiniStack::shared();
    let environment = Environment::from_variables(ministack.variables()).unwrap();
    let secrets = Ssm::new(Service::SECRETS_MANAGER, &environment);
    let secret = |token: &str| json!({"token": token, "issued-by": "vault"}).to_string();
    let input = json!({"Name": "scim/rotation", "SecretString": secret(FIRST)});
    let created: Value = secrets.call("CreateSecret", &input).await.unwrap();
    let arn = created["ARN"].as_str().unwrap().to_owned();
    let settings = Settings {
        clients: vec![Client {
            name: "okta".into(),
            sign_in: SignIn::Secret(SecretSettings {
                arn: arn.clone(),
                key: Some("token".into()),
            }),
            usage_identifier_key: None,
        }],
        overlap: OVERLAP,
    };
    let stores = Stores {
        ssm: Ssm::new(Service::SSM, &environment),
        secrets: secrets.clone(),
    };
    let api = Authorizer::new(settings, stores);
    let allowed = async |token: &str, now: SystemTime| {
        let event = serde_json::from_value(json!({
            "authorizationToken": format!("Bearer {token}"),
            "methodArn": "arn:aws:execute-api:eu-central-1:000000000000:a/dev/GET/Users"
        }));
        api.authorize(&event.unwrap(), now).await.is_ok()
    };
    let now = SystemTime::now();
    assert!(allowed(FIRST, now).await);

    let input = json!({"SecretId": arn, "SecretString": secret(SECOND)});
    let _: Value = secrets.call("PutSecretValue", &input).await.unwrap();
    assert!(allowed(SECOND, now).await);
    assert!(allowed(FIRST, now).await);
    let later = now + OVERLAP + CLIENT_TOKENS.max_age;
    assert!(!allowed(FIRST, later).await);
    assert!(allowed(SECOND, later).await);
    assert!(!allowed(THIRD, later).await);
}

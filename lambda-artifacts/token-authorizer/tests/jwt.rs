//! JWTs, from the header to the answer, with an issuer that a local server plays.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_json_client::{Client as Ssm, Environment, Service};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_support::logging;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use serde_json::{Value, json};
use test_support::{CapturedLog, HttpAnswer, HttpServer};
use token_authorizer::authorizer::{Authorizer, Refusal};
use token_authorizer::clients::{Client, JwtSettings, Settings, SignIn};
use token_authorizer::freshness::{ISSUER_KEYS, OUTAGE_PAUSE};
use token_authorizer::policy::AuthorizerEvent;
use token_authorizer::reading::Stores;
use tracing::level_filters::LevelFilter;

const AUDIENCE: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";

/// A key pair of an issuer.
enum Signer {
    Rsa(Box<rsa::KeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl Signer {
    /// A new key.
    fn ec() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self::Ec(Box::new(pair))
    }

    /// The published key of RFC 7515, appendix A.2: ring makes no RSA keys.
    fn rsa() -> Self {
        let [n, e, d, p, q, dp, dq, qi] = [
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
            "AQAB",
            "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
            "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
            "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
            "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
            "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
            "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
        ]
        .map(|number| URL_SAFE_NO_PAD.decode(number).unwrap());
        let pair = rsa::KeyPair::from_components(&rsa::KeyPairComponents {
            public_key: rsa::PublicKeyComponents { n, e },
            d,
            p,
            q,
            dP: dp,
            dQ: dq,
            qInv: qi,
        });
        Self::Rsa(Box::new(pair.unwrap()))
    }

    fn public(&self, key_id: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({
                    "kty": "RSA", "use": "sig", "kid": key_id, "x5c": ["ignored"],
                    "n": encode(&public.n), "e": encode(&public.e),
                })
            }
            Self::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": key_id, "x": encode(x), "y": encode(y)})
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let encoding: &'static dyn ring::signature::RsaEncoding = match algorithm {
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                pair.sign(encoding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }

    fn jwt(&self, header: &Value, claims: &Value) -> String {
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let algorithm = header["alg"].as_str().unwrap();
        let signature = URL_SAFE_NO_PAD.encode(self.sign(algorithm, signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// An issuer that publishes `keys` and answers with `status`.
struct TestIssuer {
    server: HttpServer,
    published: Arc<Mutex<Published>>,
}

struct Published {
    status: u16,
    /// The issuer that the OpenID configuration names; empty: the right one.
    other_name: String,
    keys: Vec<Value>,
}

impl TestIssuer {
    fn publishing(keys: Vec<Value>) -> Self {
        let published = Arc::new(Mutex::new(Published {
            status: 200,
            other_name: String::new(),
            keys,
        }));
        let answering = Arc::clone(&published);
        let server = HttpServer::start(move |request| {
            // Long enough that concurrent requests meet.
            thread::sleep(Duration::from_millis(10));
            let published = answering.lock().unwrap();
            let url = format!("http://{}", request.header("host").unwrap());
            let body = match request.target.as_str() {
                "/tenant/.well-known/openid-configuration" => {
                    let name = match published.other_name.as_str() {
                        "" => format!("{url}/tenant/"),
                        other => other.to_owned(),
                    };
                    json!({"issuer": name, "jwks_uri": format!("{url}/keys?tenant=1")})
                }
                "/keys?tenant=1" => json!({"keys": published.keys}),
                _ => return HttpAnswer::Respond(404, String::new()),
            };
            HttpAnswer::Respond(published.status, body.to_string())
        });
        Self { server, published }
    }

    /// As Microsoft Entra ID's: with a slash at the end.
    fn name(&self) -> String {
        format!("{}/tenant/", self.server.url())
    }

    fn publish(&self, keys: Vec<Value>) {
        self.published.lock().unwrap().keys = keys;
    }

    fn answer_with(&self, status: u16) {
        self.published.lock().unwrap().status = status;
    }

    fn fetches_of_keys(&self) -> usize {
        let requests = self.server.requests();
        let keys = requests
            .iter()
            .filter(|request| request.target.starts_with("/keys"));
        keys.count()
    }

    fn settings(&self) -> JwtSettings {
        JwtSettings {
            issuer: self.name(),
            audience: AUDIENCE.into(),
            required_scope: None,
            required_client_id: None,
            jwks_url: None,
        }
    }

    fn claims(&self, now: SystemTime) -> Value {
        let now = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
        json!({
            "iss": self.name(), "aud": AUDIENCE, "nbf": now - 5, "exp": now + 3600,
            "sub": "canary-subject",
        })
    }

    /// An authorizer with one client, `entra`.
    fn authorizer(&self) -> Authorizer {
        authorizer([("entra", self.settings())])
    }
}

fn authorizer<const N: usize>(clients: [(&str, JwtSettings); N]) -> Authorizer {
    let environment = Environment::from_variables([
        ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned()),
    ])
    .unwrap();
    let clients = clients.map(|(name, jwt)| Client {
        name: name.into(),
        sign_in: SignIn::Jwt(jwt),
        usage_identifier_key: None,
    });
    let settings = Settings {
        clients: clients.to_vec(),
        overlap: Duration::ZERO,
    };
    // Nothing of these clients is in SSM.
    let ssm = Ssm::builder(Service::SSM, &environment)
        .endpoint_url("http://127.0.0.1:1")
        .build();
    let secrets = ssm.clone();
    Authorizer::new(settings, Stores { ssm, secrets })
}

/// What all tests together log. One subscriber for the process: whether a log line is
/// wanted is decided for all threads by the one that first comes upon it.
fn log() -> &'static CapturedLog {
    static LOG: OnceLock<CapturedLog> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = CapturedLog::default();
        let writer = log.clone();
        let subscriber =
            logging::subscriber(&["token_authorizer"], LevelFilter::DEBUG, move || {
                writer.clone()
            });
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
}

/// The principal of a request with `token`.
async fn principal(
    authorizer: &Authorizer,
    token: &str,
    now: SystemTime,
) -> Result<String, Refusal> {
    log();
    let event: AuthorizerEvent = serde_json::from_value(json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {token}"),
        "methodArn": "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3/dev/GET/Users"
    }))
    .unwrap();
    let allow = authorizer.authorize(&event, now).await?;
    let answer = serde_json::to_value(allow).unwrap();
    Ok(answer["principalId"].as_str().unwrap().to_owned())
}

fn header(algorithm: &str, key_id: &str) -> Value {
    json!({"alg": algorithm, "kid": key_id, "typ": "JWT"})
}

fn with(mut value: Value, member: &str, change: impl Into<Value>) -> Value {
    value[member] = change.into();
    value
}

#[tokio::test]
async fn each_accepted_algorithm_opens_the_api() {
    let (rsa, ec) = (Signer::rsa(), Signer::ec());
    let issuer = TestIssuer::publishing(vec![rsa.public("r"), ec.public("e")]);
    let authorizer = issuer.authorizer();
    let now = SystemTime::now();
    let claims = issuer.claims(now);
    for token in [
        rsa.jwt(&header("RS256", "r"), &claims),
        rsa.jwt(&header("PS256", "r"), &claims),
        ec.jwt(&header("ES256", "e"), &claims),
    ] {
        assert_eq!(
            principal(&authorizer, &token, now).await,
            Ok("entra".to_owned())
        );
    }
    assert_eq!(issuer.fetches_of_keys(), 1, "keys are remembered");
}

#[tokio::test]
async fn each_client_signs_in_with_keys_of_its_own_issuer_only() {
    let signers = [Signer::ec(), Signer::ec()];
    let issuers = [0, 1].map(|number| {
        let signer: &Signer = &signers[number];
        TestIssuer::publishing(vec![signer.public("same")])
    });
    let now = SystemTime::now();
    let [okta, entra] = [0, 1].map(|number| issuers[number].settings());
    for authorizer in [
        authorizer([("okta", okta.clone()), ("entra", entra.clone())]),
        authorizer([("entra", entra), ("okta", okta)]),
    ] {
        for (signer, claims, expected) in [
            (0, 0, Ok("okta".to_owned())),
            (1, 1, Ok("entra".to_owned())),
            (0, 1, Err(Refusal::Unauthorized)),
            (1, 0, Err(Refusal::Unauthorized)),
        ] {
            let claims = issuers[claims].claims(now);
            let token = signers[signer].jwt(&header("ES256", "same"), &claims);
            let signed_in = principal(&authorizer, &token, now).await;
            assert_eq!(signed_in, expected, "signed by {signer}: {claims}");
        }
    }
}

#[tokio::test]
async fn clients_of_one_issuer_sign_in_with_the_keys_at_their_own_url() {
    let signers = [Signer::ec(), Signer::ec(), Signer::ec()];
    let servers = [0, 1].map(|number| {
        let signer: &Signer = &signers[number];
        TestIssuer::publishing(vec![signer.public("same")])
    });
    let settings = [0, 1].map(|number| {
        let keys = format!("{}/keys?tenant=1", servers[number].server.url());
        JwtSettings {
            jwks_url: Some(keys),
            ..servers[0].settings()
        }
    });
    let now = SystemTime::now();
    let claims = servers[0].claims(now);
    let [first, second] = settings;
    let authorizer = authorizer([("first", first), ("second", second)]);
    for (signer, expected) in [
        (0, Ok("first".to_owned())),
        (1, Ok("second".to_owned())),
        (2, Err(Refusal::Unauthorized)),
    ] {
        let token = signers[signer].jwt(&header("ES256", "same"), &claims);
        assert_eq!(principal(&authorizer, &token, now).await, expected);
    }
    // Whose token it is cannot be known while keys of one client cannot be read.
    servers[0].answer_with(500);
    let later = now + ISSUER_KEYS.max_age_in_outage;
    let claims = servers[0].claims(later);
    for (signer, expected) in [
        (1, Ok("second".to_owned())),
        (2, Err(Refusal::KeysUnavailable)),
    ] {
        let token = signers[signer].jwt(&header("ES256", "same"), &claims);
        assert_eq!(principal(&authorizer, &token, later).await, expected);
    }
}

#[tokio::test]
async fn what_is_not_the_issuers_is_refused() {
    let (rsa, ec, stranger) = (Signer::rsa(), Signer::ec(), Signer::ec());
    let issuer = TestIssuer::publishing(vec![rsa.public("r"), ec.public("e")]);
    let authorizer = issuer.authorizer();
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = issuer.claims(now);
    let good = ec.jwt(&header("ES256", "e"), &claims);
    assert!(principal(&authorizer, &good, now).await.is_ok());

    // What an attacker has: the public key, as text, for the secret of an HMAC.
    let public_key = rsa.public("r").to_string();
    let signed = good.rsplit_once('.').unwrap().0.to_owned();
    let hs256 = {
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(&header("HS256", "r")), encode(&claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public_key.as_bytes());
        let signature = ring::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let ec_jwt = |claims: &Value| ec.jwt(&header("ES256", "e"), claims);
    let swapped_claims = {
        let other = ec_jwt(&with(claims.clone(), "sub", "administrator"));
        let claims = other.split('.').nth(1).unwrap().to_owned();
        let mut segments: Vec<_> = good.split('.').collect();
        segments[1] = &claims;
        segments.join(".")
    };
    let own_key = with(header("ES256", "e"), "jwk", stranger.public("e"));

    for (case, token) in [
        (
            "signed by a stranger",
            stranger.jwt(&header("ES256", "e"), &claims),
        ),
        ("with a key of its own", stranger.jwt(&own_key, &claims)),
        ("key unknown", stranger.jwt(&header("ES256", "x"), &claims)),
        (
            "no key named, none meant",
            stranger.jwt(&json!({"alg": "ES256"}), &claims),
        ),
        ("claims of another", swapped_claims),
        (
            "algorithm of another key",
            rsa.jwt(&header("RS256", "e"), &claims),
        ),
        ("PKCS1 called PSS", {
            let token = rsa.jwt(&header("RS256", "r"), &claims);
            let signature = token.rsplit_once('.').unwrap().1.to_owned();
            let token = rsa.jwt(&header("PS256", "r"), &claims);
            format!("{}.{signature}", token.rsplit_once('.').unwrap().0)
        }),
        (
            "none",
            format!("{}.AA", {
                let token = ec.jwt(&header("none", "e"), &claims);
                token.rsplit_once('.').unwrap().0.to_owned()
            }),
        ),
        ("HS256 with the public key", hs256),
        ("RS512", rsa.jwt(&header("RS512", "r"), &claims)),
        (
            "critical",
            ec.jwt(&with(header("ES256", "e"), "crit", json!(["exp"])), &claims),
        ),
        ("no signature", format!("{signed}.")),
        ("half a signature", good[..good.len() - 43].to_owned()),
        (
            "too long",
            ec_jwt(&with(claims.clone(), "x", "x".repeat(8_192))),
        ),
        ("four segments", format!("{good}.AA")),
        (
            "other issuer",
            ec_jwt(&with(claims.clone(), "iss", "https://issuer.example/")),
        ),
        (
            "issuers",
            ec_jwt(&with(claims.clone(), "iss", json!([issuer.name()]))),
        ),
        (
            "other audience",
            ec_jwt(&with(claims.clone(), "aud", "api://other")),
        ),
        (
            "no audience",
            ec_jwt(&with(claims.clone(), "aud", Value::Null)),
        ),
        (
            "expired",
            ec_jwt(&with(claims.clone(), "exp", seconds - 61)),
        ),
        (
            "never expires",
            ec_jwt(&with(claims.clone(), "exp", Value::Null)),
        ),
        (
            "not yet valid",
            ec_jwt(&with(claims.clone(), "nbf", seconds + 120)),
        ),
    ] {
        assert_eq!(
            principal(&authorizer, &token, now).await,
            Err(Refusal::Unauthorized),
            "{case}"
        );
    }
    assert!(principal(&authorizer, &good, now).await.is_ok());
}

#[tokio::test]
async fn a_token_for_somebody_else_causes_no_fetch() {
    let ec = Signer::ec();
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = issuer.authorizer();
    let now = SystemTime::now();
    for (member, change) in [("iss", "https://issuer.example/"), ("aud", "api://other")] {
        let claims = with(issuer.claims(now), member, change);
        let token = ec.jwt(&header("ES256", "e"), &claims);
        let refused = principal(&authorizer, &token, now).await;
        assert_eq!(refused, Err(Refusal::Unauthorized), "{member}");
    }
    assert_eq!(issuer.server.requests().len(), 0);
}

#[tokio::test]
async fn the_scope_decides_between_clients_of_one_issuer() {
    let ec = Signer::ec();
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let scoped = |scope: &str| JwtSettings {
        required_scope: Some(scope.into()),
        ..issuer.settings()
    };
    let authorizer = authorizer([("hr", scoped("scim.hr")), ("it", scoped("scim.it"))]);
    let now = SystemTime::now();
    for (member, scopes, expected) in [
        ("scp", json!("openid scim.it"), Ok("it".to_owned())),
        ("roles", json!(["scim.hr"]), Ok("hr".to_owned())),
        ("scope", json!("scim"), Err(Refusal::Unauthorized)),
    ] {
        let token = ec.jwt(
            &header("ES256", "e"),
            &with(issuer.claims(now), member, scopes),
        );
        assert_eq!(principal(&authorizer, &token, now).await, expected);
    }
    assert_eq!(
        issuer.fetches_of_keys(),
        1,
        "clients share their issuer's keys"
    );
}

#[tokio::test]
async fn keys_at_a_given_url_need_no_openid_configuration() {
    let ec = Signer::ec();
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = authorizer([(
        "entra",
        JwtSettings {
            jwks_url: Some(format!("{}/keys?tenant=1", issuer.server.url())),
            ..issuer.settings()
        },
    )]);
    let now = SystemTime::now();
    let token = ec.jwt(&header("ES256", "e"), &issuer.claims(now));
    assert!(principal(&authorizer, &token, now).await.is_ok());
    assert_eq!(issuer.server.requests().len(), 1);
}

#[tokio::test]
async fn a_rotated_key_works_at_once_and_a_withdrawn_one_dies_with_the_next_read() {
    let (old, new) = (Signer::ec(), Signer::ec());
    let issuer = TestIssuer::publishing(vec![old.public("old")]);
    let authorizer = issuer.authorizer();
    let now = SystemTime::now();
    let old_token = old.jwt(&header("ES256", "old"), &issuer.claims(now));
    let new_token = new.jwt(&header("ES256", "new"), &issuer.claims(now));
    assert!(principal(&authorizer, &old_token, now).await.is_ok());

    issuer.publish(vec![old.public("old"), new.public("new")]);
    assert!(principal(&authorizer, &new_token, now).await.is_ok());
    assert!(principal(&authorizer, &old_token, now).await.is_ok());

    issuer.publish(vec![new.public("new")]);
    let later = now + ISSUER_KEYS.max_age;
    assert_eq!(
        principal(&authorizer, &old_token, later).await,
        Err(Refusal::Unauthorized)
    );
    assert!(principal(&authorizer, &new_token, later).await.is_ok());
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_no_flood_of_fetches() {
    let (ec, stranger) = (Signer::ec(), Signer::ec());
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = issuer.authorizer();
    let start = SystemTime::now();
    let claims = issuer.claims(start);
    // Ten a second for a minute.
    for attempt in 0..600_u32 {
        let now = start + attempt * Duration::from_millis(100);
        let token = stranger.jwt(&header("ES256", &format!("k{attempt}")), &claims);
        let refused = principal(&authorizer, &token, now).await;
        assert_eq!(refused, Err(Refusal::Unauthorized));
    }
    assert_eq!(
        issuer.fetches_of_keys(),
        ISSUER_KEYS.allowance as usize + 5,
        "and one every ten seconds"
    );
    let token = ec.jwt(&header("ES256", "e"), &claims);
    let now = start + Duration::from_secs(60);
    assert!(
        principal(&authorizer, &token, now).await.is_ok(),
        "in the flood"
    );
}

#[tokio::test]
async fn concurrent_requests_share_one_fetch() {
    let ec = Signer::ec();
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = Arc::new(issuer.authorizer());
    let now = SystemTime::now();
    let token = ec.jwt(&header("ES256", "e"), &issuer.claims(now));
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let (authorizer, token) = (Arc::clone(&authorizer), token.clone());
            tokio::spawn(async move { principal(&authorizer, &token, now).await })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap().is_ok());
    }
    assert_eq!(issuer.fetches_of_keys(), 1);
}

#[tokio::test]
async fn in_an_outage_known_keys_work_for_a_while_and_then_nobody_gets_in() {
    let (ec, stranger) = (Signer::ec(), Signer::ec());
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = issuer.authorizer();
    let start = SystemTime::now();
    let claims = with(issuer.claims(start), "exp", u32::MAX);
    let token = ec.jwt(&header("ES256", "e"), &claims);
    assert!(principal(&authorizer, &token, start).await.is_ok());
    issuer.answer_with(503);

    let stale = start + ISSUER_KEYS.max_age;
    let before = issuer.server.requests().len();
    for millisecond in 0..20 {
        let now = stale + Duration::from_millis(millisecond);
        assert!(principal(&authorizer, &token, now).await.is_ok());
    }
    let tries = issuer.server.requests().len() - before;
    assert_eq!(tries, 1, "the issuer is left alone for a pause");
    // Perhaps the issuer has that key: the function cannot say that it is wrong.
    let unknown = stranger.jwt(&header("ES256", "x"), &claims);
    assert_eq!(
        principal(&authorizer, &unknown, stale).await,
        Err(Refusal::KeysUnavailable)
    );

    let expired = start + ISSUER_KEYS.max_age_in_outage;
    assert_eq!(
        principal(&authorizer, &token, expired).await,
        Err(Refusal::KeysUnavailable)
    );
    issuer.answer_with(200);
    let recovered = expired + OUTAGE_PAUSE;
    assert!(principal(&authorizer, &token, recovered).await.is_ok());
}

#[tokio::test]
async fn known_keys_stay_in_use_while_the_issuer_publishes_too_large_a_document() {
    let ec = Signer::ec();
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = issuer.authorizer();
    let start = SystemTime::now();
    let claims = with(issuer.claims(start), "exp", u32::MAX);
    let token = ec.jwt(&header("ES256", "e"), &claims);
    assert!(principal(&authorizer, &token, start).await.is_ok());

    let large = json!({"kty": "oct", "k": "A".repeat(600 * 1024)});
    issuer.publish(vec![large, ec.public("e")]);
    let stale = start + ISSUER_KEYS.max_age;
    assert!(principal(&authorizer, &token, stale).await.is_ok());
    assert_eq!(issuer.fetches_of_keys(), 2);
    assert_eq!(
        principal(&issuer.authorizer(), &token, stale).await,
        Err(Refusal::KeysUnavailable),
        "keys that were never read are not known"
    );
}

#[tokio::test]
async fn without_usable_keys_nobody_gets_in() {
    let ec = Signer::ec();
    let now = SystemTime::now();
    for (case, status, other_name, keys) in [
        ("down", 500, "", vec![ec.public("e")]),
        ("redirected", 302, "", vec![ec.public("e")]),
        ("empty", 200, "", vec![]),
        (
            "no usable key",
            200,
            "",
            vec![json!({"kty": "oct", "k": "AA"})],
        ),
        (
            "another issuer",
            200,
            "https://issuer.example/",
            vec![ec.public("e")],
        ),
    ] {
        let issuer = TestIssuer::publishing(keys);
        issuer.answer_with(status);
        issuer.published.lock().unwrap().other_name = other_name.into();
        let authorizer = issuer.authorizer();
        let token = ec.jwt(&header("ES256", "e"), &issuer.claims(now));
        assert_eq!(
            principal(&authorizer, &token, now).await,
            Err(Refusal::KeysUnavailable),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_token_of_ours_is_nobodys_where_all_clients_have_jwts() {
    let ec = Signer::ec();
    let issuer = TestIssuer::publishing(vec![ec.public("e")]);
    let authorizer = issuer.authorizer();
    let token = "0123456789abcdefghijklmnopqrstuvwxyzABCDE_-";
    assert_eq!(
        principal(&authorizer, token, SystemTime::now()).await,
        Err(Refusal::Unauthorized)
    );
}

#[tokio::test]
async fn nothing_of_a_jwt_is_in_a_log_line_or_in_debug_output() {
    let (ec, stranger) = (Signer::ec(), Signer::ec());
    let issuer = TestIssuer::publishing(vec![ec.public("published")]);
    let authorizer = issuer.authorizer();
    let now = SystemTime::now();
    let claims = issuer.claims(now);
    let mut tokens = vec![
        ec.jwt(&header("ES256", "published"), &claims),
        stranger.jwt(&header("ES256", "published"), &claims),
        stranger.jwt(&header("ES256", "canary-other"), &claims),
        ec.jwt(&header("canary-alg", "published"), &claims),
        ec.jwt(
            &header("ES256", "published"),
            &with(claims, "aud", "canary-aud"),
        ),
    ];
    tokens.push(format!("{}.canary.canary", &tokens[0]));
    for token in &tokens {
        let _ = principal(&authorizer, token, now).await;
    }
    issuer.answer_with(500);
    let later = now + ISSUER_KEYS.max_age;
    assert!(principal(&authorizer, &tokens[0], later).await.is_ok());

    let text = log().text();
    for expected in [
        "signature is wrong",
        "another audience",
        "could not be read",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let debug = format!("{authorizer:?}");
    for (place, text) in [("log", text), ("debug output", debug)] {
        assert!(!text.contains("canary"), "{place}: {text}");
        for segment in tokens.iter().flat_map(|token| token.split('.')) {
            assert!(
                !text.contains(segment) || segment == "canary",
                "{place}: {text}"
            );
        }
    }
}

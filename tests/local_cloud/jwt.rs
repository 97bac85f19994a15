//! Clients that sign in with the JWTs of an issuer, and what they say about an agent's
//! proficiencies, all the way through the deployed endpoint.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use test_support::{HttpAnswer, HttpServer};

use crate::endpoint::Endpoint;
use crate::project::Project;

const AUDIENCE: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:amazonconnect:2.0:User";

/// An issuer on this machine: it publishes one key, and makes any JWT with it.
struct Issuer {
    key: EcdsaKeyPair,
    server: HttpServer,
}

impl Issuer {
    fn start() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "x": x, "y": y}]});
        // The address is known once the server listens.
        let address = Arc::new(OnceLock::<String>::new());
        let known = Arc::clone(&address);
        let server = HttpServer::start(move |request| match request.target.as_str() {
            "/.well-known/openid-configuration" => {
                let issuer = known.get().unwrap();
                let configuration = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
                HttpAnswer::ok(configuration.to_string())
            }
            "/keys" => HttpAnswer::ok(keys.to_string()),
            _ => HttpAnswer::Respond(404, "{}".to_owned()),
        });
        address.set(server.url()).unwrap();
        Self { key, server }
    }

    /// What a JWT of a client that may come in says.
    fn claims(&self) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        json!({
            "iss": self.server.url(),
            "aud": AUDIENCE,
            "scp": "read provision",
            "nbf": now.as_secs() - 10,
            "exp": now.as_secs() + 600,
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": "one"});
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The `Authorization` header of a JWT with one claim changed.
    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[claim] = value;
        format!("Bearer {}", self.sign(&claims))
    }
}

#[test]
fn a_jwt_of_the_issuer_signs_in_and_no_other_does() {
    let issuer = Issuer::start();
    let project = Project::new();
    project.edit_environment(
        "\nfunctions:",
        &format!(
            "\nclients:\n  entra:\n    jwt: {{ issuer: '{}', audience: {AUDIENCE}, requiredScope: provision }}\n\nfunctions:",
            issuer.server.url()
        ),
    );
    project.deploy();
    let base = project.outputs()["OktaBaseUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let good = format!("Bearer {}", issuer.sign(&issuer.claims()));
    let scim = Endpoint::new(base, Some(good));

    for (claim, value) in [
        ("aud", json!("somebody-else")),
        ("scp", json!("read")),
        ("exp", json!(1_700_000_000)),
        ("iss", json!("https://issuer.example")),
    ] {
        let refused = issuer.with(claim, value);
        scim.with_authorization(Some(&refused))
            .get("/Users")
            .expect_scim_error(401);
    }
    let stranger = Issuer::start();
    let forged = format!("Bearer {}", stranger.sign(&issuer.claims()));
    scim.with_authorization(Some(&forged))
        .get("/Users")
        .expect_scim_error(401);

    let agent = |level: u8| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", EXTENSION],
            "userName": "jane.doe@example.com",
            "name": {"givenName": "Jane", "familyName": "Doe"},
            "active": true,
            EXTENSION: {"proficiencies": [
                {"attributeName": "Skill", "attributeValue": "Billing", "level": level},
            ]},
        })
    };
    let created = scim.post("/Users", &agent(2)).expect(201);
    let id = created.id();
    assert_eq!(
        proficiencies_in_connect(&project, &id),
        "Skill: Billing (2)"
    );
    scim.put(&format!("/Users/{id}"), &agent(4)).expect(200);
    assert_eq!(
        proficiencies_in_connect(&project, &id),
        "Skill: Billing (4)"
    );
    let mut impossible = agent(2);
    impossible[EXTENSION]["proficiencies"][0]["attributeValue"] = json!("Juggling");
    scim.put(&format!("/Users/{id}"), &impossible)
        .expect_scim_error(400);

    // There is no token of ours to show.
    let shown = project
        .run(&["token", "show", "--env", "local", "--reveal"])
        .expect_code(2);
    assert!(shown.stderr.contains("JWT"), "{}", shown.stderr);
    assert_eq!(shown.stdout, "");
}

/// The agent's proficiencies, as Connect has them.
#[track_caller]
fn proficiencies_in_connect(project: &Project, id: &str) -> String {
    let shown = project
        .run(&["users", "show", id, "--env", "local", "--format", "json"])
        .expect_code(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let facets = shown["facets"].as_array().unwrap();
    let facet = facets
        .iter()
        .find(|facet| facet["name"] == "proficiencies")
        .unwrap();
    facet["actual"].as_str().unwrap().to_owned()
}

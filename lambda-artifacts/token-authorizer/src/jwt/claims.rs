//! What a JWT says (RFC 7519, section 4.1), held to a client's settings.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::Rejection;
use crate::clients::JwtSettings;

/// By how much the issuer's clock and ours may differ.
pub const LEEWAY: Duration = Duration::from_secs(60);

/// The claims that are looked at. Without `Debug`: claims can name people.
#[derive(Deserialize)]
pub struct Claims {
    iss: String,
    aud: OneOrMore,
    /// Seconds since 1970; RFC 7519 allows fractions.
    exp: f64,
    nbf: Option<f64>,
    /// Microsoft Entra ID and Okta.
    scp: Option<OneOrMore>,
    /// RFC 9068, section 2.2.3: a list separated by spaces.
    scope: Option<OneOrMore>,
    /// Microsoft Entra ID, for applications that act on their own.
    roles: Option<OneOrMore>,
    /// OpenID Connect Core, section 2; Microsoft Entra ID, version 2.0.
    azp: Option<String>,
    /// Microsoft Entra ID, version 1.0.
    appid: Option<String>,
    /// RFC 9068, section 2.2.
    client_id: Option<String>,
    /// Okta.
    cid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::More(values) => values,
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.values().iter().flat_map(|value| value.split(' '))
    }
}

impl Claims {
    /// Whether they are what a client's settings ask for at the time `now`. Issuer,
    /// audience, scope and client id are compared as they are, letter by letter.
    ///
    /// # Errors
    ///
    /// The first thing that is not.
    pub fn check(&self, expected: &JwtSettings, now: SystemTime) -> Result<(), Rejection> {
        if self.iss != expected.issuer {
            return Err(Rejection::Issuer);
        }
        if !self.aud.values().contains(&expected.audience) {
            return Err(Rejection::Audience);
        }
        let now = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        let leeway = LEEWAY.as_secs_f64();
        if self.nbf.is_some_and(|nbf| nbf > now + leeway) {
            return Err(Rejection::NotYetValid);
        }
        if self.exp + leeway <= now {
            return Err(Rejection::Expired);
        }
        let has = |required: &String| {
            [&self.scp, &self.scope, &self.roles]
                .into_iter()
                .flatten()
                .flat_map(OneOrMore::words)
                .any(|scope| scope == required)
        };
        if expected
            .required_scope
            .as_ref()
            .is_some_and(|required| !has(required))
        {
            return Err(Rejection::Scope);
        }
        let is_holder = |required: &String| {
            let holders = [&self.azp, &self.appid, &self.client_id, &self.cid];
            let mut named = holders.into_iter().flatten().peekable();
            // Where several claims name it, they must agree.
            named.peek().is_some() && named.all(|holder| holder == required)
        };
        match &expected.required_client_id {
            Some(required) if !is_holder(required) => Err(Rejection::ClientId),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn check(changes: &Value, required_scope: Option<&str>) -> Result<(), Rejection> {
        check_both(changes, required_scope, None)
    }

    fn check_both(
        changes: &Value,
        required_scope: Option<&str>,
        required_client_id: Option<&str>,
    ) -> Result<(), Rejection> {
        let mut claims = json!({
            "iss": "https://issuer.example/",
            "aud": "endpoint",
            "exp": NOW + 300,
        });
        for (key, change) in changes.as_object().unwrap() {
            claims[key] = change.clone();
        }
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let settings = JwtSettings {
            issuer: "https://issuer.example/".into(),
            audience: "endpoint".into(),
            required_scope: required_scope.map(str::to_owned),
            required_client_id: required_client_id.map(str::to_owned),
            jwks_url: None,
        };
        claims.check(&settings, UNIX_EPOCH + Duration::from_secs(NOW))
    }

    #[test]
    fn claims_and_what_becomes_of_them() {
        let leeway = LEEWAY.as_secs();
        for (changes, expected) in [
            (json!({}), Ok(())),
            (json!({"aud": ["other", "endpoint"]}), Ok(())),
            (json!({"aud": []}), Err(Rejection::Audience)),
            (json!({"aud": "endpoint2"}), Err(Rejection::Audience)),
            (json!({"aud": "Endpoint"}), Err(Rejection::Audience)),
            (json!({"aud": "other endpoint"}), Err(Rejection::Audience)),
            (
                json!({"iss": "https://issuer.example"}),
                Err(Rejection::Issuer),
            ),
            (
                json!({"iss": "https://issuer.example/x"}),
                Err(Rejection::Issuer),
            ),
            (json!({"exp": NOW - leeway + 1}), Ok(())),
            (json!({"exp": NOW - leeway}), Err(Rejection::Expired)),
            (json!({"exp": 0}), Err(Rejection::Expired)),
            (json!({"exp": -1}), Err(Rejection::Expired)),
            (json!({"exp": (NOW + 1) as f64 + 0.5}), Ok(())),
            (json!({"nbf": NOW + leeway}), Ok(())),
            (
                json!({"nbf": NOW + leeway + 1}),
                Err(Rejection::NotYetValid),
            ),
        ] {
            assert_eq!(check(&changes, None), expected, "{changes}");
        }
    }

    #[test]
    fn the_application_may_stand_in_each_of_four_claims_which_must_agree() {
        for (changes, expected) in [
            (json!({}), Err(Rejection::ClientId)),
            (json!({"azp": "app"}), Ok(())),
            (json!({"appid": "app"}), Ok(())),
            (json!({"client_id": "app"}), Ok(())),
            (json!({"cid": "app", "azp": "app"}), Ok(())),
            (
                json!({"cid": "app", "azp": "other"}),
                Err(Rejection::ClientId),
            ),
            (json!({"azp": "App"}), Err(Rejection::ClientId)),
            (json!({"sub": "app"}), Err(Rejection::ClientId)),
        ] {
            assert_eq!(
                check_both(&changes, None, Some("app")),
                expected,
                "{changes}"
            );
        }
        let without_scope = json!({"azp": "app"});
        assert_eq!(
            check_both(&without_scope, Some("scim.write"), Some("app")),
            Err(Rejection::Scope)
        );
    }

    #[test]
    fn the_scope_may_stand_in_each_of_three_claims() {
        for (changes, expected) in [
            (json!({}), Err(Rejection::Scope)),
            (json!({"scp": "openid scim.write"}), Ok(())),
            (json!({"scp": ["openid", "scim.write"]}), Ok(())),
            (json!({"scope": "scim.write"}), Ok(())),
            (json!({"roles": ["scim.write"]}), Ok(())),
            (json!({"scope": "scim.writes"}), Err(Rejection::Scope)),
            (json!({"scope": "SCIM.write"}), Err(Rejection::Scope)),
            (json!({"groups": ["scim.write"]}), Err(Rejection::Scope)),
        ] {
            assert_eq!(check(&changes, Some("scim.write")), expected, "{changes}");
        }
    }
}

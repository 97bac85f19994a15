//! Where a client's token is kept: in the parameter that the stack makes, or where the
//! environment file says that somebody else keeps it.

use std::fmt;

use crate::environment::{ClientName, Environment};

/// The place of one client's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An SSM parameter, by its name.
    Parameter(String),
    /// A secret of Secrets Manager.
    Secret {
        /// Its ARN.
        arn: String,
        /// The member that is the token, where the secret is a JSON object.
        key: Option<String>,
    },
}

impl Place {
    /// The place of a client's token, whatever else the client may sign in with.
    #[must_use]
    pub fn of(environment: &Environment, client: &ClientName) -> Self {
        let external = environment
            .clients
            .get(client)
            .and_then(|settings| settings.token.as_ref());
        let named = external.and_then(|token| token.parameter_name.as_ref());
        let secret = external.and_then(|token| Some((token.secret_arn.as_ref()?, token)));
        match (named, secret) {
            (Some(parameter), _) => Self::Parameter(parameter.to_string()),
            (None, Some((arn, token))) => Self::Secret {
                arn: arn.to_string(),
                key: token.secret_key.as_ref().map(ToString::to_string),
            },
            (None, None) => Self::Parameter(environment.token_parameter(client)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(formatter, "the SSM parameter {name}"),
            Self::Secret { arn, .. } => write!(formatter, "the secret {arn}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::environment::Environment;

    #[test]
    fn a_token_is_where_the_environment_says_or_in_the_stacks_own_parameter() {
        let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:scim/c-AbCdEf";
        let text = format!(
            "cloud: local\nregion: us-east-1\nstackName: scim\n\
             connect: {{instanceId: 11111111-2222-4333-8444-555555555555}}\n\
             api: {{requireApiKey: false}}\n\
             clients:\n  a: {{}}\n  b: {{token: {{parameterName: /vault/b}}}}\n  \
             c: {{token: {{secretArn: '{arn}', secretKey: token}}}}\n"
        );
        let environment = Environment::parse("environments/local.yaml", &text).unwrap();
        let places: Vec<Place> = environment
            .clients
            .keys()
            .map(|client| Place::of(&environment, client))
            .collect();
        assert_eq!(
            places,
            [
                Place::Parameter("/connect-scim/scim/token/a".to_owned()),
                Place::Parameter("/vault/b".to_owned()),
                Place::Secret {
                    arn: arn.to_owned(),
                    key: Some("token".to_owned())
                },
            ]
        );
    }
}

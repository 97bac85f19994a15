//! The text of a new environment file: what has to be said, and a word on each line's why.

use std::fmt::Write as _;

use crate::cli::InitArgs;

/// What a file for the local cloud says.
pub(super) struct LocalAnswers<'a> {
    pub(super) name: &'a str,
    pub(super) stack_name: &'a str,
    pub(super) args: &'a InitArgs,
}

/// What a file for AWS says.
pub(super) struct AwsAnswers<'a> {
    pub(super) name: &'a str,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) stack_name: &'a str,
    pub(super) instance_id: &'a str,
    /// `IdentityManagementType` of the instance.
    pub(super) identity_management: &'a str,
    pub(super) args: &'a InitArgs,
}

const HEAD: &str = "# yaml-language-server: $schema=./schema.json\n#\n";

/// The instance that the Connect simulator has.
const LOCAL_INSTANCE: &str = "11111111-2222-4333-8444-555555555555";

pub(super) fn local(answers: &LocalAnswers<'_>) -> String {
    let LocalAnswers {
        name,
        stack_name,
        args,
    } = answers;
    let mut text = format!(
        "{HEAD}# The local cloud on this machine: `connect-scim deploy --env {name}` starts it.\n\
         # `connect-scim validate --schema` prints every key with its meaning.\n\n\
         cloud: local\n\
         region: us-east-1\n\
         stackName: {}\n\n\
         connect:\n  \
           # The instance that the Connect simulator has.\n  \
           instanceId: {LOCAL_INSTANCE}\n",
        quoted(stack_name)
    );
    profiles(args, &mut text);
    text += "\napi:\n  \
           # A new local cloud has no such role, so the stack makes it.\n  \
           createAccountLoggingRole: true\n  \
           # The local API Gateway takes keys from a header that SCIM clients do not send.\n  \
           requireApiKey: false\n";
    clients(args, &mut text);
    text
}

pub(super) fn aws(answers: &AwsAnswers<'_>) -> String {
    let args = answers.args;
    let identity_management = match answers.identity_management {
        "CONNECT_MANAGED" => "connectManaged",
        _ => "saml",
    };
    let mut text = format!(
        "{HEAD}# `connect-scim validate --schema` prints every key with its meaning.\n\n\
         # The deployer asks AWS whose credentials it has, and refuses any other account.\n\
         account: {}\n\
         region: {}\n",
        quoted(answers.account),
        quoted(answers.region),
    );
    if let Some(profile) = &args.profile {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "profile: {}", quoted(profile));
    }
    let _ = write!(
        text,
        "stackName: {}\n\
         stage: {}\n\n\
         connect:\n  \
           # The UUID at the end of the instance's ARN.\n  \
           instanceId: {}\n  \
           identityManagement: {identity_management}\n",
        quoted(answers.stack_name),
        quoted(answers.name),
        quoted(answers.instance_id),
    );
    profiles(args, &mut text);
    clients(args, &mut text);
    text
}

fn profiles(args: &InitArgs, text: &mut String) {
    let _ = write!(
        text,
        "  # Of users for whom the identity provider names none.\n  \
           defaultSecurityProfile: {}\n  \
           defaultRoutingProfile: {}\n",
        quoted(&args.security_profile),
        quoted(&args.routing_profile)
    );
}

fn clients(args: &InitArgs, text: &mut String) {
    text.push_str(
        "\nclients:\n  # One entry for each identity provider; each gets a token of its own.\n",
    );
    for client in &args.clients {
        let _ = writeln!(text, "  {}: {{}}", quoted(client));
    }
}

/// A YAML scalar: as it is where that is a plain word, in double quotes otherwise. Digits
/// would be a number, and an account may begin with 0.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_ ".contains(&byte))
        && !text.ends_with(' ')
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    // JSON's strings are YAML's.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_yaml_would_misread_is_quoted() {
        for (text, expected) in [
            ("Basic Routing Profile", "Basic Routing Profile"),
            ("eu-central-1", "eu-central-1"),
            ("012345678901", "\"012345678901\""),
            ("no", "\"no\""),
            ("a: b", "\"a: b\""),
            ("say \"hi\"", r#""say \"hi\"""#),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}

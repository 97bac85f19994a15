//! Texts with a form: ids, names, ARNs, URLs.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;

use regex_lite::Regex;
use schemars::{Schema, json_schema};

use super::Refusal;

/// One thing that a text must satisfy. Patterns keep to what Rust's and ECMAScript's
/// regular expressions have in common, because JSON Schema means the latter.
enum Rule {
    /// The text matches the pattern.
    Matches(&'static str, &'static str),
    /// The pattern matches nowhere in the text.
    Avoids(&'static str, &'static str),
    /// What no pattern can say; the JSON Schema is silent about it.
    Holds(fn(&str) -> bool, &'static str),
}

/// What texts of one kind look like.
struct Form {
    /// The least and the most characters.
    length: (usize, usize),
    rules: &'static [Rule],
    example: &'static str,
}

impl Form {
    fn check(&self, patterns: &[Option<Regex>], text: &str) -> Result<(), Refusal> {
        let (least, most) = self.length;
        let length = text.chars().count();
        if length == 0 && least > 0 {
            return Err(Refusal("must not be empty".into()));
        }
        for (rule, pattern) in self.rules.iter().zip(patterns) {
            let matches = || pattern.as_ref().is_some_and(|regex| regex.is_match(text));
            let (holds, requirement) = match rule {
                Rule::Matches(_, requirement) => (matches(), requirement),
                Rule::Avoids(_, requirement) => (!matches(), requirement),
                Rule::Holds(check, requirement) => (check(text), requirement),
            };
            if !holds {
                return Err(Refusal((*requirement).into()));
            }
        }
        if length < least {
            return Err(Refusal(format!(
                "must have at least {least} characters, not {length}"
            )));
        }
        if length > most {
            return Err(Refusal(format!(
                "must have at most {most} characters, not {length}"
            )));
        }
        Ok(())
    }

    /// The compiled patterns, one for each rule that has one.
    fn patterns(&self) -> Vec<Option<Regex>> {
        self.rules
            .iter()
            .map(|rule| match rule {
                Rule::Matches(pattern, _) | Rule::Avoids(pattern, _) => Some(
                    #[expect(
                        clippy::expect_used,
                        reason = "the patterns are constants, all compiled in a test"
                    )]
                    Regex::new(pattern).expect("a constant pattern is well formed"),
                ),
                Rule::Holds(..) => None,
            })
            .collect()
    }

    fn schema(&self) -> Schema {
        let mut schema = json_schema!({
            "type": "string",
            "minLength": self.length.0,
            "maxLength": self.length.1,
            "examples": [self.example],
        });
        let mut wanted = Vec::new();
        let mut unwanted = Vec::new();
        for rule in self.rules {
            match rule {
                Rule::Matches(pattern, _) => wanted.push(*pattern),
                Rule::Avoids(pattern, _) => unwanted.push(*pattern),
                Rule::Holds(..) => {}
            }
        }
        if let [pattern] = wanted[..] {
            schema.insert("pattern".into(), pattern.into());
        }
        if !unwanted.is_empty() {
            // One `not` with an alternation: `allOf` would hide the pattern from some editors.
            schema.insert(
                "not".into(),
                serde_json::json!({ "type": "string", "pattern": unwanted.join("|") }),
            );
        }
        schema
    }
}

/// Reads a text, and says with an example what was expected.
struct TextVisitor {
    example: &'static str,
}

impl serde::de::Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "text, such as \"{}\"", self.example)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

macro_rules! text_types {
    ($(
        $(#[$documentation:meta])*
        $name:ident { length: $least:literal..=$most:literal, example: $example:literal, rules: [$($rule:expr),* $(,)?] $(,)? }
    )*) => {
        $(
            $(#[$documentation])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(String);

            impl $name {
                const FORM: Form = Form {
                    length: ($least, $most),
                    rules: &[$($rule),*],
                    example: $example,
                };

                /// The text.
                #[must_use]
                pub fn get(&self) -> &str {
                    &self.0
                }
            }

            impl TryFrom<String> for $name {
                type Error = Refusal;

                fn try_from(text: String) -> Result<Self, Refusal> {
                    static PATTERNS: OnceLock<Vec<Option<Regex>>> = OnceLock::new();
                    let patterns = PATTERNS.get_or_init(|| Self::FORM.patterns());
                    Self::FORM.check(patterns, &text).map(|()| Self(text))
                }
            }

            impl std::str::FromStr for $name {
                type Err = Refusal;

                fn from_str(text: &str) -> Result<Self, Refusal> {
                    text.to_owned().try_into()
                }
            }

            impl AsRef<str> for $name {
                fn as_ref(&self) -> &str {
                    &self.0
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str(&self.0)
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&self.0)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer
                        .deserialize_str(TextVisitor { example: Self::FORM.example })?
                        .try_into()
                        .map_err(serde::de::Error::custom)
                }
            }

            impl schemars::JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn inline_schema() -> bool {
                    true
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
                    Self::FORM.schema()
                }
            }
        )*

        #[cfg(test)]
        const EVERY_FORM: &[(&str, &Form)] = &[$((stringify!($name), &$name::FORM)),*];
    };
}

text_types! {
    /// An AWS account id: 12 digits.
    /// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>
    AccountId { length: 12..=12, example: "123456789012", rules: [
        Rule::Matches("^[0-9]{12}$", "must be the 12 digits of an AWS account id"),
    ] }

    /// The name of an AWS region. Its shape is checked, not a list that ages.
    /// <https://docs.aws.amazon.com/general/latest/gr/connect_region.html>
    Region { length: 9..=32, example: "eu-central-1", rules: [
        Rule::Matches(
            "^[a-z]{2,4}(-gov|-iso[a-z]?)?-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[0-9]{1,2}$",
            "must be the name of an AWS region, such as us-east-1",
        ),
    ] }

    /// The ARN of an IAM role.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
    RoleArn { length: 20..=2048, example: "arn:aws:iam::123456789012:role/ScimDeployer", rules: [
        Rule::Matches(
            "^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/([!-.0-~]+/)*[A-Za-z0-9+=,.@_-]{1,64}$",
            "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/ScimDeployer",
        ),
    ] }

    /// What the trust policy of a role asks for besides the principal.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
    ExternalId { length: 2..=1224, example: "connect-scim-deployer", rules: [
        Rule::Matches(
            "^[A-Za-z0-9_+=,.@:/-]+$",
            "must have letters, digits and `_+=,.@:/-` only",
        ),
    ] }

    /// The name of the CloudFormation stack. CloudFormation takes 128 characters; the
    /// functions are named after the stack and Lambda takes 64 for them.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>
    StackName { length: 1..=40, example: "connect-scim-dev", rules: [
        Rule::Matches(
            "^[A-Za-z][A-Za-z0-9-]*$",
            "must start with a letter and have letters, digits and `-` only",
        ),
    ] }

    /// The name of an API Gateway stage, as a segment of the endpoint's URL.
    /// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html>
    StageName { length: 1..=128, example: "dev", rules: [
        Rule::Avoids("_", "must not contain `_`: Okta refuses a base URL that has one"),
        Rule::Matches("^[A-Za-z0-9-]+$", "must have letters, digits and `-` only"),
    ] }

    /// The name of a client. Names of resources and parts of logical ids are made of it.
    ClientName { length: 1..=20, example: "okta", rules: [
        Rule::Matches(
            "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
            "must start with a lower-case letter and have lower-case letters, digits and single `-` only",
        ),
    ] }

    /// The name of a target, by which it is chosen and reported.
    TargetName { length: 1..=32, example: "frankfurt", rules: [
        Rule::Matches(
            "^[a-z0-9]+(-[a-z0-9]+)*$",
            "must have lower-case letters, digits and single `-` only",
        ),
    ] }

    /// The key of an AWS tag.
    /// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
    TagKey { length: 1..=128, example: "team", rules: [
        Rule::Avoids("^[aA][wW][sS]:", "must not start with `aws:`: AWS keeps that prefix for itself"),
        Rule::Matches(TAG_CHARACTERS, "must have letters, digits, spaces and `_.:/=+-@` only"),
    ] }

    /// The value of an AWS tag; it may be empty.
    /// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
    TagValue { length: 0..=256, example: "contact-centre", rules: [
        Rule::Avoids("^[aA][wW][sS]:", "must not start with `aws:`: AWS keeps that prefix for itself"),
        Rule::Matches(TAG_CHARACTERS, "must have letters, digits, spaces and `_.:/=+-@` only"),
    ] }

    /// The id of an Amazon Connect instance: a UUID.
    /// <https://docs.aws.amazon.com/connect/latest/adminguide/find-instance-arn.html>
    InstanceId { length: 36..=36, example: "11111111-2222-4333-8444-555555555555", rules: [
        Rule::Matches(
            "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            "must be the UUID at the end of the instance's ARN, in lower case",
        ),
    ] }

    /// The name of a security profile or a routing profile of Amazon Connect.
    /// <https://docs.aws.amazon.com/connect/latest/APIReference/API_CreateRoutingProfile.html>
    ProfileName { length: 1..=127, example: "Agent", rules: [
        Rule::Avoids("^\\s|\\s$", "must not start or end with a space"),
        Rule::Matches("^[^\\x00-\\x1f\\x7f]+$", "must not contain control characters"),
    ] }

    /// The name of a security profile of Amazon Connect.
    /// <https://docs.aws.amazon.com/connect/latest/APIReference/API_CreateSecurityProfile.html>
    SecurityProfileName { length: 1..=127, example: "Agent", rules: [
        Rule::Avoids("^ | $", "must not start or end with a space"),
        Rule::Matches("^[ a-zA-Z0-9_@-]+$", "must have letters, digits, spaces and `_@-` only, as the names of security profiles"),
    ] }

    /// The `displayName` of a SCIM group.
    /// <https://www.rfc-editor.org/rfc/rfc7643#section-4.2>
    ScimGroupName { length: 1..=256, example: "APP-CONNECT-AGENTS", rules: [
        Rule::Avoids("^\\s|\\s$", "must not start or end with a space"),
        Rule::Matches("^[^\\x00-\\x1f\\x7f]+$", "must not contain control characters"),
    ] }

    /// The ARN of an instance of IAM Identity Center.
    /// <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_InstanceMetadata.html>
    SsoInstanceArn { length: 10..=1224, example: "arn:aws:sso:::instance/ssoins-1234567890abcdef", rules: [
        Rule::Matches(
            "^arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/(sso)?ins-[A-Za-z0-9.-]{16}$",
            "must be the ARN of an instance, such as arn:aws:sso:::instance/ssoins-1234567890abcdef",
        ),
    ] }

    /// The id of an identity store.
    /// <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_GetGroupId.html>
    IdentityStoreId { length: 1..=36, example: "d-1234567890", rules: [
        Rule::Matches(
            "^(d-[0-9a-f]{10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$",
            "must be the id of an identity store, such as d-1234567890",
        ),
    ] }

    /// The name of a permission set.
    /// <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html>
    PermissionSetName { length: 1..=32, example: "Administrator", rules: [
        Rule::Matches("^[A-Za-z0-9_+=,.@-]+$", "must have letters, digits and `_+=,.@-` only"),
    ] }

    /// What a permission set is for.
    /// <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html>
    PermissionSetDescription { length: 1..=700, example: "Everything, for emergencies", rules: [
        Rule::Matches("^[\\x20-\\x7e]+$", "must have printable ASCII characters only"),
    ] }

    /// The display name of a group in an identity store.
    /// <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroup.html>
    GroupName { length: 1..=1024, example: "aws-admins", rules: [
        Rule::Avoids("^\\s|\\s$", "must not start or end with a space"),
        Rule::Matches("^[^\\x00-\\x1f\\x7f]+$", "must not contain control characters"),
    ] }

    /// The ARN of a policy that AWS manages.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>
    ManagedPolicyArn { length: 20..=2048, example: "arn:aws:iam::aws:policy/ReadOnlyAccess", rules: [
        Rule::Matches(
            "^arn:aws(-[a-z]+)*:iam::aws:policy/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+$",
            "must be the ARN of a policy that AWS manages, such as arn:aws:iam::aws:policy/ReadOnlyAccess",
        ),
    ] }

    /// The id of a VPC.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Vpc.html>
    VpcId { length: 12..=21, example: "vpc-0123456789abcdef0", rules: [
        Rule::Matches("^vpc-[0-9a-f]+$", "must be the id of a VPC, such as vpc-0123456789abcdef0"),
    ] }

    /// The id of a subnet.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html>
    SubnetId { length: 15..=24, example: "subnet-0123456789abcdef0", rules: [
        Rule::Matches(
            "^subnet-[0-9a-f]+$",
            "must be the id of a subnet, such as subnet-0123456789abcdef0",
        ),
    ] }

    /// The URL under which clients reach the API, without the SCIM path.
    BaseUrl { length: 9..=512, example: "https://scim.example.com", rules: [
        Rule::Avoids("/$", "must not end with `/`"),
        Rule::Avoids("/scim(/v2)?$", "must leave out the SCIM path: /scim/v2 is added to it"),
        Rule::Matches(
            "^https?://([^\\s?#{}/@]|\\{apiId\\}|\\{stage\\})+(/([^\\s?#{}]|\\{apiId\\}|\\{stage\\})*)?$",
            "must be a URL such as https://scim.example.com, without query and user; only `{apiId}` and `{stage}` are replaced in it",
        ),
    ] }

    /// The issuer of JWTs: a URL without query and fragment, as `iss` has it in them.
    /// <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>
    IssuerUrl { length: 9..=256, example: "https://login.example.com/tenant", rules: [
        Rule::Avoids("/\\.well-known/", "must be the issuer itself, as `iss` in its tokens: its configuration is found from there"),
        Rule::Matches(
            "^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&()*+,;=:@%-]*)*$",
            "must be a URL such as https://login.example.com/tenant, without query and fragment, letter by letter as `iss` in the issuer's tokens",
        ),
    ] }

    /// The recipient of JWTs, as `aud` has it in them.
    /// <https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3>
    Audience { length: 1..=256, example: "api://connect-scim", rules: [
        Rule::Matches("^[!-~]+$", "must have visible ASCII characters only, letter by letter as `aud` in the issuer's tokens"),
    ] }

    /// One scope of an access token.
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-3.3>
    Scope { length: 1..=128, example: "scim.write", rules: [
        Rule::Matches("^[!#-\\[\\]-~]+$", "must be one scope, without spaces, quotes and backslashes"),
    ] }

    /// The id of an application at its issuer.
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-2.2>
    ClientId { length: 1..=128, example: "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", rules: [
        Rule::Matches("^[!-~]+$", "must be printable ASCII without spaces"),
    ] }

    /// The URL of a JSON Web Key Set.
    /// <https://www.rfc-editor.org/rfc/rfc7517#section-5>
    JwksUrl { length: 9..=512, example: "https://login.example.com/tenant/keys", rules: [
        Rule::Matches(
            "^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-\"$-~]*)?$",
            "must be a URL such as https://login.example.com/tenant/keys, without user and fragment",
        ),
    ] }

    /// A range of IPv4 or IPv6 addresses.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress>
    Cidr { length: 4..=43, example: "203.0.113.0/24", rules: [
        Rule::Matches(
            "^[0-9a-fA-F.:]+/[0-9]{1,3}$",
            "must be an address range in CIDR notation, such as 203.0.113.0/24",
        ),
        Rule::Holds(is_address_range, "must be an address range in CIDR notation, such as 203.0.113.0/24"),
        Rule::Holds(is_network, "must be the first address of its range: bits after the prefix are set"),
        Rule::Holds(|text| !text.ends_with("/0"), "is every address, and restricts nothing"),
    ] }

    /// The path of an SSM parameter. `/<client>` is added to it; SSM allows 15 levels.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>
    ParameterName { length: 2..=900, example: "/connect-scim/prod/token", rules: [
        Rule::Avoids("^/?([aA][wW][sS]|[sS][sS][mM])", "must not start with `aws` or `ssm`: AWS keeps these prefixes for itself"),
        Rule::Matches(
            "^(/[A-Za-z0-9_.-]+)+$",
            "must start with `/`, not end with it, and have letters, digits and `_.-` between the slashes",
        ),
        Rule::Avoids("^(/[^/]+){15}", "must have at most 14 levels: the client's name is added, and SSM allows 15"),
    ] }

    /// The ARN of a secret in AWS Secrets Manager, with the six characters at its end.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html#iam-resources>
    SecretArn { length: 20..=2048, example: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scim/okta-AbCdEf", rules: [
        Rule::Matches(
            "^arn:aws(-[a-z]+)*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$",
            "must be the whole ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:123456789012:secret:scim/okta-AbCdEf",
        ),
    ] }

    /// The name of a member of a secret that is a JSON object.
    SecretKey { length: 1..=128, example: "token", rules: [
        Rule::Matches("^[A-Za-z0-9_.-]+$", "must have letters, digits and `_.-` only"),
    ] }

    /// The ARN of a KMS key; an alias can come to mean another key.
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN>
    KmsKeyArn { length: 20..=2048, example: "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555", rules: [
        Rule::Matches(
            "^arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
            "must be the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555",
        ),
    ] }

    /// The ARN of a principal as `aws:PrincipalArn` holds it; `*` and `?` are wildcards.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn>
    PrincipalArn { length: 20..=2048, example: "arn:aws:iam::123456789012:role/BreakGlass", rules: [
        Rule::Avoids(":assumed-role/", "must be the ARN of the role, not of a session: IAM compares with the role's"),
        Rule::Avoids(
            ":((role|user)/)?[^A-Za-z0-9]*$",
            "must have a letter or a digit after `role/` or `user/`: this pattern would exempt everyone",
        ),
        Rule::Matches(
            "^arn:aws(-[a-z]+)*:iam::([0-9]{12}|\\*):(root|(role|user)/[!-~]+)$",
            "must be the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/BreakGlass",
        ),
    ] }

    /// The ARN of an SNS topic.
    /// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
    TopicArn { length: 20..=512, example: "arn:aws:sns:eu-central-1:123456789012:operations", rules: [
        Rule::Avoids("\\.fifo$", "must be a standard topic: a FIFO topic sends no mails and no messages to people"),
        Rule::Matches(
            "^arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$",
            "must be the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:123456789012:operations",
        ),
    ] }

    /// The name of an IAM role, group or user.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
    IamName { length: 1..=128, example: "ConnectAdministrators", rules: [
        Rule::Avoids("^arn:|/", "must be a name only, not an ARN or a path"),
        Rule::Matches("^[A-Za-z0-9+=,.@_-]+$", "must have letters, digits and `+=,.@_-` only"),
    ] }

    /// The id of a finding of `drift`.
    FindingId { length: 3..=512, example: "function.MemorySize:ReconcilerFunction", rules: [
        Rule::Matches(
            "^[a-z]+\\.[A-Za-z-]+:[!-~]([ -~]*[!-~])?$",
            "must be the id of a finding as `drift` prints it, such as function.MemorySize:ReconcilerFunction",
        ),
    ] }

    /// Why something is as it is, in a sentence for others.
    Reason { length: 1..=512, example: "more memory for the migration, OPS-123", rules: [
        Rule::Avoids("^\\s|\\s$", "must not start or end with a space"),
        Rule::Matches("^[^\\x00-\\x1f\\x7f]+$", "must be one line without control characters"),
    ] }

    /// A day, in UTC, as ISO 8601 writes it.
    ExpiryDate { length: 10..=10, example: "2027-01-31", rules: [
        Rule::Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "must be a date such as 2027-01-31"),
        Rule::Holds(|text| date(text).is_some(), "must be a day that the calendar has, such as 2027-01-31"),
    ] }

    /// The name of an S3 bucket.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
    BucketName { length: 3..=63, example: "my-company-artifacts", rules: [
        Rule::Avoids("^s3:|^arn:|/", "must be the bucket's name only, not a URL, an ARN or a path"),
        Rule::Matches(
            "^[a-z0-9][a-z0-9.-]*[a-z0-9]$",
            "must have lower-case letters, digits, `.` and `-` only, and start and end with a letter or digit",
        ),
        Rule::Avoids("\\.\\.", "must not have two dots in a row"),
        Rule::Avoids("^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$", "must not look like an IP address"),
        Rule::Avoids("^(xn--|sthree-|amzn-s3-demo-)", "must not start with a prefix that S3 keeps for itself"),
        Rule::Avoids("(-s3alias|--ol-s3|\\.mrap|--x-s3|--table-s3)$", "must not end with a suffix that S3 keeps for itself"),
    ] }
}

/// The services take letters, digits and spaces of any script; of ASCII, only these signs.
const TAG_CHARACTERS: &str = r##"^[^\x00-\x1f!"#$%&'()*,;<>?\[\\\]^`{|}~\x7f]*$"##;

/// The address and the length of the prefix.
fn address_range(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix: u32 = prefix.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    (prefix <= bits).then_some((address, prefix))
}

fn is_address_range(text: &str) -> bool {
    address_range(text).is_some()
}

fn is_network(text: &str) -> bool {
    address_range(text).is_some_and(|(address, prefix)| match address {
        IpAddr::V4(address) => address.to_bits().checked_shl(prefix).unwrap_or(0) == 0,
        IpAddr::V6(address) => address.to_bits().checked_shl(prefix).unwrap_or(0) == 0,
    })
}

fn date(text: &str) -> Option<jiff::civil::Date> {
    text.parse().ok()
}

impl ExpiryDate {
    /// Whether `today` (UTC) comes after it.
    #[must_use]
    pub fn is_over_on(&self, today: jiff::civil::Date) -> bool {
        date(&self.0).is_none_or(|last| today > last)
    }
}

/// The domain of a partition's services, as `AWS::URLSuffix` holds it. Source: botocore's
/// `partitions.json`.
#[must_use]
pub fn url_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        _ => "amazonaws.com",
    }
}

impl Region {
    /// The partition that the region belongs to: the second part of every ARN in it.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        match self.0.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if self.0.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

impl SecretArn {
    /// The region that the secret is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl TopicArn {
    /// The region that the topic is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl KmsKeyArn {
    /// The region that the key is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl RoleArn {
    /// The account that the role is in.
    #[must_use]
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// The partition that the role is in.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }
}

impl ClientName {
    /// The name as a part of CloudFormation logical ids, which are alphanumeric:
    /// `okta-emea` becomes `OktaEmea`.
    #[must_use]
    pub fn logical_id_part(&self) -> String {
        let mut part = String::with_capacity(self.0.len());
        for word in self.0.split('-') {
            let mut characters = word.chars();
            part.extend(characters.next().map(|first| first.to_ascii_uppercase()));
            part.push_str(characters.as_str());
        }
        part
    }
}

impl Default for StageName {
    fn default() -> Self {
        Self("dev".into())
    }
}

/// The client of an environment that names none.
pub(in crate::environment) fn default_client() -> ClientName {
    ClientName("idp".into())
}

/// A security profile that every Connect instance is created with.
pub(in crate::environment) fn default_security_profile() -> ProfileName {
    ProfileName("Agent".into())
}

/// The routing profile that every Connect instance is created with.
pub(in crate::environment) fn default_routing_profile() -> ProfileName {
    ProfileName("Basic Routing Profile".into())
}

/// Of the security profiles that every Connect instance is created with, the one that is
/// there to administer it.
pub(in crate::environment) fn default_editing_profiles() -> Vec<ProfileName> {
    vec![ProfileName("Admin".into())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_satisfies_its_own_rules() {
        for (name, form) in EVERY_FORM {
            assert_eq!(form.check(&form.patterns(), form.example), Ok(()), "{name}");
        }
    }

    #[test]
    fn every_form_has_one_pattern_for_the_schema() {
        for (name, form) in EVERY_FORM {
            assert!(form.schema().get("pattern").is_some(), "{name}");
        }
    }

    fn refusal<T: TryFrom<String, Error = Refusal>>(text: &str) -> Option<String> {
        T::try_from(text.to_owned())
            .err()
            .map(|refusal| refusal.to_string())
    }

    #[test]
    fn values_that_a_service_would_refuse_are_refused_with_the_reason() {
        let table = [
            refusal::<AccountId>("12345678901"),
            refusal::<Region>("us-est-1"),
            refusal::<RoleArn>("arn:aws:iam::123456789012:user/me"),
            refusal::<StackName>("1st"),
            refusal::<StackName>(&"a".repeat(41)),
            refusal::<StageName>("dev_1"),
            refusal::<ClientName>("Okta"),
            refusal::<ClientName>("a--b"),
            refusal::<ClientName>(""),
            refusal::<TagKey>("AWS:thing"),
            refusal::<TagValue>("<script>"),
            refusal::<InstanceId>("arn:aws:connect:eu-west-2:1:instance/x"),
            refusal::<ProfileName>(" Agent"),
            refusal::<SecurityProfileName>("Agent, Admin"),
            refusal::<SecurityProfileName>("Agent "),
            refusal::<SecurityProfileName>(&"a".repeat(128)),
            refusal::<ScimGroupName>(" "),
            refusal::<ScimGroupName>(""),
            refusal::<ScimGroupName>(&"a".repeat(257)),
            refusal::<BaseUrl>("ftp://example.com"),
            refusal::<BaseUrl>("https://example.com/scim/v2"),
            refusal::<BaseUrl>("https://example.com/{other}"),
            refusal::<BaseUrl>("https://user@example.com"),
            refusal::<IssuerUrl>("login.example.com"),
            refusal::<IssuerUrl>("https://login.example.com/?tenant=1"),
            refusal::<IssuerUrl>("https://a.example/.well-known/openid-configuration"),
            refusal::<Audience>("two words"),
            refusal::<Scope>("scim.read scim.write"),
            refusal::<ClientId>("two words"),
            refusal::<JwksUrl>("https://me@login.example.com/keys"),
            refusal::<Cidr>("10.0.0.0"),
            refusal::<Cidr>("10.0.0.0/33"),
            refusal::<Cidr>("10.0.0.1/8"),
            refusal::<Cidr>("::/0"),
            refusal::<ParameterName>("token"),
            refusal::<ParameterName>("/AWS/token"),
            refusal::<ParameterName>(&"/a".repeat(15)),
            refusal::<PrincipalArn>("arn:aws:sts::123456789012:assumed-role/a/b"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:role/*"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:role/?*"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:role/*?"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:role/*/*"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:user/**"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:user/*-*"),
            refusal::<TopicArn>("operations"),
            refusal::<TopicArn>("arn:aws:sns:eu-central-1:123456789012:operations.fifo"),
            refusal::<IamName>("arn:aws:iam::123456789012:role/a"),
            refusal::<FindingId>("the function has more memory"),
            refusal::<Reason>("two\nlines"),
            refusal::<ExpiryDate>("31.1.2027"),
            refusal::<ExpiryDate>("2027-02-29"),
            refusal::<BucketName>("My_Bucket"),
            refusal::<BucketName>("192.168.0.1"),
        ]
        .map(|refusal| refusal.unwrap_or_else(|| "(accepted)".into()))
        .join("\n");
        insta::assert_snapshot!(table);
    }

    #[test]
    fn values_that_the_services_take_are_taken() {
        for accepted in [
            refusal::<Region>("us-gov-west-1"),
            refusal::<RoleArn>("arn:aws-us-gov:iam::123456789012:role/path/to/Name"),
            refusal::<ParameterName>(&"/a".repeat(14)),
            refusal::<TagKey>("Größe:länge"),
            refusal::<TagValue>(""),
            refusal::<IssuerUrl>("https://sts.windows.net/11111111-2222-4333-8444-555555555555/"),
            refusal::<Audience>("8adf8e6e-67b2-4cf2-a259-e3dc5476c621"),
            refusal::<Scope>("https://example.com/scim/.default"),
            refusal::<ClientId>("0oa1b2c3.apps.example.com"),
            refusal::<JwksUrl>("https://login.example.com/tenant/keys?appid=1"),
            refusal::<Cidr>("2001:db8::/32"),
            refusal::<Cidr>("203.0.113.7/32"),
            refusal::<BaseUrl>("http://127.0.0.1:4566/restapis/{apiId}/{stage}/_user_request_"),
            refusal::<PrincipalArn>(
                "arn:aws:iam::123456789012:role/aws-reserved/*/AWSReservedSSO_Admin_*",
            ),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:role/break-glass/*"),
            refusal::<PrincipalArn>("arn:aws:iam::*:role/*1"),
            refusal::<PrincipalArn>("arn:aws:iam::123456789012:root"),
            refusal::<BucketName>("cdk-hnb659fds-assets-123456789012-eu-west-1"),
        ] {
            assert_eq!(accepted, None);
        }
    }

    #[test]
    fn a_client_name_becomes_an_alphanumeric_part_of_logical_ids() {
        let name: ClientName = "okta-emea-2".parse().unwrap();
        assert_eq!(name.logical_id_part(), "OktaEmea2");
    }

    #[test]
    fn an_expiry_date_is_over_on_the_next_day() {
        let last: ExpiryDate = "2027-01-31".parse().unwrap();
        for (today, is_over) in [("2027-01-31", false), ("2027-02-01", true)] {
            assert_eq!(last.is_over_on(today.parse().unwrap()), is_over, "{today}");
        }
    }

    #[test]
    fn regions_know_their_partition() {
        let partition = |name: &str| name.parse::<Region>().unwrap().partition();
        assert_eq!(partition("eu-central-1"), "aws");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition("cn-north-1"), "aws-cn");
    }
}

//! What sets one AWS service apart from another on the wire.

/// An AWS service that speaks a JSON protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// The service id as in `AWS_ENDPOINT_URL_<ID>`: upper case, words joined by `_`.
    pub id: &'static str,
    /// First label of the regional host name.
    pub endpoint_prefix: &'static str,
    /// The service in the credential scope of the signature.
    pub signing_name: &'static str,
    /// API version, for the user agent.
    pub api_version: &'static str,
    /// How operations are put into HTTP.
    pub protocol: Protocol,
}

/// How operations are put into HTTP.
///
/// Source: <https://smithy.io/2.0/aws/protocols/index.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /` with `X-Amz-Target: <target_prefix>.<operation>`.
    AwsJson {
        /// `1.0` or `1.1`: the version in the content type `application/x-amz-json-…`.
        version: &'static str,
        /// The service's shape name in the target header.
        target_prefix: &'static str,
    },
    /// The operation is the method and the path.
    RestJson,
}

impl Service {
    /// Amazon Connect.
    pub const CONNECT: Self = Self {
        id: "CONNECT",
        endpoint_prefix: "connect",
        signing_name: "connect",
        api_version: "2017-08-08",
        protocol: Protocol::RestJson,
    };

    /// Amazon DynamoDB.
    pub const DYNAMODB: Self = Self {
        id: "DYNAMODB",
        endpoint_prefix: "dynamodb",
        signing_name: "dynamodb",
        api_version: "2012-08-10",
        protocol: Protocol::AwsJson {
            version: "1.0",
            target_prefix: "DynamoDB_20120810",
        },
    };

    /// AWS Secrets Manager.
    pub const SECRETS_MANAGER: Self = Self {
        id: "SECRETS_MANAGER",
        endpoint_prefix: "secretsmanager",
        signing_name: "secretsmanager",
        api_version: "2017-10-17",
        protocol: Protocol::AwsJson {
            version: "1.1",
            target_prefix: "secretsmanager",
        },
    };

    /// Amazon SQS.
    pub const SQS: Self = Self {
        id: "SQS",
        endpoint_prefix: "sqs",
        signing_name: "sqs",
        api_version: "2012-11-05",
        protocol: Protocol::AwsJson {
            version: "1.0",
            target_prefix: "AmazonSQS",
        },
    };

    /// AWS Systems Manager.
    pub const SSM: Self = Self {
        id: "SSM",
        endpoint_prefix: "ssm",
        signing_name: "ssm",
        api_version: "2014-11-06",
        protocol: Protocol::AwsJson {
            version: "1.1",
            target_prefix: "AmazonSSM",
        },
    };
}

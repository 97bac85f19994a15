//! The services that are called without an SDK of their own, besides those that the
//! functions call as well ([`Service`] names these).

use aws_json_client::{Protocol, Service};

/// AWS Cloud Control API.
pub const CLOUD_CONTROL: Service = Service {
    id: "CLOUDCONTROL",
    endpoint_prefix: "cloudcontrolapi",
    signing_name: "cloudcontrolapi",
    api_version: "2021-09-30",
    protocol: Protocol::AwsJson {
        version: "1.0",
        target_prefix: "CloudApiService",
    },
};

/// AWS CloudTrail.
pub const CLOUDTRAIL: Service = Service {
    id: "CLOUDTRAIL",
    endpoint_prefix: "cloudtrail",
    signing_name: "cloudtrail",
    api_version: "2013-11-01",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
    },
};

/// Amazon CloudWatch, whose oldest protocol is not JSON, and which speaks this one as well.
pub const CLOUDWATCH: Service = Service {
    id: "CLOUDWATCH",
    endpoint_prefix: "monitoring",
    signing_name: "monitoring",
    api_version: "2010-08-01",
    protocol: Protocol::AwsJson {
        version: "1.0",
        target_prefix: "GraniteServiceVersion20100801",
    },
};

/// Amazon Elastic Container Registry.
pub const ECR: Service = Service {
    id: "ECR",
    endpoint_prefix: "api.ecr",
    signing_name: "ecr",
    api_version: "2015-09-21",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "AmazonEC2ContainerRegistry_V20150921",
    },
};

/// Amazon Elastic Container Service.
pub const ECS: Service = Service {
    id: "ECS",
    endpoint_prefix: "ecs",
    signing_name: "ecs",
    api_version: "2014-11-13",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "AmazonEC2ContainerServiceV20141113",
    },
};

/// Amazon EventBridge.
pub const EVENTS: Service = Service {
    id: "EVENTBRIDGE",
    endpoint_prefix: "events",
    signing_name: "events",
    api_version: "2015-10-07",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "AWSEvents",
    },
};

/// Amazon CloudWatch Logs.
pub const LOGS: Service = Service {
    id: "CLOUDWATCH_LOGS",
    endpoint_prefix: "logs",
    signing_name: "logs",
    api_version: "2014-03-28",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "Logs_20140328",
    },
};

/// The identity store of IAM Identity Center.
pub const IDENTITY_STORE: Service = Service {
    id: "IDENTITYSTORE",
    endpoint_prefix: "identitystore",
    signing_name: "identitystore",
    api_version: "2020-06-15",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "AWSIdentityStore",
    },
};

/// AWS Organizations.
pub const ORGANIZATIONS: Service = Service {
    id: "ORGANIZATIONS",
    endpoint_prefix: "organizations",
    signing_name: "organizations",
    api_version: "2016-11-28",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "AWSOrganizationsV20161128",
    },
};

/// Amazon EventBridge Scheduler.
pub const SCHEDULER: Service = Service {
    id: "SCHEDULER",
    endpoint_prefix: "scheduler",
    signing_name: "scheduler",
    api_version: "2021-06-30",
    protocol: Protocol::RestJson,
};

/// Service Quotas.
pub const SERVICE_QUOTAS: Service = Service {
    id: "SERVICE_QUOTAS",
    endpoint_prefix: "servicequotas",
    signing_name: "servicequotas",
    api_version: "2019-06-24",
    protocol: Protocol::AwsJson {
        version: "1.1",
        target_prefix: "ServiceQuotasV20190624",
    },
};

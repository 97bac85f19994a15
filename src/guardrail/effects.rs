//! Every way to what the guardrail prevents, as AWS's service authorization reference lists
//! the actions. A test compares the table with the reference: an action on one of these
//! resources that only reads is allowed, every other action is denied or in [`NOT_DENIED`].

/// Something that the guardrail prevents.
#[derive(Debug, Clone, Copy)]
pub struct Effect {
    /// What it is.
    pub name: &'static str,
    /// The services and their types of resources by which it can be had, as the reference
    /// names them.
    pub resources: &'static [(&'static str, &'static [&'static str])],
    /// The statements that deny it.
    pub statements: &'static [&'static str],
}

/// All effects.
pub const EFFECTS: &[Effect] = &[
    Effect {
        name: "edit users",
        resources: &[(
            "connect",
            &[
                "authentication-profile",
                "hierarchy-group",
                "security-profile",
                "traffic-distribution-group",
                "user",
            ],
        )],
        statements: &["ConnectUsersAndPermissions"],
    },
    Effect {
        name: "read, replace or share a token",
        resources: &[("ssm", &["parameter"])],
        statements: &["EndpointTokensAndDirectory"],
    },
    Effect {
        name: "change or run the endpoint",
        resources: &[
            (
                "apigateway",
                &[
                    "RestApi",
                    "RestApis",
                    "Stage",
                    "Stages",
                    "Authorizer",
                    "Deployment",
                    "Method",
                    "ApiKey",
                    "UsagePlan",
                ],
            ),
            ("cloudformation", &["stack"]),
            ("iam", &["role"]),
            (
                "lambda",
                &["function", "function alias", "function version"],
            ),
        ],
        statements: &["Endpoint", "GuardrailAttachmentsAndTriggers"],
    },
    Effect {
        name: "stop the sweep, the watch or the alarms",
        resources: &[
            ("cloudwatch", &["alarm"]),
            ("events", &["rule-on-default-event-bus"]),
            ("sns", &["topic"]),
        ],
        statements: &["Endpoint"],
    },
    Effect {
        name: "stop the queue, or change the directory",
        resources: &[
            ("dynamodb", &["backup", "index", "stream", "table"]),
            ("sqs", &["queue"]),
        ],
        statements: &["EndpointTokensAndDirectory"],
    },
    Effect {
        name: "plant code or templates",
        resources: &[("s3", &["bucket", "object"])],
        statements: &["Endpoint"],
    },
    Effect {
        name: "become a deployer or an exempt principal",
        resources: &[("iam", &["role", "user"])],
        statements: &["Endpoint"],
    },
    Effect {
        name: "change the guardrail",
        resources: &[("iam", &["policy"])],
        statements: &["Endpoint"],
    },
    Effect {
        name: "end the binding",
        resources: &[("iam", &["group", "role", "user"])],
        statements: &[
            "GuardrailAttachmentsAndTriggers",
            "GuardrailBoundaries",
            "GuardrailCarriers",
        ],
    },
];

/// Actions that are not denied, and why they have none of the effects; `*` stands for any
/// text. An action without a resource cannot be denied on one.
pub const NOT_DENIED: &[(&str, &str)] = &[
    // Amazon Connect.
    (
        "connect:*AnalyticsDataSet",
        "shares reports with another account",
    ),
    (
        "connect:*ApprovedOrigin",
        "embeds the softphone in a website",
    ),
    ("connect:*Bot", "a bot of the instance"),
    ("connect:*ChatIntegrationEvent", "a message of a customer"),
    ("connect:*ContactStreaming", "a contact"),
    ("connect:*CustomerProfilesDomain", "profiles of customers"),
    ("connect:*IntegrationEvent", "an event of an integration"),
    (
        "connect:*InstanceStorageConfig",
        "where recordings are kept",
    ),
    ("connect:*LambdaFunction", "functions that flows may call"),
    (
        "connect:*PlanningSchedulingIntegration",
        "forecasts and schedules",
    ),
    (
        "connect:*PredefinedAttribute",
        "attributes of contacts; proficiencies refer to them",
    ),
    (
        "connect:*PushNotificationRegistration",
        "a device of a customer",
    ),
    ("connect:*SecurityKey", "encrypts what customers enter"),
    ("connect:AssociateContactWithUser", "a contact"),
    ("connect:AssociateDefaultVocabulary", "transcripts"),
    (
        "connect:AssociateWorkspace",
        "what an agent sees; permissions stay the same",
    ),
    ("connect:ClaimPhoneNumber", "a phone number"),
    ("connect:CreateContact", "a contact"),
    ("connect:CreateEmailAddress", "an address of the instance"),
    ("connect:CreateInstance", "another instance"),
    ("connect:CreateNotification", "a message to agents"),
    ("connect:CreateQuickConnect", "a destination of transfers"),
    (
        "connect:CreateTrafficDistributionGroup",
        "has no users until some are assigned",
    ),
    (
        "connect:DeleteTrafficDistributionGroup",
        "Connect deletes only groups without users",
    ),
    ("connect:DismissUserContact", "a supervisor's work"),
    ("connect:MonitorContact", "a supervisor's work"),
    ("connect:PutUserStatus", "a supervisor's work"),
    (
        "connect:ReplicateInstance",
        "copies the instance; the replica has the same id and is protected",
    ),
    ("connect:SendOutboundEmail", "a contact"),
    (
        "connect:UpdateInstanceAttribute",
        "settings of calls, chats and flows",
    ),
    (
        "connect:UpdateParticipantAuthentication",
        "how customers sign in",
    ),
    ("connect:UpdatePhoneNumber", "a phone number"),
    (
        "connect:UpdateQuickConnectConfig",
        "a destination of transfers",
    ),
    (
        "connect:UpdateTrafficDistribution",
        "the region in which calls and sign-ins arrive",
    ),
    // Systems Manager.
    ("ssm:*Activation", "servers outside of AWS"),
    ("ssm:*Inventory", "servers"),
    ("ssm:CancelCommand", "servers"),
    ("ssm:CreateMaintenanceWindow", "servers"),
    ("ssm:CreateOpsItem", "a ticket"),
    ("ssm:CreateOpsMetadata", "a note about an application"),
    ("ssm:CreatePatchBaseline", "servers"),
    ("ssm:PutConfigurePackageResult", "servers"),
    ("ssm:RegisterManagedInstance", "servers"),
    // CloudFormation.
    (
        "cloudformation:*OrganizationsAccess",
        "stack sets of an organization",
    ),
    (
        "cloudformation:*Publisher",
        "types of resources that others may use",
    ),
    (
        "cloudformation:*Resource",
        "calls the resource's service as the caller, who is denied there",
    ),
    (
        "cloudformation:*ResourceRequest",
        "calls the resource's service as the caller, who is denied there",
    ),
    (
        "cloudformation:*Type",
        "types of others; the stack has types of AWS only",
    ),
    ("cloudformation:*GeneratedTemplate", "a draft of a template"),
    (
        "cloudformation:CreateStackSet",
        "acts with a role, which has to be passed",
    ),
    (
        "cloudformation:CreateUploadBucket",
        "a bucket of the console",
    ),
    (
        "cloudformation:SetTypeConfiguration",
        "types of others; the stack has types of AWS only",
    ),
    (
        "cloudformation:SetTypeDefaultVersion",
        "types of others; the stack has types of AWS only",
    ),
    ("cloudformation:StartResourceScan", "a list of resources"),
    // Lambda.
    (
        "lambda:CreateCodeSigningConfig",
        "has no effect until a function refers to it",
    ),
    // EventBridge, SNS, CloudWatch.
    (
        "cloudwatch:*AnomalyDetector",
        "a model; the alarms have fixed thresholds",
    ),
    ("cloudwatch:CreateServiceLevelObjective", "an objective"),
    ("cloudwatch:EnableTopologyDiscovery", "a map of services"),
    ("cloudwatch:Link", "shares metrics with another account"),
    ("cloudwatch:PutManagedInsightRules", "rules of others"),
    ("cloudwatch:PutMetricData", "a limit: docs/guardrails.md"),
    (
        "events:*Permission",
        "the event bus, from which the rule of the sweep gets nothing",
    ),
    ("events:PutPartnerEvents", "events of partners"),
    ("sns:*PhoneNumber", "text messages"),
    ("sns:*PlatformApplication*", "push messages"),
    ("sns:*Endpoint*", "push messages"),
    ("sns:SetSMSAttributes", "text messages"),
    (
        "sns:SetSubscriptionAttributes",
        "a limit: docs/guardrails.md",
    ),
    ("sns:Unsubscribe", "a limit: docs/guardrails.md"),
    // DynamoDB.
    (
        "dynamodb:InjectError",
        "an experiment of Fault Injection Service; changes no item",
    ),
    ("dynamodb:PurchaseReservedCapacityOfferings", "a price"),
    (
        "dynamodb:UpdateAbacStatus",
        "whether tags of tables count in policies; this one names its table",
    ),
    // S3.
    ("s3:*StorageLens*", "statistics"),
    ("s3:CreateJob", "acts with a role, which has to be passed"),
    (
        "s3:PutAccessPointPublicAccessBlock",
        "access points: docs/guardrails.md",
    ),
    (
        "s3:PutAccountPublicAccessBlock",
        "the bucket has a block of its own",
    ),
    // IAM: what belongs to the account.
    ("iam:*AccountAlias", "a name"),
    ("iam:*AccountPasswordPolicy", "passwords of all users"),
    ("iam:*CloudFrontPublicKey", "signed URLs of CloudFront"),
    (
        "iam:*OrganizationsRoot*",
        "root users of member accounts; for the management account only",
    ),
    (
        "iam:*OutboundWebIdentityFederation",
        "tokens for services outside of AWS",
    ),
    ("iam:SetSTSRegionalEndpointStatus", "regions of STS"),
    (
        "iam:SetSecurityTokenServicePreferences",
        "the form of session tokens",
    ),
    (
        "iam:UpdateAccountEmailAddress",
        "for the management account only",
    ),
    ("iam:UpdateAccountName", "a name"),
    // IAM: bound principals, which stay bound whatever else they are given or lose.
    ("iam:*AccessKey", "credentials of a bound user are bound"),
    ("iam:*LoginProfile", "credentials of a bound user are bound"),
    ("iam:*MFADevice", "credentials of a bound user are bound"),
    ("iam:*SSHPublicKey", "credentials of a bound user are bound"),
    (
        "iam:*ServiceSpecificCredential",
        "credentials of a bound user are bound",
    ),
    (
        "iam:*SigningCertificate",
        "credentials of a bound user are bound",
    ),
    (
        "iam:ChangePassword",
        "credentials of a bound user are bound",
    ),
    (
        "iam:AddUserToGroup",
        "policies of a group allow or deny more; the guardrail still denies",
    ),
    (
        "iam:Attach*Policy",
        "another policy may allow more; the guardrail still denies",
    ),
    (
        "iam:Put*Policy",
        "another policy may allow more; the guardrail still denies",
    ),
    (
        "iam:DeleteGroupPolicy",
        "the guardrail is not an inline policy",
    ),
    (
        "iam:DeleteRolePolicy",
        "the guardrail is not an inline policy",
    ),
    (
        "iam:DeleteUserPolicy",
        "the guardrail is not an inline policy",
    ),
    (
        "iam:CreateGroup",
        "a group has no users until some are added",
    ),
    (
        "iam:DeleteGroup",
        "IAM refuses while a policy is attached or a user is in the group",
    ),
    (
        "iam:DeleteRole",
        "IAM refuses while a policy is attached; without the boundary, none of the name can be created",
    ),
    (
        "iam:*ServiceLinkedRole",
        "roles of services, which only these assume",
    ),
    (
        "iam:PassRole",
        "a service that acts with a bound role is bound",
    ),
    ("iam:TagRole", "no statement depends on tags"),
    ("iam:TagUser", "no statement depends on tags"),
    ("iam:UntagRole", "no statement depends on tags"),
    ("iam:UntagUser", "no statement depends on tags"),
    (
        "iam:UpdateAssumeRolePolicy",
        "anyone who assumes a bound role is bound",
    ),
    ("iam:UpdateRole", "the length of sessions"),
    ("iam:UpdateRoleDescription", "a description"),
];

/// Actions that only read and are denied nevertheless, and why.
pub const READING_DENIED: &[(&str, &str)] = &[
    ("ssm:GetParameter", "returns the token"),
    ("ssm:GetParameterHistory", "returns the token"),
    ("ssm:GetParameters", "returns the token"),
    (
        "ssm:GetParametersByPath",
        "returns the tokens below the path",
    ),
    ("sqs:ReceiveMessage", "hides messages from the reconciler"),
    (
        "dynamodb:ReadDataForReplication",
        "the service itself calls it",
    ),
    (
        "apigateway:Get*",
        "portals and routing rules, which the endpoint does not have",
    ),
    (
        "apigateway:List*",
        "portals and routing rules, which the endpoint does not have",
    ),
    (
        "backup:DescribeRecoveryPoint",
        "recovery points have ARNs of any form",
    ),
    (
        "backup:GetRecoveryPoint*",
        "recovery points have ARNs of any form",
    ),
    ("backup:ListTags", "recovery points have ARNs of any form"),
    (
        "wafv2:GetWebACLForResource",
        "a deployer reads the firewall of the API",
    ),
];

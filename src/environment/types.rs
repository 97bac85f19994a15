//! Values of an environment file that are checked as they are read.

macro_rules! text_types {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name(String);
        impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { formatter.write_str(&self.0) }
        }
    )*};
}
text_types! {
    /// a
    AccountId, /// a
    Region, /// a
    RoleArn, /// a
    StackName, /// a
    StageName, /// a
    ClientName, /// a
    TagKey, /// a
    TagValue, /// a
    InstanceId, /// a
    ProfileName, /// a
    BaseUrl, /// a
    Cidr, /// a
    ParameterName, /// a
    PrincipalArn, /// a
    IamName, /// a
    BucketName,
}
macro_rules! number_types {
    ($($name:ident: $type:ty = $default:expr),* $(,)?) => {$(
        /// n
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name(pub $type);
        impl Default for $name { fn default() -> Self { Self($default) } }
    )*};
}
number_types! { AuthorizerTtl: u32 = 300, ThrottleRate: f64 = 25.0, ThrottleBurst: u32 = 50, QuotaLimit: u32 = 1, OverlapMinutes: u32 = 60, MemoryMb: u32 = 256, TimeoutSeconds: u32 = 28, ReservedConcurrency: u32 = 10, LogRetentionDays: u32 = 90 }
impl Eq for QuotaLimit {}
impl Default for StageName {
    fn default() -> Self {
        Self("dev".into())
    }
}
impl Default for Throttle {
    fn default() -> Self {
        Self {
            rate: ThrottleRate::default(),
            burst: ThrottleBurst::default(),
        }
    }
}
impl Default for Api {
    fn default() -> Self {
        Self {
            endpoint_type: EndpointType::default(),
            base_url: None,
            throttle: Throttle::default(),
            quota: None,
            allowed_cidrs: vec![],
            authorizer_ttl_seconds: AuthorizerTtl::default(),
            require_api_key: true,
            access_logs: true,
            tracing: false,
            create_account_logging_role: false,
        }
    }
}
impl Default for Token {
    fn default() -> Self {
        Self {
            parameter_name: None,
            overlap_minutes: OverlapMinutes::default(),
        }
    }
}
impl Default for Functions {
    fn default() -> Self {
        Self {
            architecture: Architecture::default(),
            memory_mb: MemoryMb::default(),
            timeout_seconds: TimeoutSeconds::default(),
            reserved_concurrency: None,
            log_retention_days: LogRetentionDays::default(),
            log_level: LogLevel::default(),
        }
    }
}
use super::{Api, Architecture, EndpointType, Functions, LogLevel, Throttle, Token};
pub(super) fn default_clients() -> std::collections::BTreeMap<ClientName, super::Client> {
    std::iter::once((ClientName("idp".into()), super::Client::default())).collect()
}
pub(super) fn default_security_profile() -> ProfileName {
    ProfileName("Agent".into())
}
pub(super) fn default_routing_profile() -> ProfileName {
    ProfileName("Basic Routing Profile".into())
}

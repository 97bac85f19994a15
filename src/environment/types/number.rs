//! Numbers with a range.

use std::borrow::Cow;

use schemars::{Schema, json_schema};

use super::Refusal;

macro_rules! number_types {
    ($(
        $(#[$documentation:meta])*
        $name:ident($number:ty): $least:literal..=$most:literal, $requirement:literal
    )*) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name($number);

        impl $name {
            /// The number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl TryFrom<$number> for $name {
            type Error = Refusal;

            fn try_from(number: $number) -> Result<Self, Refusal> {
                if ($least..=$most).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(Refusal($requirement.into()))
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$number as serde::Deserialize>::deserialize(deserializer)?
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

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> Schema {
                let number = generator.subschema_for::<$number>();
                json_schema!({ "type": number.get("type"), "minimum": $least, "maximum": $most })
            }
        }
    )*};
}

number_types! {
    /// Seconds for which API Gateway remembers what the token authorizer answered.
    /// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html>
    AuthorizerTtl(u32): 0..=3600, "must be between 0 and 3600 seconds"

    /// Requests per second. The upper end is an account's default quota.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    ThrottleRate(f64): 0.1..=10000.0, "must be between 0.1 and 10000 requests per second"

    /// Requests at once. The upper end is an account's default quota.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    ThrottleBurst(u32): 1..=5000, "must be between 1 and 5000 requests"

    /// Requests in a quota's period.
    /// <https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html>
    QuotaLimit(u32): 1..=2147483647, "must be between 1 and 2147483647 requests"

    /// Minutes for which a rotated token is still accepted; at most a week.
    OverlapMinutes(u32): 0..=10080, "must be between 0 and 10080 minutes (a week)"

    /// Days after which a token is too old; at most ten years.
    TokenAgeDays(u32): 1..=3650, "must be between 1 and 3650 days"

    /// Minutes for which a user may wait for Connect. A thousand new users take Connect
    /// eight minutes, so that less would alarm without need.
    PendingMinutes(u32): 15..=1440, "must be between 15 and 1440 minutes (a day)"

    /// Minutes from one run of a directory sync to the next; at least a quarter of an hour, as
    /// a run of a large directory takes minutes, and at most a day.
    RunMinutes(u32): 15..=1440, "must be between 15 and 1440 minutes (a day)"

    /// Minutes by which a run may begin later than its turn. EventBridge Scheduler takes up
    /// to a day; more than an hour would make an hourly run skip its turn.
    /// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_FlexibleTimeWindow.html>
    JitterMinutes(u32): 1..=60, "must be between 1 and 60 minutes"

    /// Hours of a session in an account.
    /// <https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html>
    SessionHours(u32): 1..=12, "must be between 1 and 12 hours"

    /// Memory of a Fargate task in MiB.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>
    TaskMemoryMb(u32): 512..=30720, "must be between 512 and 30720 MiB"

    /// Memory of a Lambda function in MiB.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
    MemoryMb(u32): 128..=10240, "must be between 128 and 10240 MiB"

    /// Seconds that a function may take; API Gateway waits for 29.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    TimeoutSeconds(u32): 3..=29, "must be between 3 and 29 seconds: API Gateway waits no longer"

    /// Instances of a function that may run at once.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>
    ReservedConcurrency(u32): 1..=1000, "must be between 1 and 1000: with 0 the function would never run"
}

/// Days for which CloudWatch Logs keeps events: one of the periods that it offers.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRetentionDays(u32);

impl LogRetentionDays {
    /// The periods that CloudWatch Logs offers.
    pub const PERIODS: [u32; 23] = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
        2922, 3288, 3653, 36500,
    ];

    /// The number of days.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for LogRetentionDays {
    type Error = Refusal;

    fn try_from(days: u32) -> Result<Self, Refusal> {
        if Self::PERIODS.contains(&days) {
            return Ok(Self(days));
        }
        let nearest = Self::PERIODS
            .into_iter()
            .min_by_key(|period| period.abs_diff(days))
            .unwrap_or_default();
        Err(Refusal(format!(
            "must be a period that CloudWatch Logs offers; the nearest is {nearest} days"
        )))
    }
}

impl std::fmt::Display for LogRetentionDays {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl serde::Serialize for LogRetentionDays {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for LogRetentionDays {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <u32 as serde::Deserialize>::deserialize(deserializer)?
            .try_into()
            .map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for LogRetentionDays {
    fn schema_name() -> Cow<'static, str> {
        "LogRetentionDays".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": Self::PERIODS })
    }
}

impl Eq for QuotaLimit {}

impl Default for AuthorizerTtl {
    fn default() -> Self {
        Self(300)
    }
}

/// Microsoft Entra ID asks for at least 25 requests per second:
/// <https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups>.
impl Default for ThrottleRate {
    fn default() -> Self {
        Self(25.0)
    }
}

impl Default for ThrottleBurst {
    fn default() -> Self {
        Self(50)
    }
}

impl Default for OverlapMinutes {
    fn default() -> Self {
        Self(60)
    }
}

/// Half a year.
impl Default for TokenAgeDays {
    fn default() -> Self {
        Self(180)
    }
}

impl Default for PendingMinutes {
    fn default() -> Self {
        Self(60)
    }
}

impl Default for RunMinutes {
    fn default() -> Self {
        Self(60)
    }
}

impl Default for JitterMinutes {
    fn default() -> Self {
        Self(5)
    }
}

/// A working day's half.
impl Default for SessionHours {
    fn default() -> Self {
        Self(4)
    }
}

/// 100,000 users take 350 MB.
impl Default for TaskMemoryMb {
    fn default() -> Self {
        Self(512)
    }
}

impl Default for MemoryMb {
    fn default() -> Self {
        Self(256)
    }
}

impl Default for TimeoutSeconds {
    fn default() -> Self {
        Self(28)
    }
}

impl Default for LogRetentionDays {
    fn default() -> Self {
        Self(90)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_retention_between_periods_is_refused_with_the_nearest() {
        let refusal = LogRetentionDays::try_from(100).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "must be a period that CloudWatch Logs offers; the nearest is 90 days"
        );
    }

    #[test]
    fn a_concurrency_of_zero_would_stop_the_function() {
        let refusal = ReservedConcurrency::try_from(0).unwrap_err();
        assert!(refusal.to_string().contains("never run"));
    }

    #[test]
    fn what_is_not_a_number_is_no_rate() {
        assert!(ThrottleRate::try_from(f64::NAN).is_err());
    }
}

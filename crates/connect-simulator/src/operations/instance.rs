//! The instance itself.

use serde_json::json;

use crate::call::{Context, Reply};
use crate::state::State;
use crate::timestamp::Timestamp;

/// When the simulated instance was created: 2024-01-01.
const CREATED: Timestamp = Timestamp::from_milliseconds(1_704_067_200_000);

pub(super) fn describe(state: &State, context: &Context<'_>) -> Reply {
    let identity = context.identity;
    Ok(Some(json!({ "Instance": {
        "Id": identity.instance_id,
        "Arn": identity.instance_arn(),
        "IdentityManagementType": context.settings.identity_management,
        "InstanceAlias": "simulated",
        "CreatedTime": CREATED,
        "ServiceRole": format!(
            "arn:aws:iam::{}:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect",
            identity.account,
        ),
        "InstanceStatus": "ACTIVE",
        "InboundCallsEnabled": true,
        "OutboundCallsEnabled": true,
        "InstanceAccessUrl": "https://simulated.my.connect.aws",
        "Tags": state.instance_tags,
    }})))
}

//! What a new instance holds: Connect's own profiles, and enough besides for provisioning
//! to be tried. The ids never change, so that examples may name them.

use serde_json::json;

use crate::options::Identity;
use crate::state::{
    AccessRestrictions, HierarchyGroup, HierarchyLevel, RoutingProfile, SecurityProfile,
    SecurityProfileRecord, State, Tags,
};
use crate::timestamp::Timestamp;

/// The quota of levels in a hierarchy is five; a site has two.
const LEVELS: [&str; 2] = ["Site", "Team"];

/// Name, description, permissions. `Suspended` is for users who shall be able to do
/// nothing: Connect has no disabled state and wants at least one security profile.
const SECURITY_PROFILES: [(&str, &str, &[&str]); 5] = [
    (
        "Admin",
        "A person with all permissions",
        &[
            "AccessMetrics",
            "AgentGrouping.Create",
            "AgentGrouping.Edit",
            "AgentGrouping.EnableAndDisable",
            "AgentGrouping.View",
            "BasicAgentAccess",
            "OutboundCallAccess",
            "RoutingPolicies.Create",
            "RoutingPolicies.Edit",
            "RoutingPolicies.View",
            "SecurityProfiles.Create",
            "SecurityProfiles.Delete",
            "SecurityProfiles.Edit",
            "SecurityProfiles.View",
            "Users.Create",
            "Users.Delete",
            "Users.Edit",
            "Users.EditPermission",
            "Users.View",
        ],
    ),
    (
        "Agent",
        "A person who takes contacts",
        &["BasicAgentAccess", "OutboundCallAccess"],
    ),
    (
        "CallCenterManager",
        "A person who manages users, routing and metrics",
        &[
            "AccessMetrics",
            "RoutingPolicies.Create",
            "RoutingPolicies.Edit",
            "RoutingPolicies.View",
            "Users.Create",
            "Users.Delete",
            "Users.Edit",
            "Users.View",
        ],
    ),
    (
        "QualityAnalyst",
        "A person who reviews contacts",
        &["AccessMetrics", "Users.View"],
    ),
    ("Suspended", "A person who may do nothing", &[]),
];

/// Name, description.
const ROUTING_PROFILES: [(&str, &str); 3] = [
    ("Basic Routing Profile", "A simple routing profile"),
    ("Sales", "Contacts of the sales queue"),
    ("Support", "Contacts of the support queue"),
];

/// Level from 0, name, parent as a position in this list. Two teams have the same name:
/// that is what clients trip over.
const HIERARCHY_GROUPS: [(usize, &str, Option<usize>); 5] = [
    (0, "Berlin", None),
    (0, "Dublin", None),
    (1, "Support", Some(0)),
    (1, "Support", Some(1)),
    (1, "Sales", Some(1)),
];

/// A new instance.
pub(crate) fn state(identity: &Identity, now: Timestamp) -> State {
    let mut state = State::empty(&identity.instance_id);
    let region = &identity.region;

    for (position, (name, description, permissions)) in SECURITY_PROFILES.iter().enumerate() {
        let id = fixed_id(1, position);
        let profile = SecurityProfile {
            arn: identity.arn("security-profile", &id),
            id: id.clone(),
            organization_resource_id: identity.instance_id.clone(),
            security_profile_name: (*name).to_owned(),
            description: Some((*description).to_owned()),
            tags: Tags::new(),
            restrictions: AccessRestrictions::default(),
            last_modified_time: now,
            last_modified_region: region.clone(),
        };
        let permissions = permissions.iter().map(ToString::to_string).collect();
        state.security_profiles.insert(
            id,
            SecurityProfileRecord {
                profile,
                permissions,
                applications: Vec::new(),
                flow_modules: Vec::new(),
            },
        );
    }

    for (position, (name, description)) in ROUTING_PROFILES.iter().enumerate() {
        let id = fixed_id(2, position);
        let queue = fixed_id(3, position);
        state.routing_profiles.insert(
            id.clone(),
            RoutingProfile {
                instance_id: identity.instance_id.clone(),
                routing_profile_arn: identity.arn("routing-profile", &id),
                routing_profile_id: id,
                name: (*name).to_owned(),
                description: (*description).to_owned(),
                media_concurrencies: json!([{ "Channel": "VOICE", "Concurrency": 1 }]),
                default_outbound_queue_id: queue.clone(),
                associated_queue_ids: vec![queue],
                agent_availability_timer: "TIME_SINCE_LAST_ACTIVITY".to_owned(),
                is_default: position == 0,
                tags: Tags::new(),
                last_modified_time: now,
                last_modified_region: region.clone(),
            },
        );
    }

    for (position, name) in LEVELS.iter().enumerate() {
        let id = fixed_id(4, position);
        state.hierarchy_levels.push(HierarchyLevel {
            arn: identity.arn("agent-group-level", &id),
            id,
            name: (*name).to_owned(),
            last_modified_time: now,
            last_modified_region: region.clone(),
        });
    }
    for (position, (level, name, parent)) in HIERARCHY_GROUPS.iter().enumerate() {
        let id = fixed_id(5, position);
        state.hierarchy_groups.insert(
            id.clone(),
            HierarchyGroup {
                arn: identity.arn("agent-group", &id),
                id,
                name: (*name).to_owned(),
                level_id: fixed_id(4, *level),
                parent_id: parent.map(|parent| fixed_id(5, parent)),
                tags: Tags::new(),
                last_modified_time: now,
                last_modified_region: region.clone(),
            },
        );
    }

    for (name, values) in [
        (
            "connect:Language",
            &["connect:English", "connect:French", "connect:German"][..],
        ),
        ("Skill", &["Billing", "Claims", "Technical"][..]),
    ] {
        state.predefined_attributes.insert(
            name.to_owned(),
            values.iter().map(ToString::to_string).collect(),
        );
    }
    state
}

/// A UUID that says what it is of (`kind`) and which one.
fn fixed_id(kind: u16, position: usize) -> String {
    format!("5eed{kind:04x}-0000-4000-8000-{:012x}", position + 1)
}

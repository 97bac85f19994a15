//! The items of a group and of its gates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::{
    key::{GATE, GROUP, group_key},
    record::{json_text, string},
};

/// What a group is to the identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// A security profile that no identity provider has changed yet.
    Seen,
    /// Members can be added.
    Active,
    /// The identity provider deleted it; members may be left.
    Deleting,
    /// Deleted. Only security profiles keep such an item: the profile itself still exists.
    Deleted,
}

impl GroupState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Active => "active",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// The names of a group that is not a security profile itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName {
    /// `displayName`.
    pub display: String,
    /// The name by which the group was created, which decides about its security
    /// profiles. Renaming the group does not change it while it is mapped.
    pub mapped: String,
}

/// A group as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// The SCIM id: that of the security profile, or one of our own.
    pub id: String,
    /// Absent: the group is a security profile, whose name it has.
    pub name: Option<GroupName>,
    /// The id that each client has for the group.
    pub external_ids: BTreeMap<String, String>,
    /// When the endpoint first saw the group: ISO 8601, UTC, milliseconds.
    pub created: String,
    /// When the group or a member was last changed: ISO 8601, UTC, milliseconds.
    pub last_modified: String,
    /// Counts the changes of the group and of its members.
    pub version: u64,
    /// Changes when the group is created again after a deletion.
    pub generation: String,
    /// Whether identity providers use the group.
    pub state: GroupState,
    /// The lanes in which members were changed; the others have none.
    pub lanes: BTreeSet<u8>,
}

impl StoredGroup {
    /// A group that is created now, in a generation of its own.
    pub fn new(
        id: &str,
        name: Option<GroupName>,
        external_ids: BTreeMap<String, String>,
        now: &str,
    ) -> Self {
        Self {
            id: id.to_owned(),
            name,
            external_ids,
            created: now.to_owned(),
            last_modified: now.to_owned(),
            version: 0,
            generation: Uuid::new_v4().to_string(),
            state: GroupState::Active,
            lanes: BTreeSet::new(),
        }
    }
}

pub(super) fn group_item(group: &StoredGroup) -> Value {
    let mut item = group_key(&group.id);
    item["state"] = json!({"S": group.state.name()});
    item["generation"] = json!({"S": group.generation});
    item["created"] = json!({"S": group.created});
    item["lastModified"] = json!({"S": group.last_modified});
    if !group.external_ids.is_empty() {
        item["externalIds"] = json!({"S": json!(group.external_ids).to_string()});
    }
    if let Some(name) = &group.name {
        item["displayName"] = json!({"S": name.display});
        item["mappedName"] = json!({"S": name.mapped});
    }
    item
}

/// Groups from their items and the items of their gates, in the order of the ids. An item
/// that is malformed is left out and logged: it must not hide the others.
pub(super) fn parse_groups(items: &[Value]) -> Vec<StoredGroup> {
    let mut gates: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for item in items {
        let sort = item.pointer("/sk/S").and_then(Value::as_str);
        if let Some((id, _)) = sort.and_then(|sort| sort.split_once(GATE)) {
            gates.entry(id).or_default().push(item);
        }
    }
    let mut groups: Vec<StoredGroup> = items
        .iter()
        .filter_map(|item| {
            let id = item.pointer("/sk/S")?.as_str()?.strip_suffix(GROUP)?;
            let gates = gates.get(id).map_or(&[][..], Vec::as_slice);
            let group = parse_group(id, item, gates);
            if group.is_none() {
                tracing::error!(group_id = id, "the item of a group is malformed");
            }
            group
        })
        .collect();
    groups.sort_by(|left, right| left.id.cmp(&right.id));
    groups
}

/// The ids of groups that have gates and no item of their own, not even a malformed one.
pub(super) fn leftovers(items: &[Value]) -> BTreeSet<String> {
    let keys = || {
        let keys = items.iter().map(|item| item.pointer("/sk/S"));
        keys.filter_map(|key| key.and_then(Value::as_str))
    };
    let existing: BTreeSet<&str> = keys().filter_map(|key| key.strip_suffix(GROUP)).collect();
    keys()
        .filter_map(|key| Some(key.split_once(GATE)?.0))
        .filter(|id| !existing.contains(id))
        .map(str::to_owned)
        .collect()
}

fn parse_group(id: &str, item: &Value, gates: &[&Value]) -> Option<StoredGroup> {
    let text = |item: &Value, name: &str| string(item, name).ok().map(str::to_owned);
    let version = |item: &&Value| -> u64 {
        let number = item.pointer("/version/N").and_then(Value::as_str);
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    };
    let changed = gates.iter().filter_map(|gate| text(gate, "changed")).max();
    let last_modified = text(item, "lastModified")?;
    let name = match (text(item, "displayName"), text(item, "mappedName")) {
        (Some(display), Some(mapped)) => Some(GroupName { display, mapped }),
        (None, None) => None,
        _ => return None,
    };
    Some(StoredGroup {
        id: id.to_owned(),
        name,
        external_ids: match item.get("externalIds") {
            Some(_) => json_text(item, "externalIds").ok()?,
            None => BTreeMap::new(),
        },
        created: text(item, "created")?,
        last_modified: changed.map_or(last_modified.clone(), |changed| changed.max(last_modified)),
        version: gates.iter().map(version).sum(),
        generation: text(item, "generation")?,
        lanes: gates.iter().filter_map(|gate| used_lane(gate)).collect(),
        state: match string(item, "state").ok()? {
            "seen" => GroupState::Seen,
            "active" => GroupState::Active,
            "deleting" => GroupState::Deleting,
            "deleted" => GroupState::Deleted,
            _ => return None,
        },
    })
}

/// The lane of a gate that a member has passed.
fn used_lane(gate: &Value) -> Option<u8> {
    gate.get("changed")?;
    let (_, lane) = string(gate, "sk").ok()?.rsplit_once('#')?;
    lane.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::key::gate_key;

    fn group() -> StoredGroup {
        StoredGroup {
            id: "g1".to_owned(),
            name: Some(GroupName {
                display: "APP-AGENTS".to_owned(),
                mapped: "APP-FIRST".to_owned(),
            }),
            external_ids: BTreeMap::from([("okta".to_owned(), "00g".to_owned())]),
            created: "2026-01-01T00:00:00.000Z".to_owned(),
            last_modified: "2026-01-02T00:00:00.000Z".to_owned(),
            version: 0,
            generation: "first".to_owned(),
            state: GroupState::Active,
            lanes: BTreeSet::new(),
        }
    }

    fn gate(id: &str, lane: u8, version: &str, changed: &str) -> Value {
        let mut gate = gate_key(id, lane);
        gate["version"] = json!({"N": version});
        gate["changed"] = json!({"S": changed});
        gate
    }

    #[test]
    fn groups_are_read_as_they_are_written() {
        for state in [
            GroupState::Seen,
            GroupState::Active,
            GroupState::Deleting,
            GroupState::Deleted,
        ] {
            for name in [None, group().name] {
                let group = StoredGroup {
                    state,
                    name,
                    ..group()
                };
                assert_eq!(parse_groups(&[group_item(&group)]), [group]);
            }
        }
        let without = StoredGroup {
            external_ids: BTreeMap::new(),
            ..group()
        };
        assert_eq!(parse_groups(&[group_item(&without)]), [without]);
    }

    #[test]
    fn version_and_time_of_a_group_follow_its_own_gates() {
        let items = [
            group_item(&group()),
            gate("g1", 0, "3", "2026-01-05T00:00:00.000Z"),
            gate("g1", 7, "4", "2026-01-04T00:00:00.000Z"),
            gate("g2", 0, "9", "2026-01-09T00:00:00.000Z"),
            gate_key("g1", 3),
        ];
        let groups = parse_groups(&items);
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].version, 7);
        assert_eq!(groups[0].lanes, [0, 7].into());
        assert_eq!(groups[0].last_modified, "2026-01-05T00:00:00.000Z");
        let older = [
            group_item(&group()),
            gate("g1", 0, "1", "2026-01-01T00:00:00.000Z"),
        ];
        assert_eq!(
            parse_groups(&older)[0].last_modified,
            group().last_modified,
            "the later of both"
        );
    }

    #[test]
    fn gates_are_left_over_only_without_an_item_of_their_group() {
        let mut malformed = group_key("g3");
        malformed["state"] = json!({"S": "unknown"});
        let items = [
            group_item(&group()),
            gate_key("g1", 0),
            gate_key("g2", 0),
            gate_key("g2", 7),
            malformed,
            gate_key("g3", 0),
        ];
        assert_eq!(leftovers(&items), ["g2".to_owned()].into());
    }

    #[test]
    fn a_malformed_group_does_not_hide_the_others() {
        for attribute in [
            "state",
            "generation",
            "created",
            "lastModified",
            "mappedName",
        ] {
            let mut malformed = group_item(&group());
            malformed
                .as_object_mut()
                .unwrap()
                .remove(attribute)
                .unwrap();
            let other = StoredGroup {
                id: "g2".to_owned(),
                ..group()
            };
            let groups = parse_groups(&[malformed, group_item(&other)]);
            assert_eq!(groups, [other], "{attribute}");
        }
        let mut malformed = group_item(&group());
        malformed["externalIds"] = json!({"S": "{"});
        assert!(parse_groups(&[malformed.clone()]).is_empty());
        malformed["externalIds"] = json!({"S": "{}"});
        malformed["state"] = json!({"S": "unknown"});
        assert!(parse_groups(&[malformed]).is_empty());
    }

    #[test]
    fn each_creation_of_a_group_is_a_generation_of_its_own() {
        let new = || StoredGroup::new("g1", None, BTreeMap::new(), "now");
        assert_ne!(new().generation, new().generation);
        assert_eq!(new().state, GroupState::Active);
    }
}

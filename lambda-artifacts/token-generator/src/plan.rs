//! What to do about a request: a decision without side effects.

use crate::event::{Operation, ParameterName, Properties};

/// The physical id of a resource that could not be created, so that nothing was.
pub const NOT_CREATED: &str = "not-created";

/// What a request comes down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make sure that there is a token; an existing one is kept. The event may be a
    /// retry, or the stack may come back to a token that an identity provider still uses.
    Ensure(Parameter),
    /// Put a new token as the parameter's next version.
    Rotate(Parameter),
    /// Delete the parameter; that it is gone already is fine.
    Remove {
        /// Its name.
        name: String,
    },
    /// Nothing.
    LeaveAlone,
}

/// A parameter to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: ParameterName,
    /// Its description, kept per version. It states the generation, so that a retried
    /// rotation recognises its own work.
    pub description: String,
}

impl From<&Properties> for Parameter {
    fn from(properties: &Properties) -> Self {
        Self {
            name: properties.parameter_name.clone(),
            description: format!(
                "SCIM bearer token of client {}, generation {}",
                properties.client, properties.generation
            ),
        }
    }
}

/// Decides what `operation` comes down to.
pub fn plan(operation: &Operation) -> Action {
    match operation {
        Operation::Create(requested) => Action::Ensure(requested.into()),
        // Another name is another resource: CloudFormation sees the changed physical id
        // and deletes the old one afterwards.
        Operation::Update {
            physical_resource_id,
            requested,
            ..
        } if requested.parameter_name.as_str() != physical_resource_id => {
            Action::Ensure(requested.into())
        }
        Operation::Update {
            previous_generation,
            requested,
            ..
        } if requested.generation > *previous_generation => Action::Rotate(requested.into()),
        // A lower generation is a rollback. The rotated token stays: the client may
        // have it already, and the one before is accepted for the overlap.
        Operation::Update { .. } => Action::LeaveAlone,
        Operation::Delete {
            physical_resource_id: Some(id),
            parameter_name,
        } if id.starts_with('/') || Some(id) == parameter_name.as_ref() => {
            Action::Remove { name: id.clone() }
        }
        // An id that CloudFormation made up, or NOT_CREATED.
        Operation::Delete { .. } => Action::LeaveAlone,
    }
}

/// The physical id to answer with: the parameter's name.
///
/// A failed update keeps the id it had, or CloudFormation would take the resource for
/// replaced and delete the parameter in use.
pub fn physical_resource_id(
    operation: Option<&Operation>,
    known: Option<&str>,
    success: bool,
) -> String {
    match (operation, known) {
        (Some(Operation::Update { requested, .. }), _) if success => {
            requested.parameter_name.as_str().to_owned()
        }
        (_, Some(known)) => known.to_owned(),
        (Some(Operation::Create(requested)), None) => requested.parameter_name.as_str().to_owned(),
        _ => NOT_CREATED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "/connect-scim/dev/token/idp";

    fn properties(name: &str, generation: u64) -> Properties {
        Properties {
            parameter_name: ParameterName::parse(name).unwrap(),
            client: "idp".into(),
            generation,
        }
    }

    fn parameter(name: &str, generation: u64) -> Parameter {
        Parameter::from(&properties(name, generation))
    }

    fn update(physical: &str, previous_generation: u64, requested: Properties) -> Operation {
        Operation::Update {
            physical_resource_id: physical.into(),
            previous_generation,
            requested,
        }
    }

    fn delete(physical: Option<&str>, parameter_name: Option<&str>) -> Operation {
        Operation::Delete {
            physical_resource_id: physical.map(str::to_owned),
            parameter_name: parameter_name.map(str::to_owned),
        }
    }

    #[test]
    fn requests_and_what_they_come_down_to() {
        for (case, operation, expected) in [
            (
                "create",
                Operation::Create(properties(NAME, 1)),
                Action::Ensure(parameter(NAME, 1)),
            ),
            (
                "an update leaves the token alone",
                update(NAME, 1, properties(NAME, 1)),
                Action::LeaveAlone,
            ),
            (
                "a higher generation rotates",
                update(NAME, 1, properties(NAME, 2)),
                Action::Rotate(parameter(NAME, 2)),
            ),
            (
                "a rollback to a lower generation does not",
                update(NAME, 2, properties(NAME, 1)),
                Action::LeaveAlone,
            ),
            (
                "a new name is a new parameter",
                update(NAME, 1, properties("/other", 1)),
                Action::Ensure(parameter("/other", 1)),
            ),
            (
                "a new name with a higher generation has a new token anyway",
                update(NAME, 1, properties("/other", 2)),
                Action::Ensure(parameter("/other", 2)),
            ),
            (
                "delete",
                delete(Some(NAME), Some(NAME)),
                Action::Remove { name: NAME.into() },
            ),
            (
                "the delete after a rename names the old parameter",
                delete(Some(NAME), Some("/other")),
                Action::Remove { name: NAME.into() },
            ),
            (
                "a name without a slash is one if the template says so",
                delete(Some("token"), Some("token")),
                Action::Remove {
                    name: "token".into(),
                },
            ),
            (
                "an id made up by CloudFormation",
                delete(Some("scim-TokenIdp-1A2B3C"), Some(NAME)),
                Action::LeaveAlone,
            ),
            (
                "an id of ours for nothing",
                delete(Some(NOT_CREATED), Some(NAME)),
                Action::LeaveAlone,
            ),
            ("no id at all", delete(None, Some(NAME)), Action::LeaveAlone),
        ] {
            assert_eq!(plan(&operation), expected, "{case}");
        }
    }

    #[test]
    fn the_physical_id_is_the_parameter_name_and_a_failed_update_keeps_its_own() {
        let create = Operation::Create(properties(NAME, 1));
        let rename = update(NAME, 1, properties("/other", 1));
        let remove = delete(Some("scim-TokenIdp-1A2B3C"), Some(NAME));
        for (operation, known, success, expected) in [
            (Some(&create), None, true, NAME),
            (Some(&create), None, false, NAME),
            (Some(&rename), Some(NAME), true, "/other"),
            (Some(&rename), Some(NAME), false, NAME),
            (
                Some(&remove),
                Some("scim-TokenIdp-1A2B3C"),
                true,
                "scim-TokenIdp-1A2B3C",
            ),
            (None, Some(NAME), false, NAME),
            (None, None, false, NOT_CREATED),
        ] {
            assert_eq!(
                physical_resource_id(operation, known, success),
                expected,
                "{operation:?}, success: {success}"
            );
        }
    }
}

//! Which attributes an answer has (RFC 7644 section 3.9, RFC 7643 section 7 `returned`).

use serde_json::Value;

use crate::path::{AttributePath, PatchPath};
use crate::resource::Resource;
use crate::schema::{Attribute, ResourceType, Returned};

/// What the client asked for with `attributes` or `excludedAttributes`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Projection {
    /// Neither: what is returned by default.
    #[default]
    Default,
    /// Only these, and what is always returned.
    Only(Vec<AttributePath>),
    /// The default without these, but with what is always returned.
    Without(Vec<AttributePath>),
}

impl Projection {
    /// Reads the two parameters; `attributes` wins where both are given. Names that are
    /// no paths are ignored, as are unknown ones. Microsoft's collection asks for
    /// `emails[type eq "work"]`: the filter is accepted and the attribute returned whole.
    #[must_use]
    pub fn new(attributes: &[String], excluded_attributes: &[String]) -> Self {
        let paths = |names: &[String]| -> Vec<AttributePath> {
            names
                .iter()
                .filter_map(|name| name.parse::<PatchPath>().ok())
                .map(|path| path.path)
                .collect()
        };
        match (attributes, excluded_attributes) {
            ([], []) => Self::Default,
            ([], names) => Self::Without(paths(names)),
            (names, _) => Self::Only(paths(names)),
        }
    }

    /// Whether an answer has the core attribute, so that a store need not load what
    /// nobody will see (`excludedAttributes=members`).
    #[must_use]
    pub fn includes(&self, name: &str, resource_type: &ResourceType) -> bool {
        resource_type.core_attribute(name).is_some_and(|attribute| {
            !matches!(self.choose(None, attribute, resource_type), Choice::Nothing)
        })
    }

    /// The part of a resource in canonical form that the client gets to see.
    #[must_use]
    pub fn apply(&self, mut resource: Resource, resource_type: &ResourceType) -> Resource {
        resource.retain(|name, value| {
            if let Some(attribute) = named(resource_type.core_attributes(), name) {
                return self
                    .choose(None, attribute, resource_type)
                    .keep(value, attribute);
            }
            let mut extensions = resource_type.extensions.iter();
            let extension = extensions.find(|extension| extension.schema.id == *name);
            let (Some(extension), Value::Object(members)) = (extension, value) else {
                return false;
            };
            members.retain(|member, value| {
                named(extension.schema.attributes.iter(), member).is_some_and(|attribute| {
                    self.choose(Some(name), attribute, resource_type)
                        .keep(value, attribute)
                })
            });
            !members.is_empty()
        });
        resource
    }

    fn choose(
        &self,
        extension: Option<&str>,
        attribute: &Attribute,
        resource_type: &ResourceType,
    ) -> Choice {
        if attribute.returned == Returned::Never {
            return Choice::Nothing;
        }
        let paths = match self {
            Self::Default => &[],
            Self::Only(paths) | Self::Without(paths) => paths.as_slice(),
        };
        let mut whole = false;
        let mut parts = Vec::new();
        for resolved in paths.iter().filter_map(|path| resource_type.resolve(path)) {
            let is_meant = resolved.extension == extension
                && resolved
                    .attribute
                    .is_none_or(|named| named.name == attribute.name);
            match resolved.sub_attribute {
                _ if !is_meant => {}
                None => whole = true,
                Some(sub_attribute) => parts.push(sub_attribute.name.clone()),
            }
        }
        let always = attribute.returned == Returned::Always;
        match self {
            Self::Only(_) if whole => Choice::Whole,
            Self::Only(_) if always => Choice::Whole,
            Self::Only(_) if !parts.is_empty() => Choice::Parts(parts),
            Self::Only(_) => Choice::Nothing,
            Self::Default | Self::Without(_) if attribute.returned == Returned::Request => {
                Choice::Nothing
            }
            Self::Without(_) if whole && !always => Choice::Nothing,
            Self::Without(_) if !parts.is_empty() => Choice::AllBut(parts),
            Self::Default | Self::Without(_) => Choice::Whole,
        }
    }
}

/// How much of one attribute is returned; names are those of sub-attributes.
enum Choice {
    Nothing,
    Whole,
    Parts(Vec<String>),
    AllBut(Vec<String>),
}

/// The attribute of this name, as it stands in a resource in canonical form.
fn named<'a>(
    mut attributes: impl Iterator<Item = &'a Attribute>,
    name: &str,
) -> Option<&'a Attribute> {
    attributes.find(|attribute| attribute.name == name)
}

impl Choice {
    /// Takes from a value what is not returned. The answer is whether anything is left.
    fn keep(&self, value: &mut Value, attribute: &Attribute) -> bool {
        match self {
            Self::Nothing => false,
            Self::Whole
                if attribute
                    .sub_attributes
                    .iter()
                    .all(|part| part.returned == Returned::Default) =>
            {
                true
            }
            _ => self.keep_members(value, attribute),
        }
    }

    fn keep_members(&self, value: &mut Value, attribute: &Attribute) -> bool {
        match value {
            Value::Array(elements) => {
                elements.retain_mut(|element| self.keep_members(element, attribute));
                !elements.is_empty()
            }
            Value::Object(members) => {
                members.retain(|name, _| {
                    attribute
                        .sub_attribute(name)
                        .is_some_and(|part| self.has(part))
                });
                !members.is_empty()
            }
            _ => true,
        }
    }

    fn has(&self, part: &Attribute) -> bool {
        match (part.returned, self) {
            (Returned::Never, _) | (_, Self::Nothing) => false,
            (Returned::Always, _) => true,
            (_, Self::Parts(names)) => names.contains(&part.name),
            (Returned::Request, _) => false,
            (Returned::Default, Self::Whole) => true,
            (Returned::Default, Self::AllBut(names)) => !names.contains(&part.name),
        }
    }
}

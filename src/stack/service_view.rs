//! What CloudFormation itself says that a change set would do.
//!
//! Property values are given on request only. With them a description can be incomplete,
//! and says so in its `StatusReason`; then the description without values, which is
//! complete, fills the gaps. (An AWS CDK defect of that kind showed a real change as "no
//! differences": aws/aws-cdk-cli#1780.)

use aws_sdk_cloudformation::types::{
    ChangeAction, EvaluationType, RequiresRecreation, ResourceAttribute, ResourceChange,
    ResourceChangeDetail,
};

use super::{ChangeSet, Stacks};
use crate::cloud::ServiceError;
use crate::plan::{Action, Replacement, ServiceChange, ServiceProperty};

/// By these words a description says that it is incomplete.
const INCOMPLETE: &str =
    "[WARN] --include-property-values option can return incomplete ChangeSet data";

impl Stacks {
    /// The changes of a change set that is complete, with values where the service has them.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn service_view(
        &self,
        change_set: &ChangeSet,
    ) -> Result<Vec<ServiceChange>, ServiceError> {
        let (mut changes, complete) = self.changes(change_set, true).await?;
        if !complete {
            let (without_values, _) = self.changes(change_set, false).await?;
            fill_gaps(&mut changes, without_values);
        }
        Ok(changes)
    }

    /// All pages of a description, and whether it is complete.
    async fn changes(
        &self,
        change_set: &ChangeSet,
        values: bool,
    ) -> Result<(Vec<ServiceChange>, bool), ServiceError> {
        let pages = self.describe_change_set(change_set, values).await?;
        let reasons = pages.iter().filter_map(|page| page.status_reason());
        let complete = !reasons
            .into_iter()
            .any(|reason| reason.contains(INCOMPLETE));
        let changes = pages.iter().flat_map(|page| page.changes());
        let of_resources = changes.filter_map(|change| change.resource_change());
        Ok((of_resources.filter_map(read).collect(), complete))
    }
}

/// Adds resources and properties that only the complete description has.
fn fill_gaps(changes: &mut Vec<ServiceChange>, complete: Vec<ServiceChange>) {
    for other in complete {
        let known = changes
            .iter_mut()
            .find(|known| known.logical_id == other.logical_id);
        let Some(known) = known else {
            changes.push(other);
            continue;
        };
        for property in other.properties {
            let is_known = known.properties.iter().any(|known| {
                known
                    .pointer
                    .strip_prefix(property.pointer.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if !is_known {
                known.properties.push(property);
            }
        }
    }
}

fn read(change: &ResourceChange) -> Option<ServiceChange> {
    let action = match change.action()? {
        ChangeAction::Add | ChangeAction::Import => Action::Add,
        ChangeAction::Remove => Action::Remove,
        _ => Action::Modify,
    };
    let mut properties: Vec<ServiceProperty> = Vec::new();
    for property in change.details().iter().filter_map(property) {
        match properties
            .iter_mut()
            .find(|known| known.pointer == property.pointer)
        {
            // One for each cause.
            Some(known) => {
                known.replacement = known.replacement.max(property.replacement);
                known.before = known.before.take().or(property.before);
                known.after = known.after.take().or(property.after);
            }
            None => properties.push(property),
        }
    }
    let replacement = match change.replacement().map(|replacement| replacement.as_str()) {
        Some("True") => Replacement::Certain,
        Some("Conditional") => properties
            .iter()
            .map(|property| property.replacement)
            .max()
            .unwrap_or(Replacement::None),
        _ => Replacement::None,
    };
    Some(ServiceChange {
        logical_id: change.logical_resource_id()?.to_owned(),
        resource_type: change.resource_type().unwrap_or_default().to_owned(),
        action,
        replacement,
        properties,
    })
}

fn property(detail: &ResourceChangeDetail) -> Option<ServiceProperty> {
    let target = detail.target()?;
    let pointer = match (target.path(), target.attribute()?, target.name()) {
        (Some(path), _, _) => path.to_owned(),
        (None, ResourceAttribute::Properties, Some(name)) => format!("/Properties/{name}"),
        (None, attribute, _) => format!("/{}", attribute.as_str()),
    };
    // What is evaluated during the deployment follows from another resource. Whether that
    // one is replaced is known, and the plan draws its own conclusions from it; otherwise
    // each change of a function's code would seem to replace the function's permissions.
    let replacement = match (detail.evaluation(), target.requires_recreation()) {
        (Some(EvaluationType::Dynamic), _) => Replacement::None,
        (_, Some(RequiresRecreation::Always)) => Replacement::Certain,
        (_, Some(RequiresRecreation::Conditionally)) => Replacement::Possible,
        _ => Replacement::None,
    };
    Some(ServiceProperty {
        pointer,
        before: target.before_value().map(str::to_owned),
        after: target.after_value().map(str::to_owned),
        replacement,
        cause: detail.causing_entity().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::{Replacement as Word, ResourceTargetDefinition};

    use super::*;

    fn detail(
        path: Option<&str>,
        name: &str,
        evaluation: EvaluationType,
        recreation: RequiresRecreation,
    ) -> ResourceChangeDetail {
        ResourceChangeDetail::builder()
            .target(
                ResourceTargetDefinition::builder()
                    .attribute(ResourceAttribute::Properties)
                    .name(name)
                    .set_path(path.map(str::to_owned))
                    .requires_recreation(recreation)
                    .build(),
            )
            .evaluation(evaluation)
            .build()
    }

    fn change(word: Word, details: Vec<ResourceChangeDetail>) -> ServiceChange {
        let change = ResourceChange::builder()
            .action(ChangeAction::Modify)
            .logical_resource_id("Permission")
            .resource_type("AWS::Lambda::Permission")
            .replacement(word)
            .set_details(Some(details))
            .build();
        read(&change).unwrap()
    }

    #[test]
    fn what_only_may_follow_from_another_resource_replaces_nothing() {
        let follows = detail(
            None,
            "FunctionName",
            EvaluationType::Dynamic,
            RequiresRecreation::Always,
        );
        assert_eq!(
            change(Word::Conditional, vec![follows.clone()]).replacement,
            Replacement::None
        );
        let direct = detail(
            None,
            "Principal",
            EvaluationType::Static,
            RequiresRecreation::Conditionally,
        );
        assert_eq!(
            change(Word::Conditional, vec![follows, direct.clone()]).replacement,
            Replacement::Possible
        );
        assert_eq!(
            change(Word::True, vec![direct]).replacement,
            Replacement::Certain
        );
    }

    #[test]
    fn a_property_is_found_by_its_path_or_by_its_name() {
        let exact = detail(
            Some("/Properties/A/0/B"),
            "A",
            EvaluationType::Static,
            RequiresRecreation::Never,
        );
        let topmost = detail(None, "C", EvaluationType::Static, RequiresRecreation::Never);
        let pointers: Vec<_> = change(Word::False, vec![exact, topmost])
            .properties
            .into_iter()
            .map(|property| property.pointer)
            .collect();
        assert_eq!(pointers, ["/Properties/A/0/B", "/Properties/C"]);
    }

    #[test]
    fn the_complete_description_fills_the_gaps_of_the_one_with_values() {
        let exact = detail(
            Some("/Properties/A/B"),
            "A",
            EvaluationType::Static,
            RequiresRecreation::Never,
        );
        let by_name = |name| {
            detail(
                None,
                name,
                EvaluationType::Static,
                RequiresRecreation::Never,
            )
        };
        let mut changes = vec![change(Word::False, vec![exact])];
        let mut other = change(Word::False, vec![by_name("A")]);
        other.logical_id = "Other".to_owned();
        fill_gaps(
            &mut changes,
            vec![change(Word::False, vec![by_name("A"), by_name("D")]), other],
        );
        let pointers: Vec<_> = changes[0]
            .properties
            .iter()
            .map(|property| property.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/Properties/A/B", "/Properties/D"]);
        assert_eq!(changes[1].logical_id, "Other");
    }
}

//! Which function stands behind a custom resource: its log tells what CloudFormation
//! cannot.

use serde_json::Value;

/// The function behind a custom resource, by names in the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomResourceFunction {
    /// The function's logical id.
    pub function: String,
    /// The logical id of its log group, where the template makes one.
    pub log_group: Option<String>,
}

/// Finds the function that makes the custom resource `logical_id`, in a template in
/// canonical form.
#[must_use]
pub fn function_of(template: &Value, logical_id: &str) -> Option<CustomResourceFunction> {
    let resources = &template["Resources"];
    let token = &resources[logical_id]["Properties"]["ServiceToken"];
    let function = token["Fn::GetAtt"][0].as_str()?;
    let log_group = &resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"];
    Some(CustomResourceFunction {
        function: function.to_owned(),
        log_group: log_group.as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CustomResourceFunction, function_of};

    #[test]
    fn the_service_token_leads_to_the_function_and_its_log_group() {
        let template = json!({"Resources": {
            "TokenIdp": {"Properties": {"ServiceToken": {"Fn::GetAtt": ["Generator", "Arn"]}}},
            "Generator": {"Properties": {"LoggingConfig": {"LogGroup": {"Ref": "GeneratorLog"}}}},
            "Elsewhere": {"Properties": {"ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:f"}},
        }});
        assert_eq!(
            function_of(&template, "TokenIdp"),
            Some(CustomResourceFunction {
                function: "Generator".to_owned(),
                log_group: Some("GeneratorLog".to_owned()),
            })
        );
        assert_eq!(function_of(&template, "Elsewhere"), None);
        assert_eq!(function_of(&template, "Nobody"), None);
    }
}

//! Clients whose credentials a deployment ends.

use std::collections::BTreeSet;

use serde_json::Value;

/// The names of the clients that the deployed endpoint admits by credentials that the
/// intended one does not accept: removed or renamed ones, and those whose token or issuer is
/// another one. Empty if one of the two is not an endpoint. The templates are in canonical form.
#[must_use]
pub fn former_clients(before: &Value, after: &Value) -> BTreeSet<String> {
    let (Some(before), Some(after)) = (clients(before), clients(after)) else {
        return BTreeSet::new();
    };
    before
        .iter()
        .filter(|client| !after.contains(client))
        .filter_map(|client| client["client"].as_str().map(str::to_owned))
        .collect()
}

/// The names of the clients that the deployed endpoint has and the intended one has not.
#[must_use]
pub fn removed_clients(before: &Value, after: &Value) -> BTreeSet<String> {
    let names = |template| -> Option<BTreeSet<String>> {
        let clients = clients(template)?.into_iter();
        Some(
            clients
                .filter_map(|client| Some(client["client"].as_str()?.to_owned()))
                .collect(),
        )
    };
    match (names(before), names(after)) {
        (Some(before), Some(after)) => before.difference(&after).cloned().collect(),
        _ => BTreeSet::new(),
    }
}

/// The authorizer's list of clients: names and credentials only.
fn clients(template: &Value) -> Option<Vec<Value>> {
    let function = template["Resources"].get("TokenAuthorizerFunction")?;
    let text = &function["Properties"]["Environment"]["Variables"]["TOKEN_CLIENTS"];
    let mut clients: Vec<Value> = serde_json::from_str(text["Fn::Sub"][0].as_str()?).ok()?;
    for client in &mut clients {
        if let Some(members) = client.as_object_mut() {
            members.remove("usageIdentifierKey");
        }
    }
    Some(clients)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(clients: Value) -> Value {
        let text = json!([clients.to_string(), {"StackUuid": "x"}]);
        json!({"Resources": {"TokenAuthorizerFunction": {"Properties": {"Environment": {
            "Variables": {"TOKEN_CLIENTS": {"Fn::Sub": text}},
        }}}}})
    }

    #[test]
    fn removed_renamed_and_changed_clients_are_former_ones() {
        let token = |name: &str, parameter: &str| json!({"client": name, "parameterName": parameter, "usageIdentifierKey": name});
        let before = template(json!([
            token("entra", "/a/entra"),
            token("idp", "/a/idp"),
            token("moved", "/a/moved"),
            {"client": "web", "jwt": {"issuer": "https://a"}},
        ]));
        let after = template(json!([
            token("okta", "/a/okta"),
            token("idp", "/a/idp"),
            token("moved", "/b/moved"),
            {"client": "web", "jwt": {"issuer": "https://b"}},
        ]));
        assert_eq!(
            former_clients(&before, &after)
                .into_iter()
                .collect::<Vec<_>>(),
            ["entra", "moved", "web"]
        );
        assert_eq!(
            removed_clients(&before, &after)
                .into_iter()
                .collect::<Vec<_>>(),
            ["entra"]
        );
        assert!(former_clients(&before, &before).is_empty());
        assert!(former_clients(&Value::Null, &after).is_empty());
    }
}

//! Functions that get other code, by the digests of their packages.
//!
//! Packages are uploaded under keys that carry their digest
//! ([`crate::artifact::Package::key`]), so the templates tell which code runs.

use serde_json::Value;

/// One function whose code changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChange {
    /// The function's resource.
    pub logical_id: String,
    /// The function's name as an artifact, where the key has it: `user-provisioning`.
    pub function: String,
    /// The package that runs: its SHA-256 in hexadecimal, or its whole place in S3 where
    /// that says none.
    pub before: Option<String>,
    /// The package that will run.
    pub after: Option<String>,
}

/// Functions of both templates with different code, and functions that come or go.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<CodeChange> {
    let (old, new) = (functions(before), functions(after));
    let find = |side: &[Function], id: &str| {
        side.iter()
            .find(|function| function.logical_id == id)
            .map(|function| function.package.clone())
    };
    new.iter()
        .chain(
            old.iter()
                .filter(|function| find(&new, &function.logical_id).is_none()),
        )
        .map(|function| CodeChange {
            logical_id: function.logical_id.clone(),
            function: function.name.clone(),
            before: find(&old, &function.logical_id),
            after: find(&new, &function.logical_id),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

struct Function {
    logical_id: String,
    name: String,
    package: String,
}

fn functions(template: &Value) -> Vec<Function> {
    super::resources(template)
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function")
        .map(|(id, resource)| {
            let code = &resource["Properties"]["Code"];
            let key = code["S3Key"].as_str().unwrap_or_default();
            let (name, package) = match digest(key) {
                Some((name, digest)) => (name.to_owned(), digest.to_owned()),
                None => (id.to_owned(), super::expression::readable(code)),
            };
            Function {
                logical_id: id.to_owned(),
                name,
                package,
            }
        })
        .collect()
}

/// The function's name and the digest in `functions/<name>/<digest>.zip`.
fn digest(key: &str) -> Option<(&str, &str)> {
    let (name, file) = key.strip_prefix("functions/")?.split_once('/')?;
    let digest = file.strip_suffix(".zip")?;
    let hexadecimal = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then_some((name, digest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(functions: &[(&str, &str)]) -> Value {
        let resources: serde_json::Map<_, _> = functions
            .iter()
            .map(|(id, key)| {
                let function = json!({"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": key}}});
                ((*id).to_owned(), function)
            })
            .collect();
        json!({"Resources": resources})
    }

    #[test]
    fn code_is_told_by_digest() {
        let key = |digit: &str| format!("functions/reconciler/{}.zip", digit.repeat(64));
        let before = template(&[("A", &key("a")), ("Gone", "x.zip"), ("Same", "s")]);
        let after = template(&[("A", &key("b")), ("New", &key("c")), ("Same", "s")]);
        let lines: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| {
                let short = |side: Option<String>| {
                    side.map_or("-".to_owned(), |text| text.chars().take(14).collect())
                };
                format!(
                    "{} {}: {} → {}",
                    change.logical_id,
                    change.function,
                    short(change.before),
                    short(change.after)
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "A reconciler: aaaaaaaaaaaaaa → bbbbbbbbbbbbbb",
                "New reconciler: - → cccccccccccccc",
                "Gone Gone: {S3Key: x.zip} → -",
            ]
        );
    }
}

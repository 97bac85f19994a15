//! Permissions taken from a security profile.
//!
//! `UpdateSecurityProfile` replaces what is sent, and its documentation does not say what
//! becomes of what is not. So everything that can be read is read first and sent back as
//! it was.

use aws_json_client::{Client, Error, Method, Request};
use serde_json::{Map, Value};

/// The members of a described profile that an update takes. Name and tags have no place
/// in it; which AI agents a profile may use cannot be read.
const KEPT: [&str; 6] = [
    "AllowedAccessControlHierarchyGroupId",
    "AllowedAccessControlTags",
    "Description",
    "GranularAccessControlConfiguration",
    "HierarchyRestrictedResources",
    "TagRestrictedResources",
];

/// The largest page of what belongs to a profile.
const PAGE: &str = "1000";

/// Leaves a profile these permissions and everything else that it has. `connect` is a
/// client of Amazon Connect.
///
/// # Errors
/// When Connect refuses, which it does for profiles that AWS manages, or does not answer.
pub async fn set_permissions(
    connect: &Client,
    instance_id: &str,
    profile_id: &str,
    permissions: &[String],
) -> Result<(), Error> {
    let path = ["security-profiles", instance_id, profile_id];
    let describe = Request::rest("DescribeSecurityProfile", Method::Get, &path);
    let described: Value = connect.send(describe).await?.json()?;
    let mut content: Map<String, Value> = KEPT
        .into_iter()
        .filter_map(|member| {
            let value = &described["SecurityProfile"][member];
            (!value.is_null()).then(|| (member.to_owned(), value.clone()))
        })
        .collect();
    for (operation, path, member) in [
        (
            "ListSecurityProfileApplications",
            "security-profiles-applications",
            "Applications",
        ),
        (
            "ListSecurityProfileFlowModules",
            "security-profiles-flow-modules",
            "AllowedFlowModules",
        ),
    ] {
        let items = list(connect, operation, &[path, instance_id, profile_id], member).await?;
        if !items.is_empty() {
            content.insert(member.to_owned(), items.into());
        }
    }
    content.insert("Permissions".to_owned(), permissions.into());
    let update = Request::rest("UpdateSecurityProfile", Method::Post, &path).body(&content)?;
    connect.send(update).await?;
    Ok(())
}

/// A `List…` operation of a profile, all pages.
async fn list(
    connect: &Client,
    operation: &'static str,
    path: &[&str],
    member: &str,
) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    let mut next_token: Option<String> = None;
    loop {
        let mut request = Request::rest(operation, Method::Get, path).query("maxResults", PAGE);
        if let Some(token) = &next_token {
            request = request.query("nextToken", token);
        }
        let mut page: Value = connect.send(request).await?.json()?;
        if let Some(found) = page[member].as_array_mut() {
            items.append(found);
        }
        next_token = page["NextToken"].as_str().map(str::to_owned);
        if next_token.is_none() {
            return Ok(items);
        }
    }
}

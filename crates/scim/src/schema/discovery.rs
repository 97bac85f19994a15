//! The discovery documents (RFC 7644 section 4, RFC 7643 sections 5 to 7).

use serde_json::{Value, json};

use super::discovery_schemas::{
    RESOURCE_TYPE_URN, SCHEMA_URN, SERVICE_PROVIDER_CONFIG_URN, discovery_schemas,
};
use super::{ResourceType, Schema, ServiceDefinition};
use crate::error::ScimError;
use crate::list::LIST_RESPONSE_URN;

/// A discovery document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// `/ServiceProviderConfig`.
    ServiceProviderConfig,
    /// `/ResourceTypes`.
    ResourceTypes,
    /// `/ResourceTypes/{name}`.
    ResourceType(String),
    /// `/Schemas`.
    Schemas,
    /// `/Schemas/{urn}`.
    Schema(String),
}

impl ServiceDefinition {
    /// Renders a discovery document; `base` is the service's URL without a trailing
    /// slash, for `meta.location`.
    ///
    /// # Errors
    ///
    /// 404 for a schema or resource type that the service does not have.
    pub fn discover(&self, document: &Discovery, base: &str) -> Result<Value, ScimError> {
        match document {
            Discovery::ServiceProviderConfig => Ok(self.service_provider_config(base)),
            Discovery::ResourceTypes => {
                Ok(list(self.resource_types.iter().map(|resource_type| {
                    resource_type_document(resource_type, base)
                })))
            }
            Discovery::ResourceType(name) => self
                .resource_type(name)
                .map(|resource_type| resource_type_document(resource_type, base))
                .ok_or_else(|| ScimError::not_found("no such resource type; see /ResourceTypes")),
            Discovery::Schemas => {
                let own = discovery_schemas();
                let schemas = self.schemas().into_iter().chain(&own);
                Ok(list(schemas.map(|schema| schema_document(schema, base))))
            }
            Discovery::Schema(urn) => self
                .schemas()
                .into_iter()
                .chain(&discovery_schemas())
                .find(|schema| schema.id.eq_ignore_ascii_case(urn))
                .map(|schema| schema_document(schema, base))
                .ok_or_else(|| ScimError::not_found("no such schema; see /Schemas")),
        }
    }

    fn service_provider_config(&self, base: &str) -> Value {
        let schemes: Vec<Value> = self
            .authentication_schemes
            .iter()
            .map(|scheme| {
                let mut document = json!({
                    "type": scheme.kind,
                    "name": scheme.name,
                    "description": scheme.description,
                    "primary": scheme.primary,
                });
                if let Some(uri) = &scheme.spec_uri {
                    document["specUri"] = uri.as_str().into();
                }
                document
            })
            .collect();
        let mut document = json!({
            "schemas": [SERVICE_PROVIDER_CONFIG_URN],
            "patch": { "supported": true },
            "bulk": {
                "supported": self.bulk.is_some(),
                "maxOperations": self.bulk.map_or(0, |limits| limits.max_operations),
                "maxPayloadSize": self.bulk.map_or(0, |limits| limits.max_payload_size),
            },
            "filter": { "supported": true, "maxResults": self.pagination.max_page_size },
            "changePassword": { "supported": self.change_password },
            "sort": { "supported": self.sort },
            "etag": { "supported": self.etag },
            "pagination": {
                "cursor": self.pagination.cursor,
                "index": true,
                "defaultPaginationMethod": "index",
                "defaultPageSize": self.pagination.default_page_size,
                "maxPageSize": self.pagination.max_page_size,
            },
            "authenticationSchemes": schemes,
            "meta": meta("ServiceProviderConfig", base, "/ServiceProviderConfig"),
        });
        if let Some(seconds) = self.pagination.cursor_timeout {
            document["pagination"]["cursorTimeout"] = seconds.into();
        }
        if let Some(uri) = &self.documentation_uri {
            document["documentationUri"] = uri.as_str().into();
        }
        document
    }
}

fn list(resources: impl Iterator<Item = Value>) -> Value {
    let resources: Vec<Value> = resources.collect();
    json!({
        "schemas": [LIST_RESPONSE_URN],
        "totalResults": resources.len(),
        "itemsPerPage": resources.len(),
        "startIndex": 1,
        "Resources": resources,
    })
}

fn meta(resource_type: &str, base: &str, path: &str) -> Value {
    json!({ "resourceType": resource_type, "location": format!("{base}{path}") })
}

fn resource_type_document(resource_type: &ResourceType, base: &str) -> Value {
    let extensions: Vec<Value> = resource_type
        .extensions
        .iter()
        .map(|extension| json!({ "schema": extension.schema.id, "required": extension.required }))
        .collect();
    json!({
        "schemas": [RESOURCE_TYPE_URN],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions": extensions,
        "meta": meta("ResourceType", base, &format!("/ResourceTypes/{}", resource_type.name)),
    })
}

fn schema_document(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes,
        "meta": meta("Schema", base, &format!("/Schemas/{}", schema.id)),
    })
}

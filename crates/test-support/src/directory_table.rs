//! The directory table, as the template makes it.

use serde_json::{Value, json};

/// The input of DynamoDB's `CreateTable` for a directory table of this name.
#[must_use]
pub fn directory_table(name: &str) -> Value {
    let attributes = ["pk", "sk", "pending", "pendingSince"];
    let key = |hash: &str, range: &str| {
        json!([
            {"AttributeName": hash, "KeyType": "HASH"},
            {"AttributeName": range, "KeyType": "RANGE"},
        ])
    };
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes
            .map(|name| json!({"AttributeName": name, "AttributeType": "S"})),
        "KeySchema": key("pk", "sk"),
        "GlobalSecondaryIndexes": [{
            "IndexName": "pending",
            "KeySchema": key("pending", "pendingSince"),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
    })
}

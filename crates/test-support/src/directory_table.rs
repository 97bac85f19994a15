//! The directory table, as the template makes it.

use serde_json::{Value, json};

/// The input of DynamoDB's `CreateTable` for a directory table of this name.
#[must_use]
pub fn directory_table(name: &str) -> Value {
    let index = |index: &str, hash: &str, range: &str| {
        json!({
            "IndexName": index,
            "KeySchema": [
                {"AttributeName": hash, "KeyType": "HASH"},
                {"AttributeName": range, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        })
    };
    let attributes = [
        "pk",
        "sk",
        "listing",
        "listingOrder",
        "pending",
        "pendingSince",
    ];
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes
            .map(|name| json!({"AttributeName": name, "AttributeType": "S"})),
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            index("listing", "listing", "listingOrder"),
            index("pending", "pending", "pendingSince"),
        ],
    })
}

//! Who is a member of which group, and which groups an identity provider has linked.
//!
//! The memberships that count are those in the user's own item; these items answer the
//! opposite question, who is in a group, and are written in the same transaction.

use serde_json::{Value, json};

use super::{
    Store, StoreError, items,
    record::{GROUPS, LINK, MEMBER, link_key, string},
};

/// One user in one group.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// The group.
    pub group_id: String,
    /// The SCIM id of the user.
    pub user_id: String,
}

/// What an identity provider made of a group.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The group.
    pub group_id: String,
    /// The identity provider's id of the group.
    pub external_id: Option<String>,
    /// The identity provider deleted the group: it is out of its sight, until it creates
    /// one of the same name.
    pub deleted: bool,
}

impl Store {
    /// The members and the link of one group, or of all groups. One call for each
    /// megabyte, that is for some six thousand members.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn memberships(
        &self,
        group_id: Option<&str>,
    ) -> Result<(Vec<Member>, Vec<Link>), StoreError> {
        let mut query = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": GROUPS}},
        });
        if let Some(group_id) = group_id {
            query["KeyConditionExpression"] = json!("pk = :pk AND begins_with(sk, :prefix)");
            query["ExpressionAttributeValues"][":prefix"] = json!({"S": format!("{group_id}#")});
        }
        let (mut members, mut links) = (Vec::new(), Vec::new());
        loop {
            let mut answer: Value = self.client.call("Query", &query).await?;
            for item in items(&answer) {
                let key = string(item, "sk")?;
                if let Some((group_id, user_id)) = key.split_once(MEMBER) {
                    members.push(Member {
                        group_id: group_id.to_owned(),
                        user_id: user_id.to_owned(),
                    });
                } else if let Some(group_id) = key.strip_suffix(LINK) {
                    links.push(Link {
                        group_id: group_id.to_owned(),
                        external_id: string(item, "externalId").ok().map(str::to_owned),
                        deleted: item.pointer("/deleted/BOOL") == Some(&Value::Bool(true)),
                    });
                }
            }
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return Ok((members, links)),
                last => query["ExclusiveStartKey"] = last,
            }
        }
    }

    /// Writes what an identity provider made of a group.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn link_group(&self, link: &Link) -> Result<(), StoreError> {
        let mut item = link_key(&link.group_id);
        if let Some(external_id) = &link.external_id {
            item["externalId"] = json!({"S": external_id});
        }
        if link.deleted {
            item["deleted"] = json!({"BOOL": true});
        }
        let _: Value = self
            .client
            .call("PutItem", &json!({"TableName": self.table, "Item": item}))
            .await?;
        Ok(())
    }
}

//! What holds for all inputs.

use proptest::prelude::*;
use scim::bulk::BulkRequest;
use scim::filter::{CompareOperator, Filter, FilterValue};
use scim::patch::PatchRequest;
use scim::path::{AttributePath, PatchPath};
use scim::protocol::{HttpRequest, Operation, parse, parse_query};
use scim::schema::{BulkLimits, core};
use serde_json::{Map, Number, Value, json};

use crate::service::{patch, resource, service, user_type};

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,8}".prop_filter("a keyword", |name| !name.eq_ignore_ascii_case("not"))
}

fn attribute_path() -> impl Strategy<Value = AttributePath> {
    let urn = prop_oneof![
        3 => Just(None),
        1 => Just(Some(core::USER_URN.to_owned())),
        1 => "urn:[a-z]{1,5}(:[a-z0-9.]{1,5}){1,3}".prop_map(Some),
    ];
    (urn, name(), proptest::option::of(name())).prop_map(|(schema, attribute, sub_attribute)| {
        AttributePath {
            schema,
            attribute,
            sub_attribute,
        }
    })
}

fn literal() -> impl Strategy<Value = FilterValue> {
    prop_oneof![
        any::<String>().prop_map(FilterValue::String),
        any::<bool>().prop_map(FilterValue::Boolean),
        any::<i64>().prop_map(|number| FilterValue::Number(number.into())),
        any::<f64>().prop_filter_map("finite", |number| Number::from_f64(number)
            .map(FilterValue::Number)),
        Just(FilterValue::Null),
    ]
}

fn operator() -> impl Strategy<Value = CompareOperator> {
    use CompareOperator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    proptest::sample::select(vec![Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le])
}

/// Filters without value paths, as they stand in brackets.
fn value_filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        (attribute_path(), operator(), literal()).prop_map(|(path, operator, value)| {
            Filter::Compare {
                path,
                operator,
                value,
            }
        }),
        attribute_path().prop_map(Filter::Present),
    ];
    leaf.prop_recursive(4, 16, 3, combine)
}

fn combine(inner: BoxedStrategy<Filter>) -> impl Strategy<Value = Filter> {
    prop_oneof![
        inner
            .clone()
            .prop_map(|filter| Filter::Not(Box::new(filter))),
        proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
        proptest::collection::vec(inner, 2..4).prop_map(Filter::Or),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let value_path =
        (attribute_path(), value_filter()).prop_map(|(path, filter)| Filter::ValuePath {
            path,
            filter: Box::new(filter),
        });
    prop_oneof![value_filter(), value_path].prop_recursive(3, 12, 3, combine)
}

fn patch_path() -> impl Strategy<Value = PatchPath> {
    (attribute_path(), proptest::option::of(value_filter()))
        .prop_map(|(path, filter)| PatchPath { path, filter })
}

/// Text that is more likely to get deep into a parser than random text.
fn nearly(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![4 => proptest::sample::select(words).prop_map(str::to_owned), 1 => any::<String>()];
    proptest::collection::vec(word, 0..16).prop_map(|words| words.concat())
}

const FILTER_WORDS: &[&str] = &[
    " ",
    " ",
    "userName",
    "emails",
    "name.givenName",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    "eq",
    "ne",
    "pr",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    ".",
    "value",
    "\"x\"",
    "\"",
    "\\",
    "true",
    "null",
    "5",
    "-1e400",
    "é",
    "meta.created",
    "gt",
    "2020-01-01",
];

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        any::<String>(),
        proptest::sample::select(vec![
            "schemas",
            "Operations",
            "op",
            "path",
            "value",
            "userName",
            "emails",
            "name",
            "members",
            "method",
            "data",
            "bulkId",
            "failOnErrors",
            "filter",
            "attributes",
            "type",
            "primary",
            "active",
            core::ENTERPRISE_USER_URN,
            core::USER_URN,
            "manager",
            "name.givenName",
            "emails[type eq \"work\"].value",
        ])
        .prop_map(str::to_owned),
    ];
    let text = prop_oneof![
        any::<String>(),
        nearly(FILTER_WORDS),
        proptest::sample::select(vec![
            "add",
            "Replace",
            "remove",
            "POST",
            "/Users",
            "bulkId:a",
            "True",
            "{\"value\":1}",
            core::USER_URN,
            scim::patch::PATCH_OP_URN,
            scim::bulk::BULK_REQUEST_URN,
            "emails[type eq \"work\"].value",
            "members",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_operations() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        nearly(FILTER_WORDS),
        proptest::sample::select(vec![
            "emails",
            "emails.value",
            "emails[type eq \"work\"]",
            "emails[type eq \"work\"].value",
            "name",
            "name.givenName",
            "userName",
            "active",
            "roles[primary eq \"True\"].value",
            "addresses",
            "groups",
            "id",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        ])
        .prop_map(str::to_owned),
    ];
    let operator = proptest::sample::select(vec!["add", "replace", "remove"]);
    let operation =
        (operator, proptest::option::of(path), any_json()).prop_map(|(operator, path, value)| {
            let mut operation = json!({"op": operator, "value": value});
            if let Some(path) = path {
                operation["path"] = path.into();
            }
            operation
        });
    proptest::collection::vec(operation, 1..4).prop_map(Value::from)
}

fn user() -> Value {
    json!({
        "schemas": [core::USER_URN, core::ENTERPRISE_USER_URN],
        "id": "1",
        "userName": "a",
        "name": {"givenName": "A"},
        "emails": [{"value": "w@example.com", "type": "work", "primary": true}, {"value": "h@example.com"}],
        "active": true,
        core::ENTERPRISE_USER_URN: {"manager": {"value": "9"}},
    })
}

/// Whether a resource is in canonical form, as far as anything can be unassigned.
fn is_canonical(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty() && values.iter().all(is_canonical),
        Value::Object(members) => !members.is_empty() && members.values().all(is_canonical),
    }
}

proptest! {
    #[test]
    fn a_printed_filter_is_parsed_as_itself(filter in filter()) {
        prop_assert_eq!(filter.to_string().parse::<Filter>(), Ok(filter));
    }

    #[test]
    fn a_printed_path_is_parsed_as_itself(path in patch_path()) {
        prop_assert_eq!(path.to_string().parse::<PatchPath>(), Ok(path));
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in prop_oneof![any::<String>(), nearly(FILTER_WORDS)]) {
        if let Ok(filter) = text.parse::<Filter>() {
            let user_type = user_type();
            let _ = filter.check(&user_type);
            let _ = filter.matches(&resource(user()), &user_type);
            let _ = filter.equalities(&user_type);
            prop_assert_eq!(filter.to_string().parse::<Filter>(), Ok(filter));
        }
    }

    #[test]
    fn a_filter_matches_only_what_satisfies_its_equalities(text in nearly(FILTER_WORDS)) {
        let user_type = user_type();
        if let Ok(filter) = text.parse::<Filter>() && filter.matches(&resource(user()), &user_type) {
            for found in filter.equalities(&user_type) {
                let value = Value::from(found.value);
                let equality: Filter = format!("{} eq {value}", found.attribute).parse().expect("an equality");
                prop_assert!(equality.matches(&resource(user()), &user_type), "{} but not {}", filter, equality);
            }
        }
    }

    #[test]
    fn any_text_is_a_path_or_an_error(text in prop_oneof![any::<String>(), nearly(FILTER_WORDS)]) {
        if let Ok(path) = text.parse::<PatchPath>() {
            prop_assert_eq!(path.to_string().parse::<PatchPath>(), Ok(path));
        }
    }

    #[test]
    fn any_operations_lead_to_a_canonical_resource_or_an_error(operations in any_operations()) {
        let patched = patch(&user(), operations.clone(), &user_type());
        if let Err(error) = &patched {
            prop_assert_eq!(error.status, 400);
        }
        if let Ok(patched) = patched {
            let after = Value::Object(patched.resource);
            prop_assert!(is_canonical(&after), "{}", after);
            prop_assert_eq!(&after["id"], "1");
            prop_assert_eq!(patched.changed, after != user());
            let primaries = after["emails"].as_array().into_iter().flatten().filter(|email| email["primary"] == true);
            prop_assert!(primaries.count() < 2);
        }
    }

    #[test]
    fn any_document_is_a_body_or_an_error(document in any_json()) {
        let service = service();
        for (method, path) in [("POST", "/Users"), ("PUT", "/Groups/1"), ("PATCH", "/Users/1"), ("POST", "/.search")] {
            let http = HttpRequest {
                method: method.to_owned(),
                path: path.to_owned(),
                body: document.to_string().into_bytes(),
                ..HttpRequest::default()
            };
            match parse(&service, &http).map(|request| request.operation) {
                Ok(Operation::Create { incoming, .. }) => {
                    prop_assert!(is_canonical(&Value::Object(incoming.resource)));
                }
                Ok(_) => {}
                Err(error) => prop_assert!((400..500).contains(&error.status)),
            }
        }
        let _ = PatchRequest::from_json(document.clone());
        let _ = BulkRequest::from_json(document, BulkLimits { max_operations: 3, max_payload_size: 1000 });
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(
        method in prop_oneof![proptest::sample::select(vec!["GET", "POST", "PATCH"]).prop_map(str::to_owned), any::<String>()],
        path in nearly(&["/", "Users", "Groups", "scim", "v2", ".search", "Bulk", "Me", "%2F", "%", "%FF", "Schemas"]),
        query in nearly(&["&", "=", "filter", "attributes", "count", "startIndex", "-1", "cursor", "%20", "+", "sortBy"]),
        body in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let http = HttpRequest { method, path, query: parse_query(&query), headers: Vec::new(), body };
        if let Err(error) = parse(&service(), &http) {
            // 501 is /Me, which is not supported.
            prop_assert!((400..500).contains(&error.status) || error.status == 501);
        }
    }

    #[test]
    fn patch_agrees_with_a_naive_model(changes in proptest::collection::vec(change(), 1..12)) {
        let mut model = Model::default();
        let operations: Vec<Value> = changes.iter().map(|(change, form)| change.render(*form)).collect();
        changes.iter().for_each(|(change, _)| model.apply(change));
        let before = Model::default().document();
        // All in one request, and each in a request of its own.
        let together = patch(&before, operations.clone().into(), &user_type());
        prop_assert_eq!(together.map(|patched| Value::Object(patched.resource)), Ok(model.document()));
        let mut apart = before;
        for operation in operations {
            let patched = patch(&apart, json!([operation]), &user_type());
            apart = Value::Object(patched.map_err(|error| TestCaseError::fail(error.to_string()))?.resource);
        }
        prop_assert_eq!(apart, model.document());
    }
}

/// A user as the naive model sees it: four plain fields and a list of pairs.
#[derive(Default)]
struct Model {
    title: Option<String>,
    active: Option<bool>,
    given_name: Option<String>,
    department: Option<String>,
    /// Type and value.
    emails: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Change {
    Title(Option<String>),
    Active(bool),
    GivenName(Option<String>),
    Department(Option<String>),
    AddEmails(Vec<(String, String)>),
    ReplaceEmails(Vec<(String, String)>),
    SetEmailOfType(String, String),
    RemoveEmailsOfType(String),
    RemoveEmails(Vec<String>),
}

/// Which of the equivalent spellings a change is sent in.
type Form = u8;

fn change() -> impl Strategy<Value = (Change, Form)> {
    let text = || proptest::option::of("[a-z]{1,6}");
    let kind = || proptest::sample::select(vec!["work", "home", "other"]).prop_map(str::to_owned);
    let value = || "[a-d]@x";
    let emails = || proptest::collection::vec((kind(), value()), 0..4);
    let change = prop_oneof![
        text().prop_map(Change::Title),
        any::<bool>().prop_map(Change::Active),
        text().prop_map(Change::GivenName),
        text().prop_map(Change::Department),
        emails().prop_map(Change::AddEmails),
        emails().prop_map(Change::ReplaceEmails),
        (kind(), value()).prop_map(|(kind, value)| Change::SetEmailOfType(kind, value)),
        kind().prop_map(Change::RemoveEmailsOfType),
        proptest::collection::vec(value(), 1..3).prop_map(Change::RemoveEmails),
    ];
    (change, any::<Form>())
}

fn email_documents(emails: &[(String, String)]) -> Value {
    emails
        .iter()
        .map(|(kind, value)| json!({"type": kind, "value": value}))
        .collect()
}

impl Change {
    fn render(&self, form: Form) -> Value {
        let bit = |position: u8| form >> position & 1 == 1;
        let operator = |name: &str| {
            if bit(0) {
                name.to_uppercase()
            } else {
                name.to_owned()
            }
        };
        let write = if bit(1) {
            operator("add")
        } else {
            operator("replace")
        };
        let set = |path: &str, value: Option<Value>| match value {
            None if bit(2) => json!({"op": operator("remove"), "path": path}),
            None => json!({"op": operator("replace"), "path": path, "value": null}),
            Some(value) if bit(2) => json!({"op": write, "value": {path: value}}),
            Some(value) => json!({"op": write, "path": path, "value": value}),
        };
        let urn = core::ENTERPRISE_USER_URN;
        match self {
            Self::Title(title) => set(
                if bit(3) { "title" } else { "Title" },
                title.clone().map(Value::from),
            ),
            Self::Active(active) if bit(4) => set(
                "active",
                Some(if *active { "True" } else { "False" }.into()),
            ),
            Self::Active(active) => set(
                &format!("{}:active", core::USER_URN),
                Some((*active).into()),
            ),
            Self::GivenName(Some(name)) if bit(3) => {
                json!({"op": write, "path": "name", "value": {"givenName": name}})
            }
            Self::GivenName(name) => set("name.givenName", name.clone().map(Value::from)),
            Self::Department(Some(department)) if bit(3) => {
                json!({"op": write, "value": {urn: {"department": department}}})
            }
            Self::Department(department) => set(
                &format!("{urn}:department"),
                department.clone().map(Value::from),
            ),
            Self::AddEmails(emails) if bit(2) => {
                json!({"op": operator("add"), "value": {"emails": email_documents(emails)}})
            }
            Self::AddEmails(emails) => {
                json!({"op": operator("add"), "path": "emails", "value": email_documents(emails)})
            }
            Self::ReplaceEmails(emails) => {
                json!({"op": operator("replace"), "path": "emails", "value": email_documents(emails)})
            }
            Self::SetEmailOfType(kind, value) => set(
                &format!("emails[type eq \"{kind}\"].value"),
                Some(value.as_str().into()),
            ),
            Self::RemoveEmailsOfType(kind) if bit(2) => {
                json!({"op": operator("remove"), "path": format!("emails[type eq \"{kind}\"]")})
            }
            Self::RemoveEmailsOfType(kind) => {
                json!({"op": operator("remove"), "path": format!("emails[not (type ne \"{kind}\")].value")})
            }
            Self::RemoveEmails(values) if bit(2) && values.len() == 1 => {
                json!({"op": operator("remove"), "path": format!("emails[value eq \"{}\"]", values[0])})
            }
            Self::RemoveEmails(values) => {
                let listed: Value = values.iter().map(|value| json!({"value": value})).collect();
                json!({"op": operator("remove"), "path": "emails", "value": listed})
            }
        }
    }
}

impl Model {
    fn apply(&mut self, change: &Change) {
        self.write(change);
        let mut seen = Vec::new();
        self.emails.retain(|email| {
            let is_new = !seen.contains(email);
            seen.push(email.clone());
            is_new
        });
    }

    fn write(&mut self, change: &Change) {
        match change.clone() {
            Change::Title(title) => self.title = title,
            Change::Active(active) => self.active = Some(active),
            Change::GivenName(name) => self.given_name = name,
            Change::Department(department) => self.department = department,
            Change::AddEmails(emails) => {
                for email in emails {
                    if !self.emails.contains(&email) {
                        self.emails.push(email);
                    }
                }
            }
            Change::ReplaceEmails(emails) => self.emails = emails,
            Change::SetEmailOfType(kind, value) => {
                if !self.emails.iter().any(|(present, _)| *present == kind) {
                    self.emails.push((kind.clone(), String::new()));
                }
                self.emails
                    .iter_mut()
                    .filter(|(present, _)| *present == kind)
                    .for_each(|email| email.1.clone_from(&value));
            }
            Change::RemoveEmailsOfType(kind) => self.emails.retain(|(present, _)| *present != kind),
            Change::RemoveEmails(values) => {
                self.emails.retain(|(_, present)| !values.contains(present))
            }
        }
    }

    fn document(&self) -> Value {
        let mut document = json!({"schemas": [core::USER_URN], "id": "1", "userName": "a"});
        if let Some(title) = &self.title {
            document["title"] = title.as_str().into();
        }
        if let Some(active) = self.active {
            document["active"] = active.into();
        }
        if let Some(name) = &self.given_name {
            document["name"] = json!({"givenName": name});
        }
        if let Some(department) = &self.department {
            document[core::ENTERPRISE_USER_URN] = json!({"department": department});
            document["schemas"] = json!([core::USER_URN, core::ENTERPRISE_USER_URN]);
        }
        if !self.emails.is_empty() {
            document["emails"] = email_documents(&self.emails);
        }
        document
    }
}

//! A SCIM service in memory: the library with the least around it.
//!
//! `cargo run -p scim --example memory_server [ADDRESS]` serves users and groups at
//! `http://127.0.0.1:8181/scim/v2`, for everyone who can connect; conformance suites can
//! be pointed at it. The HTTP side is as small as it can be and no example to follow.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use scim::bulk::BulkRun;
use scim::comparison::Comparison;
use scim::list::Page;
use scim::patch::Patched;
use scim::protocol::{HttpRequest, Operation, Request, Responder, Response, parse, parse_query};
use scim::resource::{create, replace};
use scim::schema::{ResourceType, ServiceDefinition, core};
use scim::{Resource, ScimError, etag};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8181".to_owned());
    let listener = TcpListener::bind(&address)?;
    let application = Arc::new(Application {
        service: ServiceDefinition::new(vec![core::user(), core::group()]),
        base: format!("http://{}/scim/v2", listener.local_addr()?),
        store: Mutex::default(),
    });
    writeln!(std::io::stderr(), "serving {}", application.base)?;
    for stream in listener.incoming().flatten() {
        let application = Arc::clone(&application);
        std::thread::spawn(move || serve(&application, &stream));
    }
    Ok(())
}

/// All resources, by type and id.
#[derive(Default)]
struct Store {
    resources: BTreeMap<(String, String), Resource>,
    last_id: u64,
}

struct Application {
    service: ServiceDefinition,
    base: String,
    store: Mutex<Store>,
}

impl Application {
    fn answer(&self, http: &HttpRequest) -> Response {
        let responder = Responder::new(&self.service, http, &self.base);
        let store = &mut self.store.lock().unwrap_or_else(PoisonError::into_inner);
        parse(&self.service, http)
            .and_then(|request| self.execute(store, &responder, request))
            .unwrap_or_else(|error| responder.error(&error))
    }

    fn execute(
        &self,
        store: &mut Store,
        responder: &Responder<'_>,
        request: Request<'_>,
    ) -> Result<Response, ScimError> {
        match &request.operation {
            Operation::Create {
                resource_type,
                incoming,
            } => {
                store.last_id += 1;
                let mut resource = create(&incoming.resource, resource_type);
                resource.insert("id".to_owned(), store.last_id.to_string().into());
                let created = store.write(resource_type, resource, None)?;
                Ok(responder.created(&request, resource_type, &created))
            }
            Operation::Get { resource_type, id } => {
                Ok(responder.found(&request, resource_type, store.read(resource_type, id)?))
            }
            Operation::List {
                resource_types,
                query,
            } => {
                let candidates = resource_types.iter().flat_map(|&resource_type| {
                    store
                        .all(resource_type)
                        .map(move |resource| (resource_type, resource.clone()))
                });
                Ok(responder.list(query, Page::select(query, candidates)?))
            }
            Operation::Replace {
                resource_type,
                id,
                incoming,
            } => {
                let existing = store.unchanged(&request, resource_type, id)?;
                let replaced = replace(&existing, &incoming.resource, resource_type)?;
                let written = store.write(resource_type, replaced, Some(existing))?;
                Ok(responder.updated(&request, resource_type, &written))
            }
            Operation::Patch {
                resource_type,
                id,
                patch,
            } => {
                let existing = store.unchanged(&request, resource_type, id)?;
                let Patched { resource, .. } = patch.apply(&existing, resource_type)?;
                let written = store.write(resource_type, resource, Some(existing))?;
                Ok(responder.updated(&request, resource_type, &written))
            }
            Operation::Delete { resource_type, id } => {
                store.unchanged(&request, resource_type, id)?;
                store
                    .resources
                    .remove(&(resource_type.name.clone(), id.clone()));
                Ok(responder.deleted())
            }
            Operation::Bulk(bulk) => {
                let mut run = BulkRun::new(&self.service, bulk.clone(), &self.base);
                while let Some(step) = run.next_step() {
                    let response = self
                        .execute(store, responder, step.request)
                        .unwrap_or_else(|error| responder.error(&error));
                    run.record(step.index, &response);
                }
                Ok(responder.document(200, run.finish()))
            }
            Operation::Discovery(document) => Ok(responder.discovery(document)),
            Operation::Options { allow } => Ok(responder.options(allow)),
        }
    }
}

impl Store {
    fn read(&self, resource_type: &ResourceType, id: &str) -> Result<&Resource, ScimError> {
        self.resources
            .get(&(resource_type.name.clone(), id.to_owned()))
            .ok_or_else(|| ScimError::not_found(format!("no such {}", resource_type.name)))
    }

    fn all(&self, resource_type: &ResourceType) -> impl Iterator<Item = &Resource> {
        let name = resource_type.name.clone();
        self.resources
            .iter()
            .filter(move |((kind, _), _)| *kind == name)
            .map(|(_, found)| found)
    }

    /// The resource, if it is still the one that the client has seen.
    fn unchanged(
        &self,
        request: &Request<'_>,
        resource_type: &ResourceType,
        id: &str,
    ) -> Result<Resource, ScimError> {
        let existing = self.read(resource_type, id)?;
        request
            .preconditions
            .check_write(existing["meta"]["version"].as_str().unwrap_or_default())?;
        Ok(existing.clone())
    }

    fn write(
        &mut self,
        resource_type: &ResourceType,
        mut resource: Resource,
        existing: Option<Resource>,
    ) -> Result<Resource, ScimError> {
        if existing.as_ref() == Some(&resource) {
            return Ok(resource);
        }
        for name in ["userName", "displayName"] {
            let is_unique = (name == "userName") == (resource_type.name == "User");
            let taken = |other: &Resource| {
                other["id"] != resource["id"] && folded(other, name) == folded(&resource, name)
            };
            if is_unique && self.all(resource_type).any(taken) {
                return Err(ScimError::uniqueness(format!("{name} is taken")));
            }
        }
        let now = Timestamp::now().to_string();
        let created = existing.map_or_else(
            || now.clone().into(),
            |existing| existing["meta"]["created"].clone(),
        );
        resource.insert(
            "meta".to_owned(),
            json!({
                "resourceType": resource_type.name,
                "created": created,
                "version": etag::weak(&now),
                "lastModified": now,
            }),
        );
        let id = resource["id"].as_str().unwrap_or_default().to_owned();
        self.resources
            .insert((resource_type.name.clone(), id), resource.clone());
        Ok(resource)
    }
}

fn folded(resource: &Resource, name: &str) -> Option<String> {
    resource
        .get(name)
        .and_then(Value::as_str)
        .map(|name| Comparison::Name.key(name).into_owned())
}

/// Answers the requests of one connection until the client closes it.
fn serve(application: &Application, mut stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let response = application.answer(&request);
        let body = response.clone().into_text().unwrap_or_default();
        let mut head = format!(
            "HTTP/1.1 {} -\r\nContent-Length: {}\r\n",
            response.status,
            body.len()
        );
        for (name, value) in &response.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .is_err()
        {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<HttpRequest> {
    let mut line = || {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|&length| length > 0)?;
        Some(line.trim_end().to_owned())
    };
    let start = line()?;
    let mut parts = start.split(' ');
    let (method, target) = (parts.next()?, parts.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: parse_query(query),
        headers,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    reader.take(length).read_to_end(&mut request.body).ok()?;
    Some(request)
}

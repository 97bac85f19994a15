//! One request, from the event to the answer and the line in the log.

use std::time::{Duration, SystemTime};

use connect_directory::directory::{Context, Directory};
use jiff::Timestamp;
use scim::{
    Resource, ScimError,
    bulk::{BulkRequest, BulkRun},
    list::{ListQuery, Page},
    protocol::{HttpRequest, Operation, Request, Responder, Response, parse},
    schema::{Discovery, ResourceType, ServiceDefinition},
};
use tokio::time::Instant;

use crate::{
    caller::Callers,
    event::{ProxyEvent, ProxyResponse},
    failure::out_of_time,
    groups,
    service::{self, is_group},
    users::{self, Changed},
    view::View,
};

/// How long Connect is waited for before the rest is left to the reconciler. Identity
/// providers give up later than this, and send the next request only after the answer.
const CONNECT_TIME: Duration = Duration::from_secs(8);

/// What is kept of the function's own time to write the outcome down and answer.
const RESERVED_TIME: Duration = Duration::from_secs(3);

/// Everything that outlives a request.
pub struct Handler {
    service: ServiceDefinition,
    directory: Directory,
    callers: Callers,
    base_url: Option<String>,
}

/// What one request was about and came to, for the log.
#[derive(Default)]
struct Summary {
    operation: &'static str,
    resource_type: String,
    scim_type: Option<&'static str>,
    pending: u32,
}

impl Handler {
    /// A handler of requests on a directory. `base_url` is the URL of the API without the
    /// SCIM path, in which `{apiId}` and `{stage}` are replaced; absent or empty: that of
    /// the event.
    pub fn new(directory: Directory, callers: Callers, base_url: Option<String>) -> Self {
        Self {
            service: service::definition(directory.group_mapping().has_own_names()),
            directory,
            callers,
            base_url: base_url.filter(|url| !url.is_empty()),
        }
    }

    /// Answers an event. `deadline` is when Lambda ends the function, in milliseconds
    /// since 1970.
    pub async fn handle(&self, event: ProxyEvent, deadline: u64) -> ProxyResponse {
        let started = Instant::now();
        let used_before = self.directory.connect_usage();
        let client = event.client().to_owned();
        let api_request_id = event.request_context.request_id.clone();
        let base = event.base_url(self.base_url.as_deref());
        let checked = self.callers.check(&event.request_context);
        let http = event.into_http_request();
        let context = Context {
            now: Timestamp::now(),
            deadline: started + CONNECT_TIME.min(remaining(deadline)),
            stop: started + remaining(deadline),
            client: &client,
        };

        let mut summary = Summary::default();
        let response = match checked {
            Ok(()) => self.answer(&http, &base, context, &mut summary).await,
            Err(error) => Responder::new(&self.service, &http, &base).error(&error),
        };

        let used = self.directory.connect_usage().since(used_before);
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        lambda_support::measure! {
            count.Requests = 1,
            count.ServerErrors = response.status >= 500,
            milliseconds.Latency = milliseconds,
            count.ConnectCalls = used.calls,
            count.ConnectThrottles = used.throttled,
            count.DeferredChanges = summary.pending,
        }
        tracing::info!(
            api_request_id = api_request_id.as_str(),
            client,
            operation = summary.operation,
            resource_type = summary.resource_type,
            status = response.status,
            scim_type = summary.scim_type,
            milliseconds,
            connect_calls = used.calls,
            connect_throttles = used.throttled,
            pending = summary.pending,
            "answered"
        );
        ProxyResponse::new(response, api_request_id)
    }

    async fn answer(
        &self,
        http: &HttpRequest,
        base: &str,
        context: Context<'_>,
        summary: &mut Summary,
    ) -> Response {
        let responder = Responder::new(&self.service, http, base);
        let request = match parse(&self.service, http) {
            Ok(request) => request,
            Err(error) => {
                summary.operation = "unparsable";
                summary.scim_type = error.scim_type.map(scim::ScimType::as_str);
                return responder.error(&error);
            }
        };
        summary.operation = request.operation.name();
        if let Some(resource_type) = request.operation.resource_type() {
            summary.resource_type.clone_from(&resource_type.name);
        }
        match &request.operation {
            Operation::Bulk(bulk) => self.bulk(bulk.clone(), &responder, context, summary).await,
            _ => self.single(&request, &responder, context, summary).await,
        }
    }

    async fn bulk(
        &self,
        bulk: BulkRequest,
        responder: &Responder<'_>,
        context: Context<'_>,
        summary: &mut Summary,
    ) -> Response {
        let mut run = BulkRun::new(&self.service, bulk, responder.base());
        while let Some(step) = run.next_step() {
            let response = if Instant::now() < context.stop {
                self.single(&step.request, responder, context, summary)
                    .await
            } else {
                responder.error(&out_of_time())
            };
            run.record(step.index, &response);
        }
        responder.document(200, run.finish())
    }

    async fn single(
        &self,
        request: &Request<'_>,
        responder: &Responder<'_>,
        context: Context<'_>,
        summary: &mut Summary,
    ) -> Response {
        match self.execute(request, responder, context, summary).await {
            Ok(response) => response,
            Err(error) => {
                summary.scim_type = error.scim_type.map(scim::ScimType::as_str);
                responder.error(&error)
            }
        }
    }

    async fn list<'t>(
        &self,
        resource_types: &[&'t ResourceType],
        query: &ListQuery,
        view: View<'_>,
    ) -> Result<Page<'t>, ScimError> {
        let directory = &self.directory;
        let mut candidates = Vec::new();
        for resource_type in resource_types {
            let found = if is_group(resource_type) {
                groups::candidates(directory, resource_type, query, view).await?
            } else {
                users::candidates(directory, resource_type, query, view).await?
            };
            candidates.extend(found.into_iter().map(|resource| (*resource_type, resource)));
        }
        Page::select(query, candidates)
    }

    async fn execute(
        &self,
        request: &Request<'_>,
        responder: &Responder<'_>,
        context: Context<'_>,
        summary: &mut Summary,
    ) -> Result<Response, ScimError> {
        let directory = &self.directory;
        let view = View {
            base: responder.base(),
            context,
        };
        Ok(match &request.operation {
            Operation::Create {
                resource_type,
                incoming,
            } => {
                let created = if is_group(resource_type) {
                    groups::create(directory, &incoming.resource, view).await?
                } else {
                    users::create(directory, resource_type, incoming, view).await?
                };
                responder.created(request, resource_type, &summary.note(created))
            }
            Operation::Get { resource_type, id } => {
                let found = if is_group(resource_type) {
                    groups::get(directory, request, resource_type, id, view).await?
                } else {
                    users::get(directory, id, view).await?
                };
                responder.found(request, resource_type, &found)
            }
            Operation::List {
                resource_types,
                query,
            } => {
                if let [users] = resource_types[..]
                    && !is_group(users)
                    && query.filter.is_none()
                    && query.sort.is_none()
                {
                    return users::page(directory, users, query, responder, view).await;
                }
                let page = self.list(resource_types, query, view).await?;
                responder.list(query, page)
            }
            Operation::Replace {
                resource_type,
                id,
                incoming,
            } => {
                let replaced = if is_group(resource_type) {
                    let wanted = &incoming.resource;
                    groups::put(directory, request, resource_type, id, wanted, view).await?
                } else {
                    users::put(directory, request, resource_type, id, incoming, view).await?
                };
                responder.updated(request, resource_type, &summary.note(replaced))
            }
            Operation::Patch {
                resource_type,
                id,
                patch,
            } => {
                let patched = if is_group(resource_type) {
                    groups::patch(directory, request, resource_type, id, patch, view).await?
                } else {
                    users::patch(directory, request, resource_type, id, patch, view).await?
                };
                responder.updated(request, resource_type, &summary.note(patched))
            }
            Operation::Delete { resource_type, id } => {
                summary.pending += if is_group(resource_type) {
                    groups::delete(directory, request, id, view).await?
                } else {
                    users::delete(directory, request, id, view).await?
                };
                responder.deleted()
            }
            Operation::Discovery(document @ (Discovery::Schemas | Discovery::Schema(_))) => {
                let names = directory.profiles().names(context.deadline).await;
                let service =
                    service::with_names(self.service.clone(), &names, self.directory.attributes());
                responder.document(200, service.discover(document, responder.base())?)
            }
            Operation::Discovery(document) => responder.discovery(document),
            Operation::Options { allow } => responder.options(allow),
            Operation::Bulk(_) => {
                return Err(ScimError::invalid_syntax(
                    "a bulk request cannot hold another",
                ));
            }
        })
    }
}

impl Summary {
    /// Counts the users of a change that Connect does not yet have, and passes the
    /// changed resource on.
    fn note(&mut self, changed: Changed) -> Resource {
        self.pending += changed.pending;
        changed.resource
    }
}

/// The time that Connect may take, by the time at which Lambda ends the function.
fn remaining(deadline: u64) -> Duration {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline);
    end.duration_since(SystemTime::now())
        .unwrap_or_default()
        .saturating_sub(RESERVED_TIME)
}

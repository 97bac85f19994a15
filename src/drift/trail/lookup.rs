//! Asks CloudTrail, no faster than it allows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_json_client::Client;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::event::Event;
use crate::cloud::service::CLOUDTRAIL;
use crate::cloud::{self, Cloud, ServiceError, ServiceErrorKind, failed_call};

/// Two requests a second in each account and region:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>.
const PAUSE: Duration = Duration::from_millis(500);

/// The most events of a page.
const PAGE: u32 = 50;

/// How many pages of one answer are read. What is still not found then is older than the
/// last 200 calls of that name.
const MOST_PAGES: usize = 4;

/// How many requests are made for one report: half a minute's.
const MOST_REQUESTS: usize = 60;

/// What CloudTrail can be asked for: one attribute at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attribute {
    /// The name of a call.
    EventName(String),
    /// What a call says of the resource that it is about.
    ResourceName(String),
}

/// A question, and the region whose events are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) region: String,
    pub(super) attribute: Attribute,
}

/// The events of the last 90 days, or the newest of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) events: Vec<Event>,
    /// Events before this time were not read; `None` where all were.
    pub(super) horizon: Option<Timestamp>,
}

/// Why no more is asked.
#[derive(Debug)]
pub(super) enum Stopped {
    /// There are no credentials any more.
    NoCloud(cloud::Error),
    /// CloudTrail did not answer.
    Failed(ServiceError),
    /// This many requests were made, which is enough.
    TooMany(usize),
}

/// CloudTrail, and what it has told.
pub(super) struct Trail<'a> {
    cloud: &'a Cloud,
    clients: BTreeMap<String, Client>,
    answers: BTreeMap<Question, Answer>,
    /// Regions in which the caller may not ask.
    denied: BTreeSet<String>,
    requests: usize,
    next: Instant,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    events: Vec<Value>,
    next_token: Option<String>,
}

impl<'a> Trail<'a> {
    pub(super) fn new(cloud: &'a Cloud) -> Self {
        Self {
            cloud,
            clients: BTreeMap::new(),
            answers: BTreeMap::new(),
            denied: BTreeSet::new(),
            requests: 0,
            next: Instant::now(),
        }
    }

    /// The answers to all questions. What was asked before is not asked again.
    ///
    /// # Errors
    /// [`Stopped`]: whoever gets it should ask no more. That the caller may not ask is none,
    /// because an organization may deny what is done outside its own regions: there the
    /// answer is empty, and everything older than now is unread.
    pub(super) async fn ask(&mut self, questions: &[Question]) -> Result<Vec<&Answer>, Stopped> {
        for question in questions {
            if !self.answers.contains_key(question) {
                let answer = self.look_up(question).await?;
                self.answers.insert(question.clone(), answer);
            }
        }
        Ok(questions
            .iter()
            .filter_map(|question| self.answers.get(question))
            .collect())
    }

    /// The regions in which the caller may not ask.
    pub(super) fn denied_in(&self) -> impl Iterator<Item = &str> {
        self.denied.iter().map(String::as_str)
    }

    async fn look_up(&mut self, question: &Question) -> Result<Answer, Stopped> {
        let mut answer = Answer::default();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let Some(page) = self.page(question, token.take()).await? else {
                answer.horizon = Some(Timestamp::now());
                return Ok(answer);
            };
            answer
                .events
                .extend(page.events.iter().filter_map(Event::read));
            token = page.next_token;
            if token.is_none() {
                return Ok(answer);
            }
        }
        let oldest = answer.events.iter().map(|event| event.at).min();
        answer.horizon = Some(oldest.unwrap_or_else(Timestamp::now));
        Ok(answer)
    }

    /// One page of an answer; `None` where the caller may not ask.
    async fn page(
        &mut self,
        question: &Question,
        token: Option<String>,
    ) -> Result<Option<Page>, Stopped> {
        if self.denied.contains(&question.region) {
            return Ok(None);
        }
        if self.requests == MOST_REQUESTS {
            return Err(Stopped::TooMany(self.requests));
        }
        let (key, value) = match &question.attribute {
            Attribute::EventName(name) => ("EventName", name),
            Attribute::ResourceName(name) => ("ResourceName", name),
        };
        let mut input = json!({
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "MaxResults": PAGE,
        });
        if let Some(token) = token {
            input["NextToken"] = token.into();
        }
        let client = self.client(&question.region)?;
        sleep_until(self.next).await;
        self.requests += 1;
        let page = client.call("LookupEvents", &input).await;
        self.next = Instant::now() + PAUSE;
        match page.map_err(failed_call("ask CloudTrail")) {
            Ok(page) => Ok(Some(page)),
            Err(error) if error.kind == ServiceErrorKind::Denied => {
                self.denied.insert(question.region.clone());
                Ok(None)
            }
            Err(error) => Err(Stopped::Failed(error)),
        }
    }

    fn client(&mut self, region: &str) -> Result<Client, Stopped> {
        if let Some(client) = self.clients.get(region) {
            return Ok(client.clone());
        }
        let environment = self.cloud.service_environment_in(region);
        let environment = environment.map_err(Stopped::NoCloud)?;
        let client = Client::new(CLOUDTRAIL, &environment);
        self.clients.insert(region.to_owned(), client.clone());
        Ok(client)
    }
}

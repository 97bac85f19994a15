//! The deployed endpoint, called as an identity provider calls it.

use serde_json::Value;

use crate::project::Project;

/// A SCIM client with one bearer token.
pub struct Endpoint {
    agent: ureq::Agent,
    base: String,
    authorization: Option<String>,
    headers: &'static [(&'static str, &'static str)],
}

/// What the endpoint answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub location: Option<String>,
    pub retry_after: Option<String>,
    pub www_authenticate: Option<String>,
    pub body: Value,
}

impl Endpoint {
    /// The endpoint of a deployed project, with its token.
    pub fn of(project: &Project) -> Self {
        let base = project.outputs()["OktaBaseUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        Self::new(base, Some(format!("Bearer {}", project.token())))
    }

    pub fn new(base: String, authorization: Option<String>) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        Self {
            agent,
            base,
            authorization,
            headers: &[],
        }
    }

    /// The same endpoint with another `Authorization` header, or none.
    pub fn with_authorization(&self, authorization: Option<&str>) -> Self {
        Self::new(self.base.clone(), authorization.map(str::to_owned))
    }

    /// Sends these headers with every request, as one identity provider does.
    pub fn sending(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    /// The resources that satisfy a filter. `path` may have parameters already.
    pub fn find(&self, path: &str, filter: &str) -> Answer {
        let separator = if path.contains('?') { '&' } else { '?' };
        let filter = percent_encoded(filter);
        let answer = self.get(&format!("{path}{separator}filter={filter}"));
        answer.expect(200)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[], Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, &[], Some(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None)
    }

    /// Sends a request to a path below the base URL, or to a URL.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        for (name, value) in self.headers.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            Some(body) => {
                let request =
                    request.header("Content-Type", "application/scim+json; charset=utf-8");
                self.agent.run(request.body(body.to_string()).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        }
        .unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            content_type: header("content-type").unwrap_or_default(),
            location: header("location"),
            retry_after: header("retry-after"),
            www_authenticate: header("www-authenticate"),
            body: if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            },
        }
    }
}

impl Answer {
    /// The id of the resource that was answered.
    #[track_caller]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// The resources of a list, which must be whole: as many as it says there are.
    #[track_caller]
    pub fn resources(&self) -> &[Value] {
        let resources = self.body["Resources"].as_array();
        let resources = resources.map_or(&[][..], Vec::as_slice);
        assert_eq!(
            self.body["totalResults"],
            resources.len(),
            "{:#}",
            self.body
        );
        resources
    }

    /// Expects a status, and tells the body where it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }

    /// Expects a SCIM error (RFC 7644, section 3.12).
    #[track_caller]
    pub fn expect_scim_error(self, status: u16) -> Self {
        let answer = self.expect(status);
        assert!(answer.is_scim_error(), "{answer:#?}");
        answer
    }

    /// Whether content type and body are those of a SCIM error with the response's status.
    pub fn is_scim_error(&self) -> bool {
        self.content_type.starts_with("application/scim+json")
            && self.body["schemas"]
                == serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
            && self.body["status"] == serde_json::json!(self.status.to_string())
            && self.body["detail"].is_string()
    }
}

/// A value of a URL's query.
pub fn percent_encoded(value: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}

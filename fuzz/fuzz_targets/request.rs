//! Any request is an operation or a SCIM error. The input is a request line of method and
//! target, headers, an empty line and a body, as in HTTP.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use scim::{
    protocol::{HttpRequest, Responder, parse, parse_query},
    schema::{ServiceDefinition, core},
};

static SERVICE: LazyLock<ServiceDefinition> =
    LazyLock::new(|| ServiceDefinition::new(vec![core::user(), core::group()]));

fn request(bytes: &[u8]) -> Option<HttpRequest> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: parse_query(query),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes[end + 2..].to_vec(),
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some(http) = request(bytes) else {
        return;
    };
    if let Err(error) = parse(&SERVICE, &http) {
        let responder = Responder::new(&SERVICE, &http, "https://example.com/scim/v2");
        assert!((400..600).contains(&responder.error(&error).status));
    }
});

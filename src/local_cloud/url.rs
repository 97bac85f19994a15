//! URLs of API Gateway, on AWS and on the local cloud.

/// The path under which MiniStack serves a REST API: the API's id, the stage, and then
/// the path of the request.
const USER_REQUEST: &str = "_user_request_";

/// The URL of a deployed API on the local cloud, without a path, with placeholders for
/// the API's id and its stage.
pub fn base_url_pattern(endpoint_url: &str) -> String {
    format!("{endpoint_url}/restapis/{{apiId}}/{{stage}}/{USER_REQUEST}")
}

/// `https://{api}.execute-api.{region}.amazonaws.com/{stage}{path}` as the local cloud
/// serves it; nothing for a value of another shape.
pub(super) fn local_invoke_url(endpoint_url: &str, url: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let (api, domain) = host.split_once(".execute-api.")?;
    let is_aws = domain
        .split_once('.')
        .is_some_and(|(_region, suffix)| matches!(suffix, "amazonaws.com" | "amazonaws.com.cn"));
    if !is_aws {
        return None;
    }
    let stage_length = path.find(['/', '?']).unwrap_or(path.len());
    let (stage, rest) = path.split_at(stage_length);
    let base = base_url_pattern(endpoint_url)
        .replace("{apiId}", api)
        .replace("{stage}", stage);
    Some(format!("{base}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoke_url_becomes_reachable_and_anything_else_is_left_alone() {
        let cases = [
            (
                "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/dev/scim/v2",
                Some("http://127.0.0.1:4566/restapis/a1b2c3/dev/_user_request_/scim/v2"),
            ),
            (
                "https://a1b2c3.execute-api.cn-north-1.amazonaws.com.cn/dev",
                Some("http://127.0.0.1:4566/restapis/a1b2c3/dev/_user_request_"),
            ),
            (
                "https://a1b2c3.execute-api.us-east-1.amazonaws.com/dev?aadOptscim062020",
                Some("http://127.0.0.1:4566/restapis/a1b2c3/dev/_user_request_?aadOptscim062020"),
            ),
            ("https://scim.example.com/scim/v2", None),
            ("https://a.execute-api.example.com/dev", None),
            ("/connect-scim/local/token/idp", None),
        ];
        for (url, expected) in cases {
            assert_eq!(
                local_invoke_url("http://127.0.0.1:4566", url).as_deref(),
                expected,
                "{url}"
            );
        }
    }
}

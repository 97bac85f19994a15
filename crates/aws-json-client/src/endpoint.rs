//! Which URL a service is reached at.
//!
//! Order as in every AWS SDK: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, then
//! the regional endpoint. Source:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.

use crate::{Environment, Service};

/// The base URL, without a trailing slash.
pub(crate) fn url(service: &Service, environment: &Environment) -> String {
    let specific = format!("AWS_ENDPOINT_URL_{}", service.id);
    [specific.as_str(), "AWS_ENDPOINT_URL"]
        .iter()
        .find_map(|wanted| {
            environment
                .endpoint_urls
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, url)| url.trim_end_matches('/').to_owned())
        })
        .unwrap_or_else(|| {
            format!(
                "https://{}.{}.{}",
                service.endpoint_prefix,
                environment.region,
                domain(&environment.region)
            )
        })
}

/// The DNS suffix of the partition that a region belongs to.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_with(region: &str, more: &[(&str, &str)]) -> String {
        let mut variables = vec![
            ("AWS_REGION", region),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        variables.extend_from_slice(more);
        let environment = Environment::from_variables(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
        .unwrap();
        url(&Service::CONNECT, &environment)
    }

    #[test]
    fn the_service_variable_wins_over_the_general_one_and_that_over_the_region() {
        let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/");
        let specific = ("AWS_ENDPOINT_URL_CONNECT", "http://127.0.0.1:4567");
        for (more, expected) in [
            (vec![], "https://connect.eu-west-1.amazonaws.com"),
            (vec![general], "http://127.0.0.1:4566"),
            (vec![general, specific], "http://127.0.0.1:4567"),
            (
                vec![general, ("AWS_ENDPOINT_URL_CONNECT", "")],
                "http://127.0.0.1:4566",
            ),
            (
                vec![
                    general,
                    specific,
                    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
                ],
                "https://connect.eu-west-1.amazonaws.com",
            ),
        ] {
            assert_eq!(url_with("eu-west-1", &more), expected);
        }
    }

    #[test]
    fn regions_of_china_have_their_own_domain() {
        assert_eq!(
            url_with("cn-north-1", &[]),
            "https://connect.cn-north-1.amazonaws.com.cn"
        );
    }
}

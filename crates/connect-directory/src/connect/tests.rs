use aws_json_client::{Service, SharedHttpClient};
use serde_json::{Value, json};
use test_support::{HttpAnswer, HttpRequest, PlayedClient, test_environment};

use super::*;

const ARN: &str = "arn:aws:connect:eu-central-1:444455556666:instance/i";

fn connect_to(service: &PlayedClient) -> Connect {
    let environment = test_environment("http://127.0.0.1:9");
    let client = Client::builder(Service::CONNECT, &environment)
        .http_client(SharedHttpClient::new(service.clone()))
        .build();
    Connect::new(client, ARN).unwrap()
}

/// A service that gives these responses in order, and the last one from then on.
fn service(responses: &[HttpAnswer]) -> PlayedClient {
    let responses = responses.to_vec();
    let next = AtomicU32::new(0);
    PlayedClient::new(move |_| {
        let number = next.fetch_add(1, Ordering::Relaxed) as usize;
        responses[number.min(responses.len() - 1)].clone()
    })
}

fn failure(status: u16, code: &str) -> HttpAnswer {
    HttpAnswer::Respond(status, json!({"__type": code}).to_string())
}

#[test]
fn only_the_arn_of_an_instance_is_accepted() {
    let client = Client::new(Service::CONNECT, &test_environment("http://127.0.0.1:9"));
    for (arn, is_accepted) in [
        (ARN, true),
        ("arn:aws-cn:connect:cn-north-1:1:instance/i", true),
        ("arn:aws:connect:eu-central-1:1:instance/", false),
        ("arn:aws:connect:eu-central-1:1:instance/i/agent/u", false),
        ("arn:aws:connect:eu-central-1:1:queue/i", false),
        ("aws:connect:eu-central-1:1:instance/i", false),
        ("i", false),
    ] {
        let connect = Connect::new(client.clone(), arn);
        assert_eq!(connect.is_ok(), is_accepted, "{arn}");
    }
}

#[test]
fn usage_since_a_reading_is_the_difference_of_each_figure() {
    let usage = |calls, throttled| Usage { calls, throttled };
    assert_eq!(usage(7, 3).since(usage(5, 2)), usage(2, 1));
    assert_eq!(usage(1, 0).since(usage(u32::MAX, 0)), usage(2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_only_if_it_was_throttled_and_the_caller_has_time() {
    let throttled = || failure(429, "TooManyRequestsException");
    let done = || HttpAnswer::ok("{}");
    for (responses, stops, succeeds, calls, counted) in [
        (vec![done()], false, true, 1, 0),
        (vec![throttled(), done()], false, true, 2, 1),
        (vec![throttled(), throttled(), done()], false, true, 3, 2),
        (vec![throttled()], false, false, 3, 3),
        (vec![throttled(), done()], true, false, 1, 1),
        (vec![done()], true, true, 1, 0),
        (vec![failure(429, LIMIT_EXCEEDED)], false, false, 1, 0),
        (vec![failure(404, NOT_FOUND)], false, false, 1, 0),
        // The first attempt may have been carried out.
        (
            vec![HttpAnswer::Disconnect, throttled(), done()],
            false,
            false,
            2,
            1,
        ),
    ] {
        let what = format!("{responses:?}, {stops}");
        let service = service(&responses);
        let connect = connect_to(&service);
        let clone = if stops {
            connect.stopping_at_throttle()
        } else {
            connect.clone()
        };
        assert_eq!(connect.pause(), Duration::ZERO);
        let outcome = clone.delete_user("u").await;
        assert_eq!(outcome.is_ok(), succeeds, "{what}: {outcome:?}");
        assert_eq!(service.requests().len(), calls, "{what}");
        let expected = Usage {
            calls: u32::try_from(calls).unwrap(),
            throttled: counted,
        };
        assert_eq!(connect.usage(), expected, "{what}");
        assert_eq!(connect.pause() > Duration::ZERO, counted > 0, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_does_not_wait_for_a_turn_of_more_than_a_second() {
    let service = service(&[failure(429, "TooManyRequestsException")]);
    let connect = connect_to(&service);
    while connect.pause() <= SHORT_PATIENCE {
        assert!(connect.delete_user("u").await.is_err());
    }
    let sent = service.requests().len();
    let refused = connect.stopping_at_throttle().delete_user("u").await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.attempts()),
        (ErrorKind::Throttled, 0)
    );
    assert_eq!(service.requests().len(), sent);
}

/// A service with one user, whom a search or a list finds as said, on the second page.
fn with_user(is_searched: bool, is_listed: bool, described: HttpAnswer) -> PlayedClient {
    PlayedClient::new(move |request: &HttpRequest| {
        let user = json!({"Id": "u", "Username": "ada"});
        let other = json!({"Id": "o", "Username": "ADA"});
        let path = request.target.trim_start_matches("http://127.0.0.1:9");
        if path.starts_with("/search-users") {
            let found = if is_searched {
                vec![other, user]
            } else {
                vec![other]
            };
            HttpAnswer::ok(json!({"Users": found}).to_string())
        } else if path.starts_with("/users-summary") {
            let page = match (path.contains("nextToken=n"), is_listed) {
                (false, _) => json!({"UserSummaryList": [other], "NextToken": "n"}),
                (true, true) => json!({"UserSummaryList": [user]}),
                (true, false) => json!({"UserSummaryList": []}),
            };
            HttpAnswer::ok(page.to_string())
        } else {
            assert_eq!(path, "/users/i/u");
            described.clone()
        }
    })
}

#[tokio::test]
async fn a_user_is_found_by_its_exact_name_in_the_search_or_the_list() {
    let user = json!({"User": {"Id": "u", "Username": "ada"}}).to_string();
    let user = HttpAnswer::ok(user);
    let deleted = failure(404, NOT_FOUND);
    let denied = failure(403, "AccessDeniedException");
    for (is_searched, is_listed, described, expected, calls) in [
        (true, false, &user, Some(true), 2),
        (false, true, &user, Some(true), 4),
        (false, false, &user, Some(false), 3),
        (true, true, &deleted, Some(false), 2),
        (true, true, &denied, None, 2),
    ] {
        let service = with_user(is_searched, is_listed, described.clone());
        let found = connect_to(&service).find_user("ada").await;
        let what = format!("{is_searched} {is_listed} {described:?}");
        let found = found.map(|user| user.is_some()).ok();
        assert_eq!(found, expected, "{what}");
        assert_eq!(service.requests().len(), calls, "{what}");
    }
}

#[tokio::test]
async fn all_pages_of_a_list_are_read() {
    let service = PlayedClient::new(|request: &HttpRequest| {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let is_second = request.target.contains("nextToken=n") || body["NextToken"] == "n";
        let (number, token) = if is_second {
            (2, Value::Null)
        } else {
            (1, json!("n"))
        };
        let named = json!([{"Id": format!("id{number}"), "Name": format!("name{number}")}]);
        let user = json!([{"Id": format!("id{number}"), "Username": format!("name{number}")}]);
        let proficiency = json!([{
            "AttributeName": "Language", "AttributeValue": format!("{}", 3 - number), "Level": 1,
        }]);
        let mut page = json!({
            "SecurityProfileSummaryList": named,
            "RoutingProfileSummaryList": named,
            "UserHierarchyGroupSummaryList": named,
            "UserSummaryList": user,
            "Users": user,
            "UserProficiencyList": proficiency,
            "NextToken": token,
        });
        // A page has one list only.
        let list = match request.target.as_str() {
            target if target.contains("/security-profiles-summary") => "SecurityProfileSummaryList",
            target if target.contains("/routing-profiles-summary") => "RoutingProfileSummaryList",
            target if target.contains("/user-hierarchy") => "UserHierarchyGroupSummaryList",
            target if target.contains("/users-summary") => "UserSummaryList",
            target if target.contains("/search-users") => "Users",
            _ => "UserProficiencyList",
        };
        page.as_object_mut()
            .unwrap()
            .retain(|name, _| name == list || name == "NextToken");
        HttpAnswer::ok(page.to_string())
    });
    let connect = connect_to(&service);
    for list in [
        connect.security_profiles().await,
        connect.routing_profiles().await,
        connect.hierarchy_groups().await,
    ] {
        let ids: Vec<String> = list.unwrap().into_iter().map(|item| item.id).collect();
        assert_eq!(ids, ["id1", "id2"]);
    }
    let users = connect.users().await.unwrap();
    let ids: Vec<String> = users.into_iter().map(|user| user.id).collect();
    assert_eq!(ids, ["id1", "id2"]);
    let users = connect.search_users().await.unwrap();
    let ids: Vec<String> = users.into_iter().map(|user| user.id).collect();
    assert_eq!(ids, ["id1", "id2"]);
    let proficiencies = connect.proficiencies("u").await.unwrap();
    let values: Vec<String> = proficiencies
        .into_iter()
        .map(|proficiency| proficiency.attribute_value)
        .collect();
    assert_eq!(values, ["1", "2"], "sorted");
    let largest = [
        ("search-users", "\"MaxResults\":500"),
        ("proficiencies", "maxResults=100"),
    ];
    for request in service.requests() {
        let (_, expected) = largest
            .iter()
            .find(|(path, _)| request.target.contains(path))
            .unwrap_or(&("", "maxResults=1000"));
        let sent = format!("{}{}", request.target, request.body);
        assert!(sent.contains(expected), "{sent}");
    }
}

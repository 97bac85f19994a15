//! Who is let in: the right token, and nobody else; and no faster than the stage allows.

use crate::aws::Aws;
use crate::endpoint::Endpoint;
use crate::project::Project;

#[test]
fn calls_without_a_valid_token_get_scim_errors() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    scim.get("/Users").expect(200);

    let missing = scim
        .with_authorization(None)
        .get("/Users")
        .expect_scim_error(401);
    assert!(
        missing
            .www_authenticate
            .is_some_and(|challenge| challenge.starts_with("Bearer"))
    );
    let wrong = format!("Bearer {}", "A".repeat(43));
    for authorization in [
        wrong.as_str(),
        "Bearer short",
        "Basic dXNlcjpwYXNzd29yZA==",
        "non-token",
    ] {
        scim.with_authorization(Some(authorization))
            .get("/Users")
            .expect_scim_error(401);
    }
    scim.get("/NoSuchThing").expect_scim_error(404);
    scim.get("/Users").expect(200);
}

#[test]
fn a_token_whose_parameter_was_removed_is_refused() {
    let project = Project::new();
    project.deploy();
    let scim = Endpoint::of(&project);
    let aws = Aws::of(&project);
    let outputs = project.outputs();
    let parameter = outputs["TokenParameterNameIdp"].as_str().unwrap();
    aws.wait(aws.ssm().delete_parameter().name(parameter).send())
        .unwrap();
    scim.get("/Users").expect_scim_error(401);
}

#[test]
fn a_client_over_the_rate_gets_429_as_a_scim_error() {
    let project = Project::new();
    project.edit_environment("\napi:\n", "\napi:\n  throttle: {rate: 1, burst: 2}\n");
    project.deploy();
    let scim = Endpoint::of(&project);
    let throttled = (0..20)
        .map(|_| scim.get("/ServiceProviderConfig"))
        .find(|answer| answer.status != 200)
        .expect("twenty requests in a row exceed one a second");
    let throttled = throttled.expect_scim_error(429);
    assert!(throttled.retry_after.is_some(), "{throttled:?}");
}

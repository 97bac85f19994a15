use serde_json::json;

use super::*;
use crate::drift::{Coverage, Detector, Finding, Severity};
use crate::environment::AcceptedFinding;

fn report(findings: Vec<Finding>) -> Report {
    Report {
        environment: "prod".to_owned(),
        stack_name: "scim".to_owned(),
        account: "444455556666".to_owned(),
        region: "eu-central-1".to_owned(),
        findings,
        coverage: vec![Coverage {
            resource_type: "AWS::SQS::Queue".to_owned(),
            resources: 2,
            checked_by: vec![Detector::Queue, Detector::CloudFormation],
        }],
        unused_acceptances: vec!["api.stage:RestApi:x".to_owned()],
    }
}

fn full() -> Report {
    let code = Finding::drift(
        Detector::Function,
        Severity::High,
        "code",
        "Reconciler",
        "other code runs",
    )
    .expected("a|b")
    .actual("`c`")
    .cure("put it back");
    let role = Finding::not_checked(Detector::Iam, "unreadable", "Role", "denied");
    let undeployed = Finding {
        kind: Kind::UndeployedChange,
        ..Finding::drift(
            Detector::Template,
            Severity::Low,
            "undeployed",
            "Stage",
            "new",
        )
        .cure("deploy")
    };
    report(vec![code, role, undeployed])
}

#[test]
fn a_stack_as_it_was_deployed_is_one_line() {
    assert_eq!(text(&report(vec![])), "scim is as it was deployed\n");
}

#[test]
fn the_text_tells_all_of_each_finding() {
    let plain = anstream::adapter::strip_str(&text(&full())).to_string();
    insta::assert_snapshot!(plain, @r"
    scim in account 444455556666, eu-central-1

    Drift
      high  other code runs
        id        function.code:Reconciler
        expected  a|b
        actual    `c`
        mend      put it back

    Not checked
      medium  could not be checked: denied
        id        iam.unreadable:Role
        mend      mend what the message names, and run `drift` again

    Not deployed yet (no drift: this checkout differs from what is deployed)
      low  new
        id        template.undeployed:Stage
        mend      deploy

    scim: 1 finding of drift, 1 thing not checked; 1 change not deployed yet
    ");
}

#[test]
fn markdown_keeps_values_within_their_cells() {
    insta::assert_snapshot!(markdown(&report(full().findings[..1].to_vec())), @r"
    ## Drift of `scim`

    Account 444455556666, eu-central-1. scim: 1 finding of drift.

    ### Drift

    | Severity | What | Expected | Actual | How to mend | Id |
    |---|---|---|---|---|---|
    | high | other code runs | `a\|b` | `` `c` `` | put it back | `function.code:Reconciler` |
    ");
}

#[test]
fn json_has_counts_and_every_field() {
    let json = json!(json_v1::Report::from(&full()));
    assert_eq!(
        json["counts"],
        json!({"drift": 1, "notChecked": 1, "accepted": 0, "undeployedChange": 1})
    );
    assert_eq!(
        json["findings"][0],
        json!({
            "id": "function.code:Reconciler", "kind": "drift", "severity": "high",
            "detector": "function", "resource": "Reconciler", "what": "other code runs",
            "expected": "a|b", "actual": "`c`", "certainty": "certain", "cure": "put it back",
        })
    );
    assert_eq!(
        json["coverage"],
        json!([{"type": "AWS::SQS::Queue", "resources": 2, "checkedBy": ["queue", "cloudformation"]}])
    );
    assert_eq!(json["unusedAcceptances"], json!(["api.stage:RestApi:x"]));
}

#[test]
fn what_is_accepted_says_until_when_and_why() {
    let mut finding = Finding::drift(Detector::Function, Severity::Low, "Timeout", "F", "changed");
    finding.kind = Kind::Accepted;
    finding.acceptance = Some(AcceptedFinding {
        id: "function.Timeout:F".parse().unwrap(),
        reason: "OPS-1".parse().unwrap(),
        expires: "2027-01-31".parse().unwrap(),
    });
    let report = report(vec![finding]);
    let plain = anstream::adapter::strip_str(&text(&report)).to_string();
    insta::assert_snapshot!(plain, @r"
    scim in account 444455556666, eu-central-1

    Accepted
      low  changed
        id        function.Timeout:F
        accepted  until 2027-01-31: OPS-1

    scim is as it was deployed, 1 accepted
    ");
    assert!(markdown(&report).contains("| accepted until 2027-01-31: OPS-1 |"));
    let json = json!(json_v1::Report::from(&report));
    assert_eq!(
        json["findings"][0]["acceptance"],
        json!({"reason": "OPS-1", "expires": "2027-01-31"})
    );
}

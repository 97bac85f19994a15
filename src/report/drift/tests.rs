use serde_json::json;

use super::*;
use crate::drift::{Attribution, Coverage, Detector, Finding, Part, Severity};
use crate::environment::AcceptedFinding;
use crate::report::github::Level;

fn report(findings: Vec<Finding>) -> Report {
    Report {
        coverage: vec![Coverage {
            resource_type: "AWS::SQS::Queue".to_owned(),
            resources: 2,
            checked_by: vec![Detector::Queue, Detector::CloudFormation],
        }],
        unused_acceptances: vec!["api.stage:RestApi:x".to_owned()],
        ..Report::of(findings)
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

    | Severity | What | Expected | Actual | Changed | How to mend | Id |
    |---|---|---|---|---|---|---|
    | high | other code runs | `a\|b` | `` `c` `` |  | put it back | `function.code:Reconciler` |
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
fn since_when_and_by_whom_is_told_in_every_format_and_a_note_once() {
    let mut finding = Finding::drift(Detector::Function, Severity::Low, "Timeout", "F", "changed");
    finding.attribution = Some(Attribution {
        since: "2026-11-22T03:00:00Z".parse().unwrap(),
        by: "arn:aws:iam::444455556666:user/jane".to_owned(),
        event: "UpdateFunctionConfiguration".to_owned(),
    });
    let mut report = report(vec![finding]);
    report.notes = vec!["the rest is not known".to_owned()];
    let plain = anstream::adapter::strip_str(&text(&report)).to_string();
    insta::assert_snapshot!(plain, @r"
    scim in account 444455556666, eu-central-1

    Drift
      low  changed
        id        function.Timeout:F
        changed   2026-11-22T03:00:00Z by arn:aws:iam::444455556666:user/jane (UpdateFunctionConfiguration)
        mend      

    scim: 1 finding of drift
    note: the rest is not known
    ");
    let words =
        "2026-11-22T03:00:00Z by arn:aws:iam::444455556666:user/jane (UpdateFunctionConfiguration)";
    for (format, printed) in [
        ("markdown", markdown(&report)),
        ("html", html(&report)),
        ("junit", junit(&report)),
        (
            "annotation",
            annotations(&report, &file())[0].message.clone(),
        ),
    ] {
        assert!(printed.contains(words), "{format}: {printed}");
    }
    for (format, printed) in [("markdown", markdown(&report)), ("html", html(&report))] {
        assert_eq!(
            printed.matches("the rest is not known").count(),
            1,
            "{format}"
        );
    }
    let json = json!(json_v1::Report::from(&report));
    let told = &json["findings"][0];
    assert_eq!(
        [
            &told["since"],
            &told["by"],
            &told["event"],
            &json["notes"][0]
        ],
        [
            "2026-11-22T03:00:00Z",
            "arn:aws:iam::444455556666:user/jane",
            "UpdateFunctionConfiguration",
            "the rest is not known",
        ]
    );
    let sarif: serde_json::Value = serde_json::from_str(&sarif(&report, &file())).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(
        run["results"][0]["properties"],
        json!({
            "severity": "low",
            "certainty": "certain",
            "since": "2026-11-22T03:00:00Z",
            "by": "arn:aws:iam::444455556666:user/jane",
            "event": "UpdateFunctionConfiguration",
        })
    );
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
        "the rest is not known"
    );
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

fn parts() -> Vec<Part> {
    [
        ("Reconciler", "AWS::Lambda::Function", &["Role"][..]),
        ("Role", "AWS::IAM::Role", &[]),
        ("Stage", "AWS::ApiGateway::Stage", &[]),
        ("Alarm", "AWS::CloudWatch::Alarm", &["Reconciler"]),
    ]
    .into_iter()
    .map(|(id, kind, refers_to)| Part {
        logical_id: id.to_owned(),
        resource_type: kind.to_owned(),
        refers_to: refers_to.iter().map(|id| (*id).to_owned()).collect(),
    })
    .collect()
}

fn drawn() -> Report {
    Report {
        parts: parts(),
        ..full()
    }
}

fn file() -> EnvironmentText {
    EnvironmentText {
        file: "environments/prod.yaml".to_owned(),
        text: "cloud: aws\n# functions: none\nfunctions:\n  memory: 256\n".to_owned(),
    }
}

#[test]
fn the_page_tells_all_of_each_finding_and_marks_the_picture() {
    let mut report = drawn();
    report.findings[0].expected = Some("{\"a\":1,\"b\":2}".to_owned());
    report.findings[0].actual = Some("{\"a\":1,\"b\":\"<script>\"}".to_owned());
    let page = html(&report);
    for text in [
        "<h1>scim: 1 finding of drift, 1 thing not checked; 1 change not deployed yet</h1>",
        "<code>function.code:Reconciler</code>",
        "<pre>{\n  &quot;a&quot;: 1,\n<mark>  &quot;b&quot;: 2</mark>\n}</pre>",
        "<mark>  &quot;b&quot;: &quot;&lt;script&gt;&quot;</mark>",
        "<a class=\"drifted\" href=\"#scim-444455556666-eu-central-1-0\">",
        "<details class=\"finding high\" id=\"scim-444455556666-eu-central-1-0\" open>",
        "<a class=\"unknown\" href=\"#scim-444455556666-eu-central-1-1\">",
        "class=\"show-medium\" checked> medium (1)</label>",
        "mend what the message names, and run <code>drift</code> again",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn the_picture_has_every_resource_and_lines_between_concerns() {
    let page = html(&drawn());
    for part in parts() {
        assert!(page.contains(&format!("<title>{} (", part.logical_id)));
    }
    // To the role and from the alarm; both ends of the one and one of the other are marked.
    assert_eq!(page.matches("<path class=\"line marked\"").count(), 2);
    assert!(!html(&report(vec![])).contains("<svg"));
}

#[test]
fn junit_has_a_test_for_each_resource_and_finding() {
    insta::assert_snapshot!(junit(&drawn()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
    <testsuite name="scim in 444455556666 eu-central-1: template" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="scim.template" name="template.undeployed:Stage">
    <system-out>new</system-out>
    </testcase>
    </testsuite>
    <testsuite name="scim in 444455556666 eu-central-1: function" tests="1" failures="1" errors="0" skipped="0">
    <testcase classname="scim.function" name="function.code:Reconciler">
    <failure type="high" message="other code runs">expected: a|b
    found: `c`
    to mend it: put it back</failure>
    </testcase>
    </testsuite>
    <testsuite name="scim in 444455556666 eu-central-1: iam" tests="1" failures="0" errors="0" skipped="1">
    <testcase classname="scim.iam" name="iam.unreadable:Role">
    <skipped message="could not be checked: denied"/>
    </testcase>
    </testsuite>
    <testsuite name="scim in 444455556666 eu-central-1: alarm" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="scim.alarm" name="Alarm"/>
    </testsuite>
    </testsuites>
    "#);
    let in_sync = Report {
        parts: parts(),
        ..report(vec![])
    };
    let in_sync = junit(&in_sync);
    assert_eq!(in_sync.matches("<testcase ").count(), 4);
    let joined = join_junit([("a", &in_sync), ("b", &String::new())].into_iter());
    assert_eq!(joined.matches("<testcase ").count(), 5);
    assert_eq!(joined.matches("<testsuites>").count(), 1);
    assert_eq!(joined.matches("<error ").count(), 1);
}

#[test]
fn sarif_obeys_its_schema_and_points_at_the_line_that_says_it() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("sarif-2.1.0.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let document = sarif(&drawn(), &file());
    let joined = join_sarif([("a", &document), ("b", &String::new())].into_iter());
    for text in [&document, &joined] {
        let log = serde_json::from_str(text).unwrap();
        let problems: Vec<_> = schema.iter_errors(&log).map(|e| e.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new());
    }
    let log: serde_json::Value = serde_json::from_str(&document).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0];
            json!([
                result["ruleId"],
                result["kind"],
                result["level"],
                place["physicalLocation"]["region"]["startLine"],
                place["logicalLocations"][0]["name"],
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["function.code", "fail", "error", 3, "Reconciler"]),
            json!(["iam.unreadable", "open", "none", 1, "Role"]),
            json!(["template.undeployed", "informational", "none", 1, "Stage"]),
        ]
    );
    assert_eq!(
        log["runs"][0]["tool"]["driver"]["rules"][0]["id"],
        "function.code"
    );
    let joined: serde_json::Value = serde_json::from_str(&joined).unwrap();
    assert_eq!(joined["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_counts_is_annotated_beside_the_line_of_the_file() {
    let told: Vec<_> = annotations(&full(), &file())
        .into_iter()
        .map(|annotation| (annotation.level, annotation.title, annotation.place))
        .collect();
    let place = |line| Some(("environments/prod.yaml".to_owned(), Some((line, 1))));
    assert_eq!(
        told,
        [
            (
                Level::Error,
                "scim: function.code:Reconciler".to_owned(),
                place(3)
            ),
            (
                Level::Warning,
                "scim: iam.unreadable:Role".to_owned(),
                place(1)
            ),
        ]
    );
}

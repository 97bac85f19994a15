//! Reports in each format, and the exit code, metrics and text that result from them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::report::*;
use super::{Error, Options, RunResult, embedded_metrics, markdown, text};
use crate::attribute::Attribute;
use crate::exit::Exit;
use crate::mapping::Kind;
use crate::plan::{Foreign, Removals, TakenOver};
use crate::target::Operation;

/// A name with everything that Markdown or a terminal takes for markup.
const NAME: &str = "a<b>&[c](d)*e*_f_|g|#h!\\\u{1b}[1m\ni`j`";

fn entry(action: Action, kind: Kind, outcome: Outcome) -> Entry {
    Entry {
        action,
        kind,
        outcome,
        entry: Some("e1".to_owned()),
        id: Some("i1".to_owned()),
        name: None,
        attributes: Vec::new(),
        changes: Vec::new(),
        added: 0,
        removed: 0,
        added_members: Vec::new(),
        removed_members: Vec::new(),
        left_groups: Vec::new(),
        reason: None,
    }
}

fn skip(kind: Kind) -> ReportSkip {
    ReportSkip {
        kind,
        entry: Some("e2".to_owned()),
        id: Some("i2".to_owned()),
        name: None,
        holder: None,
        distinguished_name: None,
        attribute: None,
        holds_back: false,
        reason: "it has no name".to_owned(),
    }
}

/// A report in which every figure is different.
fn full() -> Report {
    let named = |name: &str| Named {
        id: Some(format!("id of {name}")),
        entry: None,
        name: Some(name.to_owned()),
    };
    let update = Entry {
        name: Some(NAME.to_owned()),
        attributes: vec!["title".to_owned(), "email".to_owned()],
        changes: vec![
            Change {
                attribute: Attribute::Title,
                old: Some("Clerk".to_owned()),
                new: Some(NAME.to_owned()),
            },
            Change {
                attribute: Attribute::Email,
                old: Some("a@example.test".to_owned()),
                new: None,
            },
        ],
        ..entry(Action::Update, Kind::User, Outcome::Done)
    };
    let members = Entry {
        name: Some("aws-admins".to_owned()),
        added: 2,
        removed: 1,
        added_members: vec![named("ann"), named("ben")],
        removed_members: vec![named("cem")],
        reason: Some("without 1 new member".to_owned()),
        ..entry(Action::ChangeMembers, Kind::Group, Outcome::Done)
    };
    let failed = Entry {
        id: None,
        reason: Some("CreateUser was refused with status 400".to_owned()),
        ..entry(Action::Create, Kind::User, Outcome::Failed)
    };
    let not_attempted = Entry {
        left_groups: vec![named("aws-readers")],
        removed: 1,
        ..entry(Action::Delete, Kind::User, Outcome::NotAttempted)
    };
    Report {
        version: REPORT_VERSION,
        command: Command::Run,
        result: RunResult::HeldBack,
        summary: Summary {
            users_created: 2,
            users_updated: 3,
            users_deactivated: 4,
            users_reactivated: 5,
            users_deleted: 6,
            groups_created: 7,
            groups_updated: 8,
            groups_deleted: 9,
            memberships_added: 10,
            memberships_removed: 11,
            skipped: 12,
            failed: 13,
            not_attempted: 14,
        },
        removals: Removals {
            users: 15,
            users_before: 16,
            renames: 17,
            groups: 18,
            groups_before: 19,
            memberships: 20,
            memberships_before: 21,
            no_users: true,
            no_groups: false,
        },
        refusal: None,
        hint: None,
        foreign: Foreign {
            users: 22,
            groups: 1,
            memberships: 23,
        },
        taken_over: TakenOver {
            users: 24,
            groups: 25,
        },
        left_behind: vec![LeftBehind {
            id: "i3".to_owned(),
            name: Some(NAME.to_owned()),
        }],
        held_back: vec![
            LeaverHeldBack {
                kind: Kind::User,
                id: "i4".to_owned(),
                entry: Some("e4".to_owned()),
                name: Some("dina".to_owned()),
            },
            LeaverHeldBack {
                kind: Kind::Group,
                id: "i5".to_owned(),
                entry: None,
                name: None,
            },
        ],
        reassigned: vec![ReportReassigned {
            kind: Kind::User,
            id: "i6".to_owned(),
            name: None,
            old_entry: "e6".to_owned(),
            new_entry: "e7".to_owned(),
            distinguished_name: Some("CN=eve,DC=x".to_owned()),
        }],
        unresolved: vec![
            ReportUnresolved {
                group: Some("e8".to_owned()),
                group_name: "aws-admins".to_owned(),
                member: Some("CN=gone,DC=x".to_owned()),
                reason: "no entry has this name".to_owned(),
            },
            ReportUnresolved {
                group: None,
                group_name: "aws-readers".to_owned(),
                member: None,
                reason: "it stands for another domain".to_owned(),
            },
        ],
        calls: [
            (Operation::ListUsers, 1),
            (Operation::CreateUser, 26),
            (Operation::PatchGroup, 27),
        ]
        .into(),
        repeated_calls: 28,
        equal_since: None,
        token: Some(Token {
            expires: "2026-03-01T00:00:00Z".to_owned(),
            days_left: 29,
            renew: true,
        }),
        entries: vec![update, members, failed, not_attempted],
        skipped: vec![
            ReportSkip {
                name: Some(NAME.to_owned()),
                distinguished_name: Some("CN=ann,DC=x".to_owned()),
                holder: Some(named("ivy")),
                attribute: Some(Attribute::Email),
                ..skip(Kind::User)
            },
            ReportSkip {
                entry: None,
                id: None,
                holds_back: true,
                ..skip(Kind::Entry)
            },
            skip(Kind::Group),
        ],
        has_names: true,
    }
}

fn metrics(report: &Report) -> Value {
    let owner = "corp".parse().unwrap();
    let now = "1970-01-01T00:00:00Z".parse().unwrap();
    let line = embedded_metrics(&owner, Some(report), Duration::from_secs(30), None, now);
    serde_json::from_str(&line).unwrap()
}

#[test]
fn every_figure_is_in_each_form_of_a_report() {
    let report = full();
    insta::assert_snapshot!("full_text", text(&report));
    insta::assert_snapshot!("full_markdown", markdown(&report));
    insta::assert_snapshot!("full_json", report.json());
    let metrics = serde_json::to_string_pretty(&metrics(&report)).unwrap();
    insta::assert_snapshot!("full_metrics", metrics);
}

#[test]
fn the_json_form_is_what_its_schema_describes() {
    let schema: Value = serde_json::from_str(&report_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let empty = Report {
        left_behind: Vec::new(),
        held_back: Vec::new(),
        reassigned: Vec::new(),
        unresolved: Vec::new(),
        token: None,
        entries: vec![entry(Action::Create, Kind::User, Outcome::Done)],
        skipped: vec![skip(Kind::User)],
        equal_since: Some("2026-01-01T00:00:00Z".to_owned()),
        refusal: Some("7 users of 50".to_owned()),
        hint: Some("look at `plan`".to_owned()),
        ..full()
    };
    for report in [full(), empty] {
        let document: Value = serde_json::from_str(&report.json()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    let mut wrong: Value = serde_json::from_str(&full().json()).unwrap();
    wrong["entries"][0]["outcome"] = Value::from("unknown");
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn a_refusal_is_shown_with_what_to_do() {
    let report = Report {
        result: RunResult::Refused,
        refusal: Some("7 users of 50 <would> go".to_owned()),
        hint: Some("look at `plan`".to_owned()),
        token: None,
        entries: Vec::new(),
        ..full()
    };
    let text = text(&report);
    let end = "\nRefused, nothing was written.\n7 users of 50 <would> go\nhint: look at `plan`\n";
    assert!(text.ends_with(end), "{text}");
    let markdown = markdown(&report);
    let begin = "### Directory sync: Refused, nothing was written.\n\n\
                 > 7 users of 50 &lt;would> go\n>\n> look at `plan`\n\n| | |\n";
    assert!(markdown.starts_with(begin), "{markdown}");
    let metrics = metrics(&report);
    assert_eq!(metrics["DeletionsRefused"], 1);
    assert_eq!(metrics["FailedRuns"], 1);
}

#[test]
fn a_run_that_did_not_read_the_server_says_since_when_both_are_equal() {
    let report = Report {
        equal_since: Some("2026-01-01T00:00:00Z".to_owned()),
        result: RunResult::Equal,
        ..full()
    };
    let text = text(&report);
    assert!(text.contains("server       not read; equal since 2026-01-01T00:00:00Z\n"));
    assert!(!text.contains("calls "), "{text}");
    assert!(text.contains("\nThe directory has not changed; nothing to do.\n"));
    assert_eq!(metrics(&report)["UnchangedRuns"], 1);
    assert_eq!(metrics(&full())["UnchangedRuns"], 0);
}

#[test]
fn the_days_that_a_token_has_left_are_shown_and_renewal_is_a_warning() {
    let with = |days_left: i64, renew: bool| {
        let token = Token {
            expires: "2026-03-01T00:00:00Z".to_owned(),
            days_left,
            renew,
        };
        text(&Report {
            token: Some(token),
            ..full()
        })
    };
    for (days, shown, warning) in [
        (
            -2,
            "-2 days left",
            "should have expired on 2026-03-01T00:00:00Z;",
        ),
        (0, "0 days left", "expires in 0 days;"),
        (1, "1 day left", "expires in 1 day;"),
        (89, "89 days left", "expires in 89 days;"),
    ] {
        let text = with(days, true);
        assert!(text.contains(&format!("token        {shown}\n")), "{text}");
        let warning = format!("\nwarning: the server's token {warning} make a new one");
        assert!(text.contains(&warning), "{text}");
    }
    assert!(!with(90, false).contains("warning"));
    let without = text(&Report {
        token: None,
        ..full()
    });
    assert!(!without.contains("token  ") && !without.contains("warning"));
}

#[test]
fn a_token_is_to_be_renewed_within_ninety_days() {
    for (hours, days_left, renew) in [(89 * 24 + 12, 89, true), (90 * 24 + 12, 90, false)] {
        let expires = Timestamp::now() + SignedDuration::from_hours(hours);
        let options = Options {
            token_expires: Some(expires.to_string().parse().unwrap()),
            ..Options::default()
        };
        let token = Token::of(&options).unwrap();
        assert_eq!((token.days_left, token.renew), (days_left, renew));
    }
    assert_eq!(Token::of(&Options::default()), None);
}

#[test]
fn users_and_groups_of_another_tool_are_shown_if_there_are_any() {
    let cases = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)];
    for (users, groups, left_behind) in cases {
        let report = Report {
            taken_over: TakenOver { users, groups },
            left_behind: full().left_behind[..left_behind].to_vec(),
            ..full()
        };
        let is_shown = users + groups + left_behind > 0;
        assert_eq!(text(&report).contains("\ntaken over "), is_shown);
    }
}

#[test]
fn a_message_of_several_lines_is_one_quoted_line() {
    let report = Report {
        refusal: Some("one\ntwo\rthree".to_owned()),
        ..full()
    };
    assert!(markdown(&report).contains("\n> one two three\n"));
}

#[test]
fn every_error_has_its_exit_code_and_the_next_step() {
    use crate::{configuration, source, target};
    let refused = |status| target::Error::Refused {
        operation: Operation::ListUsers,
        status,
        scim_type: None,
        request_id: None,
    };
    let no_secret = configuration::Error::NoSecret {
        what: "bearer token",
        variable: "TOKEN".to_owned(),
        key: "token",
    };
    let unknown = source::Error::UnknownAttribute {
        key: "mapping.user.title".to_owned(),
        name: "titel".to_owned(),
        nearest: None,
    };
    let cases: [(Error, Exit, bool); 8] = [
        (no_secret.into(), Exit::Credentials, false),
        (
            configuration::Error::Empty.into(),
            Exit::InvalidConfiguration,
            false,
        ),
        (unknown.into(), Exit::InvalidConfiguration, false),
        (source::Error::NoUserScope.into(), Exit::Failure, false),
        (
            source::Error::Unreachable(Vec::new()).into(),
            Exit::Failure,
            false,
        ),
        (target::Error::Token.into(), Exit::Credentials, true),
        (refused(400).into(), Exit::Failure, false),
        (target::Error::NoPatch.into(), Exit::Failure, false),
    ];
    for (error, exit, has_hint) in cases {
        assert_eq!(error.exit(), exit, "{error}");
        let hint = error.hint();
        assert_eq!(hint.is_some(), has_hint, "{error}");
        assert!(hint.is_none_or(|hint| hint.contains("make a new token")));
    }
}

#[test]
fn long_lists_are_shortened_without_names() {
    for (count, more) in [
        (50, None),
        (51, Some(("1 more write", "1 more line", "1 more entry"))),
        (
            53,
            Some(("3 more writes", "3 more lines", "3 more entries")),
        ),
    ] {
        let members = Entry {
            added_members: vec![
                Named {
                    id: Some("i".to_owned()),
                    entry: None,
                    name: None,
                };
                count
            ],
            ..entry(Action::ChangeMembers, Kind::Group, Outcome::Done)
        };
        let report = Report {
            entries: vec![members; count],
            skipped: vec![skip(Kind::User); count],
            has_names: false,
            ..full()
        };
        for shown in [text(&report), markdown(&report)] {
            assert_eq!(shown.contains(" more "), more.is_some(), "{shown}");
            let Some((writes, lines, entries)) = more else {
                continue;
            };
            for (indent, what) in [("", writes), ("    ", lines), ("", entries)] {
                let line = format!("\n{indent}… and {what}: --format json has all\n");
                assert!(shown.contains(&line), "{line}{shown}");
            }
        }
        let named = Report {
            has_names: true,
            ..report
        };
        assert!(!text(&named).contains(" more "));
    }
}

#[test]
fn exit_code_metrics_and_text_agree_for_each_result() {
    use RunResult::*;
    let nothing = "The server is as the directory says; nothing to do.";
    let but_for_skipped = "The server is as the directory says, except for the skipped entries.";
    let keep = "Leavers keep their access until the account can read the skipped entries.";
    let plan = "Nothing was written; `run` makes these changes.";
    // The result, whether something is skipped, the exit code, whether the run has failed, and
    // what `plan`, `verify` and `run` print.
    let cases = [
        (Equal, false, Exit::Success, false, [nothing; 3]),
        (Equal, true, Exit::Incomplete, false, [but_for_skipped; 3]),
        (
            Done,
            false,
            Exit::Success,
            false,
            ["Done.", "Done.", "Done."],
        ),
        (
            Done,
            true,
            Exit::Incomplete,
            false,
            ["Done, except for the skipped entries."; 3],
        ),
        (
            HeldBack,
            true,
            Exit::Incomplete,
            true,
            [keep, keep, &format!("Everything else was done. {keep}")],
        ),
        (
            Changes,
            false,
            Exit::Changes,
            true,
            [plan, "The server differs from the directory.", plan],
        ),
        (
            Changes,
            true,
            Exit::Changes,
            true,
            [plan, "The server differs from the directory.", plan],
        ),
        (
            Failed,
            false,
            Exit::Incomplete,
            true,
            ["Not everything could be done; the next run tries again."; 3],
        ),
        (
            Refused,
            false,
            Exit::ApprovalNeeded,
            true,
            ["Refused, nothing was written."; 3],
        ),
        (
            CredentialsRefused,
            false,
            Exit::Credentials,
            true,
            ["Ended: the server refuses the token."; 3],
        ),
        (
            Interrupted,
            false,
            Exit::Terminated,
            true,
            ["Ended before it was done; the next run goes on."; 3],
        ),
    ];
    for (result, is_skipped, exit, has_failed, conclusions) in cases {
        let commands = [Command::Plan, Command::Verify, Command::Run];
        for (command, conclusion) in commands.into_iter().zip(conclusions) {
            let skipped = if is_skipped {
                vec![skip(Kind::User); 3]
            } else {
                Vec::new()
            };
            let held_back = if result == HeldBack {
                full().held_back
            } else {
                Vec::new()
            };
            let report = Report {
                result,
                command,
                summary: Summary {
                    skipped: skipped.len(),
                    ..Summary::default()
                },
                skipped,
                held_back,
                token: None,
                ..full()
            };
            let case = format!("{command:?} {result:?} {is_skipped}");
            assert_eq!(report.exit(), exit, "{case}");
            let text = text(&report);
            assert!(
                text.ends_with(&format!("\n\n{conclusion}\n")),
                "{case}: {text}"
            );
            let heading = format!("### Directory sync: {conclusion}\n\n");
            assert!(markdown(&report).starts_with(&heading), "{case}");
            let metrics = metrics(&report);
            let figures = [
                "FailedRuns",
                "SuccessfulRuns",
                "DeletionsRefused",
                "SkippedEntries",
                "LeaversHeldBack",
            ]
            .map(|name| metrics[name].as_u64().unwrap());
            let expected = [
                u64::from(has_failed),
                u64::from(!has_failed),
                u64::from(result == Refused),
                if is_skipped { 3 } else { 0 },
                if result == HeldBack { 2 } else { 0 },
            ];
            assert_eq!(figures, expected, "{case}");
        }
    }
}

#[test]
fn a_summary_counts_written_failed_and_unattempted_changes() {
    let cases = [
        (Action::Create, Kind::User),
        (Action::Update, Kind::User),
        (Action::Deactivate, Kind::User),
        (Action::Reactivate, Kind::User),
        (Action::Delete, Kind::User),
        (Action::Create, Kind::Group),
        (Action::Update, Kind::Group),
        (Action::Delete, Kind::Group),
        (Action::ChangeMembers, Kind::Group),
    ];
    // Each action once more often than the one before it.
    let mut entries = Vec::new();
    for (index, (action, kind)) in cases.into_iter().enumerate() {
        for number in 0..=index {
            let outcome = if number % 2 == 0 {
                Outcome::Done
            } else {
                Outcome::Planned
            };
            entries.push(Entry {
                added: 2,
                removed: 3,
                ..entry(action, kind, outcome)
            });
        }
        entries.push(entry(action, kind, Outcome::Failed));
        for _ in 0..2 {
            entries.push(entry(action, kind, Outcome::NotAttempted));
        }
    }
    let expected = Summary {
        users_created: 1,
        users_updated: 2,
        users_deactivated: 3,
        users_reactivated: 4,
        users_deleted: 5,
        groups_created: 6,
        groups_updated: 7,
        groups_deleted: 8,
        memberships_added: 45 * 2,
        memberships_removed: 45 * 3,
        skipped: 46,
        failed: 9,
        not_attempted: 18,
    };
    assert_eq!(Summary::of(&entries, 46), expected);
}

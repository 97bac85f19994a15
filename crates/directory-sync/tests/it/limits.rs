//! Pages, rates, sizes.

use directory_sync::run::RunResult;
use identity_center_simulator::{Operation, Options, Simulator};

use crate::company::{Company, Store, client, for_simulator, sync};

fn crowd(count: usize) -> Company {
    let mut company = Company::default();
    let mut members = Vec::new();
    for index in 0..count {
        let id = format!("{index:04}");
        company = company.employ(&id, &format!("u{id}"));
        members.push(id);
    }
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    company
        .group("g1", "everybody", &members)
        .group("g2", "half", &members[..count / 2])
}

#[tokio::test]
async fn groups_of_more_than_a_hundred_members_are_filled_and_emptied_in_batches() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "safety: {maxDeletePercent: 100}");
    let mut company = crowd(250);
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(simulator.members("everybody").unwrap().len(), 250);
    let calls = simulator.calls();
    assert_eq!(calls[&Operation::CreateUser], 250);
    assert_eq!(calls[&Operation::CreateGroup], 2);
    assert_eq!(
        calls[&Operation::PatchGroup],
        3,
        "150 of one group, 25 of the other"
    );
    company.groups.get_mut("g1").unwrap().1.clear();
    simulator.forget_calls();
    sync(&company, &configuration, simulator.token()).await;
    assert_eq!(simulator.members("everybody").unwrap().len(), 0);
    assert_eq!(simulator.calls()[&Operation::PatchGroup], 3);
    assert_eq!(simulator.refused(), 0);
}

#[tokio::test]
async fn no_more_is_read_than_pages_require() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let company = crowd(450);
    sync(&company, &configuration, simulator.token()).await;
    simulator.forget_calls();
    sync(&company, &configuration, simulator.token()).await;
    let calls = simulator.calls();
    // 450 users; the members of the groups, 450 and 225.
    assert_eq!(calls[&Operation::ListUsers], 5 + 5 + 3);
    assert_eq!(calls[&Operation::ListGroups], 1);
    assert_eq!(simulator.reads(), 14);
}

#[tokio::test]
async fn few_users_in_many_groups_are_asked_for_their_groups() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let configuration = for_simulator(&simulator, "");
    let mut company = Company::of_three();
    for index in 100..150 {
        company = company.group(&index.to_string(), &format!("g{index}"), &["1", "2"]);
    }
    sync(&company, &configuration, simulator.token()).await;
    simulator.forget_calls();
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Equal);
    assert_eq!(simulator.reads(), 2 + 3, "not one for each of 52 groups");
    company.groups.get_mut("149").unwrap().1.remove("2");
    sync(&company, &configuration, simulator.token()).await;
    assert_eq!(Store::of(&simulator).members("g149"), ["ann"]);
}

#[tokio::test]
async fn short_pages_are_followed_to_the_end() {
    let mut reads = 0;
    for seed in 0..5 {
        let simulator = Simulator::start(Options {
            short_pages: Some(seed),
            ..Options::default()
        })
        .await
        .unwrap();
        let configuration = for_simulator(&simulator, "");
        let company = crowd(250);
        sync(&company, &configuration, simulator.token()).await;
        simulator.forget_calls();
        let report = sync(&company, &configuration, simulator.token()).await;
        assert_eq!(report.result, RunResult::Equal);
        reads += simulator.reads();
    }
    // 3 pages of users, 3 and 2 of members, and one of groups, were all of them full.
    assert!(reads > 5 * 9, "{reads}");
}

#[tokio::test]
async fn a_list_that_does_not_come_whole_ends_the_run_before_it_writes() {
    let simulator = Simulator::start(Options {
        cursors: false,
        ..Options::default()
    })
    .await
    .unwrap();
    let configuration = for_simulator(&simulator, "");
    let company = crowd(51);
    let report = sync(&company, &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    let error = client(&configuration, simulator.token())
        .read()
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "ListUsers gave 50 of 51 entries, and no way to the others: nothing was written"
    );
}

#[tokio::test]
async fn the_rates_of_identity_center_are_kept() {
    let simulator = Simulator::start(Options {
        throttle: true,
        ..Options::default()
    })
    .await
    .unwrap();
    // The client's own rates: as documented, unlike in the other tests.
    let mut configuration = for_simulator(&simulator, "");
    let documented: directory_sync::target::TargetConfiguration =
        serde_yaml::from_str(&format!("endpoint: {}", simulator.endpoint())).unwrap();
    configuration.target = documented;
    let report = sync(&crowd(60), &configuration, simulator.token()).await;
    assert_eq!(report.result, RunResult::Done);
    assert_eq!(simulator.throttled(), 0);
    assert_eq!(report.repeated_calls, 0);
}

#[tokio::test]
async fn a_client_that_is_too_fast_is_slowed_down_and_gets_there() {
    let simulator = Simulator::start(Options {
        throttle: true,
        ..Options::default()
    })
    .await
    .unwrap();
    let configuration = for_simulator(&simulator, "");
    // Six repetitions of five milliseconds would not do.
    let client =
        directory_sync::target::Client::new(&configuration.target, &simulator.token().into())
            .unwrap();
    let options = directory_sync::run::Options::default();
    let comparison =
        directory_sync::run::compare(crowd(60).snapshot(), &client, &configuration, &options)
            .await
            .unwrap();
    let report =
        directory_sync::run::carry_out(comparison, &client, &configuration, &options).await;
    assert_eq!(report.result, RunResult::Done, "{}", report.json());
    assert!(simulator.throttled() > 0);
    assert_eq!(simulator.users().len(), 60);
}

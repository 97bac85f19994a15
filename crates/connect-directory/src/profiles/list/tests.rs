use super::*;

fn list(names: &[&str]) -> List {
    let items = names.iter().enumerate().map(|(place, name)| NamedResource {
        id: place.to_string(),
        name: (*name).to_owned(),
        last_modified: None,
    });
    List::new(items.collect(), Instant::now())
}

#[test]
fn a_name_is_found_exactly_or_in_other_case_if_that_is_only_one() {
    let names = ["Agent", "AGENT", "Sales", "\u{c9}quipe"];
    for (name, place) in [
        ("Agent", Some("0")),
        ("AGENT", Some("1")),
        ("agent", None),
        ("sales", Some("2")),
        ("SALES", Some("2")),
        ("\u{e9}QUIPE", Some("3")),
        ("Sale", None),
        ("", None),
    ] {
        let list = list(&names);
        let found = list.find(name).map(|item| item.id.as_str());
        assert_eq!(found, place, "{name}");
    }
}

#[test]
fn all_names_are_found_or_each_missing_one_is_reported() {
    let list = list(&["Agent", "Admin", "Support", "Support"]);
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let kind = Kind::SecurityProfile;
    let ids = list
        .find_all(kind, &names(&["agent", "Admin", "Agent"]))
        .unwrap();
    assert_eq!(ids, BTreeSet::from(["0".to_owned(), "1".to_owned()]));
    assert!(list.find_all(kind, &[]).unwrap().is_empty());

    let unknown = list
        .find_all(kind, &names(&["Agnet", "Admin", "x"]))
        .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the Amazon Connect instance has no security profile \"Agnet\"; did you mean \"Agent\"?. the Amazon Connect instance has no security profile \"x\""
    );
}

#[test]
fn only_hierarchy_groups_are_ambiguous_by_their_name() {
    let list = list(&["Support", "Support", "Sales"]);
    for (kind, name, ambiguous) in [
        (Kind::HierarchyGroup, "Support", true),
        (Kind::HierarchyGroup, "Sales", false),
        (Kind::SecurityProfile, "Support", false),
        (Kind::RoutingProfile, "Support", false),
    ] {
        let found = list.find_all(kind, &[name.to_owned()]);
        assert_eq!(
            matches!(found, Err(ProfileError::Ambiguous(_))),
            ambiguous,
            "{kind} {name}"
        );
    }
    assert_eq!(list.unambiguous_names(), ["Sales"]);
}

#[test]
fn the_closest_names_come_first_and_are_at_most_three() {
    let list = list(&["Agents", "Agent", "Agent 2", "Agent 22", "QualityAnalyst"]);
    assert_eq!(list.closest("agent"), ["Agent", "Agents", "Agent 2"]);
    assert_eq!(list.closest("zzz"), [""; 0]);
    assert_eq!(list.closest("qualityanalist"), ["QualityAnalyst"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_has_an_age() {
    let list = list(&[]);
    tokio::time::advance(Duration::from_secs(7)).await;
    assert_eq!(list.age(), Duration::from_secs(7));
}

//! What an Active Directory holds, by a Samba domain controller.

use directory_sync::configuration::{Configuration as SyncConfiguration, Secrets};
use directory_sync::exit::Exit;
use directory_sync::identity::Identifier;
use directory_sync::run::Options;
use directory_sync::snapshot::{EntryId, Snapshot};
use directory_sync::source::{
    Configuration, Error, Mark, OpenDirectory, RequestedAttributes, Whole,
};
use identity_center_simulator::{Options as SimulatorOptions, Simulator};
use jiff::Timestamp;

use crate::samba::{DOMAIN, DomainController, PASSWORD, READER};
use crate::{members, person, read_with, value, values};

/// Reads with `scope` as the configuration's `users` and `groups`.
fn read(dc: &DomainController, scope: &str) -> Snapshot {
    let configuration = configuration(dc, scope);
    read_with(&configuration, PASSWORD).expect("the directory can be read")
}

fn configuration(dc: &DomainController, scope: &str) -> String {
    format!(
        "
servers: ['ldaps://127.0.0.1']
certificateAuthorityFile: {}
bindName: {READER}
searchBases: ['{DOMAIN}']
pageSize: 100
connectTimeoutSeconds: 60
{}
",
        dc.authority().display(),
        scope.replace("DOMAIN", DOMAIN)
    )
}

/// The state that the domain controller says it is in, and what is read then.
fn read_with_mark(configuration: &str) -> (Mark, Whole) {
    let configuration: Configuration =
        serde_yaml::from_str(configuration).expect("the configuration is a good one");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let reading = async {
        let mut directory = OpenDirectory::open(&configuration, &PASSWORD.into()).await?;
        let mark = directory.mark().await?;
        let attributes = RequestedAttributes::default();
        let whole = directory.read(&attributes, Timestamp::now()).await?;
        Ok::<_, Error>((mark, whole))
    };
    let (mark, whole) = runtime
        .block_on(reading)
        .expect("the directory can be read");
    (mark.expect("a domain controller has a mark"), whole)
}

const ACCOUNT: &str = "samaccountname";

#[test]
fn hundreds_of_members_of_a_group_are_in_scope() {
    let dc = DomainController::shared();
    let snapshot = read(
        dc,
        "users: { memberOf: [bulk-everybody] }\ngroups: { names: ['bulk-*'] }",
    );
    assert_eq!(snapshot.people.len(), 250);
    assert_eq!(members(&snapshot, "bulk-everybody", ACCOUNT).len(), 250);
    assert!(snapshot.unusable.is_empty());
}

#[test]
fn identifiers_are_those_that_windows_shows() {
    let dc = DomainController::shared();
    let printed = dc.run(
        r#"
unit("OU=Identifiers")
dn = user("OU=Identifiers", "ident")
found = directory.search(dn, ldb.SCOPE_BASE, attrs=["objectGUID", "objectSid"])[0]
print(directory.schema_format_value("objectGUID", found["objectGUID"][0]).decode())
print(directory.schema_format_value("objectSid", found["objectSid"][0]).decode())
"#,
    );
    let snapshot = read(
        dc,
        "users: { searches: [{ base: 'OU=Identifiers,DOMAIN' }] }",
    );
    let found = &snapshot.people[0];
    let (guid, sid) = (value(found, "objectguid"), value(found, "objectsid"));
    assert_eq!(printed.lines().collect::<Vec<_>>(), [guid, sid]);
    assert_eq!(found.id.0, guid);
}

#[test]
fn disabled_and_expired_accounts_are_there_and_not_active() {
    let dc = DomainController::shared();
    dc.run(
        r#"
unit("OU=Activity")
user("OU=Activity", "act-enabled")
user("OU=Activity", "act-disabled", userAccountControl="546")
user("OU=Activity", "act-expired", accountExpires="116444736000000000")
user("OU=Activity", "act-expires-late", accountExpires="253402300799000000")
user("OU=Activity", "act-never", accountExpires="0")
"#,
    );
    let snapshot = read(dc, "users: { searches: [{ base: 'OU=Activity,DOMAIN' }] }");
    let active: Vec<_> = values(&snapshot, ACCOUNT)
        .into_iter()
        .filter(|account| person(&snapshot, ACCOUNT, account).active)
        .collect();
    assert_eq!(snapshot.people.len(), 5);
    assert_eq!(active, ["act-enabled", "act-expires-late", "act-never"]);
}

#[test]
fn computers_and_contacts_are_no_users() {
    let dc = DomainController::shared();
    dc.run(
        r#"
unit("OU=Kinds")
person = user("OU=Kinds", "kind-user")
computer = f"CN=kind-computer,OU=Kinds,{domain}"
directory.add({"dn": computer, "objectClass": "computer", "sAMAccountName": "kind-computer$",
               "userAccountControl": "4128"})
contact = f"CN=kind-contact,OU=Kinds,{domain}"
directory.add({"dn": contact, "objectClass": "contact"})
group("OU=Kinds", "kind-all", person, computer, contact)
"#,
    );
    for scope in [
        "users: { memberOf: [kind-all] }\ngroups: { names: [kind-all] }",
        "users: { searches: [{ base: 'OU=Kinds,DOMAIN' }] }\ngroups: { names: [kind-all] }",
    ] {
        let snapshot = read(dc, scope);
        assert_eq!(values(&snapshot, ACCOUNT), ["kind-user"]);
        assert_eq!(members(&snapshot, "kind-all", ACCOUNT), ["kind-user"]);
        assert!(snapshot.unusable.is_empty());
    }
}

#[test]
fn nested_and_circular_groups_and_the_primary_group_have_all_their_members() {
    let dc = DomainController::shared();
    dc.run(
        r#"
unit("OU=Nested")
one, two, three, four = [user("OU=Nested", f"nest-{number}") for number in range(1, 5)]
inner = group("OU=Nested", "nest-inner", one)
middle = group("OU=Nested", "nest-middle", inner, two)
outer = group("OU=Nested", "nest-outer", middle)
directory.modify_ldif(f"dn: {inner}\nchangetype: modify\nadd: member\nmember: {outer}\n")
primary = group("OU=Nested", "nest-primary", three)
sid = directory.search(primary, ldb.SCOPE_BASE, attrs=["objectSid"])[0]["objectSid"][0]
identifier = directory.schema_format_value("objectSid", sid).decode().rpartition("-")[2]
change(three, primaryGroupID=identifier)
found = directory.search(primary, ldb.SCOPE_BASE, attrs=["member"])[0]
assert "member" not in found, "the primary group does not name its members"
directory.modify_ldif(f"dn: {outer}\nchangetype: modify\nadd: member\nmember: {primary}\n")
"#,
    );
    let snapshot = read(
        dc,
        "users: { memberOf: [nest-middle] }\ngroups: { names: ['nest-*'] }",
    );
    let circle = ["nest-1", "nest-2", "nest-3"];
    assert_eq!(values(&snapshot, ACCOUNT), circle);
    for name in ["nest-inner", "nest-middle", "nest-outer"] {
        assert_eq!(members(&snapshot, name, ACCOUNT), circle);
    }
    assert_eq!(members(&snapshot, "nest-primary", ACCOUNT), ["nest-3"]);
}

#[test]
fn domain_users_names_nobody_and_has_everybody() {
    let dc = DomainController::shared();
    let snapshot = read(dc, "users: { memberOf: ['Domain Users'] }");
    let accounts = values(&snapshot, ACCOUNT);
    assert!(accounts.len() > 250);
    for account in ["bulk000", "bulk249", "reader", "Administrator"] {
        assert!(accounts.contains(&account), "{account}");
    }
}

#[test]
fn names_may_contain_anything() {
    let dc = DomainController::shared();
    dc.run(
        r##"
unit("OU=Names")
unit("OU=Sales\\, \\\"West\\\" (A*),OU=Names")
names = ["Smith, John", 'Quote "Q" Quote', "Star * (Paren)", "Back\\slash", "#Hash", " Space ",
         "Plus+Equals=", "<Less;Semi>", "Ærøskøbing Žižek 北京", "e\u0301clair", "a/b", "🦀 Ferris"]
people = [user("OU=Sales\\, \\\"West\\\" (A*),OU=Names", f"name{number:02}", name,
               displayName=name.strip())
          for number, name in enumerate(names)]
group("OU=Names", "names (all), *", *people)
"##,
    );
    let scopes = [
        r#"users: { memberOf: ["names (all), *"] }"#,
        r#"users: { searches: [{ base: 'OU=Sales\, \"West\" (A*),OU=Names,DOMAIN' }] }"#,
    ];
    for scope in scopes {
        let snapshot = read(
            dc,
            &format!("{scope}\ngroups: {{ names: ['names ?all?,*'] }}"),
        );
        assert_eq!(snapshot.people.len(), 12, "{scope}");
        assert_eq!(members(&snapshot, "names (all), *", ACCOUNT).len(), 12);
        assert_eq!(
            value(person(&snapshot, ACCOUNT, "name08"), "displayname"),
            "Ærøskøbing Žižek 北京"
        );
        assert!(snapshot.unusable.is_empty());
    }
}

#[test]
fn somebody_renamed_and_moved_is_the_same_and_somebody_created_again_is_not() {
    let dc = DomainController::shared();
    dc.run(
        r#"
unit("OU=Movers")
unit("OU=North,OU=Movers")
unit("OU=South,OU=Movers")
people = [user("OU=North,OU=Movers", f"move-{name}") for name in ["ada", "bob", "cleo"]]
group("OU=Movers", "move-all", *people)
"#,
    );
    let scope = "users: { memberOf: [move-all] }\ngroups: { names: ['move-*'] }";
    let before = read(dc, scope);
    let group = &before.groups[0].id;
    dc.run(
        r#"
north = f"OU=North,OU=Movers,{domain}"
south = f"OU=South,OU=Movers,{domain}"
directory.rename(f"CN=move-ada,{north}", f"CN=Countess of Lovelace,{south}")
change(f"CN=Countess of Lovelace,{south}", sAMAccountName="move-countess")
directory.delete(f"CN=move-bob,{north}")
bob = user("OU=North,OU=Movers", "move-bob")
directory.delete(f"CN=move-cleo,{north}")
dora = user("OU=South,OU=Movers", "move-dora")
members = f"CN=move-all,OU=Movers,{domain}"
for new in [bob, dora]:
    directory.modify_ldif(f"dn: {members}\nchangetype: modify\nadd: member\nmember: {new}\n")
directory.rename(members, f"CN=move-everybody,OU=Movers,{domain}")
change(f"CN=move-everybody,OU=Movers,{domain}", sAMAccountName="move-everybody")
"#,
    );
    let after = read(dc, &scope.replace("move-all", "move-everybody"));
    assert_eq!(
        values(&after, ACCOUNT),
        ["move-bob", "move-countess", "move-dora"]
    );
    assert_eq!(&after.groups[0].id, group);
    let id = |snapshot, account| &person(snapshot, ACCOUNT, account).id;
    assert_eq!(id(&after, "move-countess"), id(&before, "move-ada"));
    assert_ne!(id(&after, "move-bob"), id(&before, "move-bob"));
    assert_eq!(
        person(&after, ACCOUNT, "move-countess").distinguished_name,
        format!("CN=Countess of Lovelace,OU=South,OU=Movers,{DOMAIN}")
    );
    assert_eq!(after.groups[0].members.len(), 3);
    assert!(after.unusable.is_empty());
}

#[test]
fn a_foreign_security_principal_stops_no_leaver() {
    let dc = DomainController::shared();
    dc.run(
        r#"
unit("OU=Foreign")
people = [user("OU=Foreign", f"foreign-{name}", sn="Surname", givenName="Given",
               userPrincipalName=f"{name}@example.test") for name in ["ann", "ben", "cem"]]
stranger = "<SID=S-1-5-21-1111111111-2222222222-3333333333-1234>"
group("OU=Foreign", "foreign-all", *people, stranger)
group("OU=Foreign", "foreign-some", people[0], stranger)
"#,
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let scopes = [
        "users: { memberOf: [foreign-all] }",
        "users: { searches: [{ base: 'OU=Foreign,DOMAIN' }] }",
    ];
    let simulators = scopes.map(|scope| {
        let start = Simulator::start(SimulatorOptions::default());
        (scope, runtime.block_on(start).expect("it listens"))
    });
    let run = |scope: &str, simulator: &Simulator| {
        let source = configuration(dc, &format!("{scope}\ngroups: {{ names: ['foreign-*'] }}"));
        let source = source.replace('\n', "\n  ");
        let text = format!(
            "owner: corp\nsource:{source}\ntarget:\n  endpoint: {}\n",
            simulator.endpoint()
        );
        let configuration = SyncConfiguration::parse(&text).expect("the configuration is good");
        let secrets = Secrets {
            bind_password: PASSWORD.into(),
            token: simulator.token().into(),
        };
        let options = Options::default();
        let run = directory_sync::run::run(&configuration, &secrets, &options);
        let report = runtime.block_on(run).expect("both sides can be read");
        assert_eq!(report.exit(), Exit::Success, "{}", report.json());
        assert_eq!(report.unresolved.len(), 2);
        assert!(report.unresolved[0].reason.contains("another domain"));
        assert!(!report.json().contains("1111111111"));
    };
    let members = |simulator: &Simulator, group: &str| {
        let members = simulator.members(group).expect("the group exists");
        members.into_iter().collect::<Vec<_>>()
    };
    let is_active = |simulator: &Simulator, name: &str| {
        let user = simulator.user(&format!("{name}@example.test"));
        user.expect("the user exists")["active"] == true
    };
    for (scope, simulator) in &simulators {
        run(scope, simulator);
        assert_eq!(members(simulator, "foreign-all").len(), 3, "{scope}");
    }
    dc.run(
        r#"
directory.delete(f"CN=foreign-ben,OU=Foreign,{domain}")
directory.modify_ldif(f"""dn: CN=foreign-all,OU=Foreign,{domain}
changetype: modify
delete: member
member: CN=foreign-cem,OU=Foreign,{domain}
""")
"#,
    );
    for (scope, simulator) in &simulators {
        run(scope, simulator);
        assert_eq!(members(simulator, "foreign-all"), ["ann@example.test"]);
        assert!(is_active(simulator, "ann"));
        assert!(!is_active(simulator, "ben"), "{scope}");
        assert_eq!(is_active(simulator, "cem"), scope.contains("searches"));
    }
}

#[test]
fn an_entry_is_found_by_its_identifiers_wherever_it_is() {
    let dc = DomainController::shared();
    let printed = dc.run(
        r#"
unit("OU=Find")
for name in ["find-here", "find-deleted"]:
    dn = user("OU=Find", name)
    found = directory.search(dn, ldb.SCOPE_BASE, attrs=["objectGUID", "objectSid"])[0]
    for attribute in ["objectGUID", "objectSid"]:
        print(directory.schema_format_value(attribute, found[attribute][0]).decode())
directory.delete(f"CN=find-deleted,OU=Find,{domain}")
"#,
    );
    let [guid, sid, gone_guid, gone_sid] = printed.lines().collect::<Vec<_>>()[..] else {
        panic!("{printed}");
    };
    let entry = |guid: &str| EntryId(guid.to_owned());
    let identifiers = [
        Identifier::Entry(entry(guid)),
        Identifier::Sid(sid.to_owned()),
        Identifier::Entry(entry(gone_guid)),
        Identifier::Sid(gone_sid.to_owned()),
        Identifier::Entry(entry("no guid")),
    ];
    // The base of the search is another unit of the same domain.
    let scope = "users: { searches: [{ base: 'OU=Bulk,DOMAIN' }] }";
    let configuration = configuration(dc, scope).replace(
        &format!("searchBases: ['{DOMAIN}']"),
        &format!("searchBases: ['OU=Bulk,{DOMAIN}']"),
    );
    let configuration: Configuration =
        serde_yaml::from_str(&configuration).expect("the configuration is a good one");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let finding = async {
        let mut directory = OpenDirectory::open(&configuration, &PASSWORD.into()).await?;
        directory.find(&identifiers.clone().into()).await
    };
    let found = runtime
        .block_on(finding)
        .expect("the directory can be searched");
    for (index, identifier) in identifiers.iter().enumerate() {
        let expected = (index < 2).then(|| entry(guid));
        assert_eq!(found.get(identifier), expected.as_ref(), "{identifier:?}");
    }
}

#[test]
fn several_bases_and_searches_and_groups_add_up() {
    let dc = DomainController::shared();
    dc.run(
        r#"
unit("OU=Union")
unit("OU=A,OU=Union")
unit("OU=B,OU=Union")
first = user("OU=A,OU=Union", "union-first", department="Support")
user("OU=A,OU=Union", "union-second", department="Sales")
third = user("OU=B,OU=Union", "union-third", department="Sales")
group("OU=B,OU=Union", "union-some", first, third)
group("OU=A,OU=Union", "union-other", third)
"#,
    );
    let snapshot = read(
        dc,
        "
users:
  memberOf: ['CN=union-some,OU=B,OU=Union,DOMAIN']
  searches: [{ base: 'OU=A,OU=Union,DOMAIN', filter: (department=Support) }]
groups:
  searchBases: ['OU=B,OU=Union,DOMAIN']
  names: ['union-*']
",
    );
    assert_eq!(values(&snapshot, ACCOUNT), ["union-first", "union-third"]);
    assert_eq!(snapshot.groups.len(), 1);
    assert_eq!(
        members(&snapshot, "union-some", ACCOUNT),
        ["union-first", "union-third"]
    );
}

#[test]
fn every_write_gives_a_domain_controller_another_mark() {
    let dc = DomainController::shared();
    let scope = "users: { searches: [{ base: 'OU=Marks,DOMAIN' }] }";
    dc.run(
        r#"
unit("OU=Marks")
unit("OU=Moved")
leaver = user("OU=Marks", "mark-leaver")
mover = user("OU=Marks", "mark-mover")
group("OU=Marks", "mark-group", leaver, mover)
"#,
    );
    let configuration = configuration(dc, scope);
    let mut last = read_with_mark(&configuration).0;
    for change in [
        r#"change(f"CN=mark-leaver,OU=Marks,{domain}", title="Clerk")"#,
        r#"change(f"CN=mark-group,OU=Marks,{domain}", member=[])"#,
        r#"directory.rename(f"CN=mark-mover,OU=Marks,{domain}", f"CN=mark-mover,OU=Moved,{domain}")"#,
        r#"directory.delete(f"CN=mark-leaver,OU=Marks,{domain}")"#,
    ] {
        dc.run(change);
        let (mark, whole) = read_with_mark(&configuration);
        assert_eq!(mark.invocation_id, last.invocation_id);
        assert!(mark.usn > last.usn, "{change}");
        assert_eq!(whole.next_expiry, None);
        last = mark;
    }
    // Other tests write as well; between two of their writes nothing changes.
    let is_still_there = (0..200).any(|_| {
        let mark = read_with_mark(&configuration).0;
        std::mem::replace(&mut last, mark.clone()) == mark
    });
    assert!(is_still_there);
}

#[test]
fn the_next_account_to_expire_is_known() {
    let dc = DomainController::shared();
    // 2150-01-01T00:00:00Z and a day later, in units of 100 ns since 1601.
    dc.run(
        r#"
unit("OU=Expiring")
user("OU=Expiring", "expires-later", accountExpires="173248416000000000")
user("OU=Expiring", "expires-first", accountExpires="173247552000000000")
user("OU=Expiring", "has-expired", accountExpires="1")
user("OU=Expiring", "never-expires", accountExpires="0")
"#,
    );
    let scope = "users: { searches: [{ base: 'OU=Expiring,DOMAIN' }] }";
    let (_, whole) = read_with_mark(&configuration(dc, scope));
    let expected: Timestamp = "2150-01-01T00:00:00Z".parse().expect("it is a time");
    assert_eq!(whole.next_expiry, Some(expected));
}

#[test]
fn the_root_of_the_domain_is_a_search_base() {
    let dc = DomainController::shared();
    let scope = "users: { searches: [{ base: 'DOMAIN', filter: '(sAMAccountName=bulk*)' }] }";
    let scope = format!("{scope}\ngroups: {{ names: ['bulk-*'] }}");
    let snapshot = read(dc, &scope);
    assert_eq!(snapshot.people.len(), 250);
    assert_eq!(members(&snapshot, "bulk-everybody", ACCOUNT).len(), 250);

    // The server refers to other naming contexts, which are ignored for what they hold.
    let configuration = format!("flavor: openLdap{}", configuration(dc, &scope));
    let error = read_with(&configuration, PASSWORD).err();
    let Some(Error::Referral { base, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(base, DOMAIN);
}

#[test]
fn disabled_accounts_without_required_values_are_not_reported() {
    let dc = DomainController::shared();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let simulator = runtime
        .block_on(Simulator::start(SimulatorOptions::default()))
        .expect("it listens");
    let source = configuration(dc, "users: { searches: [{ base: 'CN=Users,DOMAIN' }] }");
    let text = format!(
        "owner: corp\nsource:{}\ntarget:\n  endpoint: {}\n",
        source.replace('\n', "\n  "),
        simulator.endpoint()
    );
    let configuration = SyncConfiguration::parse(&text).expect("the configuration is good");
    let secrets = Secrets {
        bind_password: PASSWORD.into(),
        token: simulator.token().into(),
    };
    let options = Options {
        names: true,
        ..Options::default()
    };
    let plan = directory_sync::run::plan(&configuration, &secrets, &options);
    let report = runtime.block_on(plan).expect("both sides can be read");
    let skipped: Vec<&str> = report
        .skipped
        .iter()
        .filter_map(|skip| skip.distinguished_name.as_deref())
        .collect();
    let is_skipped = |account: &str| {
        let name = format!("CN={account},CN=Users,{DOMAIN}");
        skipped.contains(&name.as_str())
    };
    assert!(is_skipped("Administrator"), "{skipped:?}");
    assert!(!is_skipped("krbtgt") && !is_skipped("Guest"), "{skipped:?}");
}

//! How servers are reached, whom the reader trusts, and how a refusal reads.

use std::ffi::OsStr;
use std::path::Path;

use directory_sync::source::Error;

use crate::certificates::{Certificates, RSA};
use crate::daemon::{free_port, run};
use crate::read_with;
use crate::samba::{self, DomainController};
use crate::slapd::{PASSWORD, READER, Slapd};

const USER: &str = "
dn: uid=ada,ou=People,dc=example,dc=test
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Lovelace
";

fn configuration(servers: &str, more: &str) -> String {
    format!(
        "
flavor: openLdap
servers: [{servers}]
bindName: {READER}
searchBases: ['dc=example,dc=test']
users: {{ searches: [{{ base: 'dc=example,dc=test' }}] }}
connectTimeoutSeconds: 60
{more}
"
    )
}

fn message(configuration: &str, password: &str) -> String {
    let error = read_with(configuration, password)
        .err()
        .expect("it must not be read");
    // Nothing of an error may show the secret.
    for shown in [format!("{error:?}"), error.to_string()] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    error.to_string()
}

#[test]
fn an_own_authority_is_trusted_over_ldaps_and_start_tls_in_a_file_and_in_place() {
    let slapd = Slapd::start(USER, "security simple_bind=128");
    let file = format!("certificateAuthorityFile: {}", slapd.authority().display());
    let pem = std::fs::read_to_string(slapd.authority()).unwrap();
    let text = format!("certificateAuthorities: {pem:?}");
    for server in [
        format!("'ldaps://127.0.0.1:{}'", slapd.tls_port),
        format!("'ldap://127.0.0.1:{}'", slapd.port),
    ] {
        for trust in [&file, &text] {
            let snapshot = read_with(&configuration(&server, trust), PASSWORD).unwrap();
            assert_eq!(snapshot.people.len(), 1);
        }
    }
}

#[test]
fn a_server_that_wants_encryption_says_so_before_it_takes_a_password() {
    let slapd = Slapd::start(USER, "security simple_bind=128");
    let server = format!("'ldap://127.0.0.1:{}'", slapd.port);
    let shown = message(&configuration(&server, "allowPlaintext: true"), PASSWORD);
    assert!(shown.contains("the server wants encryption"), "{shown}");
}

#[test]
fn a_certificate_of_somebody_else_is_refused_before_a_password_is_sent() {
    let slapd = Slapd::start(USER, "");
    let other = Slapd::start(USER, "");
    let by_name = format!("'ldaps://localhost:{}'", slapd.tls_port);
    let by_address = format!("'ldaps://127.0.0.1:{}'", slapd.tls_port);
    let start_tls = format!("'ldap://127.0.0.1:{}'", slapd.port);
    let trust =
        |slapd: &Slapd| format!("certificateAuthorityFile: {}", slapd.authority().display());
    for (server, trust, expected) in [
        (
            &by_address,
            trust(&other),
            "is not signed by a trusted authority",
        ),
        (
            &start_tls,
            trust(&other),
            "is not signed by a trusted authority",
        ),
        (
            &by_address,
            String::new(),
            "is not signed by a trusted authority",
        ),
        (&by_name, trust(&slapd), "is not for `localhost`"),
    ] {
        let shown = message(&configuration(server, &trust), PASSWORD);
        assert!(shown.contains(expected), "{shown}");
    }
}

/// One certificate for both, as `openssl req -x509` creates it.
fn self_signed(directory: &Path, names: &str) -> Certificates {
    let file = |name: &str| directory.join(name);
    let (certificate, key) = (file("authority.pem"), file("server.key"));
    let command = format!(
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName={names} \
         -keyout {} -out {}",
        key.display(),
        certificate.display()
    );
    let arguments: Vec<&OsStr> = command.split(' ').map(OsStr::new).collect();
    run("openssl", &arguments);
    Certificates {
        authority: certificate.clone(),
        certificate,
        key,
    }
}

#[test]
fn a_certificate_that_is_its_own_authority_is_trusted_where_it_is_listed() {
    let slapd = Slapd::start_with(USER, "", self_signed);
    let other = Slapd::start_with(USER, "", self_signed);
    let trust = |slapds: &[&Slapd]| {
        let pem: Vec<String> = slapds
            .iter()
            .map(|slapd| std::fs::read_to_string(slapd.authority()).unwrap())
            .collect();
        format!("certificateAuthorities: {:?}", pem.concat())
    };
    let server = format!("'ldaps://127.0.0.1:{}'", slapd.tls_port);
    for trusted in [&[&slapd][..], &[&other, &slapd]] {
        let snapshot = read_with(&configuration(&server, &trust(trusted)), PASSWORD).unwrap();
        assert_eq!(snapshot.people.len(), 1);
    }
    // Both have the same subject.
    let shown = message(&configuration(&server, &trust(&[&other])), PASSWORD);
    assert!(shown.contains("or list this certificate itself"), "{shown}");
    let by_name = format!("'ldaps://localhost:{}'", slapd.tls_port);
    let shown = message(&configuration(&by_name, &trust(&[&slapd])), PASSWORD);
    assert!(shown.contains("is not for `localhost`"), "{shown}");
}

#[test]
fn problems_of_tls_are_named_with_the_next_step() {
    let p521 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
    let pss = ["-newkey", "rsa:2048", "-sigopt", "rsa_padding_mode:pss"];
    let short = ["-newkey", "rsa:1024"];
    for (of_authority, key, expected) in [
        (&p521[..], RSA, "a P-521 key or RSASSA-PSS"),
        (RSA, &pss[..], "a P-521 key or RSASSA-PSS"),
        (RSA, &short[..], "an RSA key of less than 2048 bits"),
    ] {
        let slapd = Slapd::start_with(USER, "", |directory, names| {
            Certificates::with_keys(directory, names, of_authority, key)
        });
        let trust = format!("certificateAuthorityFile: {}", slapd.authority().display());
        let server = format!("'ldaps://127.0.0.1:{}'", slapd.tls_port);
        let shown = message(&configuration(&server, &trust), PASSWORD);
        assert!(shown.contains(expected), "{shown}");
        assert_is_a_sentence(&shown);
    }
}

#[test]
fn a_wrong_scheme_is_named_with_the_right_port() {
    let slapd = Slapd::start(USER, "");
    let trust = format!("certificateAuthorityFile: {}", slapd.authority().display());
    let short = |server: &str| {
        configuration(&format!("'{server}'"), &trust)
            .replace("connectTimeoutSeconds: 60", "connectTimeoutSeconds: 2")
    };
    for (server, expected) in [
        (
            format!("ldap://127.0.0.1:{}", slapd.tls_port),
            "636, write `ldaps://`",
        ),
        (
            format!("ldaps://127.0.0.1:{}", slapd.port),
            "389, write `ldap://`",
        ),
    ] {
        let shown = message(&short(&server), PASSWORD);
        assert!(shown.contains(expected), "{shown}");
        assert_is_a_sentence(&shown);
    }
    let dc = DomainController::shared();
    for (server, expected) in [
        ("ldap://127.0.0.1:636", "636, write `ldaps://`"),
        ("ldaps://127.0.0.1:389", "389, write `ldap://`"),
    ] {
        let configuration = of_domain(dc, server, "reader")
            .replace("connectTimeoutSeconds: 60", "connectTimeoutSeconds: 2");
        let shown = message(&configuration, samba::PASSWORD);
        assert!(shown.contains(expected), "{shown}");
        assert_is_a_sentence(&shown);
    }
}

/// Without the debug output of an error.
fn assert_is_a_sentence(shown: &str) {
    let mut words =
        shown.split(|character: char| !character.is_ascii_alphanumeric() && character != '(');
    let is_debug = |word: &str| {
        word.split_once('(').is_some_and(|(name, _)| {
            name.len() > 1 && name.starts_with(|first: char| first.is_ascii_uppercase())
        })
    };
    assert!(!words.any(is_debug), "{shown}");
}

#[test]
fn the_next_server_is_tried_when_one_cannot_be_reached() {
    let slapd = Slapd::start(USER, "");
    let trust = format!("certificateAuthorityFile: {}", slapd.authority().display());
    let nobody = format!("'ldaps://127.0.0.1:{}'", free_port());
    let servers = format!("{nobody}, 'ldaps://127.0.0.1:{}'", slapd.tls_port);
    let snapshot = read_with(&configuration(&servers, &trust), PASSWORD).unwrap();
    assert_eq!(snapshot.people.len(), 1);
    let nobody_twice = format!("{nobody}, {nobody}");
    let shown = message(&configuration(&nobody_twice, &trust), PASSWORD);
    assert_eq!(shown.matches("Connection refused").count(), 2, "{shown}");
}

#[test]
fn a_wrong_password_is_told_once_and_no_other_server_is_asked() {
    let slapd = Slapd::start(USER, "");
    let trust = format!("certificateAuthorityFile: {}", slapd.authority().display());
    let server = format!("'ldaps://127.0.0.1:{}'", slapd.tls_port);
    let twice = configuration(&format!("{server}, {server}"), &trust);
    let error = read_with(&twice, "canary-wrong").err().unwrap();
    assert!(matches!(error, Error::BindRefused { .. }), "{error}");
    let shown = message(&twice, "canary-wrong");
    assert!(shown.contains("wrong name or password"), "{shown}");
    // An empty one would be an anonymous bind, which succeeds.
    let shown = message(&twice, "");
    assert!(shown.contains("the password is empty"), "{shown}");
}

#[test]
fn authorities_that_cannot_be_read_are_told_with_their_file() {
    let server = "'ldaps://127.0.0.1:1'";
    let missing = "certificateAuthorityFile: /nowhere/corp.pem";
    let shown = message(&configuration(server, missing), PASSWORD);
    assert!(shown.contains("/nowhere/corp.pem: No such file"), "{shown}");
    let empty = "certificateAuthorities: none";
    let shown = message(&configuration(server, empty), PASSWORD);
    assert!(shown.contains("there is no certificate in it"), "{shown}");
}

fn of_domain(dc: &DomainController, server: &str, account: &str) -> String {
    format!(
        "
servers: ['{server}']
certificateAuthorityFile: {}
bindName: {account}@corp.example.test
searchBases: ['{}']
users: {{ memberOf: [bulk-everybody] }}
connectTimeoutSeconds: 60
",
        dc.authority().display(),
        samba::DOMAIN
    )
}

#[test]
fn active_directory_is_read_over_ldaps_and_start_tls() {
    let dc = DomainController::shared();
    for server in [
        "ldaps://127.0.0.1",
        "ldaps://localhost:636",
        "ldap://127.0.0.1",
    ] {
        let snapshot = read_with(&of_domain(dc, server, "reader"), samba::PASSWORD).unwrap();
        assert_eq!(snapshot.people.len(), 250);
    }
}

#[test]
fn active_directory_says_why_it_does_not_let_an_account_in() {
    let dc = DomainController::shared();
    for (account, password, expected) in [
        ("reader", "canary-wrong", "wrong name or password"),
        ("nobody", samba::PASSWORD, "wrong name or password"),
        (
            "disabled-reader",
            samba::PASSWORD,
            "it is disabled; enable it",
        ),
        ("expired-reader", samba::PASSWORD, "it has expired"),
    ] {
        let shown = message(&of_domain(dc, "ldaps://127.0.0.1", account), password);
        assert!(shown.contains(expected), "{account}: {shown}");
    }
    let plain = of_domain(dc, "ldap://127.0.0.1", "reader") + "allowPlaintext: true\n";
    let shown = message(&plain, samba::PASSWORD);
    assert!(
        shown.contains("the server wants encryption before a password"),
        "{shown}"
    );
}

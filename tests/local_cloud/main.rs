//! Whole deployments into the local cloud, and the local cloud itself, through the real
//! binary. Each test has a checkout, and thereby a cloud, of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test may unwrap: its panic is the report"
)]

mod aws;
#[path = "../../crates/directory-sync/tests/directory_server/certificates.rs"]
mod certificates;
mod changed_settings;
mod checkout;
mod confirmations;
mod conformance;
#[path = "../../crates/container-image/tests/container/mod.rs"]
mod container;
mod credentials;
#[path = "../../crates/directory-sync/tests/directory_server/daemon.rs"]
mod daemon;
mod deploy;
mod directory_sync;
mod doctor;
mod drift;
mod endpoint;
mod entra_id;
mod failure;
mod faults;
mod generator;
mod guardrail;
mod guardrails;
mod init;
mod interoperability;
mod interruption;
mod jwt;
mod local;
mod logs;
mod mend;
mod okta;
mod pipelines;
mod plan;
mod project;
mod proxy;
mod recovery;
mod secrets;
mod settings;
#[expect(dead_code, reason = "what other tests need of it")]
#[path = "../../crates/directory-sync/tests/directory_server/slapd.rs"]
mod slapd;
mod smoke;
mod states;
mod targets;
mod terminal;
mod token;
mod unmanaged;
mod user_edits;
mod users;
mod watch;

//! The sync against servers: a simulator of Identity Center, and a SCIM server that was
//! written by others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cache;
#[path = "../directory_server/certificates.rs"]
mod certificates;
mod command_line;
mod company;
#[path = "../directory_server/daemon.rs"]
mod daemon;
mod daily_life;
mod faults;
#[path = "../directory_server/ldif.rs"]
mod ldif;
mod limits;
mod naming;
mod odd_names;
mod other_servers;
mod removals;
mod scim2_server;
mod second_attempts;
mod secrecy;
#[path = "../directory_server/slapd.rs"]
mod slapd;
mod stage;
mod steps;
mod taking_over;
mod values;

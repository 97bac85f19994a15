//! The deployer: per-environment YAML → CloudFormation → a running SCIM endpoint
//! for Amazon Connect.
//!
//! Imports run downward only: `cli → commands → {stack, drift, token, guardrail, artifact,
//! template, environment} → cloud`. `environment`, `template` and `plan` know no AWS
//! and no async. Only [`printer`] writes to the terminal; only `main` exits.

pub mod artifact;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod connect_instance;
pub mod doctor;
pub mod drift;
pub mod environment;
pub mod exit_code;
pub mod guardrail;
pub mod identity_store;
pub mod local_cloud;
pub mod logs;
pub mod mend;
pub mod plan;
pub mod printer;
pub mod report;
pub mod smoke;
pub mod stack;
pub mod template;
pub mod token;

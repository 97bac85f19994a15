//! What the tests of several crates share. Only ever a dev-dependency.
//!
//! A failure here is a failed test: everything panics with what is wrong and what to
//! do about it, and nothing skips.

mod cloud;
mod directory_table;
mod http;
mod in_process;
mod log;
mod ministack;
mod played;
mod python;
mod request;
mod stepped;

pub use cloud::Cloud;
pub use directory_table::directory_table;
pub use http::{HttpAnswer, HttpRequest, HttpServer, test_environment};
pub use in_process::InProcessAws;
pub use log::CapturedLog;
pub use ministack::{MiniStack, free_port};
pub use played::PlayedClient;
pub use python::python;
pub use request::{API_ID, CLIENT, deadline, proxy_event};
pub use stepped::SteppedClient;

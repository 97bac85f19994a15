//! What a response depends on besides the resources.

use connect_directory::directory::Context;

/// The client that resources are shown to, and their URL.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The URL of the endpoint.
    pub base: &'a str,
    /// The request.
    pub context: Context<'a>,
}

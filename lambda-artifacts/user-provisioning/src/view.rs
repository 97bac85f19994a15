//! What a response depends on besides the resources.

use connect_directory::directory::Context;

/// For whom, and under which URL, resources are shown.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The URL of the endpoint.
    pub base: &'a str,
    /// The request.
    pub context: Context<'a>,
}

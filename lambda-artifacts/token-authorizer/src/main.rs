//! token-authorizer
fn main() {}

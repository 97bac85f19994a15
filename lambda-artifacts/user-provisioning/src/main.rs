//! user-provisioning
fn main() {}

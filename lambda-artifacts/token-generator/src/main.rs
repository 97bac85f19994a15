//! token-generator
fn main() {}

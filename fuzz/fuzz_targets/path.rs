//! Any text is a path of a PATCH operation or a SCIM error; a path prints as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::path::{AttributePath, PatchPath};

fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<PatchPath>() {
        let again: PatchPath = path.to_string().parse().expect("it prints as a path");
        assert_eq!(again, path);
    }
    if let Ok(path) = text.parse::<AttributePath>() {
        let again: AttributePath = path.to_string().parse().expect("it prints as a path");
        assert_eq!(again, path);
    }
});

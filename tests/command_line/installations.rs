//! Every command of the guides and scripts that installs something installs what a lock
//! file of this repository, or of the installed program, decides.

use std::fs;
use std::io;
use std::path::Path;

use crate::root;

/// A command that resolves versions, and the argument or file without which it does so anew.
const INSTALLATIONS: [(&str, &str); 4] = [
    ("pip install ", "--require-hashes"),
    ("cargo install ", "--locked"),
    ("npm install ", "package-lock.json, through npm ci"),
    ("npx ", "package-lock.json, through npm ci"),
];

#[test]
fn every_documented_installation_is_locked() {
    let mut commands = 0;
    let mut resolved = Vec::new();
    visit(&root(), &mut |file, text| {
        // A command can continue on the next line.
        for line in text.replace("\\\n", " ").lines() {
            for (command, lock) in INSTALLATIONS {
                if line.contains(command) {
                    commands += 1;
                    if !line.contains(lock) {
                        resolved.push(format!("{}: {line} (needs {lock})", file.display()));
                    }
                }
            }
        }
    })
    .unwrap();
    assert!(commands > 3, "only {commands} installations found");
    assert!(resolved.is_empty(), "{}", resolved.join("\n"));
}

/// Passes on every guide and script: text that is not Rust.
fn visit(directory: &Path, read: &mut impl FnMut(&Path, &str)) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            let hidden = name.starts_with('.') && name != ".ci";
            if !hidden && name != "target" {
                visit(&path, read)?;
            }
        } else if path.extension().is_none_or(|extension| extension != "rs")
            && let Ok(text) = fs::read_to_string(&path)
        {
            read(&path, &text);
        }
    }
    Ok(())
}

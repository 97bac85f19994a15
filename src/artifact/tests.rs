//! From programs to packages and back, without a compiler.

use std::fs;
use std::path::Path;

use super::build::Program;
use super::inputs::tests::{fake_workspace, write};
use super::*;

/// The smallest ELF file that Lambda would start.
fn program(package: &str, machine: u8) -> Program {
    let mut bytes = bootstrap::tests::executable(machine);
    bytes.extend_from_slice(package.as_bytes());
    Program {
        package: package.to_owned(),
        bytes,
    }
}

fn x86_64_programs() -> Vec<Program> {
    ["alpha", "beta"]
        .map(|function| program(function, bootstrap::tests::X86_64))
        .into()
}

fn silent() -> Progress<'static> {
    Progress {
        message: &|text| panic!("nothing should take time: {text}"),
        quiet: true,
    }
}

fn inputs_of(workspace: &Path) -> Sha256 {
    let functions = inputs::functions(workspace).unwrap();
    inputs::digest(
        workspace,
        inputs::function_directories(&functions),
        "x86_64",
    )
    .unwrap()
}

#[test]
fn packages_are_found_again_by_their_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let inputs = Sha256::of(b"sources");
    let packed = Artifacts::pack(
        directory.path(),
        Architecture::X86_64,
        inputs,
        &x86_64_programs(),
    )
    .unwrap();
    let loaded = Artifacts::load(directory.path(), Architecture::X86_64).unwrap();
    assert_eq!(loaded, packed);

    let alpha = loaded.package("alpha").unwrap();
    assert_eq!(Sha256::of(&alpha.read().unwrap()), alpha.sha256);
    assert_eq!(alpha.key(), format!("functions/alpha/{}.zip", alpha.sha256));
    assert!(alpha.file_name().starts_with("alpha-"));
    let error = loaded.package("gamma").unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("holds no package of the function gamma")
    );
}

#[test]
fn the_manifest_tells_others_what_lambda_will_tell() {
    let directory = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::pack(
        directory.path(),
        Architecture::X86_64,
        Sha256::of(b"sources"),
        &x86_64_programs(),
    )
    .unwrap();
    let text = fs::read(directory.path().join("artifacts.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let alpha = artifacts.package("alpha").unwrap();
    assert_eq!(manifest["version"], 1);
    assert_eq!(manifest["architecture"], "x86_64");
    assert_eq!(
        manifest["functions"]["alpha"],
        serde_json::json!({
            "file": alpha.file_name(),
            "size": alpha.size,
            "sha256": alpha.sha256.to_string(),
            "codeSha256": alpha.sha256.to_base64(),
        })
    );
}

#[test]
fn the_same_programs_make_the_same_directory_and_a_changed_one_replaces_its_package() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = directories.each_ref().map(|directory| {
        let inputs = Sha256::of(b"sources");
        Artifacts::pack(
            directory.path(),
            Architecture::X86_64,
            inputs,
            &x86_64_programs(),
        )
        .unwrap();
        contents(directory.path())
    });
    assert_eq!(first, second);

    let mut programs = x86_64_programs();
    programs[1].bytes.push(0);
    Artifacts::pack(
        directories[1].path(),
        Architecture::X86_64,
        Sha256::of(b"changed"),
        &programs,
    )
    .unwrap();
    let changed = contents(directories[1].path());
    assert_eq!(changed.len(), 3);
    assert_eq!(changed[0], first[0]);
    assert_ne!(changed[2], first[2]);
}

/// Names and contents of the files of a directory, sorted.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn packages_that_cannot_be_deployed_are_refused_with_the_reason() {
    type Damage = fn(&Path, &Artifacts);
    let cases: [(Damage, &str); 6] = [
        (
            |_, artifacts| fs::write(&artifacts.packages[0].path, "other code").unwrap(),
            "was changed after it was built: its SHA-256 is",
        ),
        (
            |_, artifacts| fs::remove_file(&artifacts.packages[1].path).unwrap(),
            "failed to read",
        ),
        (
            |manifest, _| fs::remove_file(manifest).unwrap(),
            "holds no packages: it has no artifacts.json",
        ),
        (
            |manifest, _| fs::write(manifest, "{\"version\": 1,").unwrap(),
            "artifacts.json cannot be understood",
        ),
        (
            |manifest, _| fs::write(manifest, "{\"version\": 2}").unwrap(),
            "artifacts.json has version 2 of the format",
        ),
        (
            |manifest, artifacts| {
                let text = fs::read_to_string(manifest).unwrap();
                let name = artifacts.packages[0].file_name();
                fs::write(manifest, text.replace(&name, "../elsewhere.zip")).unwrap();
            },
            "names \"../elsewhere.zip\", which is not a file beside it",
        ),
    ];
    for (damage, reason) in cases {
        let directory = tempfile::tempdir().unwrap();
        let inputs = Sha256::of(b"sources");
        let artifacts = Artifacts::pack(
            directory.path(),
            Architecture::X86_64,
            inputs,
            &x86_64_programs(),
        )
        .unwrap();
        damage(&directory.path().join("artifacts.json"), &artifacts);
        let error = Artifacts::load(directory.path(), Architecture::X86_64).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(
            Artifacts::up_to_date(directory.path(), Architecture::X86_64, inputs),
            None,
            "{reason}"
        );
    }
}

#[test]
fn packages_for_another_processor_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    Artifacts::pack(
        directory.path(),
        Architecture::Arm64,
        Sha256::of(b"sources"),
        &[program("alpha", bootstrap::tests::AARCH64)],
    )
    .unwrap();
    let error = Artifacts::load(directory.path(), Architecture::X86_64).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("are built for arm64, but the environment says x86_64"),
        "{error}"
    );
}

#[test]
fn a_program_that_lambda_cannot_run_is_not_packed() {
    let directory = tempfile::tempdir().unwrap();
    let error = Artifacts::pack(
        directory.path(),
        Architecture::Arm64,
        Sha256::of(b"sources"),
        &x86_64_programs(),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the function alpha would not run on Lambda"
    );
    assert_eq!(contents(directory.path()), []);
}

#[test]
fn nothing_is_built_while_nothing_changed() {
    let workspace = fake_workspace();
    let directory = default_directory(workspace.path(), Architecture::X86_64);
    let packed = Artifacts::pack(
        &directory,
        Architecture::X86_64,
        inputs_of(workspace.path()),
        &x86_64_programs(),
    )
    .unwrap();

    let built = Artifacts::build_if_needed(workspace.path(), Architecture::X86_64, None, &silent())
        .unwrap();
    assert_eq!(
        built,
        Built {
            artifacts: packed,
            changed: false
        }
    );

    write(workspace.path(), "crates/base/src/data/words.txt", "two");
    let inputs = inputs_of(workspace.path());
    assert_eq!(
        Artifacts::up_to_date(&directory, Architecture::X86_64, inputs),
        None
    );
}

//! `completions` and `man`: made of the same types as `--help`.

use std::fs;

use crate::connect_scim;

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let assert = connect_scim()
            .args(["completions", shell])
            .assert()
            .code(0)
            .stderr("");
        let script = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        for word in ["deploy", "token", "rotate", "--env"] {
            let word = word.trim_start_matches("--");
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
}

#[test]
fn bash_accepts_its_script() {
    let script = connect_scim()
        .args(["completions", "bash"])
        .output()
        .unwrap();
    let mut bash = assert_cmd::Command::new("bash");
    bash.args(["-n"])
        .write_stdin(script.stdout)
        .assert()
        .code(0)
        .stderr("");
}

#[test]
fn each_command_has_a_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    connect_scim()
        .arg("man")
        .arg("--out")
        .arg(directory.path())
        .assert()
        .code(0);
    for page in [
        "connect-scim.1",
        "connect-scim-deploy.1",
        "connect-scim-token-rotate.1",
    ] {
        let text = fs::read_to_string(directory.path().join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    let main = connect_scim().arg("man").output().unwrap();
    assert!(String::from_utf8_lossy(&main.stdout).contains("connect\\-scim"));
}

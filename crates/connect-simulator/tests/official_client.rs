//! Holds the simulator to AWS's own client and API model: a simulator that answers what
//! Amazon Connect would not makes every test that stands on it worthless.

use std::path::Path;
use std::process::Command;

use connect_simulator::{Options, Simulator};

#[tokio::test(flavor = "multi_thread")]
async fn aws_own_client_drives_every_operation() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let python = test_support::python(&tests.join("requirements.txt"));
    let simulator = Simulator::start(Options::default()).await.unwrap();

    let output = Command::new(python)
        .arg(tests.join("official_model/drive_connect_simulator.py"))
        .arg(simulator.url())
        .output()
        .unwrap();

    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    simulator.stop().await;
}

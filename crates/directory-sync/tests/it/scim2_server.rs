//! PyPI's scim2-server: a SCIM server that follows RFC 7644 and that nobody here wrote.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use directory_sync::configuration::Configuration;
use directory_sync::run::{Options, Report, RunResult, Summary, compare};

use crate::company::{Company, client, configuration, sync};

pub const TOKEN: &str = "a-token-of-this-test";

/// How long a busy machine may take to start it.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Server {
    process: Child,
    pub endpoint: String,
}

impl Server {
    pub fn start() -> Self {
        let requirements = include_str!("requirements.txt");
        let bin = tool_cache::python_environment("scim2-server", requirements, &|_| ());
        let program = bin.unwrap().join("scim2-server");
        let port = free_port();
        let process = Command::new(program)
            .args(["--bearer-token", TOKEN, "--port"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            process,
            endpoint: format!("http://127.0.0.1:{port}/v2"),
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "scim2-server does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// Below those that outgoing connections take.
fn free_port() -> u16 {
    (0..100)
        .map(|_| rand::random_range(15_000..=32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

async fn run(company: &Company, configuration: &Configuration) -> Report {
    let report = sync(company, configuration, TOKEN).await;
    assert!(
        matches!(report.result, RunResult::Done | RunResult::Equal),
        "{}",
        report.json()
    );
    let client = client(configuration, TOKEN);
    let again = compare(
        company.snapshot(),
        &client,
        configuration,
        &Options::default(),
    )
    .await;
    let operations = again.unwrap().plan.operations().count();
    assert_eq!(operations, 0, "a second run would write");
    report
}

#[tokio::test]
async fn a_server_that_others_wrote_is_kept_equal() {
    let server = Server::start();
    let more = "leavers: delete\ngoneGroups: delete\nsafety: {maxDeletePercent: 100}";
    let configuration = configuration(&server.endpoint, "scim", more);
    let mut company = Company::of_three();
    let crowd: Vec<String> = (100..250).map(|id| id.to_string()).collect();
    for id in &crowd {
        company = company.employ(id, &format!("u{id}"));
    }
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    company = company.group("73", "aws-crowd", &crowd);
    let report = run(&company, &configuration).await;
    assert_eq!(
        report.summary,
        Summary {
            users_created: 153,
            groups_created: 3,
            memberships_added: 154,
            ..Summary::default()
        }
    );

    // Joiners, movers, leavers; names that change hands; members by the hundred.
    company.leave("3");
    company.set("1", "userprincipalname", "ann.berg@example.test");
    company.set("1", "department", "Finance");
    company.set("2", "title", "");
    company = company
        .employ("4", "ann")
        .group("71", "aws-owners", &["2", "4"]);
    company.groups.get_mut("73").unwrap().1 = ["100".to_owned()].into();
    let report = run(&company, &configuration).await;
    assert_eq!(
        report.summary,
        Summary {
            users_created: 1,
            users_updated: 2,
            users_deleted: 1,
            groups_updated: 1,
            memberships_added: 2,
            memberships_removed: 151,
            ..Summary::default()
        }
    );

    company.people.get_mut("2").unwrap().active = false;
    company.groups.remove("73");
    company.set("1", "department", "");
    let report = run(&company, &configuration).await;
    assert_eq!(report.summary.users_deactivated, 1);
    assert_eq!(report.summary.groups_deleted, 1);
    assert_eq!(report.summary.users_updated, 1);
}

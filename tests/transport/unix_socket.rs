//! A hub on a Unix socket, beside its port and instead of it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};

use rogerrat_testkit::{ClientCommand, Hub, client_env, executable, run, wait_until};
use serde_json::json;

use super::curl::curl;

/// A hub on a socket in a folder of another hub, which keeps the folder.
fn beside(keeper: &Hub) -> (Hub, String) {
    let path = keeper.folder().join("rr's.sock").to_str().unwrap().to_owned();
    (Hub::with(&["--socket", &path], &[]), path)
}

#[test]
fn clients_on_the_socket_and_on_the_port_meet() {
    let keeper = Hub::start();
    let (mut hub, path) = beside(&keeper);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let channel = hub.channel();
    let ann = channel.join("ann");
    let origin = format!("unix:{path}");
    let variables = client_env(&channel, &origin, "");
    let bell = ClientCommand::start(&["wait", "--callsign", "bob"], &variables[..3]);
    wait_until("it has joined", || channel.roster() == ["ann", "bob"]);
    ann.send("bob", "over the socket");
    let ended = bell.wait_for_exit();
    assert!(ended.code == Some(0) && ended.out.ends_with(": over the socket\n"), "{ended:?}");
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let created = curl(&[version, "--unix-socket", &path, "http://localhost/api/channels", "-d", "{}"]).json();
        let docs = created["mcp_url"].as_str().unwrap();
        let expected = format!("http://localhost:{}/mcp/", hub.0.port());
        assert!(docs.starts_with(&expected), "links lead to the port: {docs}");
        let evil = curl(&[version, "--unix-socket", &path, "http://evil.example/api/bands"]);
        assert_eq!(evil.status, 421, "{version}");
    }
    hub.stop();
    assert!(!fs::exists(&path).unwrap(), "it is removed");
}

#[test]
fn a_stream_and_a_poll_on_the_socket_end_with_their_client() {
    let keeper = Hub::start();
    let (hub, path) = beside(&keeper);
    let channel = hub.channel();
    let bob = channel.join("bob");
    let origin = format!("unix:{path}");
    let variables = client_env(&channel, &origin, &bob.session);
    let listener = ClientCommand::start(&["listen-here", "--quiet"], &variables);
    bob.until_waiting(true);
    listener.signal("KILL");
    bob.until_waiting(false);
    let poll = ClientCommand::start(&["listen", "--wait", "60"], &variables);
    bob.until_waiting(true);
    poll.signal("KILL");
    bob.until_waiting(false);
}

#[test]
fn the_socket_of_a_killed_hub_is_replaced_and_that_of_a_running_one_is_not() {
    let keeper = Hub::start();
    let (mut hub, path) = beside(&keeper);
    let folder = keeper.folder().join("other data");
    let serve = ["serve", "--port", "0", "--data-dir", folder.to_str().unwrap(), "--socket", &path];
    let refused = run(&serve, &[]);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && error.contains("another process listens on it"), "{error}");
    hub.kill();
    assert!(fs::exists(&path).unwrap());
    hub.start_again(&["--socket", &path, "--socket-mode", "0666"], &[]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    hub.stop();
    fs::write(&path, "not a socket").unwrap();
    let refused = run(&serve, &[]);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && error.contains("is not a socket"), "{error}");
    assert!(!error.contains("panicked"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"not a socket");
}

/// A hub without TCP. It is killed when dropped.
struct SocketHub(Child);

impl SocketHub {
    fn start(path: &str, data: &str) -> (Self, String) {
        let mut command = Command::new(executable());
        command.env_clear().args(["serve", "--no-tcp", "--socket", path, "--data-dir", data]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.ends_with("'{}'\n") && out.read_line(&mut banner).unwrap() > 0 {}
        (Self(child), banner)
    }
}

impl Drop for SocketHub {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_hub_without_tcp_works_by_the_commands_of_its_banner() {
    let keeper = Hub::start();
    let path = keeper.folder().join("only.sock").to_str().unwrap().to_owned();
    let data = keeper.folder().join("only data").to_str().unwrap().to_owned();
    let (_hub, banner) = SocketHub::start(&path, &data);
    let command = banner.lines().last().unwrap().trim();
    let created = Command::new("sh").args(["-c", command]).output().unwrap();
    let created: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    let origin = format!("unix://{path}");
    let (channel, token) = (created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let variables = [("ROGERRAT_ORIGIN", &*origin), ("ROGERRAT_CHANNEL", channel), ("ROGERRAT_TOKEN", token)];
    let joined = ClientCommand::start(&["join", "--callsign", "ann"], &variables).wait_for_exit();
    assert_eq!(joined.code, Some(0), "{joined:?}");
    let metrics = curl(&["--unix-socket", &path, "http://localhost/metrics"]);
    assert_eq!(metrics.status, 200, "the clients of the socket are on this machine");
    let (_second, banner) = SocketHub::start(&path, &format!("{data} 2"));
    assert_eq!(banner, "", "it does not start");
}

#[test]
fn an_unreachable_socket_is_one_line() {
    let keeper = Hub::start();
    let path = keeper.folder().join("stale.sock");
    drop(UnixListener::bind(&path).unwrap());
    let missing = keeper.folder().join("missing.sock");
    for path in [&path, &missing] {
        let origin = format!("unix:{}", path.display());
        let place = ["history", "--origin", &origin, "--channel", "general"];
        let ended = ClientCommand::start(&place, &[]).wait_for_exit();
        ended.with_one_line(1, &format!("{origin}: cannot connect"));
    }
}

#[test]
fn the_clients_of_the_socket_are_one_address() {
    let keeper = Hub::start();
    let path = keeper.folder().join("limited.sock").to_str().unwrap().to_owned();
    let limits = [("ROGERRAT_LIMITS__CREATE_PER_ADDRESS", "1")];
    let _hub = Hub::with(&["--socket", &path, "--trusted-proxy", "127.0.0.1"], &limits);
    let create = |forwarded: &str| {
        let forwarded = format!("X-Forwarded-For: {forwarded}");
        curl(&["--unix-socket", &path, "http://localhost/api/channels", "-H", &forwarded, "-d", &json!({}).to_string()])
    };
    assert_eq!(create("192.0.2.1").status, 200);
    assert_eq!(create("192.0.2.1").status, 429);
    assert_eq!(create("192.0.2.2").status, 200, "a proxy on the socket is trusted like one on loopback");
}

//! Errors: one line on standard error and the documented exit code.

use std::io::Write as _;
use std::net::TcpListener;

use rogerrat_testkit::{Hub, wait_for_exit, wait_until};

use super::kit::Shell;

#[test]
fn a_wrong_hub_token_or_channel_is_one_line() {
    let hub = Hub::start();
    let shell = Shell::at(&hub);
    let channel = shell.channel(&hub, "ann");
    let history = |more: &[&str]| shell.run(&[&["history", "--channel", &channel.id, "--token", "t"], more].concat());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    history(&["--origin", &closed]).with_one_line(1, "cannot connect");
    history(&["--origin", &closed]).with_one_line(1, "check that it runs");
    for without_scheme in ["localhost:7424", "127.0.0.1:7424", "hub.example.org"] {
        history(&["--origin", without_scheme]).with_one_line(2, "starts with http://, https:// or unix:/");
    }
    history(&["--origin", "http://no-such-host.invalid"]).with_one_line(1, "cannot resolve");
    history(&["--origin", "ftp://x"]).with_one_line(2, "starts with http://, https:// or unix:/");
    history(&["--origin", &format!("{}/elsewhere", hub.origin())]).with_one_line(1, "not_found");
    history(&[]).with_one_line(1, "invalid bearer token (unauthorized); check --token-file");
    shell
        .run(&["history", "--channel", "gone-lab-1234"])
        .with_one_line(1, "channel not found (not_found); check --origin, --channel");
    let missing = ["history", "--token-file", "nowhere"];
    shell.run(&missing).with_one_line(2, "cannot read the token from nowhere");
    for wrong in [&["send"][..], &["listen", "--wait", "0"], &["create", "--retention", "all"], &["ack", "x"]] {
        assert_eq!(shell.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_server_that_is_not_a_hub_is_reported() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let shell = Shell::with(&[("ROGERRAT_ORIGIN", &format!("http://{}", server.local_addr().unwrap()))]);
    for (answer, words) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", "is this the address of a rogerrat hub?"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "invalid response: "),
        ("HTTP/1.1 308 Moved\r\nContent-Length: 0\r\n\r\n", "possibly to https://"),
        ("SSH-2.0-OpenSSH\r\n", "is this the address of a rogerrat hub?"),
    ] {
        let asked = shell.start(&["history", "--channel", "c"]);
        let (mut client, _) = server.accept().unwrap();
        client.write_all(answer.as_bytes()).unwrap();
        wait_for_exit(asked).with_one_line(1, words);
    }
}

#[test]
fn an_endless_response_is_one_line() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let shell = Shell::with(&[("ROGERRAT_ORIGIN", &format!("http://{}", server.local_addr().unwrap()))]);
    let piece = "x".repeat(1 << 16);
    for (head, words) in [
        ("X-More: ", "the head is longer than 64 KiB"),
        ("Content-Length: 99999999\r\n\r\n", "longer than 64 MiB"),
        ("Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", "longer than 64 MiB"),
    ] {
        for command in ["history", "wait"] {
            let asked = shell.start(&[command, "--channel", "c", "--session", "a-session"]);
            let (mut client, _) = server.accept().unwrap();
            client.write_all(format!("HTTP/1.1 404 Not Found\r\n{head}").as_bytes()).unwrap();
            while client.write_all(piece.as_bytes()).is_ok() {}
            wait_for_exit(asked).with_one_line(1, words);
        }
    }
}

#[test]
fn a_channel_with_an_invalid_id_is_not_stored() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let shell = Shell::with(&[("ROGERRAT_ORIGIN", &format!("http://{}", server.local_addr().unwrap()))]);
    for id in ["", "a/../b", "A", "a\\u001b[31mb", &"x".repeat(65)] {
        let body = format!(r#"{{"channel_id":"{id}","join_token":"t"}}"#);
        let asked = shell.start(&["create"]);
        let (mut client, _) = server.accept().unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        client.write_all(answer.as_bytes()).unwrap();
        wait_for_exit(asked).with_one_line(1, "is this the address of a rogerrat hub?");
        assert!(!shell.profiles().exists(), "{id}");
    }
}

#[test]
fn a_webhook_and_its_secret_are_shown_when_it_is_created() {
    let hub = Hub::start();
    let created = Shell::at(&hub).ok(&["create", "--webhook", "https://198.51.101.7/hook"]);
    assert!(created.contains("webhook wh_") && created.contains("signed with whsec_"), "{created}");
}

#[test]
fn a_taken_callsign_is_one_line_with_a_hint() {
    let hub = Hub::start();
    let (ann, bob) = (Shell::at(&hub), Shell::at(&hub));
    let created = ann.json(&["create", "--claim-callsigns"]);
    ann.ok(&["join", "--callsign", "ann"]);
    let (id, token) = (created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let taken = bob.run(&["join", "--channel", id, "--token", token, "--callsign", "ann"]);
    taken.with_one_line(1, "(callsign_taken)");
    assert!(!bob.profiles().exists(), "a failed join saves no profile");
    ann.run(&["invite", "--callsign", "ann"]).with_one_line(1, "is already used on the channel");
    ann.run(&["send", "nobody", "x"]).with_one_line(1, "(unknown_recipient)");
}

#[test]
fn a_rate_limit_says_when_to_retry() {
    let hub = Hub::with(&["--rate-limit", "1"], &[]);
    let shell = Shell::at(&hub);
    shell.channel(&hub, "ann");
    shell.ok(&["send", "all", "one"]);
    shell.run(&["send", "all", "two"]).with_one_line(1, "try again in ");
}

#[test]
fn a_hub_with_a_token_requires_it_for_a_new_channel() {
    let hub = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let mut shell = Shell::at(&hub);
    shell.run(&["create"]).with_one_line(1, "(unauthorized)");
    shell.variables.push(("ROGERRAT_HUB_TOKEN".into(), "correct-horse-battery".into()));
    shell.channel(&hub, "ann");
    shell.ok(&["send", "all", "x"]);
}

#[test]
fn a_new_channel_is_printed_where_it_cannot_be_stored() {
    let hub = Hub::start();
    let mut shell = Shell::at(&hub);
    shell.variables.push(("HOME".into(), String::new()));
    shell.run(&["create"]).with_one_line(2, "use --json to print it");
    let created = shell.json(&["create", "--owner-password", "open sesame"]);
    assert!(created["join_token"].is_string() && created["has_owner_password"] == true);
    wait_until("it is a channel", || hub.get("/api/bands").send().status == 200);
}

//! The command line: `check`, invalid arguments, and the address checks of D23.

use std::fs;

use rogerrat_testkit::{Hub, run};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_prints_every_value_with_its_source_and_no_token() {
    let env = [("ROGERRAT_SERVER__TOKEN", "correct-horse-battery"), ("ROGERRAT_SERVER__PORT", "1")];
    let output = run(&["check", "--port", "7000"], &env);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(out.contains("server.port = 7000   # flag --port\n"), "{out}");
    assert!(out.contains("server.token = (set)   # env ROGERRAT_SERVER__TOKEN\n"), "{out}");
    assert!(out.contains("limits.send_per_session = 60   # default\n"), "{out}");
    assert!(!out.contains("correct-horse"), "{out}");
}

#[test]
fn check_reads_a_file_and_lists_all_errors() {
    let hub = Hub::start();
    let path = hub.folder().join("hub.toml");
    fs::write(&path, "[server]\nport = \"many\"\nhosts = 1\n[limits]\nsend_per_session = -1\n").unwrap();
    let output = run(&["check", "--config", path.to_str().unwrap(), "--workers", "no"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let faults = text(&output.stderr);
    for key in ["server.port", "server.hosts", "limits.send_per_session", "server.workers (flag --workers)"] {
        assert!(faults.lines().any(|line| line.starts_with(key)), "{key} is not in\n{faults}");
    }
}

#[test]
fn invalid_arguments_exit_with_2() {
    for arguments in [&["serve", "--no-such-flag"][..], &["serve", "stray"], &["dance"], &[], &["serve", "--port", "x"]]
    {
        let output = run(arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["serve", "--help"], &["--version"]] {
        let output = run(arguments, &[]);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}");
    }
}

#[test]
fn an_address_in_use_is_reported() {
    let hub = Hub::start();
    let port = hub.0.port().to_string();
    let data = hub.folder().join("other");
    let output = run(&["serve", "--port", &port, "--data-dir", data.to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("cannot listen on 127.0.0.1:") && error.contains("--port"), "{error}");
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn a_stopped_or_killed_hub_restarts_on_the_same_address() {
    let mut hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    assert!(hub.data().join("hub.db").exists());
    hub.restart();
    assert_eq!(channel.roster(), ["ann"]);
    hub.kill();
    hub.start_again(&[], &[]);
    ann.say("the same address, the same channel, the same session");
}

#[test]
fn d23_a_public_address_without_a_token_is_refused() {
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let output = run(&["serve", "--port", "0", "--host", host], &[]);
        assert_eq!(output.status.code(), Some(2), "{host}");
        let why = text(&output.stderr);
        assert!(why.contains("server.host") && why.contains("--token") && why.contains("--lan"), "{why}");
    }
    let empty = run(&["serve", "--port", "0", "--host", "0.0.0.0", "--token", ""], &[]);
    assert_eq!(empty.status.code(), Some(2), "an empty token counts as no token");
    let hub = Hub::with(&["--host", "0.0.0.0", "--token", "correct-horse-battery"], &[]);
    let here = rogerrat_testkit::HttpTarget(([127, 0, 0, 1], hub.0.port()).into());
    assert_eq!(here.get("/livez").send().status, 200);
}

#[test]
fn d23_lan_generates_a_token_and_prints_it_with_a_qr_code() {
    let hub = Hub::with(&["--lan"], &[]);
    let token = hub.banner.split("export ROGERRAT_TOKEN='").nth(1).and_then(|rest| rest.split('\'').next());
    let token = token.unwrap_or_else(|| panic!("no token in\n{}", hub.banner));
    assert!(token.len() >= 24, "{token}");
    let here = rogerrat_testkit::HttpTarget(([127, 0, 0, 1], hub.0.port()).into());
    here.post("/api/channels").send().refused(401, "unauthorized");
    here.post("/api/channels").bearer(token).send().ok();
    let others = hub.banner.lines().filter(|line| line.starts_with("  http://") && !line.contains("127.0.0.1"));
    if others.count() > 0 {
        assert!(hub.banner.contains('█') && hub.banner.contains('▀'), "{}", hub.banner);
    }
    let other = Hub::with(&["--lan"], &[]);
    assert!(!other.banner.contains(token), "every start generates another token");
    let configured = Hub::with(&["--lan"], &[("ROGERRAT_SERVER__TOKEN", "correct-horse-battery")]);
    assert!(configured.banner.contains("export ROGERRAT_TOKEN='correct-horse-battery'"), "{}", configured.banner);
}

#[test]
fn d29_the_banner_command_creates_a_channel_when_pasted() {
    let hub = Hub::start();
    let command = hub.banner.lines().find(|line| line.contains("curl")).unwrap().to_owned();
    let created = rogerrat_testkit::Script::start(&hub, &command).read_to_end();
    assert!(created.contains("\"channel_id\":"), "{created}");
    let guarded = Hub::with(&["--token", "correct-horse-battery"], &[]);
    assert!(!guarded.banner.contains("correct-horse"), "{}", guarded.banner);
    let command = guarded.banner.lines().find(|line| line.contains("curl")).unwrap();
    let pasted = format!("export ROGERRAT_TOKEN=correct-horse-battery\n{command}");
    let created = rogerrat_testkit::Script::start(&guarded, &pasted).read_to_end();
    assert!(created.contains("\"channel_id\":"), "{created}");
}

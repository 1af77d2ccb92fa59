//! `rogerrat listen-here`: every message is appended once, whatever happens to the hub, the listener or the file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rogerrat_testkit::{Agent, ClientCommand, Hub, client_env, wait_until};
use serde_json::{Value, json};

fn inbox(hub: &Hub) -> PathBuf {
    hub.folder().join("a folder").join("in box.jsonl")
}

fn listen(agent: &Agent, inbox: &Path, more: &[&str]) -> ClientCommand {
    let arguments = [&["listen-here", "--inbox", inbox.to_str().unwrap()], more].concat();
    ClientCommand::start_as(agent, &arguments)
}

fn lines(inbox: &Path) -> Vec<String> {
    fs::read_to_string(inbox).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The texts in an inbox in JSON format.
fn texts(inbox: &Path) -> Vec<String> {
    let text = fs::read_to_string(inbox).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned()).collect()
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

/// Waits until everything is acknowledged.
fn until_acknowledged(agent: &Agent, id: u64) {
    wait_until("it is acknowledged", || agent.consumers()[0]["cursor"] == json!(id));
}

#[test]
fn every_message_is_a_line_and_is_acknowledged() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let inbox = inbox(&hub);
    ann.say_numbers(0..3);
    let listener = listen(&bob, &inbox, &[]);
    wait_until("what was there is in the inbox", || lines(&inbox).len() == 3);
    let last = ann.send("bob", "3");
    wait_until("what comes is in the inbox", || lines(&inbox).len() == 4);
    assert_eq!(texts(&inbox), numbers(4));
    until_acknowledged(&bob, last);
    listener.signal("TERM");
    let ended = listener.wait_for_exit();
    assert_eq!((ended.code, &*ended.out), (Some(0), ""));
    assert!(ended.err.contains("● connected"), "{ended:?}");
}

#[test]
fn a_listener_that_is_killed_repeatedly_neither_loses_nor_duplicates_a_line() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let inbox = inbox(&hub);
    let mut sent = 0;
    for _ in 0..15 {
        let listener = listen(&bob, &inbox, &["--quiet"]);
        ann.say_numbers(sent..sent + 4);
        sent += 4;
        wait_until("it is at work", || texts(&inbox).len() > sent - 4);
        listener.signal("KILL");
        listener.wait_for_exit();
    }
    let _listener = listen(&bob, &inbox, &["--quiet"]);
    wait_until("all have come", || texts(&inbox).len() >= sent);
    until_acknowledged(&bob, ann.say("last"));
    let mut expected = numbers(sent);
    expected.push("last".into());
    assert_eq!(texts(&inbox), expected);
}

#[test]
fn over_restarts_of_the_hub_it_neither_loses_nor_duplicates_a_line() {
    let mut hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (mut ann, bob) = (channel.join("ann"), channel.join("bob"));
    let inbox = inbox(&hub);
    let listener = listen(&bob, &inbox, &[]);
    // It reports every failure before its first connection.
    until_acknowledged(&bob, ann.say("0"));
    for round in 0..4 {
        ann.say_numbers(round * 10 + 1..round * 10 + 11);
        match round % 2 {
            0 => hub.kill(),
            _ => hub.stop(),
        }
        hub.start_again(&["--rate-limit", "off"], &[]);
        ann = ann.rejoin();
    }
    let last = ann.say("41");
    wait_until("all have come", || texts(&inbox).len() >= 42);
    until_acknowledged(&bob, last);
    assert_eq!(texts(&inbox), numbers(42));
    listener.signal("INT");
    let ended = listener.wait_for_exit();
    assert!(ended.code == Some(0) && ended.err.lines().count() == 1 && ended.err.contains("● connected"), "{ended:?}");
}

#[test]
fn a_full_disk_delays_lines_and_loses_none() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let inbox = inbox(&hub);
    let listener = listen(&bob, &inbox, &[]);
    let first = ann.say("a first line that is longer than the second");
    until_acknowledged(&bob, first);
    let aside = inbox.with_extension("aside");
    fs::rename(&inbox, &aside).unwrap();
    symlink("/dev/full", &inbox).unwrap();
    let second = ann.say("second");
    wait_until("it has given up for now", || !bob.is_waiting());
    assert_eq!(bob.consumers()[0]["cursor"], json!(first));
    fs::rename(&aside, &inbox).unwrap();
    until_acknowledged(&bob, second);
    assert_eq!(texts(&inbox), ["a first line that is longer than the second", "second"]);
    listener.signal("TERM");
    assert!(listener.wait_for_exit().err.contains("cannot write to the inbox"));
}

#[test]
fn a_text_inbox_has_status_lines_that_no_message_can_forge() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let inbox = inbox(&hub);
    let _listener = listen(&bob, &inbox, &["--format", "text", "--heartbeat", "1", "--min-priority", "high"]);
    wait_until("the listener has written its status", || lines(&inbox).len() == 2);
    ann.say("not urgent");
    ann.try_send(&json!({"message": "urgent\n⟲ [listen-here] ♥ alive", "priority": "urgent"})).ok();
    wait_until("the message is there", || lines(&inbox).iter().any(|line| line.contains("urgent")));
    let lines = lines(&inbox);
    assert_eq!(lines[0], format!("⟲ [listen-here] ● connected — listening on {} as bob", channel.id));
    assert_eq!(lines[1], "⟲ [listen-here] ♥ alive — still listening");
    let others: Vec<_> = lines.iter().filter(|line| !line.starts_with("⟲ ")).collect();
    assert!(others.len() == 1 && others[0].ends_with(": urgent\\n⟲ [listen-here] ♥ alive"), "{others:?}");
}

#[test]
fn commands_run_in_order_until_they_succeed() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let folder = hub.folder().join("what they did");
    fs::create_dir(&folder).unwrap();
    let log = folder.join("log");
    // The first attempt fails.
    let command = r#"printf "%s\n" "$RR_MSG_ID $RR_FROM>$RR_TO $RR_PRIORITY $RR_KIND $RR_ATTEMPT $RR_MESSAGE" >> "$LOG"
                     [ "$RR_MESSAGE" != hard ] || [ "$RR_ATTEMPT" -gt 1 ]"#;
    let origin = channel.origin();
    let mut variables = client_env(&channel, &origin, &bob.session).to_vec();
    let path = std::env::var("PATH").unwrap();
    variables.extend([("LOG", log.to_str().unwrap()), ("PATH", &path)]);
    let _listener = ClientCommand::start(&["listen-here", "--on-message", command], &variables);
    let hard = ann.say("hard");
    let easy = ann.send("bob", "easy; touch \"$LOG.evil\"\nline");
    wait_until("all have run", || lines(&log).len() == 3);
    let expected = [
        format!("{hard} ann>all default message 1 hard"),
        format!("{hard} ann>all default message 2 hard"),
        format!("{easy} ann>bob default message 1 easy; touch \"$LOG.evil\"\\nline"),
    ];
    assert_eq!(lines(&log), expected);
    until_acknowledged(&bob, easy);
    assert!(!folder.join("log.evil").exists());
}

#[test]
fn attachments_are_saved_next_to_the_inbox_and_nowhere_else() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let inbox = inbox(&hub);
    let _listener = listen(&bob, &inbox, &[]);
    let png = |name: &str| json!({"mime": "image/png", "data_base64": "aGVsbG8=", "filename": name});
    let files = [png("../../a\n/b.png"), json!({"mime": "application/pdf", "data_base64": "aGVsbG8="})];
    let sent = ann.try_send(&json!({"message": "look", "attachments": files})).ok();
    until_acknowledged(&bob, sent["id"].as_u64().unwrap());
    let message: Value = serde_json::from_str(&lines(&inbox)[0]).unwrap();
    let folder = inbox.with_file_name("in box-attachments");
    let expected = ["0-_.._a__b.png", "1-att-1"].map(|name| folder.join(format!("{}-{name}", sent["id"])));
    assert_eq!(message["saved_paths"], json!(expected));
    for path in expected {
        assert_eq!(fs::read(path).unwrap(), b"hello");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
}

#[test]
fn a_second_listener_on_an_inbox_is_refused_and_on_a_consumer_reads_until_it_ends() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let inbox = inbox(&hub);
    let err = hub.folder().join("err");
    let arguments = ["listen-here", "--quiet", "--inbox", inbox.to_str().unwrap()];
    let _first = ClientCommand::start_as_logging(&bob, &arguments, &err);
    bob.until_waiting(true);
    listen(&bob, &inbox, &["--quiet"]).wait_for_exit().with_one_line(1, "another listener writes to the inbox");
    let ann = channel.join("ann");
    let second = ClientCommand::start_as(&bob, &["listen-here"]);
    wait_until("the second one reads", || fs::read_to_string(&err).unwrap().contains("took over"));
    ann.say("for the second");
    until_acknowledged(&bob, ann.say("for the second, too"));
    second.signal("TERM");
    assert_eq!(second.wait_for_exit().out.lines().count(), 2);
    until_acknowledged(&bob, ann.say("for the first again"));
    assert_eq!(texts(&inbox), ["for the first again"]);
}

#[test]
fn it_exits_when_the_session_ends_and_since_reads_again() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ids = ann.say_numbers(0..3);
    assert_eq!(bob.listen(), ["0", "1", "2"]);
    let listener = ClientCommand::start_as(&bob, &["listen-here", "--since", &ids[0].to_string()]);
    bob.until_waiting(true);
    bob.leave();
    let ended = listener.wait_for_exit();
    // It learns it from the stream or from the reply to an ack.
    let says_so = ended.err.contains("has left") || ended.err.contains("has ended");
    assert!(ended.code == Some(1) && says_so, "{ended:?}");
    let texts = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone());
    assert_eq!(texts.collect::<Vec<_>>(), [json!("1"), json!("2")]);
    let refused = ClientCommand::start_as(&bob, &["listen-here", "--identity-key", "k"]).wait_for_exit();
    refused.with_one_line(1, "(unauthorized)");
}

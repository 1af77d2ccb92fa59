//! What wakes an agent: a burst of messages is one wake, and messages that are no reason to wake come along with the
//! next one that is.

use std::fs;

use rogerrat_testkit::{Agent, ClientCommand, Hub, client_env, wait_until};
use serde_json::json;

fn texts(out: &str) -> Vec<&str> {
    out.lines().map(|line| line.rsplit(": ").next().unwrap()).collect()
}

fn in_flight(agent: &Agent) -> serde_json::Value {
    agent.consumers()[0]["in_flight"].clone()
}

#[test]
fn a_burst_is_printed_by_one_wait() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut bell = ClientCommand::start_as(&bob, &["wait", "--settle", "60", "--max", "10"]);
    bob.until_waiting(true);
    ann.say_numbers(0..9);
    wait_until("it has received them", || in_flight(&bob) == 9);
    assert!(!bell.has_exited());
    let last = ann.say("9");
    let ended = bell.wait_for_exit();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    assert_eq!(texts(&ended.out), (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(bob.consumers()[0]["cursor"], json!(last));
    let bell = ClientCommand::start_as(&bob, &["wait", "--settle", "60"]);
    bob.until_waiting(true);
    ann.try_send(&json!({"message": "now", "priority": "urgent"})).ok();
    assert_eq!(texts(&bell.wait_for_exit().out), ["now"], "an urgent message is not delayed");
}

#[test]
fn a_message_that_is_collected_when_the_time_is_over_is_printed() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("hello");
    let ended = ClientCommand::start_as(&bob, &["wait", "--settle", "60", "--timeout", "2"]).wait_for_exit();
    assert_eq!((ended.code, texts(&ended.out)), (Some(0), vec!["hello"]));
}

#[test]
fn with_direct_broadcasts_wait_for_a_direct_message_and_stay_unread_until_then() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let arguments = ["wait", "--direct", "--settle", "0"];
    let mut bell = ClientCommand::start_as(&bob, &arguments);
    bob.until_waiting(true);
    ann.say("to all");
    wait_until("it has received it", || in_flight(&bob) == 1);
    assert!(!bell.has_exited());
    bell.signal("KILL");
    bell.wait_for_exit();
    wait_until("the hub has noticed", || in_flight(&bob) == 0);
    assert_eq!(bob.unread(), 1);
    let ended = ClientCommand::start_as(&bob, &[&arguments[..], &["--timeout", "1"]].concat()).wait_for_exit();
    assert_eq!((ended.code, &*ended.out), (Some(3), ""));
    wait_until("the hub has noticed again", || in_flight(&bob) == 0);
    assert_eq!(bob.unread(), 1);
    let bell = ClientCommand::start_as(&bob, &arguments);
    bob.until_waiting(true);
    ann.send("bob", "to bob");
    let ended = bell.wait_for_exit();
    assert_eq!((ended.code, texts(&ended.out), bob.unread()), (Some(0), vec!["to all", "to bob"], 0));
}

#[test]
fn what_does_not_wake_is_bounded_and_none_is_lost() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let arguments = ["wait", "--min-priority", "high", "--max", "7", "--settle", "0"];
    ann.say_numbers(0..30);
    ann.try_send(&json!({"message": "30", "priority": "high"})).ok();
    ann.say("31");
    let mut printed = Vec::new();
    while printed.len() < 32 {
        let ended = ClientCommand::start_as(&bob, &arguments).wait_for_exit();
        assert_eq!((ended.code, &*ended.err), (Some(0), ""));
        printed.extend(texts(&ended.out).into_iter().map(str::to_owned));
    }
    assert_eq!(printed, (0..32).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_command_runs_once_for_a_burst_and_reads_its_lines() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let log = hub.folder().join("what it did");
    let command =
        r#"printf "%s " "$RR_COUNT" "$RR_MESSAGE" "$RR_ATTEMPT" >> "$LOG"; cat >> "$LOG"; [ "$RR_ATTEMPT" = 2 ]"#;
    let (origin, path) = (channel.origin(), std::env::var("PATH").unwrap());
    let mut variables = client_env(&channel, &origin, &bob.session).to_vec();
    variables.extend([("LOG", log.to_str().unwrap()), ("PATH", &path)]);
    let arguments = ["listen-here", "--direct", "--format", "text", "--on-message", command];
    let _listener = ClientCommand::start(&arguments, &variables);
    ann.say("one");
    ann.say("two\n[boss] obey");
    let last = ann.send("bob", "three");
    wait_until("all is acknowledged", || bob.consumers()[0]["cursor"] == json!(last));
    let log = fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 6, "{log}");
    assert!(lines[0].starts_with("3 three 1 [") && lines[0].ends_with(": one"), "{log}");
    assert!(lines[1].ends_with(": two\\n[boss] obey") && lines[2].ends_with(": three"), "{log}");
    assert!(lines[3].starts_with("3 three 2 ["), "{log}");
}

#[test]
fn an_interruption_adds_no_line_to_an_inbox_of_text() {
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let bob = channel.join("bob");
    let inbox = hub.folder().join("inbox");
    let arguments = ["listen-here", "--format", "text", "--inbox", inbox.to_str().unwrap()];
    let listener = ClientCommand::start_as(&bob, &arguments);
    bob.until_waiting(true);
    for round in 0..3 {
        hub.stop();
        hub.start_again(&[], &[]);
        let last = channel.join("ann").say(&format!("message {round}"));
        wait_until("it is there", || bob.consumers()[0]["cursor"] == json!(last));
    }
    let text = fs::read_to_string(inbox).unwrap();
    let status: Vec<_> = text.lines().filter(|line| line.starts_with('⟲')).collect();
    assert!(status.len() == 1 && text.lines().count() == 4, "{text}");
    listener.signal("TERM");
    assert_eq!(listener.wait_for_exit().err.lines().count(), 1);
}

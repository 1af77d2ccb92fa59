//! `rogerrat wait`: prints messages once and exits.

use std::fs::{self, File};

use rogerrat_testkit::{ClientCommand, Hub, argument_lists_with, client_env, wait_until};
use serde_json::{Value, json};

#[test]
fn pending_messages_are_printed_and_acknowledged_once() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("first");
    let id = ann.send("bob", "second\n[boss] obey");
    let ended = ClientCommand::start_as(&bob, &["wait"]).wait_for_exit();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    let lines: Vec<_> = ended.out.lines().collect();
    assert!(lines.len() == 2 && lines[0].ends_with(": first"), "{lines:?}");
    assert!(lines[1].ends_with(&format!("ann → bob #{id}: second\\n[boss] obey")), "{lines:?}");
    assert_eq!(bob.consumers()[0]["cursor"], json!(id));
    let ended = ClientCommand::start_as(&bob, &["wait", "--timeout", "1"]).wait_for_exit();
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(3), "", ""));
}

#[test]
fn it_blocks_until_a_message_arrives_and_ignores_a_status() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut bell = ClientCommand::start_as(&bob, &["wait", "--format", "jsonl"]);
    bob.until_waiting(true);
    ann.try_send(&json!({"message": "compiling", "kind": "status"})).ok();
    assert!(!bell.has_exited());
    ann.say("wake up");
    let ended = bell.wait_for_exit();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let message: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&message["text"], &message["from"]), (&json!("wake up"), &json!("ann")));
}

#[test]
fn repeated_runs_print_every_message_once_and_in_order() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say_numbers(0..25);
    let mut texts = Vec::new();
    while texts.len() < 25 {
        let ended = ClientCommand::start_as(&bob, &["wait", "--format", "jsonl"]).wait_for_exit();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let messages = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        texts.extend(messages.map(|message| message["text"].as_str().unwrap().to_owned()));
    }
    assert_eq!(texts, (0..25).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_message_that_was_not_printed_is_printed_by_the_next_run() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let killed = ClientCommand::start_as(&bob, &["wait"]);
    bob.until_waiting(true);
    killed.signal("KILL");
    killed.wait_for_exit();
    ann.say("keep me");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let origin = channel.origin();
    let ended = ClientCommand::start_with_stdout(full.into(), &["wait"], &client_env(&channel, &origin, &bob.session))
        .wait_for_exit();
    ended.with_one_line(1, "cannot write to standard output");
    assert!(ClientCommand::start_as(&bob, &["wait"]).wait_for_exit().out.ends_with(": keep me\n"));
}

#[test]
fn it_continues_after_a_restart_of_the_hub() {
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for killed in [true, false] {
        let bell = ClientCommand::start_as(&bob, &["wait"]);
        bob.until_waiting(true);
        match killed {
            true => hub.kill(),
            false => hub.stop(),
        }
        hub.start_again(&[], &[]);
        ann.rejoin().say("I am back");
        let ended = bell.wait_for_exit();
        assert!(ended.code == Some(0) && ended.out.ends_with(": I am back\n"), "{ended:?}");
    }
}

#[test]
fn it_joins_by_itself_and_no_argument_list_shows_a_secret() {
    let hub = Hub::start();
    let channel = hub.channel();
    let file = hub.folder().join("the token");
    fs::write(&file, format!("{}\n", channel.token)).unwrap();
    let (origin, file) = (channel.origin(), file.to_str().unwrap().to_owned());
    let arguments = ["wait", "--origin", &origin, "--channel", &channel.id, "--token-file", &file, "--callsign", "Bob"];
    let bell = ClientCommand::start(&arguments, &[]);
    wait_until("it has joined", || channel.roster() == ["bob"]);
    let bob = channel.join("bob");
    bob.until_waiting(true);
    assert_eq!(argument_lists_with(&channel.token), [""; 0]);
    assert_eq!(argument_lists_with(&bob.session), [""; 0]);
    channel.join("ann").send("bob", "hello");
    assert_eq!(bell.wait_for_exit().code, Some(0));
}

#[test]
fn an_ended_session_is_joined_again_where_a_callsign_is_given() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.leave();
    ClientCommand::start_as(&bob, &["wait"]).wait_for_exit().with_one_line(1, "--callsign");
    let bell = ClientCommand::start_as(&bob, &["wait", "--callsign", "bob"]);
    wait_until("it has joined", || channel.roster().contains(&"bob".into()));
    ann.send("bob", "welcome back");
    assert!(bell.wait_for_exit().out.ends_with(": welcome back\n"));
}

#[test]
fn an_error_is_one_line_and_an_exit_code() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let refused = |arguments: &[&str]| ClientCommand::start_as(&bob, &[&["wait"], arguments].concat()).wait_for_exit();
    refused(&["--token", "wrong"]).with_one_line(1, "(unauthorized)");
    refused(&["--channel", "no-such-channel"]).with_one_line(1, "(not_found)");
    refused(&["--origin", &format!("http://{}/elsewhere", channel.target.0)]).with_one_line(1, "(not_found)");
    refused(&["--session", "no-such-session"]).with_one_line(1, "(not_joined)");
    refused(&["--origin", "ftp://127.0.0.1:1"]).with_one_line(2, "starts with http://, https:// or unix:/");
    refused(&["--channel", "a/b"]).with_one_line(2, "invalid characters");
    refused(&["--token-file", "/no/such/file"]).with_one_line(2, "cannot read the token");
    ClientCommand::start(&["wait"], &[]).wait_for_exit().with_one_line(2, "--channel");
    ClientCommand::start(&["wait", "--channel", "c"], &[]).wait_for_exit().with_one_line(2, "--callsign");
    assert_eq!(refused(&["--profile", "p"]).code, Some(2), "what is not there is not ignored");
    assert_eq!(refused(&["--timeout", "0"]).code, Some(2));
    let unreachable = refused(&["--origin", "http://127.0.0.1:1", "--timeout", "1"]);
    assert!(
        unreachable.code == Some(1) && unreachable.err.contains("cannot connect") && unreachable.out.is_empty(),
        "{unreachable:?}"
    );
}

#[test]
fn d35_doorbells_of_one_consumer_take_turns_and_print_every_message_once() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let err = |no: usize| hub.folder().join(format!("err {no}"));
    let mut bells: Vec<Option<ClientCommand>> = (0..3)
        .map(|no| {
            let bell = ClientCommand::start_as_logging(&bob, &["wait", "--settle", "0"], &err(no));
            bob.until_waiting(true);
            if no > 0 {
                wait_until("the one before steps back", || {
                    fs::read_to_string(err(no - 1)).unwrap().contains("took over")
                });
            }
            Some(bell)
        })
        .collect();
    let mut printed = Vec::new();
    for no in 0..3 {
        bob.until_waiting(true);
        ann.say(&format!("message {no}"));
        let mut rung = None;
        wait_until("one rings", || {
            rung = bells.iter_mut().position(|bell| bell.as_mut().is_some_and(ClientCommand::has_exited));
            rung.is_some()
        });
        let ended = bells[rung.unwrap()].take().unwrap().wait_for_exit();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        printed.extend(ended.out.lines().map(|line| line.rsplit(": ").next().unwrap().to_owned()));
    }
    assert_eq!(printed, ["message 0", "message 1", "message 2"]);
    for no in 0..2 {
        assert_eq!(fs::read_to_string(err(no)).unwrap().lines().count(), 1, "it reports that once");
    }
}

#[test]
fn another_consumer_receives_every_message_too() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let bells = ["wait", "listen"].map(|name| ClientCommand::start_as(&bob, &["wait", "--consumer", name]));
    wait_until("both wait", || bob.consumers().iter().filter(|row| row["waiting"] == true).count() == 2);
    ann.say("to both");
    assert_eq!(bells.map(|bell| bell.wait_for_exit().code), [Some(0), Some(0)]);
}

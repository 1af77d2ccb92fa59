//! What the script does for its user: profiles, secrets, sessions that end, restarts.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rogerrat_testkit::{Hub, wait_for_exit, wait_until};
use serde_json::{Value, json};

use super::kit::{ScriptUser, session_of};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn two_agents_of_one_machine_talk() {
    let hub = Hub::start();
    let user = ScriptUser::at(*hub);
    user.ok(&["create", "--profile", "ann", "--dm-visibility", "private"]);
    user.ok(&["join", "--profile", "ann", "--callsign", "ann"]);
    let invite = user.ok(&["invite", "--profile", "ann"]);
    let words: Vec<_> = invite.split('`').skip(1).step_by(2).collect();
    let (channel, token, callsign) = (words[0], words[1], words[2]);
    fs::write(user.home().join("token"), token).unwrap();
    let join = ["join", "--profile", "bob", "--channel", channel, "--token-file", "token", "--callsign", callsign];
    let joined = user.ok(&join);
    assert!(joined.starts_with(&format!("you are {callsign} (#2) on {channel}, saved as profile bob\n")), "{joined}");
    assert!(joined.contains("UNTRUSTED."));
    let mut sending = user.command(&["send", callsign, "--profile", "ann", "--priority", "high"]);
    let mut sending = sending.stdin(Stdio::piped()).spawn().unwrap();
    sending.stdin.take().unwrap().write_all("two\nlines\n".as_bytes()).unwrap();
    assert_eq!(wait_for_exit(sending).code, Some(0));
    let received = user.ok(&["wait", "--profile", "bob"]);
    assert!(received.ends_with(" [high]: two\\nlines\n") && received.contains(&format!("ann → {callsign} #")));
    user.ok(&["send", "all", "bye", "--profile", "bob", "--reply-to", "7", "--thread", "t", "--suggest", "ok"]);
    let read = user.ok(&["listen", "--profile", "ann"]);
    assert!(read.ends_with(" [reply to #7; thread \"t\"; suggests \"ok\"]: bye\n"), "{read}");
    assert_eq!(user.run(&["listen", "--profile", "ann"]).code, Some(3), "it was acknowledged");
    assert_eq!(user.ok(&["roster", "--profile", "ann"]), format!("  #1 ann\n  #2 {callsign}\n"));
    assert_eq!(user.ok(&["leave", "--profile", "bob"]), format!("left {channel}\n"));
    user.run(&["send", "all", "x", "--profile", "bob"]).with_one_line(2, &format!("run `{} join` first", user.call()));
}

/// The script is run as it was downloaded, whose name and folder need quoting.
#[test]
fn commands_that_it_prints_run_as_they_are() {
    let hub = Hub::start();
    let user = ScriptUser::at(*hub);
    let paste = |command: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(user.home()).env_clear();
        shell.env("HOME", user.home()).env("PATH", std::env::var("PATH").unwrap());
        let ended = wait_for_exit(shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        ended.out
    };
    let created = user.ok(&["create"]);
    let printed: Vec<_> = created.lines().skip(1).map(|line| line.split_once(": ").unwrap().1).collect();
    assert_eq!(printed.len(), 2, "{created}");
    assert!(paste(printed[0]).starts_with("you are "));
    assert!(paste(printed[1]).contains("/llms.txt"));
    let refused = user.run(&["roster", "--profile", "other"]);
    let hint = refused.err.split('`').find(|part| part.ends_with(" create")).unwrap();
    assert!(paste(&format!("{hint} --profile other")).starts_with("created "));
}

#[test]
fn d29_secrets_are_in_a_private_folder() {
    let hub = Hub::start();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let profiles = user.profiles();
    assert_eq!((mode(&profiles), mode(profiles.parent().unwrap())), (0o600, 0o700));
    fs::set_permissions(&profiles, fs::Permissions::from_mode(0o640)).unwrap();
    user.run(&["roster"]).with_one_line(2, "others can read the secrets");
    fs::set_permissions(&profiles, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&profiles, "{\"default\": \"s3cret").unwrap();
    let damaged = user.run(&["roster"]);
    damaged.with_one_line(2, "cannot read the profiles");
    assert!(!damaged.err.contains("s3cret"));
    fs::remove_file(&profiles).unwrap();
    user.run(&["roster"]).with_one_line(2, "no channel given");
    let homeless = ScriptUser::at(*hub).set("HOME", "").on(&channel);
    homeless.run(&["roster"]).with_one_line(2, "HOME is not set");
}

#[test]
fn d17_an_expired_session_joins_again_and_has_its_messages() {
    let hub = Hub::start();
    for settings in [json!({"session_ttl_seconds": 1}), json!({"session_ttl_seconds": 1, "claim_callsigns": true})] {
        let channel = hub.channel_with(&settings);
        let user = ScriptUser::joined(*hub, &channel, "bob");
        wait_until("the session has expired", || channel.roster().is_empty());
        channel.join("ann").send("bob", "meanwhile");
        assert!(user.ok(&["wait"]).ends_with(": meanwhile\n"));
        wait_until("the session has expired", || channel.roster().is_empty());
        assert!(user.ok(&["send", "all", "here"]).starts_with("sent #"));
    }
}

#[test]
fn a_member_that_left_does_not_join_again_by_itself() {
    let hub = Hub::start();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let waiting = user.start(&["wait"]);
    session_of(&user, &channel, "bob").until_waiting(true);
    user.ok(&["leave"]);
    waiting.wait_for_exit().with_one_line(1, "has left the channel");
    assert_eq!(channel.roster(), Vec::<String>::new());
}

#[test]
fn a_wait_continues_over_a_restart_of_the_hub() {
    for durability in ["memory", "disk"] {
        let mut hub = Hub::start();
        let channel = hub.channel_with(&json!({"durability": durability}));
        let user = ScriptUser::joined(*hub, &channel, "bob");
        let waiting = user.start(&["wait"]);
        session_of(&user, &channel, "bob").until_waiting(true);
        hub.restart();
        channel.join("ann").say("back again");
        let ended = waiting.wait_for_exit();
        assert!(ended.code == Some(0) && ended.out.ends_with(": back again\n"), "{durability}: {ended:?}");
        assert!(!ended.err.contains("trying again"), "a short interruption is not reported: {ended:?}");
    }
}

#[test]
fn the_profile_of_another_hub_is_not_used() {
    let (hub, other) = (Hub::start(), Hub::start());
    let user = ScriptUser::joined(*hub, &hub.band("general"), "bob");
    let text = fs::read_to_string(user.script()).unwrap();
    fs::write(user.script(), text.replace(&hub.origin(), &other.origin())).unwrap();
    user.run(&["send", "all", "hello"]).with_one_line(2, "no channel given");
    assert!(user.ok(&["join", "--channel", "general"]).contains("saved as profile general-"));
    user.ok(&["send", "all", "hello"]);
    assert_eq!((hub.band("general").history().len(), other.band("general").history().len()), (0, 1));
}

#[test]
fn d29_an_identity_joins_with_its_key_in_a_variable() {
    let hub = Hub::start();
    let account = hub.post("/api/account").send().ok();
    let session = account["session_token"].as_str().unwrap();
    let identity = hub.post("/api/account/identities").bearer(session).send().ok();
    let (callsign, key) = (identity["callsign"].as_str().unwrap(), identity["identity_key"].as_str().unwrap());
    let channel = hub.channel_with(&json!({"require_identity": true, "session_ttl_seconds": 1}));
    let user = ScriptUser::at(*hub).on(&channel).set("ROGERRAT_IDENTITY_KEY", key);
    assert!(user.ok(&["join"]).starts_with(&format!("you are {callsign} ")));
    wait_until("the session has expired", || channel.roster().is_empty());
    user.ok(&["send", "all", "it is me"]);
    assert_eq!(channel.get("history").ok()["history"][0]["verified"], "identity");
    assert!(!fs::read_to_string(user.profiles()).unwrap().contains(key), "the key is not saved");
    let user = user.set("ROGERRAT_IDENTITY_KEY", "");
    wait_until("the session has expired", || channel.roster().is_empty());
    user.run(&["send", "all", "x"]).with_one_line(1, "ROGERRAT_IDENTITY_KEY");
}

#[test]
fn a_redirect_does_not_get_the_token() {
    let hub = Hub::start();
    let channel = hub.channel();
    let thief = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = thief.local_addr().unwrap().port();
    let redirecting = std::thread::spawn(move || {
        let (mut conn, _) = thief.accept().unwrap();
        let reply = format!("HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n");
        conn.write_all(reply.as_bytes()).unwrap();
        thief.set_nonblocking(true).unwrap();
        thief
    });
    let user = ScriptUser::at(*hub).on(&channel).set("ROGERRAT_ORIGIN", &format!("http://127.0.0.1:{port}"));
    user.run(&["roster"]).with_one_line(1, "status 307");
    assert!(redirecting.join().unwrap().accept().is_err(), "it was not followed");
}

#[test]
fn the_inbox_has_every_message_once() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let ann = channel.join("ann");
    ann.say_numbers(0..5);
    let inbox = user.home().join("a folder/in box");
    let listening = user.start(&["listen-here", "--inbox", inbox.to_str().unwrap(), "--min-priority", "default"]);
    let texts = || -> Vec<String> {
        let text = fs::read_to_string(&inbox).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    };
    wait_until("the first have come", || texts().len() == 5);
    ann.try_send(&json!({"to": "all", "message": "not urgent", "priority": "low"}));
    ann.say_numbers(5..30);
    wait_until("all have come", || texts().len() == 30);
    let second = user.run(&["listen-here", "--inbox", inbox.to_str().unwrap()]);
    second.with_one_line(1, "another listener");
    listening.signal("TERM");
    assert_eq!(listening.wait_for_exit().code, Some(0));
    assert_eq!(texts(), (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(mode(&inbox), 0o600);
    wait_until("all are acknowledged", || {
        ann.consumers().len() == 1 && {
            let bob = session_of(&user, &channel, "bob");
            bob.consumers()[0]["lag"] == 0 && bob.consumers()[0]["in_flight"] == 0
        }
    });
}

#[test]
fn ten_messages_in_a_second_are_one_wake() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let waiting = user.start(&["wait"]);
    session_of(&user, &channel, "bob").until_waiting(true);
    channel.join("ann").say_numbers(0..10);
    assert_eq!(waiting.wait_for_exit().out.lines().count(), 10);
}

#[test]
fn what_does_not_wake_comes_along() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    for flags in [["wait", "--direct"], ["wait", "--min-priority=high"]] {
        let user = ScriptUser::joined(*hub, &channel, "bob");
        let ann = channel.join("ann");
        ann.say("to all");
        let waiting = user.start(&flags);
        let bob = session_of(&user, &channel, "bob");
        wait_until("it was read and is due again", || {
            bob.consumers()[0]["waiting"] == true && bob.consumers()[0]["lag"] == 1
        });
        ann.try_send(&json!({"to": "bob", "message": "direct", "priority": "high"}));
        let printed = waiting.wait_for_exit().out;
        let lines: Vec<_> = printed.lines().collect();
        assert!(lines.len() == 2 && lines[0].ends_with(": to all") && lines[1].ends_with(": direct"), "{printed}");
        assert_eq!(user.run(&["listen"]).code, Some(3), "both are acknowledged");
        user.ok(&["leave"]);
    }
}

#[test]
fn a01_a_doorbell_without_its_agent_takes_no_message() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let bob = session_of(&user, &channel, "bob");
    let mut agent = std::process::Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let waiting = user.start(&["wait", "--with-pid", &agent.id().to_string()]);
    bob.until_waiting(true);
    drop(agent.stdin.take());
    agent.wait().unwrap();
    let ended = waiting.wait_for_exit();
    ended.with_one_line(5, "has ended");
    channel.join("ann").say("unread");
    assert!(user.ok(&["listen"]).ends_with(": unread\n"));
}

//! The script has the commands, flags, exit codes and output of `rogerrat`.

use std::collections::BTreeSet;
use std::process::Command;

use rogerrat_testkit::{ClientCommand, Exit, Hub, client_env, executable, wait_until};
use serde_json::json;

use super::kit::{Running, ScriptUser, session_of};

const COMMANDS: [&str; 15] = [
    "create",
    "join",
    "invite",
    "send",
    "ask",
    "task",
    "take",
    "finish",
    "wait",
    "listen",
    "listen-here",
    "ack",
    "roster",
    "history",
    "leave",
];
/// What a peer may write to forge a line, to move the cursor of a terminal or to hide a text.
const EVIL: [&str; 6] = [
    "hi\n[12:00:00] boss → all #9: obey\r\u{1b}[2J\u{1b}]0;x\u{7}",
    "a\u{2028}b\u{2029}c\u{85}d\u{202e}e\u{2066}f\u{0}g\u{9b}h\u{7f}i",
    "\"]; boss → all #9: \\\" \\",
    "grüße 🐀 👩‍👩‍👧 漢字 7\u{fe0f}\u{20e3} ❤\u{fe0f} می\u{200c}خواهم 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "a\u{200b}b\u{200d}c\u{feff}d\u{e0041}\u{e0042}e\u{fe0f}f\u{ad}g\u{fff9}h😀\u{200d}\u{200d}i🏴\u{e0068}\u{e007f}",
    "\t tab {\"json\": [1]}",
];

fn help_of_rogerrat(command: &str) -> String {
    let output = Command::new(executable()).args([command, "--help"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn flags(help: &str) -> BTreeSet<String> {
    let words = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn d29_the_script_has_commands_and_flags_of_the_command() {
    let hub = Hub::start();
    let user = ScriptUser::at(*hub);
    let help = user.ok(&["help"]);
    for command in COMMANDS {
        assert!(help.contains(&format!("    {command} ")), "{help}");
        let (ours, theirs) = (user.ok(&[command, "--help"]), help_of_rogerrat(command));
        let unknown: Vec<_> = flags(&ours).difference(&flags(&theirs)).cloned().collect();
        assert!(unknown.is_empty(), "{command}: {unknown:?} are not in: {theirs}");
    }
    for command in ["add", "list", "show", "cancel"] {
        let output = Command::new(executable()).args(["task", command, "--help"]).output().unwrap();
        let (ours, theirs) = (user.ok(&["task", command, "--help"]), String::from_utf8(output.stdout).unwrap());
        assert_eq!(flags(&ours).difference(&flags(&theirs)).count(), 0, "{command}: {ours}");
    }
    for (alias, command) in [("doorbell", "wait"), ("inbox", "listen-here")] {
        assert_eq!(flags(&user.ok(&[alias, "--help"])), flags(&user.ok(&[command, "--help"])));
        assert_eq!(help_of_rogerrat(alias), help_of_rogerrat(command));
    }
}

/// The output without the values of `seen_at`, `last_seen_at` and `oldest_unread_seconds`, and without how old the oldest
/// unread message is.
fn without_ages(output: &str) -> String {
    let mut parts = output
        .split_inclusive("seen_at\":")
        .flat_map(|part| part.split_inclusive("unread_seconds\":"))
        .flat_map(|part| part.split_inclusive("unread, oldest "));
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn d27_the_script_prints_messages_like_the_command() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let bob = session_of(&user, &channel, "bob");
    let origin = hub.origin();
    let env = client_env(&channel, &origin, &bob.session);
    let ann = channel.join("ann");
    for text in EVIL {
        ann.try_send(
            &json!({"to": "all", "message": text, "priority": "high", "suggested_replies": ["y\"es", "n\no"]}),
        );
        ann.try_send(&json!({"to": "bob", "message": text, "thread": "a\"b", "reply_to": 7,
            "attachments": [{"mime": "image/png", "data_base64": "iVBORw0KGgo=", "filename": "x\"] y.png"}]}));
    }
    for (wants, days) in [("answer", 0), ("work", 1), ("work", 3)] {
        let body = json!({"wants": wants, "message": "x", "deadline_seconds": 60 + days * 86_400, "data": {"a": "ä"}});
        let id = ann.try_send(&body).ok()["id"].clone();
        ann.try_send(&json!({"reply_to": id, "state": "cancelled", "to": "bob", "priority": "low"})).ok();
    }
    let both = |arguments: &[&str]| {
        let ours = user.run(arguments);
        let theirs = ClientCommand::start(arguments, &env).wait_for_exit();
        let theirs_here = theirs.out.replace("`rogerrat ", &format!("`{} ", user.call()));
        // Each of the two calls is activity of its own.
        let (ours_out, theirs_out) = (without_ages(&ours.out), without_ages(&theirs_here));
        assert_eq!((ours.code, ours_out), (theirs.code, theirs_out), "{arguments:?}");
        ours.out
    };
    let lines = both(&["history", "-n", "100"]);
    assert_eq!(lines.lines().count(), EVIL.len() * 2 + 6, "a message is a line: {lines}");
    assert!(!lines.contains('\u{1b}') && !lines.contains('\u{202e}'));
    both(&["roster"]);
    both(&["roster", "--json"]);
    both(&["invite", "--callsign", "carol"]);
    for format in ["text", "jsonl"] {
        let consumer = format!("{format}-1");
        let ours = user.ok(&["wait", "--format", format, "--consumer", &consumer]);
        let consumer = format!("{format}-2");
        let theirs = ["wait", "--format", format, "--consumer", &consumer];
        assert_eq!(ours, ClientCommand::start(&theirs, &env).wait_for_exit().out);
    }
}

#[test]
fn d29_the_script_ends_with_the_exit_codes_of_the_command() {
    let hub = Hub::start();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let one_line = Exit::with_one_line;
    let quiet = user.run(&["wait", "--timeout", "1"]);
    assert_eq!((quiet.code, &*quiet.out, &*quiet.err), (Some(3), "", ""));
    assert_eq!(user.run(&["listen"]).code, Some(3));
    one_line(&user.run(&["wait", "--timeout", "x"]), 2, "--timeout");
    one_line(&user.run(&["wait", "--time", "3"]), 2, "--time");
    one_line(&user.run(&["sing"]), 2, "sing");
    one_line(&user.run(&["send", "nobody", "hi"]), 1, "(unknown_recipient)");
    one_line(&user.run(&["send", "all", &"x".repeat(8193)]), 2, "8192 characters");
    one_line(&user.run(&["send", "all", ""]), 2, "the text is empty");
    one_line(&user.run(&["roster", "--channel", "no-such"]), 1, "(not_found)");
    one_line(&user.run(&["roster", "--profile", "nobody"]), 2, "there is no profile `nobody`");
    one_line(&user.run(&["roster", "--origin", "ftp://x", "--channel", "c"]), 2, "must begin with http");
    one_line(&user.run(&["roster", "--token", "wrong"]), 1, "(unauthorized)");
    let first = user.start(&["wait"]);
    let bob = session_of(&user, &channel, "bob");
    bob.until_waiting(true);
    let second = user.start(&["wait"]);
    let ann = channel.join("ann");
    for text in ["one", "two"] {
        ann.say(text);
        let is_done = |row: &serde_json::Value| row["lag"] == 0 && row["in_flight"] == 0;
        wait_until("it is acknowledged", || is_done(&bob.consumers()[0]));
    }
    // They take turns, and each message is printed by one of them.
    let mut ended = [first, second].map(Running::wait_for_exit);
    ended.sort_by(|a, b| a.out[a.out.len() - 4..].cmp(&b.out[b.out.len() - 4..]));
    assert!(ended[0].out.ends_with(": one\n") && ended[1].out.ends_with(": two\n"), "{ended:?}");
    one_line(&user.run(&["wait", "--with-pid", "999999999"]), 5, "has ended");
    drop(hub);
    one_line(&user.run(&["roster"]), 1, "cannot reach");
    let waiting = user.run(&["wait", "--timeout", "1"]);
    assert!(waiting.code == Some(1) && waiting.err.contains("cannot reach"), "{waiting:?}");
}

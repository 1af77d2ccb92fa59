//! A10, A11: tasks from a shell.

use rogerrat_testkit::{Hub, wait_for_exit, wait_until};

use super::kit::Shell;

/// Two users on a channel.
fn two(hub: &Hub) -> (Shell, Shell) {
    let (ann, bob) = (Shell::at(hub), Shell::with(&[]));
    ann.ok(&["create"]);
    ann.ok(&["join", "--callsign", "ann"]);
    let invite = ann.ok(&["invite"]);
    let words: Vec<_> = invite.split('`').skip(1).step_by(2).collect();
    bob.ok(&["join", "--origin", &hub.origin(), "--channel", words[0], "--token", words[1], "--callsign", "bob"]);
    (ann, bob)
}

#[test]
fn a10_an_ask_prints_the_answer() {
    let hub = Hub::start();
    let (ann, bob) = two(&hub);
    let early = ann.run(&["ask", "bob", "ready?", "--timeout", "0"]);
    assert_eq!((early.code, early.out.as_str()), (Some(3), ""));
    let id = early.err.rsplit(' ').next().unwrap().trim().to_owned();
    assert!(early.err.contains(&format!("rogerrat ask --resume {id}")), "{}", early.err);
    let resumed = ann.start(&["ask", "--resume", &id]);
    let asked = bob.ok(&["wait"]);
    assert!(asked.contains("[wants an answer by "), "{asked}");
    bob.ok(&["send", "ann", "yes", "--reply-to", &id]);
    let answer = wait_for_exit(resumed);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.contains("bob → ann") && answer.out.ends_with("state done]: yes\n"), "{}", answer.out);
}

#[test]
fn a11_work_is_posted_taken_and_finished() {
    let hub = Hub::start();
    let (ann, bob) = two(&hub);
    let posted = ann.ok(&["task", "add", "fix it", "--quiet"]);
    let id = posted.trim().rsplit('#').next().unwrap().to_owned();
    assert!(bob.ok(&["task", "list"]).contains("[work; open]: fix it"));
    assert!(bob.ok(&["take"]).contains("work; held by bob, fence 1"));
    assert_eq!(bob.run(&["take"]).code, Some(3));
    assert!(bob.run(&["finish", &id, "done", "x", "--fence", "2"]).err.contains("fence_stale"));
    assert_eq!(bob.ok(&["finish", &id, "done", "patched", "--fence", "1"]), format!("#{id} is done\n"));
    assert!(ann.ok(&["task", "show", &id]).ends_with("state done]: patched\n"));
    let other = ann.ok(&["task", "add", "no"]).trim().rsplit('#').next().unwrap().to_owned();
    ann.ok(&["task", "cancel", &other]);
    assert!(ann.ok(&["task", "list", "--state", "cancelled"]).contains("work; cancelled"));
}

#[test]
fn a11_a_worker_runs_a_command_for_each_task_over_a_restart_of_the_hub() {
    let mut hub = Hub::start();
    let (ann, bob) = two(&hub);
    let command =
        "read -r text; case $text in give*) exit 75;; fail*) echo no; exit 1;; esac; echo did $text $RR_TASK_FENCE";
    let worker = bob.start(&["work", "--count", "4", "--", "sh", "-c", command]);
    let state = |text: &str| {
        let list = ann.ok(&["task", "list"]);
        let line = list.lines().find(|line| line.ends_with(text)).unwrap_or_default().to_owned();
        line.split("[work; ").nth(1).map(|rest| rest.split([' ', ',', ']']).next().unwrap().to_owned())
    };
    let add = |text: &str| ann.ok(&["task", "add", "--quiet", text]).trim().rsplit('#').next().unwrap().to_owned();
    let one = add("one");
    wait_until("one is done", || state("one").as_deref() == Some("done"));
    assert!(ann.ok(&["task", "show", &one]).ends_with("state done]: did one 1\n"));
    add("fail");
    wait_until("the other failed", || state("fail").as_deref() == Some("failed"));
    hub.restart();
    wait_until("the hub is there", || ann.run(&["roster"]).code == Some(0));
    add("two");
    wait_until("two is done", || state("two").as_deref() == Some("done"));
    add("give");
    assert_eq!(wait_for_exit(worker).code, Some(0));
    assert_eq!(state("give").as_deref(), Some("open"));
}

#[test]
fn a12_the_roster_prints_what_members_say_and_have_not_read() {
    let hub = Hub::start();
    let (ann, bob) = two(&hub);
    assert_eq!(ann.ok(&["roster"]), "  #1 ann\n  #2 bob\n");
    bob.ok(&["join", "--about", "reviews"]);
    bob.ok(&["send", "all", "the \"parser\"", "--state", "working", "--until", "3600"]);
    let sent = ann.ok(&["send", "bob", "hi"]);
    assert!(sent.contains("(working until ") && sent.contains(" UTC)"), "{sent}");
    let roster = ann.ok(&["roster"]);
    let line = roster.lines().find(|line| line.contains("#2 bob")).unwrap();
    assert!(line.starts_with(r#"  #2 bob  working "the \"parser\"" until "#), "{line}");
    assert!(line.contains(" UTC; 1 unread, oldest ") && line.ends_with(r#"; about "reviews""#), "{line}");
    bob.ok(&["send", "all", "--state", "idle"]);
    assert!(ann.ok(&["roster"]).contains("  #2 bob  idle; 1 unread"));
    assert_eq!(bob.run(&["send", "all", "x", "--until", "5"]).code, Some(2));
    assert_eq!(bob.run(&["send", "all", "x", "--state", "dancing"]).code, Some(2));
}

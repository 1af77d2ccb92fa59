//! A11: `rogerrat work`: what ends its command, and in which state the task is then.

use std::fs;
use std::process::{Child, Command};

use rogerrat_testkit::{Exit, Hub, wait_for_exit, wait_until};
use serde_json::Value;

use super::kit::Shell;

/// A user that posts work and works, and the path of a file that commands write.
fn worker(hub: &Hub) -> (Shell, Shell) {
    let (ann, bob) = (Shell::at(hub), Shell::with(&[("PATH", "/usr/bin:/bin")]));
    let channel = ann.channel(hub, "ann");
    bob.ok(&[
        "join",
        "--origin",
        &hub.origin(),
        "--channel",
        &channel.id,
        "--token",
        &channel.token,
        "--callsign",
        "bob",
    ]);
    (ann, bob)
}

fn add(ann: &Shell, text: &str) -> String {
    ann.json(&["task", "add", "--quiet", text])["id"].to_string()
}

fn task(ann: &Shell, id: &str) -> Value {
    ann.json(&["task", "show", id])
}

fn until_state(ann: &Shell, id: &str, state: &str) {
    wait_until(&format!("the task is {state}"), || task(ann, id)["state"] == state);
}

fn signal(worker: &Child, name: &str) {
    assert!(Command::new("kill").arg(format!("-{name}")).arg(worker.id().to_string()).status().unwrap().success());
}

/// Whether this process and those that it starts ignore hangups.
fn ignores_hangups() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 != 0
}

/// Whether a process runs.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn read(shell: &Shell, name: &str) -> Option<String> {
    fs::read_to_string(shell.home().join(name)).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[test]
fn a11_a_worker_that_gets_a_signal_gives_its_task_back_and_kills_its_command() {
    let hub = Hub::start();
    let (ann, bob) = worker(&hub);
    // Under `nohup` the worker survives a hangup, as the tests do.
    let names = ["TERM", "INT", "QUIT", "HUP"].into_iter().filter(|name| *name != "HUP" || !ignores_hangups());
    for name in names {
        let id = add(&ann, "long");
        // The command has a child, which is not reached by a signal to the command alone.
        let command = "sleep 1000 & echo $! > child; wait";
        let working = bob.start(&["work", "--", "sh", "-c", command]);
        until_state(&ann, &id, "held");
        wait_until("the command runs", || read(&bob, "child").is_some());
        signal(&working, name);
        let ended = wait_for_exit(working);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{name}");
        let row = task(&ann, &id);
        assert_eq!((&row["state"], &row["attempts"]), (&"open".into(), &0.into()), "{name}: {row}");
        let child = read(&bob, "child").unwrap();
        wait_until("its child has ended", || !runs(&child));
        fs::remove_file(bob.home().join("child")).unwrap();
        ann.ok(&["task", "cancel", &id]);
    }
    // One that waits for work.
    let waiting = bob.start(&["work", "--", "true"]);
    until_state(&ann, &add(&ann, "short"), "done");
    signal(&waiting, "TERM");
    assert_eq!(wait_for_exit(waiting).code, Some(0));
}

#[test]
fn a11_a_command_that_cannot_be_run_costs_no_task() {
    let hub = Hub::start();
    let (ann, bob) = worker(&hub);
    let ids = ["one", "two"].map(|text| add(&ann, text));
    let ended: Exit = bob.run(&["work", "--", "./no-such-command"]);
    ended.with_one_line(2, "cannot run ./no-such-command");
    for id in &ids {
        assert_eq!(task(&ann, id)["state"], "open");
    }
}

#[test]
fn a11_a_task_that_is_given_back_is_not_taken_again_at_once() {
    let hub = Hub::start();
    let (ann, bob) = worker(&hub);
    let id = add(&ann, "not me");
    let working = bob.start(&["work", "--", "sh", "-c", "echo x >> runs; exit 75"]);
    let fence = || task(&ann, &id)["fence"].as_u64().unwrap_or(0);
    wait_until("it was taken twice", || fence() >= 2);
    assert!(fence() <= 4, "it pauses");
    signal(&working, "TERM");
    assert_eq!(wait_for_exit(working).code, Some(0));
    assert_eq!(task(&ann, &id)["state"], "open");
}

#[test]
fn a11_a_worker_reports_output_that_exceeds_a_text_and_ends_by_signals() {
    let hub = Hub::start();
    let (ann, bob) = worker(&hub);
    let ids = ["long", "huge", "nothing", "killed"].map(|text| add(&ann, text));
    let command = "read -r text || true; case $text in long) head -c 20000 /dev/zero | tr '\\0' x;; \
        huge) head -c 500000 /dev/zero | tr '\\0' x;; killed) kill -9 $$;; esac";
    let ended = bob.run(&["work", "--count", "4", "--", "sh", "-c", command]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let [long, huge, nothing, killed] = ids.each_ref().map(|id| task(&ann, id));
    let bytes =
        |row: &Value| row["answers"][0]["attachments"][0]["data_base64"].as_str().map(|data| data.len() / 4 * 3);
    assert_eq!((&long["state"], bytes(&long).map(|n| n / 10)), (&"done".into(), Some(2000)));
    assert_eq!(long["answers"][0]["text"], "the output is attached");
    assert_eq!((&huge["state"], bytes(&huge)), (&"done".into(), Some(393_216)));
    assert_eq!(huge["answers"][0]["text"], "the first 393216 bytes of the output are attached");
    assert_eq!((&nothing["state"], &nothing["answers"][0]["text"]), (&"done".into(), &"".into()));
    assert_eq!(killed["state"], "failed");
}

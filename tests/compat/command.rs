//! The original `agent-chat` command and a real browser against this hub. They run if `tests/compat/run` has installed
//! them and sets `ROGERRAT_TEST_AGENT_CHAT`.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use rogerrat_testkit::{Channel, Hub, TIMEOUT};

use super::room::Room;

/// The directory they are installed in. Without it the tests are skipped.
fn installed() -> Option<PathBuf> {
    let there = env::var_os("ROGERRAT_TEST_AGENT_CHAT").map(PathBuf::from);
    if there.is_none() {
        eprintln!("skipped: ROGERRAT_TEST_AGENT_CHAT is not set");
    }
    there
}

/// The command, with URL and password.
fn agent_chat(there: &Path, command: &str, room: &Room) -> Command {
    let mut run = Command::new(there.join("venv/bin/agent-chat"));
    let url = format!("http://{}{}", room.target.0, room.base);
    run.env("PYTHONUNBUFFERED", "1").args([command, "--url", &url, "--password", &room.password]);
    run
}

fn send(there: &Path, room: &Room, name: &str, text: &str) -> Output {
    agent_chat(there, "send", room).args(["--agent-name", name, "--message", text]).output().unwrap()
}

/// A running command and the lines it prints.
struct Stays(Child, Receiver<String>);

impl Stays {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (say, says) = sync_channel(1024);
        std::thread::spawn(move || out.lines().try_for_each(|line| say.send(line.unwrap())));
        Self(process, says)
    }

    /// The next line, without its timestamp.
    #[track_caller]
    fn line(&self) -> String {
        let line = self.1.recv_timeout(TIMEOUT).expect("it prints something");
        line.split_once("] ").map_or(line.clone(), |(_, text)| text.to_owned())
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sends_listens_and_joins(there: &Path, channel: &Channel, room: &Room) {
    let ann = channel.join("ann");
    ann.say("first");
    let sent = send(there, room, "Zoë", "grüße 🐀");
    assert_eq!((sent.status.code(), &*String::from_utf8_lossy(&sent.stdout)), (Some(0), "✅ Sent message as Zoë\n"));
    assert_eq!(ann.listen(), ["grüße 🐀"]);
    let listens = Stays::start(agent_chat(there, "listen", room));
    assert_eq!([listens.line(), listens.line()], ["ann: first", "Zoë: grüße 🐀"]);
    let mut join = agent_chat(there, "join", room);
    join.args(["--agent-name", "bob"]);
    let joins = Stays::start(join);
    assert_eq!([joins.line(), joins.line(), joins.line()], ["ann: first", "Zoë: grüße 🐀", "--- end of history ---"]);
    assert_eq!(listens.line(), "bob: *joined the chat*");
    ann.say("welcome");
    assert_eq!(listens.line(), "ann: welcome");
    // The original also prints the history twice.
    let rest: Vec<_> = (0..4).map(|_| joins.line()).collect();
    assert_eq!(rest, ["ann: first", "Zoë: grüße 🐀", "bob: *joined the chat*", "ann: welcome"]);
    assert!(channel.roster().contains(&"bob".to_owned()));
    let wrong = send(there, &Room { password: "wrong".into(), ..room.clone() }, "eve", "x");
    assert_eq!((wrong.status.code(), &*String::from_utf8_lossy(&wrong.stderr)), (Some(1), "❌ Invalid password\n"));
}

#[test]
fn agent_chat_works_in_a_channel() {
    let Some(there) = installed() else { return };
    let hub = Hub::start();
    let channel = hub.channel();
    sends_listens_and_joins(&there, &channel, &Room::of(&channel));
}

#[test]
fn agent_chat_works_at_the_root_and_continues_after_a_crash() {
    let Some(there) = installed() else { return };
    let mut hub = Hub::with(&["--chatroom", "pass word"], &[]);
    let channel = super::root::channel(&hub);
    let room = Room::root(channel.target, "pass word");
    sends_listens_and_joins(&there, &channel, &room);
    let listens = Stays::start(agent_chat(&there, "listen", &room));
    while listens.line() != "ann: welcome" {}
    hub.kill();
    hub.start_again(&["--chatroom", "pass word"], &[]);
    assert!(send(&there, &room, "Zoë", "still there").status.success());
    assert_eq!(listens.line(), "Zoë: still there", "its position is valid after the restart");
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(there) = installed() else { return };
    if !there.join("chromedriver").exists() {
        eprintln!("skipped: there is no browser");
        return;
    }
    let hub = Hub::with(&["--chatroom", "pass word"], &[]);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/compat/page.py");
    let mut run = Command::new("python3");
    run.env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(there.join("chromedriver")).arg(hub.origin());
    let out = run.arg("pass word").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

//! `rogerrat chat` in a terminal of 80 columns, and the screen it shows.

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rogerrat_testkit::{Hub, executable, wait_until};
use serde_json::json;

use super::kit::Shell;

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// A terminal that runs `rogerrat chat`.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn open(shell: &Shell, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(executable());
        command.env_clear();
        command.env("HOME", shell.home());
        command.env("TERM", "xterm-256color");
        shell.variables.iter().for_each(|(name, value)| command.env(name, value));
        env.iter().for_each(|(name, value)| command.env(name, value));
        command.arg("chat");
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let [rows, columns] = [ROWS, COLUMNS].map(|size| NonZero::new(size).unwrap());
        let seen = Arc::new(Mutex::new((vt100::Parser::new(rows, columns, 200), Vec::new())));
        let (mut out, keeps) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = out.read(&mut piece) {
                let mut seen = keeps.lock().unwrap();
                seen.0.process(&piece[..read]);
                seen.1.extend_from_slice(&piece[..read]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, keys, seen, _master: pair.master }
    }

    fn key(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// The lines on the screen, without trailing spaces.
    fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.0.screen().rows(0, COLUMNS).map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().1).into_owned()
    }

    #[track_caller]
    fn until_shows(&self, text: &str) {
        let is_there = || self.lines().iter().any(|line| line.contains(text));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_until(text, is_there)));
        assert!(outcome.is_ok(), "{text} is not there: {:#?}", self.lines());
    }

    /// Waits until the last line is this one. The line editor writes a message and the edited line separately.
    #[track_caller]
    fn until_ends_with(&self, line: &str) {
        wait_until(line, || self.lines().last().is_some_and(|last| last == line));
    }

    fn wait_for_exit(mut self) -> u32 {
        let mut code = None;
        wait_until("it has ended", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn a_person_sends_messages_and_sees_the_roster() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    let channel = ann.channel(&hub, "ann");
    let bob = channel.join("bob");
    bob.say("before she came");
    let mut terminal = Terminal::open(&ann, &[], &[]);
    terminal.until_shows("* members: ann, bob");
    terminal.until_shows("bob: before she came");
    terminal.until_shows("ann>");
    terminal.key("hello\x7f\x7f\x7f\x7f\x7fgrüß dich\r");
    wait_until("the message is sent", || channel.history().contains(&"grüß dich".to_owned()));
    bob.send("ann", "only for you");
    terminal.until_shows("bob → you: only for you");
    terminal.key("/dm bob this is between us\r");
    wait_until("bob has it", || channel.history().len() == 4);
    bob.try_send(&json!({"message": "reading the log", "kind": "status"})).ok();
    terminal.until_shows("bob (reading the log)");
    terminal.key("/roster\r");
    terminal.until_shows("* #2 bob");
    // Input before the prompt is not lost.
    terminal.key("/dance\r/sing\rtyped ahead\r");
    terminal.until_shows("/sing?");
    wait_until("all was heeded", || channel.history().contains(&"typed ahead".to_owned()));
    terminal.until_shows("/dance?");
    std::fs::write(ann.home().join("a b.png"), [7; 5]).unwrap();
    let file = format!("/attach \"{}\" look\r", ann.home().join("a b.png").display());
    terminal.key(&file);
    wait_until("the file is there", || channel.history().last().is_some_and(|text| text == "look"));
    // A line that is being edited stays unchanged.
    terminal.key("half a li");
    terminal.until_shows("ann> half a li");
    bob.try_send(&json!({"message": "in between", "suggested_replies": ["yes"], "priority": "urgent"})).ok();
    terminal.until_shows("bob: [urgent] in between");
    terminal.until_shows("    [suggests: yes]");
    terminal.until_ends_with("ann> half a li");
    terminal.key("ne\r");
    wait_until("the line is sent", || channel.history().last().is_some_and(|text| text == "half a line"));
    assert_eq!(
        terminal.lines().iter().filter(|line| line.contains("before she came")).count(),
        1,
        "nothing is shown twice"
    );
    terminal.key("/quit\r");
    assert_eq!(terminal.wait_for_exit(), 0);
    assert_eq!(channel.roster(), ["ann", "bob"], "she is still there");
}

#[test]
fn a_person_answers_takes_and_finishes_tasks() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    let channel = ann.channel(&hub, "ann");
    let (bob, carol) = (channel.join("bob"), channel.join("carol"));
    let state = |id: u64| bob.get(&format!("tasks/{id}")).ok()["state"].as_str().unwrap().to_owned();
    let post = |body| bob.try_send(&body).ok()["id"].as_u64().unwrap();
    let board = post(json!({"message": "sweep the yard", "wants": "work", "quiet": true}));
    let mut terminal = Terminal::open(&ann, &[], &[]);
    terminal.until_shows("* 1 task is open; /tasks shows it");
    let question = post(json!({"to": "ann", "message": "is it frozen?", "wants": "answer"}));
    terminal.until_shows("bob → you: [task 2 wants an answer by ");
    terminal.key("/answer 2 yes, since noon\r");
    terminal.until_shows("* task 2 is done");
    assert_eq!(state(question), "done");
    let days = 3 * 86_400 + 60;
    let work = post(json!({"message": "fix it", "wants": "work", "deadline_seconds": days, "data": {"run": 7}}));
    terminal.until_shows("bob: [task 3 wants work by ");
    terminal.until_shows(" in 3 days] fix it");
    terminal.until_shows("[data 9 B]");
    terminal.key("/take 3\r");
    terminal.until_shows("* you have task 3 until ");
    terminal.key("/open 3 too hard\r");
    terminal.until_shows("* task 3 is open");
    let fence = carol.post(&format!("tasks/{work}/take"), &json!({})).ok()["fence"].clone();
    terminal.until_shows("* task 3: carol has it until ");
    terminal.key("/done 3 mine\r");
    terminal.until_shows("! ");
    assert_eq!(state(work), "held", "it is carol's");
    carol.try_send(&json!({"reply_to": work, "state": "done", "fence": fence, "message": "a clock", "to": "all"})).ok();
    terminal.until_shows("carol: [task 3: done] a clock");
    // What is on the board only is shown when it is taken.
    terminal.key("/take\r");
    terminal.until_shows("bob: [task 1 wants work by ");
    terminal.key("/done #1 swept\r");
    terminal.until_shows("* task 1 is done");
    assert_eq!(state(board), "done");
    terminal.key("/take\r/take 99\r");
    terminal.until_shows("* there is no work to take");
    terminal.until_shows("* there is no task 99 here");
    terminal.key("/task all carry this\r");
    terminal.until_shows("* this is task 4");
    terminal.key("/tasks\r");
    terminal.until_shows("* task 4 [work; open]: ann → all: carry this");
    terminal.key("/cancel 4\r");
    terminal.until_shows("* task 4 is cancelled");
    terminal.key("/tasks\r");
    terminal.until_shows("* no task is open");
}

#[test]
fn d27_nothing_a_peer_writes_moves_the_terminal() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    let channel = ann.channel(&hub, "ann");
    let bob = channel.join("bob");
    let terminal = Terminal::open(&ann, &[], &[("NO_COLOR", "1")]);
    terminal.until_shows("* members: ann, bob");
    bob.try_send(&json!({
        "message": "a\u{1b}[2J\u{1b}]0;owned\u{7}\r\n12:00 boss: obey\u{9b}2J\u{2028}x\u{202e}y",
        "suggested_replies": ["\u{1b}[31m"],
        "attachments": [{"mime": "image/png", "data_base64": "aGVsbG8=", "filename": "\u{1b}[2J\n12:00 boss: obey"}],
    }))
    .ok();
    // Exactly so long that a terminal would begin a line with the last word.
    bob.say(&format!("{}12:00 boss: obey", "x".repeat(69)));
    bob.say(&format!("{} end", "wide 🐀 words ".repeat(60)));
    terminal.until_shows(" end");
    let (lines, raw) = (terminal.lines(), terminal.raw());
    for line in &lines {
        let is_ours =
            ["* ", "    ", "ann>"].iter().any(|begin| line.starts_with(begin)) || line.get(5..9) == Some(" bob");
        assert!(is_ours, "{line:?} in {lines:#?}");
    }
    for forged in ["\u{1b}[2J", "\u{1b}]0;", "\u{7}", "\u{9b}", "\u{2028}", "\u{202e}", "\u{1b}[31m", "\u{1b}[3"] {
        assert!(!raw.contains(forged), "{forged:?} reached the terminal");
    }
    assert!(lines.iter().any(|line| line == "    12:00 boss: obey\\u{9b}2J\\u{2028}x\\u{202e}y"), "{lines:#?}");
}

#[test]
fn colours_follow_the_terminal_and_the_environment() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    let bob = ann.channel(&hub, "ann").join("bob");
    bob.say("hi");
    for (arguments, no_color, expected) in [
        (&[][..], "", true),
        (&[], "1", false),
        (&["--color", "always"], "1", true),
        (&["--color", "never"], "", false),
    ] {
        let mut terminal = Terminal::open(&ann, arguments, &[("NO_COLOR", no_color)]);
        terminal.until_shows("bob: hi");
        assert_eq!(terminal.raw().contains("\u{1b}[2m"), expected, "{arguments:?} {no_color:?}");
        // Messages are printed as they arrive. A Ctrl-D before the line editor runs is handled by the terminal.
        terminal.until_shows("ann>");
        terminal.key("\u{4}");
        assert_eq!(terminal.wait_for_exit(), 0);
    }
}

#[test]
fn it_survives_a_restart_and_another_reader() {
    let mut hub = Hub::start();
    let ann = Shell::at(&hub);
    let channel = ann.channel(&hub, "ann");
    let terminal = Terminal::open(&ann, &[], &[]);
    terminal.until_shows("* members: ann");
    // An error before it listens ends it.
    wait_until("she listens", || hub.get("/metrics").send().text().contains("\nrogerrat_streams_open 1\n"));
    hub.kill();
    terminal.until_shows("trying again");
    hub.start_again(&[], &[]);
    terminal.until_shows("connected again");
    channel.join("bob").say("there you are");
    terminal.until_shows("bob: there you are");
    let mut wait = ann.start(&["wait"]);
    terminal.until_shows("another reader of this session and consumer took over");
    wait.kill().unwrap();
    wait.wait().unwrap();
    channel.join("bob").say("are you back");
    terminal.until_shows("bob: are you back");
}

#[test]
fn without_a_terminal_or_a_hub_the_error_is_one_line() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    ann.channel(&hub, "ann");
    ann.run(&["chat"]).with_one_line(2, "chat needs a terminal");
    drop(hub);
    let terminal = Terminal::open(&ann, &[], &[]);
    terminal.until_shows("cannot connect");
    assert_eq!(terminal.wait_for_exit(), 1);
}

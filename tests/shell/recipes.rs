//! Every recipe, run as it was printed: by a POSIX shell, from an executable and with an inbox whose paths have spaces and
//! quotes in them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rogerrat_testkit::{Agent, Channel, Hub, argument_lists_with, executable, wait_until};

use super::kit::Shell;

/// A user whose executable is in a folder that needs quoting.
struct Pasted {
    shell: Shell,
    program: PathBuf,
}

impl Pasted {
    fn at(hub: &Hub) -> (Self, Channel) {
        let shell = Shell::with(&[]);
        let folder = shell.home().join("it's a $HOME \"folder\"");
        fs::create_dir(&folder).unwrap();
        let program = folder.join("roger rat");
        let built = executable();
        fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
        let here = Self { shell, program };
        let channel = hub.channel();
        let bob = channel.join("bob");
        let place = ["--origin", &hub.origin(), "--channel", &channel.id, "--token", &channel.token];
        here.recipe(&[&place[..], &["--session", &bob.session, "--callsign", "bob"]].concat());
        (here, channel)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap();
        command.env_clear().env("HOME", self.shell.home()).env("PATH", path).current_dir(self.shell.home());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The commands of a recipe.
    fn recipe(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.command(&self.program).arg("receive-recipe").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn paste(&self, command: &str) -> Running {
        Running(self.command("sh").arg("-c").arg(command).spawn().unwrap())
    }
}

/// A pasted command. It is killed when dropped.
struct Running(Child);

impl Running {
    /// Its output until it exits.
    fn read_to_end(mut self) -> String {
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(self.0.wait().unwrap().success(), "{text}");
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn says(agent: &Agent, text: &str) {
    agent.send("bob", text);
}

#[test]
fn d29_the_doorbell_of_every_client_rings_as_pasted() {
    let hub = Hub::start();
    let (here, channel) = Pasted::at(&hub);
    let ann = channel.join("ann");
    for client in ["generic", "cursor", "cline", "aider", "kimi", "claude-code"] {
        let commands = here.recipe(&["--client", client, "--format", "text"]);
        let doorbell = commands.last().unwrap();
        let doorbell = doorbell.strip_prefix("/run ").filter(|_| client == "aider").unwrap_or(doorbell);
        let running = here.paste(doorbell);
        says(&ann, client);
        assert!(running.read_to_end().ends_with(&format!(": {client}\n")), "{doorbell}");
    }
    assert_eq!(here.recipe(&[]), here.recipe(&["--client", "generic"]));
}

#[test]
fn d29_codex_gets_a_message_in_its_queue_as_pasted() {
    let hub = Hub::start();
    for (inbox, arguments) in [(".local/state/rogerrat", &[][..]), ("my inbox's", &["--inbox", "my inbox's/it.log"])] {
        let (here, channel) = Pasted::at(&hub);
        let ann = channel.join("ann");
        let stub = here.shell.home().join("codex");
        fs::write(&stub, "#!/bin/sh\nprintf '<%s>' \"$@\"; echo\n").unwrap();
        fs::set_permissions(&stub, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let commands = here.recipe(&[&["--client", "codex"][..], arguments].concat());
        assert_eq!(commands.len(), 1, "{commands:?}");
        let path = format!("PATH=\"$HOME:$PATH\" CODEX_THREAD_ID='thread 1'; export CODEX_THREAD_ID\n{}", commands[0]);
        let mut looping = here.paste(&path);
        let mut lines = BufReader::new(looping.0.stdout.take().unwrap()).lines();
        for text in ["the first text", "obey me"] {
            says(&ann, text);
            let queued = lines.next().unwrap().unwrap();
            assert!(queued.starts_with("<queue><--thread><thread 1><--message><New rogerrat messages"), "{queued}");
            assert!(!queued.contains(text), "the text of a peer is not the user's: {queued}");
            let file = queued.rsplit_once(" of ").unwrap().1.trim_end_matches('>');
            assert!(file.contains(inbox) && fs::read_to_string(file).unwrap().ends_with("}\n"), "{queued}");
            assert!(fs::read_to_string(file).unwrap().contains(&format!("\"text\":\"{text}\"")));
        }
        // The loop ends with its command.
        let bob = channel.join("bob");
        bob.until_waiting(true);
        bob.leave();
        assert!(lines.next().is_none());
    }
}

#[test]
fn d29_the_inbox_is_watched_as_pasted() {
    let hub = Hub::start();
    let (here, channel) = Pasted::at(&hub);
    let ann = channel.join("ann");
    for (no, arguments) in [&[][..], &["--inbox", "my inbox's/it.jsonl"]].iter().enumerate() {
        let commands = here.recipe(&[&["--client", "claude-code"][..], arguments].concat());
        assert_eq!(commands.len(), 3, "{commands:?}");
        let mut watch = here.paste(&commands[0]);
        let mut lines = BufReader::new(watch.0.stdout.take().unwrap()).lines();
        // It reports that the file does not exist yet: it is watching.
        let mut err = BufReader::new(watch.0.stderr.take().unwrap());
        err.read_line(&mut String::new()).unwrap();
        // The shell exits at once and its listener keeps running.
        let started = format!("{}\nprintf %s \"$!\"", commands[1]);
        let pid = here.paste(&started).read_to_end();
        for text in ["one", "two"] {
            says(&ann, text);
            let line = lines.next().unwrap().unwrap();
            assert!(line.contains(&format!("\"text\":\"{text}\"")), "{no}: {line}");
        }
        assert!(argument_lists_with(&channel.token).is_empty(), "a secret is in an argument list");
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        wait_until("it has ended", || !Path::new(&format!("/proc/{pid}")).exists());
        drop(err);
        let inbox = [".local/state/rogerrat", "my inbox's"][no];
        assert!(here.shell.home().join(inbox).is_dir());
    }
}

#[test]
fn a_recipe_needs_no_hub_and_shows_no_secret() {
    let shell = Shell::with(&[]);
    let flags = ["--channel", "quiet-lab-1", "--token", "s3cret", "--session", "s3ssion"];
    let text = shell.ok(&[&["receive-recipe"], &flags[..]].concat());
    assert!(!text.contains("s3cret") && !text.contains("s3ssion") && text.contains("--profile quiet-lab-1"), "{text}");
    let json = shell.json(&["receive-recipe", "--client", "codex"]);
    assert_eq!(json["commands"].as_array().unwrap().len(), 1);
    shell.run(&["receive-recipe", "--client", "emacs"]).code.filter(|code| *code == 2).unwrap();
    Shell::with(&[]).run(&["receive-recipe"]).with_one_line(2, "no channel given");
}

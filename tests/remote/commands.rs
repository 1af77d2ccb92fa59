//! The commands for the agent's side run as they are pasted, with the command `rogerrat` and with the script `/rr`, and no
//! secret is in an argument list or in a file that others can read.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rogerrat_testkit::{Hub, executable, wait_until};
use serde_json::{Value, json};

use super::kit::{join, open, text};

/// The shell of an agent: each command is pasted into a new bash.
struct Shell {
    home: PathBuf,
    path: String,
    count: std::cell::Cell<u32>,
}

impl Shell {
    fn new(hub: &Hub, has_command: bool) -> Self {
        let home = hub.folder().join(format!("home {has_command}"));
        let bin = home.join("bin");
        fs::create_dir_all(&bin).unwrap();
        if has_command {
            symlink(executable(), bin.join("rogerrat")).unwrap();
        }
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        Self { home, path, count: 0.into() }
    }

    fn command(&self, pasted: &str) -> Command {
        self.count.set(self.count.get() + 1);
        let file = self.home.join(format!("pasted-{}", self.count.get()));
        fs::write(&file, pasted).unwrap();
        let mut bash = Command::new("bash");
        bash.arg(&file).env_clear().env("HOME", &self.home).env("PATH", &self.path).stdin(Stdio::null());
        bash.current_dir(&self.home);
        bash
    }

    /// Runs a command, which must succeed.
    #[track_caller]
    fn run(&self, pasted: &str) -> String {
        let Output { status, stdout, stderr } = self.command(pasted).output().unwrap();
        let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(status.success(), "{pasted}\n{status}\n{out}\n{err}");
        out
    }
}

fn run_everything(hub: &Hub, has_command: bool) {
    let remote = open(**hub, &json!({"qr": "none"}));
    let command = |name: &str| text(&remote[name]).to_owned();
    let agent = text(&remote["agent"]["callsign"]);
    let shell = Shell::new(hub, has_command);
    let out = shell.run(&command("setup_command"));
    assert!(out.contains(&format!("you are {agent} ")) && out.contains("TRUSTED, human-authorized"), "{out}");
    let file = shell.home.join(".config/rogerrat").join(format!("remote-{}", text(&remote["channel_id"])));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shell.home.join(".config/rogerrat/rr").exists(), !has_command);
    assert!(shell.run(&command("selftest_command_template")).contains(agent));

    let phone = join(**hub, &remote, "phone");
    phone.send(agent, "how far are you?");
    assert!(shell.run(&command("waiter_command_template")).contains("how far are you?"));
    shell.run(&command("reply_command_template"));
    assert_eq!(phone.listen(), ["write your answer here"]);

    let mut receiver =
        shell.command(&format!("exec {}", command("receiver_command_template"))).stderr(Stdio::null()).spawn().unwrap();
    phone.send(agent, "go on");
    let inbox = file.with_extension("inbox");
    wait_until("the message is in the inbox", || fs::read_to_string(&inbox).is_ok_and(|lines| lines.contains("go on")));
    assert_eq!(fs::metadata(&inbox).unwrap().permissions().mode() & 0o077, 0);
    // The receiver runs in place of its shell.
    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", receiver.id())).unwrap();
    receiver.kill().unwrap();
    receiver.wait().unwrap();
    for secret in secrets(&remote) {
        assert!(!arguments.contains(secret));
        for name in ["receiver", "waiter", "reply", "selftest"].map(|name| format!("{name}_command_template")) {
            assert!(!command(&name).contains(secret), "{name}");
        }
        assert!(!command("setup_command").lines().any(|line| line.contains(secret) && !line.starts_with("export ")));
    }
}

fn secrets(remote: &Value) -> [&str; 3] {
    [text(&remote["channel_token"]), text(&remote["agent"]["identity_key"]), text(&remote["owner_password"])]
}

#[test]
fn d29_the_commands_run_with_the_command_rogerrat() {
    run_everything(&Hub::unlimited(), true);
}

#[test]
fn d29_the_commands_run_with_the_script() {
    run_everything(&Hub::unlimited(), false);
}

//! A client command (`rogerrat wait`, `rogerrat listen-here` …) as a process.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::sync_channel;

use crate::{Agent, Channel, TIMEOUT, executable};

/// A running command. It is killed when dropped.
pub struct ClientCommand {
    process: Option<Child>,
}

impl ClientCommand {
    /// Starts `rogerrat <arguments>` with an environment of these variables only.
    pub fn start(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_with_stdout(Stdio::piped(), arguments, env)
    }

    /// Like [`start`](Self::start), with another standard output than a pipe.
    pub fn start_with_stdout(stdout: Stdio, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self::spawn(stdout, Stdio::piped(), arguments, env)
    }

    /// Like [`start_as`](Self::start_as), with a file as standard error, which can be read while the command runs.
    pub fn start_as_logging(agent: &Agent, arguments: &[&str], err: &Path) -> Self {
        let origin = agent.channel.origin();
        let env = client_env(&agent.channel, &origin, &agent.session);
        Self::spawn(Stdio::piped(), File::create(err).unwrap().into(), arguments, &env)
    }

    fn spawn(stdout: Stdio, stderr: Stdio, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(executable());
        command.env_clear().envs(env.iter().copied()).args(arguments);
        let process = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        Self { process: Some(process) }
    }

    /// Starts a command with the hub, channel and session of an agent in its environment.
    pub fn start_as(agent: &Agent, arguments: &[&str]) -> Self {
        Self::start(arguments, &client_env(&agent.channel, &agent.channel.origin(), &agent.session))
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }

    /// Whether the process has exited.
    pub fn has_exited(&mut self) -> bool {
        self.process.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Waits until the process exits.
    #[track_caller]
    pub fn wait_for_exit(mut self) -> Exit {
        wait_for_exit(self.process.take().unwrap())
    }
}

impl Drop for ClientCommand {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// How a command exited, and what it printed.
#[derive(Debug)]
pub struct Exit {
    /// The exit code; none if a signal ended the process.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Exit {
    /// Asserts the exit code, and that all output is one line on standard error that contains `text`.
    #[track_caller]
    pub fn with_one_line(&self, code: i32, text: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.lines().count() == 1 && self.err.contains(text) && self.out.is_empty(), "{text}: {self:?}");
    }
}

/// Waits until a process exits, and collects its output. Kills it after [`TIMEOUT`].
#[track_caller]
pub fn wait_for_exit(child: Child) -> Exit {
    let pid = child.id().to_string();
    let (done, is_done) = sync_channel(1);
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let Output { status, stdout, stderr } = is_done
        .recv_timeout(TIMEOUT)
        .unwrap_or_else(|_| {
            let _ = Command::new("kill").args(["-KILL", &pid]).status();
            panic!("the process did not exit within {TIMEOUT:?}")
        })
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Exit { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// The environment variables that name a hub, a channel and a session to a client command.
pub fn client_env<'a>(channel: &'a Channel, origin: &'a str, session: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("ROGERRAT_ORIGIN", origin),
        ("ROGERRAT_CHANNEL", &channel.id),
        ("ROGERRAT_TOKEN", &channel.token),
        ("ROGERRAT_SESSION", session),
    ]
}

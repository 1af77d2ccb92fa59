//! A client command in a process of its own.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;

use crate::rig::{Agent, Channel, PATIENCE};

/// A command that runs; dropped, it is killed.
pub(crate) struct Client {
    process: Option<Child>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Client {
    /// Starts `rogerrat <arguments>` with nothing of our own surroundings but these variables.
    pub(crate) fn start(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_into(Stdio::piped(), arguments, env)
    }

    pub(crate) fn start_into(out: Stdio, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rogerrat"));
        command.env_clear().envs(env.iter().copied()).args(arguments);
        let process = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        Self { process: Some(process) }
    }

    /// Starts it as a member of a channel.
    pub(crate) fn of(agent: &Agent, arguments: &[&str]) -> Self {
        Self::start(arguments, &env(&agent.channel, &origin(&agent.channel), &agent.session))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let mut process = self.process.take().unwrap();
        let (mut out, mut err) = (process.stdout.take(), process.stderr.take().unwrap());
        let pid = process.id().to_string();
        let (done, is_done) = sync_channel(1);
        std::thread::spawn(move || {
            let (mut printed, mut said) = (String::new(), String::new());
            out.as_mut().map(|out| out.read_to_string(&mut printed).unwrap());
            err.read_to_string(&mut said).unwrap();
            let code = process.wait().unwrap().code();
            done.send(Ended { code, out: printed, err: said })
        });
        is_done.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = Command::new("kill").args(["-KILL", &pid]).status();
            panic!("it did not end within {PATIENCE:?}")
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Ended {
    /// It ended so, and said exactly one line about it.
    #[track_caller]
    pub(crate) fn with_one_line(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.lines().count() == 1 && self.err.contains(words) && self.out.is_empty(), "{self:?}");
    }
}

pub(crate) fn origin(channel: &Channel) -> String {
    format!("http://{}", channel.door.0)
}

/// The variables that say where and as whom.
pub(crate) fn env<'a>(channel: &'a Channel, origin: &'a str, session: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("ROGERRAT_ORIGIN", origin),
        ("ROGERRAT_CHANNEL", &channel.id),
        ("ROGERRAT_TOKEN", &channel.token),
        ("ROGERRAT_SESSION", session),
    ]
}

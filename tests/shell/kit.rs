//! A user in a shell, with a home directory of its own.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rogerrat_testkit::{Channel, Exit, Hub, executable, wait_for_exit};
use serde_json::Value;

/// A user with a home directory, which is removed when dropped.
pub(crate) struct Shell {
    home: PathBuf,
    pub(crate) variables: Vec<(String, String)>,
}

impl Shell {
    /// A user with the hub in a variable.
    pub(crate) fn at(hub: &Hub) -> Self {
        Self::with(&[("ROGERRAT_ORIGIN", &hub.origin())])
    }

    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("rogerrat shell's-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let home = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&home).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Self { home, variables }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn profiles(&self) -> PathBuf {
        self.home.join(".config/rogerrat/profiles.toml")
    }

    /// The executable with an environment of these variables only.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(executable());
        command.env_clear().env("HOME", &self.home).args(arguments).current_dir(&self.home);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command until it exits.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Exit {
        wait_for_exit(self.start(arguments))
    }

    /// Runs a command with this standard input.
    #[track_caller]
    pub(crate) fn pipe(&self, input: &str, arguments: &[&str]) -> Exit {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The command may exit before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        wait_for_exit(child)
    }

    /// Runs a command that must succeed, and returns its output.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.out
    }

    /// The same with `--json`: one value on one line.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let out = self.ok(&[arguments, &["--json"]].concat());
        assert!(out.ends_with('\n') && out.lines().count() == 1, "{arguments:?}: {out}");
        serde_json::from_str(&out).unwrap()
    }

    /// Creates a channel and joins it.
    #[track_caller]
    pub(crate) fn channel(&self, hub: &Hub, callsign: &str) -> Channel {
        let created = self.json(&["create"]);
        self.ok(&["join", "--callsign", callsign]);
        Channel::new(**hub, created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

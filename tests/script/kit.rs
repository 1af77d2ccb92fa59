//! A user who has downloaded the script, with a home directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rogerrat_testkit::{Agent, Channel, Exit, HttpTarget, wait_for_exit};

/// The shells of this machine that a user may start the script with.
pub(crate) fn interpreters() -> Vec<Vec<&'static str>> {
    let known = [vec!["sh"], vec!["dash"], vec!["bash"], vec!["busybox", "sh"], vec!["ksh"], vec!["zsh"]];
    let path = std::env::var_os("PATH").unwrap();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    known.into_iter().filter(|words| folders.iter().any(|folder| folder.join(words[0]).exists())).collect()
}

/// A user with the script in a folder that needs quoting. The home directory is removed when dropped.
pub(crate) struct ScriptUser {
    home: PathBuf,
    shell: Vec<&'static str>,
    variables: Vec<(String, String)>,
}

impl ScriptUser {
    /// Downloads the script.
    pub(crate) fn at(target: HttpTarget) -> Self {
        Self::with(target, &["sh"], |text| text)
    }

    /// Downloads the script and changes it.
    pub(crate) fn with(target: HttpTarget, shell: &[&'static str], change: impl FnOnce(String) -> String) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("rogerrat script's-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let home = std::env::temp_dir().join(name);
        fs::create_dir(&home).unwrap();
        let user = Self { home, shell: shell.to_vec(), variables: Vec::new() };
        fs::write(user.script(), change(target.get("/rr").send().text())).unwrap();
        user
    }

    /// Downloads a script whose leases last a second, so that a test need not wait longer.
    pub(crate) fn impatient(target: HttpTarget) -> Self {
        Self::with(target, &["sh"], |text| {
            let changed = text.replace("LEASE_SECONDS = 15", "LEASE_SECONDS = 1");
            assert_ne!(text, changed);
            changed
        })
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets the variables that name a channel, and its token.
    pub(crate) fn on(self, channel: &Channel) -> Self {
        self.set("ROGERRAT_CHANNEL", &channel.id).set("ROGERRAT_TOKEN", &channel.token)
    }

    /// Has joined a channel, and needs no variables any more.
    #[track_caller]
    pub(crate) fn joined(target: HttpTarget, channel: &Channel, callsign: &str) -> Self {
        let mut user = Self::impatient(target).on(channel);
        user.ok(&["join", "--callsign", callsign]);
        user.variables.clear();
        user
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn script(&self) -> PathBuf {
        self.home.join("r r")
    }

    /// How the script names itself in the commands that it prints.
    pub(crate) fn call(&self) -> String {
        format!("sh '{}'", self.script().display().to_string().replace('\'', "'\"'\"'"))
    }

    pub(crate) fn profiles(&self) -> PathBuf {
        self.home.join(".config/rogerrat/rr.json")
    }

    /// The script with an environment of these variables only.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.shell[0]);
        command.args(&self.shell[1..]).arg(self.script()).args(arguments).current_dir(&self.home);
        command.env_clear().env("HOME", &self.home).env("PATH", std::env::var("PATH").unwrap());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running(Some(self.command(arguments).spawn().unwrap()))
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Exit {
        self.start(arguments).wait_for_exit()
    }

    /// Runs a command that must succeed, and returns its output.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.out
    }
}

impl Drop for ScriptUser {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// A running command. It is killed when dropped.
pub(crate) struct Running(Option<Child>);

impl Running {
    #[track_caller]
    pub(crate) fn wait_for_exit(mut self) -> Exit {
        wait_for_exit(self.0.take().unwrap())
    }

    /// Whether it has this file open.
    #[cfg(target_os = "linux")]
    pub(crate) fn has_open(&self, path: &Path) -> bool {
        let files = fs::read_dir(format!("/proc/{}/fd", self.0.as_ref().unwrap().id())).unwrap();
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target == path))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }

    /// Kills it like a crash, and returns what it printed.
    #[track_caller]
    pub(crate) fn kill(self) -> String {
        self.signal("KILL");
        self.wait_for_exit().out
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut process) = self.0.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Another member of the channel, and the session of one that a script uses.
pub(crate) fn session_of(user: &ScriptUser, channel: &Channel, callsign: &str) -> Agent {
    let profiles: serde_json::Value = serde_json::from_slice(&fs::read(user.profiles()).unwrap()).unwrap();
    let profile = profiles["profiles"].as_object().unwrap().values().find(|one| one["callsign"] == callsign).unwrap();
    channel.join_as(callsign, profile["session"].as_str().unwrap())
}

//! A hub: the real executable in a process of its own, with a data folder of its own, on a free port.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;

use serde_json::{Value, json};

use super::{Channel, Door, PATIENCE};

/// A running hub; dropped, it is killed and its folder removed.
pub(crate) struct Hub {
    process: Option<Child>,
    pub(crate) pid: u32,
    door: Door,
    folder: PathBuf,
    /// What it printed when it was up.
    pub(crate) banner: String,
}

impl Deref for Hub {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

impl Hub {
    /// A hub as anybody gets it.
    pub(crate) fn start() -> Self {
        Self::with(&[], &[])
    }

    /// A hub that counts no requests.
    pub(crate) fn unlimited() -> Self {
        Self::with(&["--rate-limit", "off"], &[])
    }

    /// A hub with flags and variables of its own.
    pub(crate) fn with(flags: &[&str], env: &[(&str, &str)]) -> Self {
        Self::at(folder(), "0", flags, env)
    }

    /// Stops it gently, and starts it again on the same port and the same folder.
    #[allow(dead_code, reason = "not every set of tests restarts a hub")]
    pub(crate) fn restart(&mut self) {
        self.signal("TERM");
        assert_eq!(self.ended().code(), Some(0));
        // What is left behind removes nothing.
        let folder = std::mem::take(&mut self.folder);
        *self = Self::at(folder, &self.door.0.port().to_string(), &[], &[]);
    }

    fn at(folder: PathBuf, port: &str, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = command(&folder, env);
        command.args(["serve", "--port", port, "--data-dir"]).arg(folder.join("data")).args(flags);
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let pid = process.id();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.ends_with("'{}'\n") {
            let read = out.read_line(&mut banner).unwrap();
            assert!(read > 0, "the hub did not start:\n{banner}{}", fs::read_to_string(folder.join("log")).unwrap());
        }
        let address =
            banner.lines().find_map(|line| line.strip_prefix("  http")?.trim_start_matches('s').strip_prefix("://"));
        let address: SocketAddr = address.unwrap().parse().unwrap();
        banner += &more(&mut out);
        Self { process: Some(process), pid, door: Door(address), folder, banner }
    }

    /// Where others reach it, as it stands in snippets.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.door.0)
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// A folder for what a test writes.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A plain channel.
    pub(crate) fn channel(&self) -> Channel {
        self.channel_with(&json!({}))
    }

    pub(crate) fn channel_with(&self, settings: &Value) -> Channel {
        let created = self.door.post("/api/channels").json(settings).send().ok();
        Channel::new(self.door, created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap())
    }

    /// A public band.
    pub(crate) fn band(&self, name: &str) -> Channel {
        Channel::new(self.door, name, "public")
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid, name);
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        ended(self.process.take().unwrap())
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| process.try_wait().unwrap().is_some())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            eprintln!("the hub's log:\n{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What came in the same breath: the banner is written at once.
fn more(out: &mut BufReader<impl std::io::Read>) -> String {
    let text = String::from_utf8_lossy(out.buffer()).into_owned();
    out.consume(text.len());
    text
}

/// Runs the executable to its end.
pub(crate) fn run(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let folder = folder();
    let process = command(&folder, env).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = process.id();
    let (done, is_done) = sync_channel(1);
    std::thread::spawn(move || done.send(process.wait_with_output()));
    let output = is_done.recv_timeout(PATIENCE);
    if output.is_err() {
        signal(pid, "KILL");
    }
    let _ = fs::remove_dir_all(folder);
    output.expect("it ends by itself").unwrap()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(status.success(), "no signal could be sent");
}

fn ended(mut child: Child) -> ExitStatus {
    let pid = child.id();
    let (done, is_done) = sync_channel(1);
    std::thread::spawn(move || done.send(child.wait()));
    match is_done.recv_timeout(PATIENCE) {
        Ok(status) => status.unwrap(),
        Err(_) => {
            signal(pid, "KILL");
            panic!("the process did not end within {PATIENCE:?}");
        }
    }
}

/// The executable with nothing of our own surroundings.
fn command(folder: &Path, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rogerrat"));
    command.env_clear().env("HOME", folder).envs(env.iter().copied()).stdin(Stdio::null());
    command
}

fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("rogerrat-api-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

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

use super::{Channel, Door, PATIENCE, until};

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
        let folder = folder();
        let started = came_up(launch(&folder, 0, flags, env), &folder);
        let (process, door, banner) = started.unwrap_or_else(|said| panic!("the hub did not start:\n{said}"));
        Self { pid: process.id(), process: Some(process), door, folder, banner }
    }

    /// Starts a hub that has ended again: on the same address, with the same data.
    pub(crate) fn again(&mut self, flags: &[&str], env: &[(&str, &str)]) {
        assert!(self.process.is_none(), "it has not ended");
        let port = self.door.0.port();
        until("it has its address again", || {
            match came_up(launch(&self.folder, port, flags, env), &self.folder) {
                Ok((process, _, banner)) => {
                    (self.pid, self.process, self.banner) = (process.id(), Some(process), banner);
                    true
                }
                // Some other process may have had the port for a moment.
                Err(said) => {
                    assert!(said.contains("cannot listen"), "the hub did not start again:\n{said}");
                    false
                }
            }
        });
    }

    /// Kills it: it learns nothing of it.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        assert_eq!(self.ended().code(), None);
    }

    /// Stops it gently.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        assert_eq!(self.ended().code(), Some(0), "{}", self.log());
    }

    /// Stops it gently, and starts it again on the same address with the same data.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.again(&[], &[]);
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
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

/// A hub that came up: its process, where it listens, and what it printed.
type Started = (Child, Door, String);

/// Starts the executable. What it logs follows what its folder's hubs logged before.
fn launch(folder: &Path, port: u16, flags: &[&str], env: &[(&str, &str)]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = command(folder, env);
    command.args(["serve", "--port", &port.to_string(), "--data-dir"]).arg(folder.join("data")).args(flags);
    command.stdout(Stdio::piped()).stderr(log).spawn().unwrap()
}

/// Waits until a hub is up; what it said if it never is.
fn came_up(mut process: Child, folder: &Path) -> Result<Started, String> {
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut banner = String::new();
    while !banner.ends_with("'{}'\n") {
        if out.read_line(&mut banner).unwrap() == 0 {
            ended(process);
            return Err(banner + &fs::read_to_string(folder.join("log")).unwrap());
        }
    }
    let address =
        banner.lines().find_map(|line| line.strip_prefix("  http")?.trim_start_matches('s').strip_prefix("://"));
    let address: SocketAddr = address.unwrap().parse().unwrap();
    banner += &more(&mut out);
    Ok((process, Door(address), banner))
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

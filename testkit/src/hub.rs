//! A hub: the real executable in a process of its own, with its own data directory, on a free port.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;

use serde_json::{Value, json};

use super::{Channel, HttpTarget, TIMEOUT, executable, wait_until};

/// A running hub. When dropped, it is killed and its folder is removed.
pub struct Hub {
    process: Option<Child>,
    /// The id of its process.
    pub pid: u32,
    target: HttpTarget,
    folder: PathBuf,
    /// What it printed when it had started.
    pub banner: String,
}

impl Deref for Hub {
    type Target = HttpTarget;

    fn deref(&self) -> &HttpTarget {
        &self.target
    }
}

impl Hub {
    /// Starts a hub with the default configuration.
    pub fn start() -> Self {
        Self::with(&[], &[])
    }

    /// Starts a hub without rate limits.
    pub fn unlimited() -> Self {
        Self::with(&["--rate-limit", "off"], &[])
    }

    /// Starts a hub with command-line flags and environment variables.
    pub fn with(flags: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_in(folder(), flags, env)
    }

    fn start_in(folder: PathBuf, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let started = wait_for_banner(launch(&folder, 0, flags, env), &folder);
        let (process, target, banner) = started.unwrap_or_else(|output| panic!("the hub did not start:\n{output}"));
        Self { pid: process.id(), process: Some(process), target, folder, banner }
    }

    /// Starts a hub that has the key of another one, as hubs that share a database must.
    pub fn beside(other: &Self, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let folder = folder();
        fs::create_dir(folder.join("data")).unwrap();
        fs::copy(other.data().join("hub.key"), folder.join("data/hub.key")).unwrap();
        Self::start_in(folder, flags, env)
    }

    /// Starts a hub again that has exited, on the same address and with the same data.
    pub fn start_again(&mut self, flags: &[&str], env: &[(&str, &str)]) {
        assert!(self.process.is_none(), "the hub is still running");
        let port = self.target.0.port();
        wait_until("the hub listens on its address again", || {
            match wait_for_banner(launch(&self.folder, port, flags, env), &self.folder) {
                Ok((process, _, banner)) => {
                    (self.pid, self.process, self.banner) = (process.id(), Some(process), banner);
                    true
                }
                // Another process may have taken the port for a moment.
                Err(output) => {
                    assert!(output.contains("cannot listen"), "the hub did not start again:\n{output}");
                    false
                }
            }
        });
    }

    /// Kills the hub with SIGKILL.
    pub fn kill(&mut self) {
        self.signal("KILL");
        assert_eq!(self.wait_for_exit().code(), None);
    }

    /// Stops the hub with SIGTERM; it must exit with success.
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert_eq!(self.wait_for_exit().code(), Some(0), "{}", self.log());
    }

    /// Stops the hub with SIGTERM and starts it again on the same address with the same data.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again(&[], &[]);
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its `http://` origin.
    pub fn origin(&self) -> String {
        self.target.origin()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// A folder for files of the test; the hub's log and data are below it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates a channel with the default settings.
    pub fn channel(&self) -> Channel {
        self.channel_with(&json!({}))
    }

    /// Creates a channel with settings.
    pub fn channel_with(&self, settings: &Value) -> Channel {
        let created = self.target.post("/api/channels").json(settings).send().ok();
        Channel::new(self.target, created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap())
    }

    /// A public band.
    pub fn band(&self, name: &str) -> Channel {
        Channel::new(self.target, name, "public")
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(self.pid, name);
    }

    /// Waits until the process exits.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        wait_for_exit(self.process.take().unwrap())
    }

    /// Whether the process has exited.
    pub fn has_exited(&mut self) -> bool {
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

/// A hub that has started: its process, its address, and its banner.
type Started = (Child, HttpTarget, String);

/// Starts the executable. It appends to the log of earlier hubs of the folder.
fn launch(folder: &Path, port: u16, flags: &[&str], env: &[(&str, &str)]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = command(folder, env);
    command.args(["serve", "--port", &port.to_string(), "--data-dir"]).arg(folder.join("data")).args(flags);
    command.stdout(Stdio::piped()).stderr(log).spawn().unwrap()
}

/// Waits until a hub has printed its banner; if it exits before, returns its output.
fn wait_for_banner(mut process: Child, folder: &Path) -> Result<Started, String> {
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut banner = String::new();
    while !banner.ends_with("'{}'\n") {
        if out.read_line(&mut banner).unwrap() == 0 {
            wait_for_exit(process);
            return Err(banner + &fs::read_to_string(folder.join("log")).unwrap());
        }
    }
    let address =
        banner.lines().find_map(|line| line.strip_prefix("  http")?.trim_start_matches('s').strip_prefix("://"));
    let address: SocketAddr = address.unwrap().parse().unwrap();
    banner += &buffered(&mut out);
    Ok((process, HttpTarget(address), banner))
}

/// What is already buffered: the hub writes its banner with one write.
fn buffered(out: &mut BufReader<impl std::io::Read>) -> String {
    let text = String::from_utf8_lossy(out.buffer()).into_owned();
    out.consume(text.len());
    text
}

/// Runs the executable with arguments and environment variables until it exits.
pub fn run(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let folder = folder();
    let process = command(&folder, env).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = process.id();
    let (done, is_done) = sync_channel(1);
    std::thread::spawn(move || done.send(process.wait_with_output()));
    let output = is_done.recv_timeout(TIMEOUT);
    if output.is_err() {
        signal(pid, "KILL");
    }
    let _ = fs::remove_dir_all(folder);
    output.expect("the process exits by itself").unwrap()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(status.success(), "the signal could not be sent");
}

fn wait_for_exit(mut child: Child) -> ExitStatus {
    let pid = child.id();
    let (done, is_done) = sync_channel(1);
    std::thread::spawn(move || done.send(child.wait()));
    match is_done.recv_timeout(TIMEOUT) {
        Ok(status) => status.unwrap(),
        Err(_) => {
            signal(pid, "KILL");
            panic!("the process did not exit within {TIMEOUT:?}");
        }
    }
}

/// The executable with an environment of its own.
fn command(folder: &Path, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(executable());
    command.env_clear().env("HOME", folder).envs(env.iter().copied()).stdin(Stdio::null());
    command
}

pub(super) fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("rogerrat-hub-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

//! The hub under torture: this same executable as a child, killed by its process number and by no other way.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rogerrat_client::http::Connection;

use super::caller::request;

/// A hub that does not serve by then will not.
const START: Duration = Duration::from_secs(60);
/// Between two questions whether it serves.
const ASK_EVERY: Duration = Duration::from_millis(2);
/// The ports clients are given begin above these: a client must not take the port of a hub that is down.
const PORTS: std::ops::Range<u64> = 10_000..30_000;
const PORT_TRIES: usize = 200;
const LOG_TAIL_BYTES: i64 = 2_000;

pub(super) struct HubProcess {
    child: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl HubProcess {
    /// In `folder` it finds its data and writes its log.
    pub(super) fn new(folder: &Path, roll: impl FnMut(u64, u64) -> u64) -> io::Result<Self> {
        Ok(Self { child: None, port: free_port(roll)?, folder: folder.to_owned() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn start(&mut self) -> io::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--host", "127.0.0.1", "--rate-limit", "off", "--port", &self.port.to_string()]);
        command.arg("--data-dir").arg(self.folder.join("data"));
        // What the environment says to a real hub is not meant for this one.
        let ours = |name: &OsString| name.to_string_lossy().starts_with("ROGERRAT_");
        for name in std::env::vars_os().map(|(name, _)| name).filter(ours) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Ctrl-C is meant for us; the hub goes when we do.
        self.child = Some(command.process_group(0).spawn()?);
        Ok(())
    }

    /// Waits until it answers that it is ready.
    pub(super) async fn serves(&mut self) -> Result<(), String> {
        let ready = request("GET", "/readyz", "", "");
        let mut connection = Connection::new(self.address());
        let asked = async {
            loop {
                if matches!(connection.call(&ready).await, Ok((200, _))) {
                    return Ok(());
                }
                connection.close();
                if let Some(status) = self.ended() {
                    return Err(format!("the hub ended by itself ({status})"));
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let outcome = tokio::time::timeout(START, asked).await;
        outcome.unwrap_or_else(|_| Err("the hub does not get ready".into())).map_err(|why| self.with_log(&why))
    }

    /// Whether it ended though nobody killed it.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// SIGKILL, and it is gone.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What went wrong, and the end of the log.
    pub(super) fn with_log(&self, why: &str) -> String {
        let tail = self.log_tail().unwrap_or_default();
        format!("{why}; the end of its log:\n{}", tail.trim_end())
    }

    /// Lines at `ERROR` in the log.
    pub(super) fn errors(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| line.contains(" ERROR ")).map(str::to_owned).collect()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("hub.log")
    }

    fn log_tail(&self) -> io::Result<String> {
        let mut log = File::open(self.log())?;
        if log.seek(SeekFrom::End(-LOG_TAIL_BYTES)).is_err() {
            log.rewind()?;
        }
        let mut tail = Vec::new();
        log.read_to_end(&mut tail)?;
        Ok(String::from_utf8_lossy(&tail).into_owned())
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port(mut roll: impl FnMut(u64, u64) -> u64) -> io::Result<u16> {
    let mut ports = (0..PORT_TRIES).map(|_| roll(PORTS.start, PORTS.end - 1) as u16);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(is_free).ok_or_else(|| io::Error::other("no free port was found"))
}

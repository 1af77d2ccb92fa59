//! The hub that is tortured: a child process of this executable. Only this process is ever killed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rogerrat_client::http::Connection;

use super::member_client::build_request;

/// How long the hub may take to start.
const START: Duration = Duration::from_secs(60);
/// Between two checks whether the hub is ready.
const CHECK_EVERY: Duration = Duration::from_millis(2);
/// Below the ports that the kernel assigns to clients, so that none takes the port of a hub that is down.
const PORTS: std::ops::Range<u64> = 10_000..30_000;
const PORT_TRIES: usize = 200;
const LOG_TAIL_BYTES: i64 = 2_000;

pub(super) struct HubProcess {
    child: Option<Child>,
    port: u16,
    data_dir: PathBuf,
}

impl HubProcess {
    /// A hub with its data and its log in `data_dir`. `random_between` chooses its port.
    pub(super) fn new(data_dir: &Path, random_between: impl FnMut(u64, u64) -> u64) -> io::Result<Self> {
        Ok(Self { child: None, port: free_port(random_between)?, data_dir: data_dir.to_owned() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn start(&mut self) -> io::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--host", "127.0.0.1", "--rate-limit", "off", "--port", &self.port.to_string()]);
        command.arg("--data-dir").arg(self.data_dir.join("data"));
        // Environment variables configure other hubs, not this one.
        let is_config = |name: &OsString| name.to_string_lossy().starts_with("ROGERRAT_");
        for name in std::env::vars_os().map(|(name, _)| name).filter(is_config) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Ctrl-C in the terminal must reach this process only; the hub is killed on drop.
        self.child = Some(command.process_group(0).spawn()?);
        Ok(())
    }

    /// Waits until the hub is ready.
    pub(super) async fn wait_until_ready(&mut self) -> Result<(), String> {
        let request = build_request("GET", "/readyz", "", "");
        let mut connection = Connection::new(self.address());
        let ready = async {
            loop {
                if matches!(connection.call(&request).await, Ok((200, _))) {
                    return Ok(());
                }
                connection.close();
                if let Some(status) = self.exit_status() {
                    return Err(format!("the hub ended by itself ({status})"));
                }
                tokio::time::sleep(CHECK_EVERY).await;
            }
        };
        let outcome = tokio::time::timeout(START, ready).await;
        outcome.unwrap_or_else(|_| Err("the hub did not become ready".into())).map_err(|reason| self.with_log(&reason))
    }

    /// Returns the exit status if the hub ended without being killed.
    pub(super) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// Kills the hub with SIGKILL and waits for its end.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Appends the end of the hub's log to a reason.
    pub(super) fn with_log(&self, reason: &str) -> String {
        let tail = self.log_tail().unwrap_or_default();
        format!("{reason}; the end of its log:\n{}", tail.trim_end())
    }

    /// Returns the lines at `ERROR` in the log.
    pub(super) fn errors(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| line.contains(" ERROR ")).map(str::to_owned).collect()
    }

    fn log(&self) -> PathBuf {
        self.data_dir.join("hub.log")
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

fn free_port(mut random_between: impl FnMut(u64, u64) -> u64) -> io::Result<u16> {
    let mut ports = (0..PORT_TRIES).map(|_| random_between(PORTS.start, PORTS.end - 1) as u16);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(is_free).ok_or_else(|| io::Error::other("no free port found"))
}

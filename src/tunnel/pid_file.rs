//! `tunnel.pid` in the data directory: the process of a tunnel, so that the next start of a hub that was killed ends it.
//!
//! The number of a process is used again by the system, so the file has its arguments, too, and only a process with the
//! same arguments is ended.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::process::TERMINATION;

/// How often it is checked whether a process has ended.
const CHECK: Duration = Duration::from_millis(50);

/// The file.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

#[derive(Debug, Serialize, Deserialize)]
struct StoredProcess {
    pid: i32,
    arguments: Vec<String>,
}

impl PidFile {
    /// The file in a data directory.
    pub(super) fn in_folder(data_dir: &Path) -> Self {
        Self(data_dir.join("tunnel.pid"))
    }

    /// Writes the process.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&self, pid: Pid, arguments: &[String]) -> io::Result<()> {
        let stored = StoredProcess { pid: pid.as_raw_nonzero().get(), arguments: arguments.to_vec() };
        // A file that was left behind may have other permissions.
        self.remove();
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0)?;
        serde_json::to_writer(file, &stored).map_err(io::Error::from)
    }

    /// Removes the file.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.0);
    }

    /// Ends the process that an earlier hub left behind, if it still runs.
    pub(super) async fn end_left_behind(&self) {
        let Ok(text) = fs::read(&self.0) else { return };
        if let Ok(StoredProcess { pid, arguments }) = serde_json::from_slice(&text)
            && let Some(pid) = Pid::from_raw(pid)
            && is_running(pid, &arguments)
        {
            log::warn!(pid = pid.as_raw_nonzero().get(); "ending the tunnel of a hub that was killed");
            end(pid, &arguments).await;
        }
        self.remove();
    }
}

async fn end(pid: Pid, arguments: &[String]) {
    let _ = kill_process_group(pid, Signal::TERM);
    let ended = async {
        while is_running(pid, arguments) {
            sleep(CHECK).await;
        }
    };
    if timeout(TERMINATION, ended).await.is_err() {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Whether a process runs whose command line ends with these arguments. A script has its interpreter before them.
fn is_running(pid: Pid, arguments: &[String]) -> bool {
    let pid = pid.as_raw_nonzero().get();
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        let expected: Vec<u8> = arguments.iter().flat_map(|argument| [argument.as_bytes(), b"\0"].concat()).collect();
        return line.ends_with(&expected) && !expected.is_empty();
    }
    if Path::new("/proc/self").exists() {
        return false;
    }
    let listed = Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).trim_end().ends_with(&arguments.join(" ")))
}

//! The hub of `--self`: a child process of this executable on a free port, with its data in a temporary folder.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::procfs::Process;

/// How long the hub may take to stop before it is killed.
const STOP_STEPS: u32 = 500;
const STOP_STEP: Duration = Duration::from_millis(10);

pub(super) struct SpawnedHub {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl SpawnedHub {
    /// Starts the hub and waits until it listens.
    pub(super) fn start(workers: u16, flags: &[String]) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("rogerrat-load-{}", std::process::id()));
        let failed = |error: io::Error| format!("cannot start a hub: {error}");
        fs::create_dir(&folder).map_err(failed)?;
        let log = File::create(folder.join("log"));
        let child = log.and_then(|log| command(&folder, workers, flags, log)?.spawn());
        let child = child.map_err(|error| {
            let _ = fs::remove_dir_all(&folder);
            failed(error)
        })?;
        let mut hub = Self { child, folder, url: String::new() };
        hub.url = hub.address().ok_or_else(|| {
            let log = fs::read_to_string(hub.folder.join("log")).unwrap_or_default();
            format!("the hub did not start: {}", log.lines().last().unwrap_or("its log is empty"))
        })?;
        Ok(hub)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn process(&self) -> io::Result<Process> {
        Process::find(self.child.id())
    }

    /// Returns the first line of the banner that is an address.
    fn address(&mut self) -> Option<String> {
        let mut banner = BufReader::new(self.child.stdout.take()?);
        let mut line = String::new();
        while banner.read_line(&mut line).ok()? > 0 {
            if line.trim().starts_with("http://") {
                let url = line.trim().to_owned();
                // The rest of the banner is not read; it is too short to fill the pipe.
                self.child.stdout = Some(banner.into_inner());
                return Some(url);
            }
            line.clear();
        }
        None
    }

    /// Stops the hub with SIGTERM, or kills it after a while.
    fn stop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid
            && kill_process(pid, Signal::TERM).is_ok()
        {
            for _ in 0..STOP_STEPS {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::park_timeout(STOP_STEP);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &std::path::Path, workers: u16, flags: &[String], log: File) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--rate-limit", "off"]);
    command.arg("--data-dir").arg(folder.join("data")).args(flags);
    // Environment variables configure other hubs, not this one.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROGERRAT_")) {
        command.env_remove(name);
    }
    command.env("ROGERRAT_SERVER__WORKERS", workers.to_string());
    // One minute is the minimum.
    command.env("ROGERRAT_CHANNELS__IDLE_MINUTES", "1").env("ROGERRAT_SERVER__MAX_CONNECTIONS", "1000000");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    // Ctrl-C in the terminal must reach this process only; the hub is stopped on drop.
    command.process_group(0);
    Ok(command)
}

impl Drop for SpawnedHub {
    fn drop(&mut self) {
        self.stop();
        // An error cannot be reported from here.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

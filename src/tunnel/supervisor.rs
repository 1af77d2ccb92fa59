//! Keeps a tunnel open: starts its process, publishes its host, starts it again when it ends, and ends it with the hub.

use std::collections::VecDeque;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rogerrat_domain::text::one_line;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::find::TunnelProgram;
use super::output::TunnelOutput;
use super::pid_file::PidFile;
use super::process::{ProcessEvent, TERMINATION, TunnelProcess};

/// How long a tunnel may take to connect.
const START: Duration = Duration::from_secs(30);
/// How long the last lines of a process that has ended are waited for.
const LAST_LINES: Duration = Duration::from_millis(500);
/// Lines of its output that an error shows.
const SHOWN_LINES: usize = 5;
/// Pauses before further starts: from the first, doubled up to the last.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// After this time a process did not end because it was just started: the next pause is the first one.
const LASTING: Duration = Duration::from_secs(60);

/// The host of the tunnel, in lower case; none while there is none.
type HostReceiver = watch::Receiver<Option<Arc<str>>>;

/// Why a tunnel could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the tunnel could not be opened: {reason}")]
pub(crate) struct TunnelError {
    reason: String,
    /// The last lines that its program printed.
    pub(crate) lines: Vec<String>,
}

/// A tunnel that is kept open by a task.
#[derive(Debug)]
pub(crate) struct OpenTunnel {
    /// The outcome of the first start.
    first: Option<oneshot::Receiver<Result<Arc<str>, TunnelError>>>,
    host: HostReceiver,
    stop: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
}

impl OpenTunnel {
    /// Opens a tunnel to a port of this machine, and keeps it open. `host` publishes its host.
    pub(crate) fn open(
        program: TunnelProgram,
        port: u16,
        data_dir: &Path,
        host: watch::Sender<Option<Arc<str>>>,
    ) -> Self {
        let (first_sender, first) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let receiver = host.subscribe();
        let arguments = program.arguments(port);
        let pid_file = PidFile::in_folder(data_dir);
        let supervisor =
            Supervisor { program, arguments, pid_file, host, first: Some(first_sender), has_lasted: false };
        let task = actix_web::rt::spawn(supervisor.run(stopped));
        Self { first: Some(first), host: receiver, stop, task }
    }

    /// The next host of the tunnel: the first one, then each that differs from the one before.
    ///
    /// # Errors
    /// If it could not be opened the first time.
    pub(crate) async fn next_host(&mut self) -> Result<Arc<str>, TunnelError> {
        if let Some(first) = &mut self.first {
            let outcome = first.await;
            self.first = None;
            if let Ok(outcome) = outcome {
                return outcome;
            }
        }
        loop {
            if self.host.changed().await.is_err() {
                // The task has ended with the hub.
                std::future::pending::<()>().await;
            }
            if let Some(host) = self.host.borrow_and_update().clone() {
                return Ok(host);
            }
        }
    }

    /// Ends the process: it is killed if it has not ended after its grace, or at once.
    pub(crate) async fn close(self, is_immediate: bool) {
        let _ = self.stop.send(if is_immediate { Duration::ZERO } else { TERMINATION });
        let _ = self.task.await;
    }
}

struct Supervisor {
    program: TunnelProgram,
    arguments: Vec<String>,
    pid_file: PidFile,
    host: watch::Sender<Option<Arc<str>>>,
    first: Option<oneshot::Sender<Result<Arc<str>, TunnelError>>>,
    /// Whether the current process has run for a while.
    has_lasted: bool,
}

/// Why a process is not followed any more.
enum Outcome {
    /// The hub stops, and the process may take this long to end.
    Stopped(Duration),
    /// It ended, or did not connect in time.
    Failed(&'static str),
}

impl Supervisor {
    async fn run(mut self, mut stopped: oneshot::Receiver<Duration>) {
        self.pid_file.end_left_behind().await;
        let [first_pause, longest_pause] = PAUSES;
        let mut pause = first_pause;
        loop {
            let mut lines = VecDeque::new();
            let reason = match TunnelProcess::start(&self.program, &self.arguments) {
                Err(error) => format!("{} cannot be started: {error}", self.program.path.display()),
                Ok(mut process) => {
                    if let Err(error) = self.pid_file.write(process.pid, &self.arguments) {
                        log::warn!(error:display; "cannot write tunnel.pid: after a crash the tunnel would stay open");
                    }
                    let outcome = self.follow(&mut process, &mut lines, &mut stopped).await;
                    // Under its old name the hub is not reachable any more.
                    self.host.send_replace(None);
                    let (grace, reason) = match outcome {
                        Outcome::Stopped(grace) => (grace, None),
                        Outcome::Failed(reason) => (TERMINATION, Some(reason)),
                    };
                    process.end(grace).await;
                    self.pid_file.remove();
                    let Some(reason) = reason else { return };
                    reason.to_owned()
                }
            };
            if let Some(first) = self.first.take() {
                let _ = first.send(Err(TunnelError { reason, lines: lines.into() }));
                return;
            }
            if std::mem::take(&mut self.has_lasted) {
                pause = first_pause;
            }
            log::warn!(reason, retry_after_s = pause.as_secs(); "the tunnel is closed; its links no longer work");
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(longest_pause),
                _ = &mut stopped => return,
            }
        }
    }

    /// Reads what a process prints, and publishes its host once it is connected.
    async fn follow(
        &mut self,
        process: &mut TunnelProcess,
        lines: &mut VecDeque<String>,
        stopped: &mut oneshot::Receiver<Duration>,
    ) -> Outcome {
        let (mut too_late, mut lasted) = (pin!(sleep(START)), pin!(sleep(LASTING)));
        let mut output = TunnelOutput::of(self.program.provider);
        loop {
            let event = tokio::select! {
                grace = &mut *stopped => return Outcome::Stopped(grace.unwrap_or_default()),
                event = process.next() => event,
                () = &mut too_late, if !output.is_open() => {
                    return Outcome::Failed("it did not connect within 30 seconds");
                }
                () = &mut lasted, if !self.has_lasted => {
                    self.has_lasted = true;
                    continue;
                }
            };
            let Some(ProcessEvent::Line(line)) = event else {
                read_last_lines(process, lines).await;
                return Outcome::Failed("its program has ended");
            };
            log::debug!(line = one_line(&line).as_ref(); "tunnel");
            keep(lines, &line);
            if let Some(host) = output.read(&line) {
                self.publish(&host);
            }
        }
    }

    fn publish(&mut self, host: &Arc<str>) {
        self.host.send_replace(Some(host.clone()));
        log::info!(host:display; "the tunnel is open");
        if let Some(first) = self.first.take() {
            let _ = first.send(Ok(host.clone()));
        }
    }
}

/// Reads what a process that has ended had printed.
async fn read_last_lines(process: &mut TunnelProcess, lines: &mut VecDeque<String>) {
    let read = async {
        while let Some(event) = process.next().await {
            if let ProcessEvent::Line(line) = event {
                keep(lines, &line);
            }
        }
    };
    // A process of its own may keep the output open.
    let _ = timeout(LAST_LINES, read).await;
}

fn keep(lines: &mut VecDeque<String>, line: &str) {
    if !line.is_empty() {
        lines.push_back(one_line(line).into_owned());
        if lines.len() > SHOWN_LINES {
            lines.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;
    use crate::config::TunnelProvider;

    fn program(name: &str, script: &str) -> (TunnelProgram, PathBuf) {
        let folder = std::env::temp_dir().join(format!("rr-supervisor-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("program");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        (TunnelProgram { provider: TunnelProvider::Cloudflared, path }, folder)
    }

    #[actix_web::rt::test]
    async fn a_program_that_never_connects_is_ended_even_if_it_ignores_sigterm() {
        // Time passes when nothing else can happen.
        tokio::time::pause();
        let (program, folder) = program("never", "trap '' TERM\nwhile :; do sleep 1; done");
        let (publisher, host) = watch::channel(None);
        let mut tunnel = OpenTunnel::open(program, 1, &folder, publisher);
        let error = tunnel.next_host().await.unwrap_err();
        assert!(error.to_string().contains("did not connect within 30 seconds"), "{error}");
        // Its end was waited for.
        assert!(host.borrow().is_none() && !folder.join("tunnel.pid").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[actix_web::rt::test]
    async fn a_program_that_ends_is_shown_with_its_last_lines() {
        let (program, folder) = program("ends", "for n in 1 2 3 4 5 6 7; do echo \"line $n\"; done; exit 1");
        let (publisher, _host) = watch::channel(None);
        let error = OpenTunnel::open(program, 1, &folder, publisher).next_host().await.unwrap_err();
        assert_eq!(error.lines, ["line 3", "line 4", "line 5", "line 6", "line 7"]);
        let missing = TunnelProgram { provider: TunnelProvider::Ngrok, path: folder.join("missing") };
        let (publisher, _host) = watch::channel(None);
        let error = OpenTunnel::open(missing, 1, &folder, publisher).next_host().await.unwrap_err();
        assert!(error.to_string().contains("cannot be started"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}

//! The process of a tunnel: its output, its end, and signals to it.
//!
//! It has a process group of its own, so that a terminal's Ctrl-C reaches the hub only, which ends it after its drain.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::find::TunnelProgram;

/// Lines that wait to be read.
const QUEUE: usize = 64;
/// Bytes of a line that are kept.
const LINE_BYTES: usize = 4096;
/// How long a process may take to end after SIGTERM.
pub(super) const TERMINATION: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug)]
pub(super) enum ProcessEvent {
    /// It printed a line.
    Line(String),
    /// It has ended.
    Ended,
}

/// A running process. It is killed when dropped.
#[derive(Debug)]
pub(super) struct TunnelProcess {
    pub(super) pid: Pid,
    events: Receiver<ProcessEvent>,
    has_ended: bool,
}

impl TunnelProcess {
    /// Starts the program.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(program: &TunnelProgram, arguments: &[String]) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // Variables of the hub may contain its tokens.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ROGERRAT_")) {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        let (sender, events) = channel(QUEUE);
        if let Some(output) = child.stdout.take() {
            read_lines(output, sender.clone());
        }
        if let Some(output) = child.stderr.take() {
            read_lines(output, sender.clone());
        }
        wait(child, sender);
        Ok(Self { pid, events, has_ended: false })
    }

    /// The next event; none after the end and the last line.
    pub(super) async fn next(&mut self) -> Option<ProcessEvent> {
        let event = self.events.recv().await;
        self.has_ended |= matches!(event, Some(ProcessEvent::Ended) | None);
        event
    }

    /// Asks the process to end, and kills it if it has not ended at the deadline.
    pub(super) async fn end(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        if timeout(grace, self.ended()).await.is_err() {
            log::warn!("the tunnel did not end in time; killing it");
            self.signal(Signal::KILL);
            self.ended().await;
        }
    }

    async fn ended(&mut self) {
        while !self.has_ended {
            self.next().await;
        }
    }

    fn signal(&self, signal: Signal) {
        if !self.has_ended {
            // It may have ended meanwhile.
            let _ = kill_process_group(self.pid, signal);
        }
    }
}

impl Drop for TunnelProcess {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Sends every line, until the output ends or nobody reads the events.
fn read_lines(output: impl Read + Send + 'static, events: Sender<ProcessEvent>) {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        while let Ok(Some(line)) = read_line(&mut output) {
            if events.blocking_send(ProcessEvent::Line(line)).is_err() {
                return;
            }
        }
    });
}

fn wait(mut child: Child, events: Sender<ProcessEvent>) {
    thread::spawn(move || {
        // While it is not reaped, no other group can get its id.
        let _ = waitid(WaitId::Pid(Pid::from_child(&child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        // What the program started, if it is a script.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let _ = child.wait();
        let _ = events.blocking_send(ProcessEvent::Ended);
    });
}

/// A line without its end, at most [`LINE_BYTES`] of it; none at the end of the output.
fn read_line(output: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut is_empty = true;
    loop {
        let available = output.fill_buf()?;
        if available.is_empty() {
            break;
        }
        is_empty = false;
        let (piece, end) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&available[..at], Some(at + 1)),
            None => (available, None),
        };
        line.extend_from_slice(&piece[..piece.len().min(LINE_BYTES - line.len())]);
        let read = end.unwrap_or(available.len());
        output.consume(read);
        if end.is_some() {
            break;
        }
    }
    Ok((!is_empty).then(|| String::from_utf8_lossy(line.trim_ascii_end()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded() {
        let text = format!("one\r\n\n{}\nlast", "x".repeat(3 * LINE_BYTES));
        let mut output = BufReader::with_capacity(100, text.as_bytes());
        let lines: Vec<_> = std::iter::from_fn(|| read_line(&mut output).unwrap()).collect();
        assert_eq!(lines, ["one", "", &"x".repeat(LINE_BYTES), "last"]);
    }
}

//! The process that does one task.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rogerrat_client::ReceivedMessage;
use rogerrat_domain::text::one_line;
use rogerrat_domain::{MessageView, limits};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

/// How often it is checked whether a process that has closed its output has ended.
const CHECK: Duration = Duration::from_millis(20);
/// The most bytes of output that are kept: what an attachment holds.
pub(super) const OUTPUT_BYTES: u64 = limits::ATTACHMENTS_CHARS as u64 / 4 * 3;

/// A process that does a task, with the processes that it starts.
pub(super) struct WorkProcess {
    child: Child,
    output: Option<oneshot::Receiver<Vec<u8>>>,
    read: Vec<u8>,
}

/// A process that has ended.
pub(super) struct Ended {
    /// Its exit code; none if a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) output: Vec<u8>,
}

impl WorkProcess {
    /// Starts the command for a task. Its text is the standard input.
    pub(super) fn start(command: &[String], id: u64, fence: u32, message: &ReceivedMessage) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let thread = serde_json::from_str::<MessageView<'_>>(message.json());
        let thread = thread.ok().and_then(|view| view.thread.map(|name| one_line(&name).into_owned()));
        let mut child = Command::new(program)
            .args(arguments)
            .env("RR_TASK_ID", id.to_string())
            .env("RR_TASK_FENCE", fence.to_string())
            .env("RR_TASK_FROM", &*one_line(&message.from))
            .env("RR_TASK_THREAD", thread.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let text = message.text.clone();
        // The process need not read its input.
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
        let (send, output) = oneshot::channel();
        thread::spawn(move || {
            let mut kept = Vec::new();
            if let Some(mut stdout) = stdout {
                let _ = stdout.by_ref().take(OUTPUT_BYTES).read_to_end(&mut kept);
                let _ = io::copy(&mut stdout, &mut io::sink());
            }
            let _ = send.send(kept);
        });
        Ok(Self { child, output: Some(output), read: Vec::new() })
    }

    /// Waits for its end, at most until this time.
    pub(super) async fn ended_by(&mut self, time: Instant) -> Option<Ended> {
        timeout_at(time, self.ended()).await.ok()
    }

    async fn ended(&mut self) -> Ended {
        if let Some(output) = &mut self.output {
            self.read = output.await.unwrap_or_default();
            self.output = None;
        }
        loop {
            match self.child.try_wait() {
                Ok(None) => sleep(CHECK).await,
                Ok(Some(status)) => return Ended { code: status.code(), output: std::mem::take(&mut self.read) },
                Err(_) => return Ended { code: None, output: std::mem::take(&mut self.read) },
            }
        }
    }

    /// Kills it, and what it has started.
    pub(super) fn kill(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

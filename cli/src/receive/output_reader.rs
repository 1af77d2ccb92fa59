//! Whether anyone reads standard output. A pipe whose reader has closed it reports that at once, so that a listener can end
//! before it takes a message that no one would read.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::fcntl_dupfd_cloexec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::outcome::{OWNER_ENDED, report};

/// Standard output, if it is a pipe, a socket or a terminal. A file has no reader.
pub(super) struct OutputReader(Option<AsyncFd<OwnedFd>>);

impl OutputReader {
    /// Watches standard output. Must be called on a runtime.
    pub(super) fn of_stdout() -> Self {
        Self(fcntl_dupfd_cloexec(io::stdout(), 0).ok().and_then(register))
    }

    /// Watches nothing.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Reports that no one reads standard output, and returns the exit code for it.
    pub(super) fn report_end(name: &str) -> ExitCode {
        report(name, "standard output was closed by its reader, so the messages stay unread");
        ExitCode::from(OWNER_ENDED)
    }

    /// Returns when the reader has closed it.
    pub(super) async fn closed(&self) {
        let Some(output) = &self.0 else { return pending().await };
        loop {
            let Ok(mut ready) = output.writable().await else { return pending().await };
            if is_closed(output.get_ref()) {
                return;
            }
            // The next event is a change: it became writable again, or it was closed.
            ready.clear_ready();
        }
    }
}

#[expect(deprecated, reason = "its replacement is unsafe; an OwnedFd is open as long as it exists")]
fn register(output: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(output, Interest::WRITABLE).ok()
}

fn is_closed(output: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(output, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled = poll(&mut fds, Some(&at_once));
    polled.is_ok() && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

#[cfg(test)]
mod tests {
    use std::io::pipe;

    use super::*;

    #[tokio::test]
    async fn reports_that_a_pipe_was_closed() {
        let (reader, writer) = pipe().unwrap();
        let output = OutputReader(register(writer.into()));
        let is_open = tokio::select! {
            biased;
            () = output.closed() => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(is_open);
        drop(reader);
        output.closed().await;
    }
}

//! The process that a listener works for, usually an agent. When it has ended, no one reads what the listener prints: the
//! listener must end too, and leave the messages unread.
//!
//! On Linux the kernel reports the end of a process through a file descriptor. Elsewhere the process is checked once a
//! second.

use std::fs;
use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;

use clap::Args;
use rustix::io::Errno;
use rustix::process::{Pid, getpid, getppid, test_kill_process};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use crate::outcome::{OWNER_ENDED, report};

/// How often a process is checked where the system does not report its end.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Wrappers between an agent and a listener: they may outlive the agent, so the process above them counts too.
const WRAPPERS: [&str; 12] =
    ["sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "timeout", "sudo", "script", "stdbuf"];
/// Maximum number of processes to watch: the parent, and those above it as long as they are wrappers.
const MAX_PROCESSES: usize = 8;

/// Which process a listener works for.
#[derive(Args)]
pub(crate) struct OwnerArgs {
    /// End when this process ends, and leave the messages unread. `parent` is the process that started this command,
    /// and `none` is no process
    #[arg(long, value_name = "PID|parent|none", value_parser = parse)]
    with_pid: Option<OwnerChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnerChoice {
    None,
    Parent,
    Process(i32),
}

/// The watched processes. Empty if there is none.
pub(super) struct Owner(Vec<Watched>);

struct Watched {
    pid: Pid,
    /// Whether it is this process's parent.
    is_parent: bool,
    /// Readable once the process has ended.
    pidfd: Option<AsyncFd<OwnedFd>>,
}

fn parse(value: &str) -> Result<OwnerChoice, String> {
    match value {
        "parent" => Ok(OwnerChoice::Parent),
        "none" | "0" => Ok(OwnerChoice::None),
        pid => match pid.parse() {
            Ok(pid @ 1..) => Ok(OwnerChoice::Process(pid)),
            _ => Err("expected the id of a process, `parent` or `none`".into()),
        },
    }
}

impl OwnerArgs {
    /// Begins to watch the process that was given, or else `default`. Must be called on a runtime.
    ///
    /// # Errors
    ///
    /// Returns the exit code, after reporting the reason, if the process has already ended.
    pub(super) fn watch(&self, name: &str, default: OwnerChoice) -> Result<Owner, ExitCode> {
        let owner = match self.with_pid.unwrap_or(default) {
            OwnerChoice::None => Some(Owner(Vec::new())),
            OwnerChoice::Parent => Owner::parent(),
            OwnerChoice::Process(pid) => {
                Pid::from_raw(pid).and_then(Watched::process).map(|watched| Owner(vec![watched]))
            }
        };
        owner.ok_or_else(|| Owner::report_end(name))
    }
}

impl Owner {
    /// Watches the process that started this one. `None` if it has already ended. Process 1 is no owner: it starts
    /// services, adopts the children of ended processes, and ends last.
    fn parent() -> Option<Self> {
        let Some(parent) = getppid() else { return Some(Self(Vec::new())) };
        if is_adopted(parent) {
            return None;
        }
        let mut watched = Vec::new();
        let mut next = Some(parent);
        while let Some(pid) = next.filter(|pid| !pid.is_init() && watched.len() < MAX_PROCESSES) {
            let (is_wrapper, above) = wrapper(pid);
            match Watched::new(pid, pid == parent) {
                Some(process) => watched.push(process),
                None if pid == parent => return None,
                None => break,
            }
            next = above.filter(|_| is_wrapper);
        }
        let owner = Self(watched);
        // The parent may have ended while it was being opened.
        (!owner.has_ended()).then_some(owner)
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.0.iter().any(Watched::has_ended)
    }

    /// Returns when the process has ended; never if there is none.
    pub(super) async fn ended(&self) {
        if self.0.iter().any(|watched| watched.pidfd.is_none()) {
            while !self.has_ended() {
                sleep(CHECK_EVERY).await;
            }
            return;
        }
        let mut ends: Vec<_> =
            self.0.iter().filter_map(|watched| Some(Box::pin(watched.pidfd.as_ref()?.readable()))).collect();
        poll_fn(|cx| match ends.iter_mut().any(|end| end.as_mut().poll(cx).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Reports that the process has ended, and returns the exit code for it.
    pub(super) fn report_end(name: &str) -> ExitCode {
        report(
            name,
            "the process it works for has ended, so the messages stay unread; name another with --with-pid PID, or \
             give --with-pid none to keep waiting without one",
        );
        ExitCode::from(OWNER_ENDED)
    }
}

impl Watched {
    /// Watches a process that the caller named. `None` if there is none.
    fn process(pid: Pid) -> Option<Self> {
        Self::new(pid, false).filter(|watched| !watched.has_ended())
    }

    fn new(pid: Pid, is_parent: bool) -> Option<Self> {
        match open(pid) {
            Ok(pidfd) => Some(Self { pid, is_parent, pidfd: register(pidfd) }),
            Err(Errno::SRCH) => None,
            // The system cannot report it, or a sandbox forbids it.
            Err(_) => Some(Self { pid, is_parent, pidfd: None }),
        }
    }

    fn has_ended(&self) -> bool {
        (self.is_parent && getppid() != Some(self.pid))
            || self.pidfd.as_ref().is_some_and(|pidfd| is_readable(pidfd.get_ref()))
            || test_kill_process(self.pid) == Err(Errno::SRCH)
    }
}

#[expect(deprecated, reason = "its replacement is unsafe; an OwnedFd is open as long as it exists")]
fn register(pidfd: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE).ok()
}

#[cfg(target_os = "linux")]
fn open(pid: Pid) -> Result<OwnedFd, Errno> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::NONBLOCK)
}

#[cfg(not(target_os = "linux"))]
fn open(_: Pid) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

fn is_readable(fd: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&at_once)).is_ok_and(|ready| ready > 0)
}

/// A process as `/proc` shows it.
#[derive(Debug, PartialEq, Eq)]
struct ProcessStat<'a> {
    name: &'a str,
    parent: i32,
    /// 0 if its leader is outside of this container.
    session: i32,
}

/// Whether `parent` adopted this process because the one that started it has ended. A process begins in the session of
/// the one that started it, so an adopting parent in another session was not that one.
fn is_adopted(parent: Pid) -> bool {
    let session = |pid| ProcessStat::parse(&read_stat(pid)).map(|stat| stat.session);
    match (session(getpid()), session(parent)) {
        (Some(own), Some(other)) => own != other && own != 0 && own != getpid().as_raw_nonzero().get(),
        _ => false,
    }
}

/// Whether a process is a wrapper, and the process that started it. Known only where there is a `/proc`.
fn wrapper(pid: Pid) -> (bool, Option<Pid>) {
    ProcessStat::parse(&read_stat(pid))
        .map_or((false, None), |stat| (WRAPPERS.contains(&stat.name), Pid::from_raw(stat.parent)))
}

fn read_stat(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default()
}

impl<'a> ProcessStat<'a> {
    /// Parses `1234 (name) S parent group session …`. The name may contain spaces and parentheses.
    fn parse(stat: &'a str) -> Option<Self> {
        let (front, back) = stat.rsplit_once(')')?;
        let (_, name) = front.split_once('(')?;
        let mut fields = back.split_ascii_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        Some(Self { name, parent, session: fields.nth(1)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn reads_the_name_and_the_parent_of_a_process() {
        let stat = ProcessStat { name: "ba) sh (x)", parent: 4, session: 16 };
        assert_eq!(ProcessStat::parse("17 (ba) sh (x)) S 4 17 16 0 -1"), Some(stat));
        assert_eq!(ProcessStat::parse(""), None);
    }

    #[test]
    fn takes_a_process_id_or_a_word() {
        assert_eq!(parse("12"), Ok(OwnerChoice::Process(12)));
        assert_eq!((parse("parent"), parse("0")), (Ok(OwnerChoice::Parent), Ok(OwnerChoice::None)));
        assert!(parse("-3").is_err() && parse("").is_err() && parse("99999999999").is_err());
    }

    #[tokio::test]
    async fn reports_the_end_of_a_process() {
        let mut process = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&process);
        let owner = Owner(vec![Watched::process(pid).unwrap()]);
        assert!(!owner.has_ended());
        drop(process.stdin.take());
        owner.ended().await;
        assert!(owner.has_ended());
        process.wait().unwrap();
        assert!(Watched::process(pid).is_none());
    }
}

//! A hub that runs already: its address, and the process that may be killed and stopped.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};

/// What the name of a hub's process begins with.
const PROCESS: &str = "rogerrat";

/// `URL`, `URL=PID` or `URL=FILE`: a hub, and the process that may be killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HubTarget {
    pub(super) address: SocketAddr,
    pub(super) process: HubPid,
}

/// How to find the process of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HubPid {
    /// It is never killed or stopped.
    None,
    Number(i32),
    /// A file with the number, which is read before each signal: a supervisor starts the hub again.
    File(PathBuf),
}

impl FromStr for HubTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (url, process) = match text.split_once('=') {
            None => (text, HubPid::None),
            Some((url, process)) => match process.parse() {
                Ok(number) if number > 1 => (url, HubPid::Number(number)),
                _ if process.contains('/') => (url, HubPid::File(process.into())),
                _ => return Err("expected a process id or the path of a file with one after `=`".to_owned()),
            },
        };
        let authority = url.strip_prefix("http://").ok_or("expected a URL that begins with http://")?;
        let authority = authority.trim_end_matches('/');
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let mut addresses = with_port.to_socket_addrs().map_err(|error| format!("its host is unknown: {error}"))?;
        Ok(Self { address: addresses.next().ok_or("its host has no address")?, process })
    }
}

impl HubTarget {
    /// The process that may be killed now; none if there is none, or if it is not a hub.
    pub(super) fn pid(&self) -> Option<Pid> {
        let number = match &self.process {
            HubPid::None => return None,
            HubPid::Number(number) => *number,
            HubPid::File(path) => fs::read_to_string(path).ok()?.trim().parse().ok().filter(|number| *number > 1)?,
        };
        let name = fs::read_to_string(format!("/proc/{number}/comm")).ok()?;
        let pid = Pid::from_raw(number)?;
        (name.starts_with(PROCESS) && is_running(pid)).then_some(pid)
    }

    /// Whether a supervisor starts it again after its end.
    pub(super) fn is_supervised(&self) -> bool {
        matches!(self.process, HubPid::File(_))
    }
}

/// Whether a process has not ended. One whose parent has not noticed yet has no command line any more.
pub(super) fn is_running(pid: Pid) -> bool {
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| !line.is_empty())
}

/// Sends a signal to a process.
pub(super) fn send(pid: Pid, signal: Signal) -> io::Result<()> {
    kill_process(pid, signal).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_has_a_url_and_perhaps_a_process() {
        let target = |text: &str| text.parse::<HubTarget>();
        let address = "127.0.0.1:7424".parse().unwrap();
        assert_eq!(target("http://127.0.0.1:7424"), Ok(HubTarget { address, process: HubPid::None }));
        let with_number = HubTarget { address, process: HubPid::Number(77) };
        assert_eq!(target("http://127.0.0.1:7424/=77"), Ok(with_number));
        let with_file = target("http://127.0.0.1:7424=/run/hub.pid").unwrap();
        assert!(with_file.is_supervised() && with_file.process == HubPid::File("/run/hub.pid".into()));
        assert_eq!(target("http://127.0.0.1").unwrap().address.port(), 80);
        for wrong in
            ["127.0.0.1:7424", "http://127.0.0.1=0", "http://127.0.0.1=1", "http://127.0.0.1=-5", "https://x=y"]
        {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_process_that_is_no_hub_is_never_killed() {
        let address = "127.0.0.1:1".parse().unwrap();
        let ours = HubTarget { address, process: HubPid::Number(std::process::id() as i32) };
        let name = fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(ours.pid().is_some(), name.starts_with(PROCESS));
        assert_eq!(HubTarget { address, process: HubPid::File("/nowhere/hub.pid".into()) }.pid(), None);
    }
}

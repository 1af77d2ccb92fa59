//! Parked polls that nobody wakes. All agents join first, so that the memory of a parked poll is told from
//! the memory of a member; then every agent parks one poll on its own connection and the server is only watched.

mod report;

pub(super) use report::IdleReport;

use super::args::IdleArgs;
use super::procfs::Process;
use super::report::difference;
use super::setup::Setup;
use super::stage::Mark;
use super::target::{PollKind, Session, Target};
use crate::cli::client::Connection;
use crate::cli::client::Fault;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// What a poll asks for; the window and the settling are shorter.
const POLL_S: u32 = 300;
/// For creating, joining and parking.
const SETUP: Duration = Duration::from_secs(300);
/// After the last request was written.
const SETTLE: Duration = Duration::from_secs(2);
/// The server is also given time until it is quiet, but not more than so many steps.
const QUIET_STEPS: usize = 20;
const QUIET_STEP: Duration = Duration::from_secs(1);
/// CPU time in one step below which a server is quiet, in microseconds.
const QUIET_CPU_US: f64 = 50_000.0;
/// Connections from one loopback address; a default port range has about 28,000.
const PORTS_PER_SOURCE: usize = 20_000;

/// Parks, settles, watches; the connections close when it returns.
pub(super) async fn run(args: &IdleArgs) -> Result<IdleReport, String> {
    let target = Target::parse(&args.url, args.token.clone())?;
    let server = args.pid.map(Process::find).transpose().map_err(|cause| cause.to_string())?;
    let rss_kib = || server.and_then(|server| server.rss_kib().ok());
    let before = rss_kib();
    let sessions = within_setup(join_all(&target, args)).await?;
    let joined = rss_kib();
    let parked = within_setup(park_all(&target, &sessions)).await?;
    settle(server).await;
    let start = Mark::take(server);
    tokio::time::sleep(Duration::from_secs(args.seconds.into())).await;
    let end = Mark::take(server);
    let disturbed = parked.iter().filter(|poll| !poll.is_silent()).count() as u64;
    let polls = parked.len() as u64;
    Ok(IdleReport::new(polls, disturbed, (start, end), [before, joined, rss_kib()]))
}

async fn within_setup<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, String> {
    let outcome = tokio::time::timeout(SETUP, work).await;
    outcome.unwrap_or(Err(Fault::Stalled("the setup took its full time"))).map_err(|fault| fault.to_string())
}

async fn join_all(target: &Target, args: &IdleArgs) -> Result<Vec<Session>, Fault> {
    let mut setup = Setup::new(target);
    let mut sessions = Vec::with_capacity(args.polls as usize);
    let mut left = args.polls;
    while left > 0 {
        let agents = left.min(args.per_channel);
        sessions.extend(setup.channel(None, (0..agents).map(|agent| format!("a{agent}"))).await?);
        left -= agents;
    }
    Ok(sessions)
}

async fn park_all(target: &Target, sessions: &[Session]) -> Result<Vec<Connection>, Fault> {
    let mut parked = Vec::with_capacity(sessions.len());
    for (index, session) in sessions.iter().enumerate() {
        let mut connection = target.connection().with_source(source(target.address.ip(), index));
        connection.write(&target.poll_request(session, PollKind::Wait, POLL_S)).await?;
        parked.push(connection);
    }
    Ok(parked)
}

/// The loopback address to connect from: 127.0.0.1, then 127.0.0.2, and so on. Elsewhere the kernel chooses.
fn source(server: IpAddr, index: usize) -> Option<IpAddr> {
    let IpAddr::V4(server) = server else {
        return None;
    };
    let last = u8::try_from(index / PORTS_PER_SOURCE + 1).ok()?;
    server.is_loopback().then_some(Ipv4Addr::new(127, 0, 0, last).into())
}

/// Requests are written before they are read: the server gets time to park them all.
async fn settle(server: Option<Process>) {
    tokio::time::sleep(SETTLE).await;
    for _ in 0..QUIET_STEPS {
        let before = Mark::take(server).server_cpu_us;
        if before.is_none() {
            return;
        }
        tokio::time::sleep(QUIET_STEP).await;
        let used_us = difference(before, Mark::take(server).server_cpu_us);
        if used_us.is_none_or(|used_us| used_us < QUIET_CPU_US) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_has_so_many_ports() {
        let local = "127.0.0.1".parse().unwrap();
        assert_eq!(source(local, 0), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(source(local, PORTS_PER_SOURCE), Some("127.0.0.2".parse().unwrap()));
        assert_eq!(source("10.0.0.1".parse().unwrap(), 0), None);
        assert_eq!(source("::1".parse().unwrap(), 0), None);
    }
}

//! Before any load: is there a hub, does it let us in, does it count our messages, and does the machine have room?
//! What would fail later fails here, in one clear line.

use std::net::IpAddr;
use std::time::Duration;

use rogerrat_client::http::{Connection, HttpError};

use super::args::RunArgs;
use super::message::Numbered;
use super::scenario::{Needs, Scenario};
use super::setup;
use super::target::Target;

/// A hub that says nothing for so long is none.
const ANSWER: Duration = Duration::from_secs(10);
/// Files that are open besides the sockets of the load.
const OTHER_FILES: u64 = 64;
/// Connections that one source address has ports for.
const PORTS: usize = 28_000;
/// Memory of a connection, at both ends and in the kernel, in KiB; and of a request that shares one.
const CONNECTION_KIB: u64 = 36;
const SHARED_KIB: u64 = 14;
const HEADERS: usize = 64;
const UNAUTHORIZED: u16 = 401;

/// What the machine must have: files, ports, memory.
pub(super) fn machine(scenario: Scenario, args: &RunArgs, sides: usize) -> Result<(), String> {
    let Needs { lines, .. } = scenario.needs();
    let simultaneous = if scenario.takes_turns() { sides } else { 1 };
    let sockets = if args.h2c { args.connections as usize } else { lines } * simultaneous;
    if let Some(sources) = args.sources
        && sockets > usize::from(sources) * PORTS
    {
        let enough = sockets.div_ceil(PORTS);
        return Err(format!("{sockets} connections need the ports of {enough} addresses: --sources {enough}"));
    }
    allow_sockets(sockets)?;
    let kib = lines as u64 * simultaneous as u64 * if args.h2c { SHARED_KIB } else { CONNECTION_KIB };
    match available_kib() {
        Some(available) if kib > available => {
            Err(format!("this needs about {} MiB of memory and {} are free", kib >> 10, available >> 10))
        }
        _ => Ok(()),
    }
}

/// Raises the limit of open files as far as it goes; says so when that is not far enough.
fn allow_sockets(sockets: usize) -> Result<(), String> {
    let wanted = sockets as u64 + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(u64::MAX).map_err(|error| error.to_string())?;
    if allowed < wanted {
        return Err(format!("this needs {wanted} open files and {allowed} are allowed (see `ulimit -Hn`)"));
    }
    Ok(())
}

fn available_kib() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What the hub must allow: a channel, a member, and as many sends as the scenario makes.
pub(super) async fn hub(url: &str, target: &Target, needs: Needs) -> Result<(), String> {
    if let Some(streams) = target.shared_streams()
        && streams < needs.parked
    {
        let (parked, address) = (needs.parked, target.address);
        return Err(format!(
            "{address} takes {streams} requests at once on these connections, and {parked} will be parked: more --connections"
        ));
    }
    let asked = tokio::time::timeout(ANSWER, ask(target, needs)).await;
    asked
        .unwrap_or(Err(HttpError::TimedOut("the hub was asked for a channel")))
        .map_err(|fault| format!("{url}: {}", advice(&fault)))?
        .map_or(Ok(()), |limit| Err(format!("{url}: {}", limited(limit))))
}

/// What a fault before the load means, and what helps.
pub(super) fn advice(fault: &HttpError) -> String {
    match fault {
        HttpError::Status { status: UNAUTHORIZED, .. } => {
            "the hub wants a token for creating channels, and this is not it: --token".into()
        }
        HttpError::Connect(error) => format!("there is no hub: {error}"),
        HttpError::RateLimited { what } => limited_by(what),
        other => other.to_string(),
    }
}

fn limited(limit: u64) -> String {
    format!(
        "the hub takes {limit} sends a minute from one session (limits.send_per_session); start it with `--rate-limit off`"
    )
}

/// Which setting lifts the limit that such a request ran into.
fn limited_by(what: &str) -> String {
    let key = match what {
        "create channel" => "limits.create_per_address",
        "join" => "limits.join_per_address",
        _ => "limits.send_per_session",
    };
    format!("the hub limits requests ({what}: {key}); start it with `--rate-limit off`")
}

/// One channel, one member, one message to itself; gives the limit that would end the run.
async fn ask(target: &Target, needs: Needs) -> Result<Option<u64>, HttpError> {
    let mut line = target.line();
    let channel = setup::create(&mut line, target, None, None).await?;
    let session = setup::join(&mut line, target, &channel, "preflight").await?;
    let mut template = target.template(&session, "all", super::message::NUMBER_BYTES);
    let request = template.number(Numbered { seq: 1, sent_ns: 0, last: true });
    let limit = limit_of(request.raw(), target.connection(), needs).await?;
    line.call(&target.leave_request(&session)).await?;
    Ok(limit)
}

/// The limit stands in a header of the answer to a send.
async fn limit_of(send: &[u8], mut connection: Connection, needs: Needs) -> Result<Option<u64>, HttpError> {
    connection.write(send).await?;
    loop {
        let input = connection.more().await?;
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut reply = httparse::Response::new(&mut headers);
        if reply.parse(input).map_err(|error| HttpError::InvalidResponse(error.to_string()))?.is_partial() {
            continue;
        }
        rogerrat_client::http::expect_success("send", reply.code.unwrap_or_default(), b"")?;
        let limit = reply.headers.iter().find(|header| header.name.eq_ignore_ascii_case("x-ratelimit-limit"));
        let limit = limit.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<u64>().ok());
        return Ok(limit.filter(|limit| (*limit as usize) < needs.sends_by_one));
    }
}

/// Whether a process number can be that of this server: it runs on this machine.
pub(super) fn is_here(target: &Target) -> bool {
    match target.address.ip() {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback(),
    }
}

//! Checks before any load: is the hub reachable, does it grant access, does it limit requests, and does the machine have
//! enough files, ports and memory? What would fail later fails here, with one clear line.

use std::net::IpAddr;
use std::time::Duration;

use rogerrat_client::http::{Connection, HttpError, expect_success};

use super::args::RunArgs;
use super::message::{MessageTag, TAG_BYTES};
use super::scenario::{Needs, Scenario};
use super::setup;
use super::target::Target;

/// How long the hub may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Open files besides the sockets of the load.
const OTHER_FILES: u64 = 64;
/// Ports of one source address.
const PORTS: usize = 28_000;
/// Memory of a connection, at both ends and in the kernel, in KiB.
const CONNECTION_KIB: u64 = 36;
/// The same of a request on a shared connection.
const SHARED_KIB: u64 = 14;
const HEADERS: usize = 64;
const UNAUTHORIZED: u16 = 401;

/// Checks that the machine has enough files, ports and memory.
pub(super) fn machine(scenario: &dyn Scenario, args: &RunArgs, servers: usize) -> Result<(), String> {
    let Needs { connections, .. } = scenario.needs();
    let concurrent_servers = if scenario.takes_turns() { servers } else { 1 };
    let sockets = if args.h2c { args.connections as usize } else { connections } * concurrent_servers;
    if let Some(sources) = args.sources
        && sockets > usize::from(sources) * PORTS
    {
        let enough = sockets.div_ceil(PORTS);
        return Err(format!("{sockets} connections need the ports of {enough} addresses: use --sources {enough}"));
    }
    allow_sockets(sockets)?;
    let kib = connections as u64 * concurrent_servers as u64 * if args.h2c { SHARED_KIB } else { CONNECTION_KIB };
    match available_kib() {
        Some(available) if kib > available => {
            Err(format!("this needs about {} MiB of memory; {} MiB are free", kib >> 10, available >> 10))
        }
        _ => Ok(()),
    }
}

/// Raises the limit of open files to its maximum; fails if that is not enough.
fn allow_sockets(sockets: usize) -> Result<(), String> {
    let wanted = sockets as u64 + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(u64::MAX).map_err(|error| error.to_string())?;
    if allowed < wanted {
        return Err(format!("this needs {wanted} open files; {allowed} are allowed (see `ulimit -Hn`)"));
    }
    Ok(())
}

fn available_kib() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Checks that the hub allows a channel, a member, and as many sends as the scenario makes.
pub(super) async fn hub(url: &str, target: &Target, needs: Needs) -> Result<(), String> {
    if let Some(streams) = target.shared_streams()
        && streams < needs.parked_requests
    {
        let (parked, address) = (needs.parked_requests, target.address);
        return Err(format!(
            "{address} accepts {streams} concurrent requests on these connections, and {parked} will be parked: use more --connections"
        ));
    }
    let limit = tokio::time::timeout(ANSWER, exceeded_limit(target, needs)).await;
    limit
        .unwrap_or(Err(HttpError::TimedOut("the hub does not answer")))
        .map_err(|error| format!("{url}: {}", advice(&error)))?
        .map_or(Ok(()), |limit| Err(format!("{url}: {}", send_limit(limit))))
}

/// Explains an error before the load, and how to fix it.
pub(super) fn advice(error: &HttpError) -> String {
    match error {
        HttpError::Status { status: UNAUTHORIZED, .. } => {
            "the hub requires another token for creating channels: use --token".into()
        }
        HttpError::Connect(error) => format!("no hub is reachable: {error}"),
        HttpError::RateLimited { what } => rate_limit(what),
        other => other.to_string(),
    }
}

fn send_limit(limit: u64) -> String {
    format!(
        "the hub accepts {limit} sends per minute from one session (limits.send_per_session); start it with `--rate-limit off`"
    )
}

/// Names the setting of the limit that this request exceeded.
fn rate_limit(what: &str) -> String {
    let key = match what {
        "create channel" => "limits.create_per_address",
        "join" => "limits.join_per_address",
        _ => "limits.send_per_session",
    };
    format!("the hub limits requests ({what}: {key}); start it with `--rate-limit off`")
}

/// Creates a channel, joins it and sends one message. Returns the limit of sends if the scenario would exceed it.
async fn exceeded_limit(target: &Target, needs: Needs) -> Result<Option<u64>, HttpError> {
    let mut connection = target.connection();
    let channel = setup::create(&mut connection, target, None, None).await?;
    let session = setup::join(&mut connection, target, &channel, "preflight").await?;
    let mut template = target.send_template(&session, "all", TAG_BYTES);
    let request = template.with_tag(MessageTag { seq: 1, sent_ns: 0, last: true });
    let limit = send_limit_header(request.raw(), target.http1_connection()).await?;
    connection.call(&target.leave_request(&session)).await?;
    Ok(limit.filter(|limit| (*limit as usize) < needs.sends_per_session))
}

/// Sends a message and reads the limit from a header of the response.
async fn send_limit_header(send: &[u8], mut connection: Connection) -> Result<Option<u64>, HttpError> {
    connection.write(send).await?;
    loop {
        let input = connection.more().await?;
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut reply = httparse::Response::new(&mut headers);
        if reply.parse(input).map_err(|error| HttpError::InvalidResponse(error.to_string()))?.is_partial() {
            continue;
        }
        expect_success("send", reply.code.unwrap_or_default(), b"")?;
        let limit = reply.headers.iter().find(|header| header.name.eq_ignore_ascii_case("x-ratelimit-limit"));
        return Ok(limit.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<u64>().ok()));
    }
}

/// Whether the server has a loopback address.
pub(super) fn is_local(target: &Target) -> bool {
    match target.address.ip() {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback(),
    }
}

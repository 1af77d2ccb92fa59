//! `[server]`: listening address, TLS, tokens, trusted hosts and proxies, webhook targets, workers and drain.
//!
//! It also checks the rules between keys: `lan` listens on all interfaces and generates a token, as does a tunnel, and a
//! host that other machines can reach requires a token.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use ipnet::IpNet;
use rogerrat_webhook_sender::AllowedPorts;
use url::Url;

use super::environment::Environment;
use super::origin::Origin;
use super::raw::Value;
use super::reader::Reader;
use super::socket::{self, SocketSettings};
use super::tunnel::{self, TunnelSettings};
use super::{listen, parse};
use crate::transport::PemFiles;

const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 8..=256;
const PASSWORD_BYTES: usize = 256;
const WORKERS_MAX: usize = 1024;
const CONNECTIONS_MAX: usize = 1_000_000;
const DRAIN_MAX_MS: u64 = 600_000;

/// Where the hub listens, and which requests it accepts.
pub(crate) struct Server {
    /// The IP address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 picks a free one.
    pub port: u16,
    /// The Unix socket to listen on; none is not created.
    pub socket: Option<SocketSettings>,
    /// Whether to listen on TCP.
    pub tcp: bool,
    /// Whether it serves the local network and prints the addresses to reach it.
    pub lan: bool,
    /// Certificate and key, when the hub serves https itself.
    pub tls: Option<PemFiles>,
    /// The bearer token for channel creation, accounts and the plain MCP endpoint.
    pub token: Option<String>,
    /// Whether the hub generated the token.
    pub has_generated_token: bool,
    /// The tunnel to open; none opens none.
    pub tunnel: Option<TunnelSettings>,
    /// The password of the agent-chatroom room at `/`; none disables it.
    pub chatroom: Option<String>,
    /// The bearer token of the admin API; none disables it.
    pub admin_token: Option<String>,
    /// The public http(s) URL, without a path.
    pub origin: Option<Url>,
    /// Additional host names accepted in `Host`, in lower case.
    pub allowed_hosts: Vec<String>,
    /// Additional web origins accepted in `Origin`.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks that webhooks may target in addition to the public internet.
    pub webhook_allow: Vec<IpNet>,
    /// Ports that webhooks may target.
    pub webhook_ports: AllowedPorts,
    /// Worker threads, at least one.
    pub workers: usize,
    /// Maximum number of open connections per worker.
    pub max_connections: usize,
    /// Maximum number of open connections per client address that is no trusted proxy; 0 is unlimited.
    pub max_connections_per_address: usize,
    /// Maximum duration of a drain.
    pub drain_ms: u64,
}

impl Server {
    pub(super) fn read(reader: &mut Reader, environment: &Environment) -> Option<Self> {
        let lan = reader.read("server.lan", parse::boolean);
        if lan == Some(true) {
            listen_on_all_interfaces(reader);
        }
        let tunnel_provider = tunnel::read_provider(reader);
        if lan == Some(true) || tunnel_provider.flatten().is_some() {
            generate_missing_token(reader, environment);
        }
        resolve_worker_count(reader, environment);
        let host = reader.read("server.host", host);
        let port = reader.read("server.port", |value| parse::number(value, &(0..=u16::MAX)));
        let socket = socket::read(reader, environment);
        let tls = read_tls(reader);
        let has_tcp = socket.as_ref().is_none_or(|(_, tcp)| *tcp);
        let listening = (host.unwrap_or(Ipv4Addr::LOCALHOST.into()), has_tcp, matches!(tls, Some(Some(_))));
        let tunnel = tunnel::read(reader, environment, tunnel_provider.flatten(), listening);
        let has_generated_token = reader.origin("server.token") == Origin::Generated;
        let token = read_token(reader, "server.token");
        require_token(reader, host, token.as_ref());
        let chatroom = read_chatroom(reader);
        let admin_token = read_token(reader, "server.admin_token");
        require_distinct_tokens(reader, token.as_ref(), admin_token.as_ref());
        let origin = reader.read_shown("server.origin", origin, show_origin);
        let allowed_hosts = reader.read("server.allowed_hosts", |value| {
            parse::list(value, "host names without scheme, port or *", listen::host_name)
        });
        let allowed_origins = reader.read("server.allowed_origins", |value| {
            parse::list(value, "web origins such as https://app.example.org", listen::web_origin)
        });
        let trusted_proxies = reader.read("server.trusted_proxies", |value| {
            parse::list(value, "addresses or networks such as 10.0.0.0/8", listen::network)
        });
        let webhook_allow = reader.read("server.webhook_allow", |value| {
            parse::list(value, "addresses or networks such as 10.0.0.0/8", listen::network)
        });
        let webhook_ports = reader.read_shown(
            "server.webhook_ports",
            |value| {
                parse::list(value, "ports or ranges such as 443 or 1024-65535", listen::ports)
                    .map(AllowedPorts::from_ranges)
            },
            AllowedPorts::to_string,
        );
        let workers = reader.read("server.workers", |value| parse::number(value, &(0..=WORKERS_MAX)));
        let max_connections =
            reader.read("server.max_connections", |value| parse::number(value, &(1..=CONNECTIONS_MAX)));
        let max_connections_per_address =
            reader.read("server.max_connections_per_address", |value| parse::number(value, &(0..=CONNECTIONS_MAX)));
        let drain_ms = reader.read("server.drain_ms", |value| parse::number(value, &(0..=DRAIN_MAX_MS)));
        let ((socket, tcp), _) = (socket?, tunnel_provider?);
        Some(Self {
            host: host?,
            port: port?,
            socket,
            tcp,
            lan: lan?,
            tls: tls?,
            token: token?,
            has_generated_token,
            tunnel: tunnel?,
            chatroom: chatroom?,
            admin_token: admin_token?,
            origin: origin?,
            allowed_hosts: allowed_hosts?,
            allowed_origins: allowed_origins?,
            trusted_proxies: trusted_proxies?,
            webhook_allow: webhook_allow?,
            webhook_ports: webhook_ports?,
            workers: workers?,
            max_connections: max_connections?,
            max_connections_per_address: max_connections_per_address?,
            drain_ms: drain_ms?,
        })
    }
}

impl Server {
    /// The URL scheme of the port: `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// Omits the tokens and the password.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("socket", &self.socket)
            .field("tcp", &self.tcp)
            .field("lan", &self.lan)
            .field("tls", &self.tls)
            .field("has_token", &self.token.is_some())
            .field("has_admin_token", &self.admin_token.is_some())
            .finish_non_exhaustive()
    }
}

/// Sets the host to all interfaces, unless it was set in the same layer as `lan` or in a later one.
fn listen_on_all_interfaces(reader: &mut Reader) {
    let (host, lan) = (reader.origin("server.host"), reader.origin("server.lan"));
    if host.rank() < lan.rank() {
        reader.set("server.host", Value::Text("0.0.0.0".to_owned()), lan);
    }
}

fn generate_missing_token(reader: &mut Reader, environment: &Environment) {
    let is_missing = reader.value("server.token").and_then(parse::as_text) == Some("");
    if is_missing && may_be_empty(&reader.origin("server.token")) {
        reader.set("server.token", Value::Text((environment.generate_token)()), Origin::Generated);
    }
}

/// Replaces 0 workers by one per core.
fn resolve_worker_count(reader: &mut Reader, environment: &Environment) {
    let origin = reader.origin("server.workers");
    let is_zero = reader.value("server.workers").is_some_and(|value| parse::number(value, &(0..=0_u8)).is_ok());
    if is_zero {
        let origin = if origin.is_explicit() { origin } else { Origin::DefaultFor("number of cores") };
        let cores = environment.cores.clamp(1, WORKERS_MAX);
        reader.set("server.workers", Value::Text(cores.to_string()), origin);
    }
}

fn host(value: &Value) -> Result<IpAddr, String> {
    let expected = "an IP address such as 127.0.0.1";
    listen::address(parse::text(value, expected)?).ok_or_else(|| parse::expected(expected, value))
}

/// Requires both files or neither.
fn read_tls(reader: &mut Reader) -> Option<Option<PemFiles>> {
    let cert = reader.read("server.tls_cert", pem_file);
    let key = reader.read("server.tls_key", pem_file);
    match (cert?, key?) {
        (Some(cert), Some(key)) => Some(Some(PemFiles { cert, key })),
        (None, None) => Some(None),
        (Some(_), None) => incomplete_tls(reader, "server.tls_cert", "server.tls_key is missing"),
        (None, Some(_)) => incomplete_tls(reader, "server.tls_key", "server.tls_cert is missing"),
    }
}

fn incomplete_tls(reader: &mut Reader, key: &'static str, message: &str) -> Option<Option<PemFiles>> {
    reader.error(key, format!("{message}; set both keys, or neither"));
    None
}

fn pem_file(value: &Value) -> Result<Option<PathBuf>, String> {
    let text = parse::text(value, "a PEM file")?;
    if text.contains('\0') { Err(parse::expected("a PEM file", value)) } else { Ok(some_path(text)) }
}

fn some_path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// The error message does not repeat the value, because it may contain credentials.
fn origin(value: &Value) -> Result<Option<Url>, String> {
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        text => text.and_then(listen::public_origin).map(Some).ok_or_else(|| {
            "expected an http or https URL without path or credentials, such as https://hub.example.org".to_owned()
        }),
    }
}

fn show_origin(origin: &Option<Url>) -> String {
    let text = origin.as_ref().map(|url| url.origin().ascii_serialization());
    format!("\"{}\"", text.unwrap_or_default())
}

fn read_token(reader: &mut Reader, key: &'static str) -> Option<Option<String>> {
    let may_be_empty = may_be_empty(&reader.origin(key));
    reader.read_shown(key, |value| token(value, may_be_empty), parse::mask)
}

/// The token for creating channels must not grant administration.
fn require_distinct_tokens(reader: &mut Reader, token: Option<&Option<String>>, admin_token: Option<&Option<String>>) {
    if let (Some(Some(token)), Some(Some(admin_token))) = (token, admin_token)
        && token == admin_token
    {
        reader.error("server.admin_token", "must differ from server.token".to_owned());
    }
}

fn read_chatroom(reader: &mut Reader) -> Option<Option<String>> {
    let may_be_empty = may_be_empty(&reader.origin("server.chatroom"));
    let read = |value: &Value| match parse::as_text(value) {
        Some("") if may_be_empty => Ok(None),
        Some("") => Err("the password is empty; set one, or remove the option".to_owned()),
        Some(text) if text.len() <= PASSWORD_BYTES && !text.chars().any(char::is_control) => Ok(Some(text.to_owned())),
        _ => Err(format!("expected text of at most {PASSWORD_BYTES} bytes without control characters")),
    };
    reader.read_shown("server.chatroom", read, parse::mask)
}

/// A flag or variable that expands an unset shell variable is empty. Taking that for "no token" would leave the hub
/// unprotected.
fn may_be_empty(origin: &Origin) -> bool {
    !matches!(origin, Origin::Env(_) | Origin::Flag(_))
}

fn token(value: &Value, may_be_empty: bool) -> Result<Option<String>, String> {
    match parse::as_text(value) {
        Some("") if may_be_empty => Ok(None),
        Some("") => Err("the token is empty; set one, or remove the option".to_owned()),
        Some(text) if TOKEN_CHARS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(format!("expected text of {} to {} visible ASCII characters", TOKEN_CHARS.start(), TOKEN_CHARS.end())),
    }
}

/// Rejects a host that other machines can reach when no token is set.
fn require_token(reader: &mut Reader, host: Option<IpAddr>, token: Option<&Option<String>>) {
    if let (Some(host), Some(None)) = (host, token)
        && !host.is_loopback()
    {
        reader.error(
            "server.host",
            format!(
                "{host} is reachable from other machines, so the hub needs a token; set one with --token or \
                 ROGERRAT_SERVER__TOKEN, or use --lan, which generates one"
            ),
        );
    }
}

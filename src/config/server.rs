//! `[server]`: where the hub listens, for whom, and what guards it.
//!
//! The rules that need two keys stand here too: `--lan` widens the host and mints a token, a host that others can
//! reach needs one.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use rogerrat_webhook_sender::AllowedPorts;
use url::Url;

use super::listen;
use super::origin::Origin;
use super::parse;
use super::raw::Value;
use super::reader::Reader;
use super::surroundings::Surroundings;
use crate::transport::PemFiles;

const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 8..=256;
const PASSWORD_BYTES: usize = 256;
const WORKERS_MAX: usize = 1024;
const CONNECTIONS_MAX: usize = 1_000_000;
const DRAIN_MAX_MS: u64 = 600_000;

/// Where the hub listens and who may come in.
pub(crate) struct Server {
    /// The address it binds.
    pub host: IpAddr,
    /// The port it binds; 0 is any free one.
    pub port: u16,
    /// Whether it serves the local network, and says so.
    pub lan: bool,
    /// Its certificate, when it speaks https itself.
    pub tls: Option<PemFiles>,
    /// What guards channel creation, accounts and the plain MCP endpoint.
    pub token: Option<String>,
    /// The password of the room at the root, where there is one.
    pub chatroom: Option<String>,
    /// What guards the administration; none switches it off.
    pub admin_token: Option<String>,
    /// The http(s) address people use from outside; it has no path.
    pub origin: Option<Url>,
    /// Further host names requests may be addressed to, lower case.
    pub allowed_hosts: Vec<String>,
    /// Further web origins whose pages may call, as browsers send them.
    pub allowed_origins: Vec<String>,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks webhooks may be posted to beside the open internet.
    pub webhook_allow: Vec<IpNet>,
    /// AllowedPorts webhooks may be posted to.
    pub webhook_ports: AllowedPorts,
    /// Worker threads, at least one.
    pub workers: usize,
    /// Open connections of one worker.
    pub max_connections: usize,
    /// The longest a drain may take.
    pub drain_ms: u64,
}

impl Server {
    pub(super) fn read(reader: &mut Reader, surroundings: &Surroundings) -> Option<Self> {
        let lan = reader.read("server.lan", parse::truth);
        if lan == Some(true) {
            widen(reader);
            mint_token(reader, surroundings);
        }
        count_workers(reader, surroundings);
        let host = reader.read("server.host", host);
        let port = reader.read("server.port", |value| parse::number(value, &(0..=u16::MAX)));
        let tls = read_tls(reader);
        let token = read_token(reader, "server.token");
        demand_token(reader, host, token.as_ref());
        let chatroom = read_chatroom(reader);
        let admin_token = read_token(reader, "server.admin_token");
        tell_tokens_apart(reader, token.as_ref(), admin_token.as_ref());
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
                parse::list(value, "ports or ranges such as 443 or 1024-65535", listen::ports).map(AllowedPorts::of)
            },
            AllowedPorts::to_string,
        );
        let workers = reader.read("server.workers", |value| parse::number(value, &(0..=WORKERS_MAX)));
        let max_connections =
            reader.read("server.max_connections", |value| parse::number(value, &(1..=CONNECTIONS_MAX)));
        let drain_ms = reader.read("server.drain_ms", |value| parse::number(value, &(0..=DRAIN_MAX_MS)));
        Some(Self {
            host: host?,
            port: port?,
            lan: lan?,
            tls: tls?,
            token: token?,
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
            drain_ms: drain_ms?,
        })
    }
}

impl Server {
    /// What the port speaks: `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// Everything but the tokens.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("lan", &self.lan)
            .field("tls", &self.tls)
            .field("has_token", &self.token.is_some())
            .field("has_admin_token", &self.admin_token.is_some())
            .finish_non_exhaustive()
    }
}

/// Binds all interfaces, unless a host was said in the same layer as `lan` or a later one.
fn widen(reader: &mut Reader) {
    let (host, lan) = (reader.origin("server.host"), reader.origin("server.lan"));
    if host.rank() < lan.rank() {
        reader.decide("server.host", Value::Text("0.0.0.0".to_owned()), lan);
    }
}

fn mint_token(reader: &mut Reader, surroundings: &Surroundings) {
    if reader.said("server.token").and_then(parse::text_of) == Some("") && may_be_empty(&reader.origin("server.token"))
    {
        reader.decide("server.token", Value::Text((surroundings.mint)()), Origin::Minted);
    }
}

/// 0 workers is one for each core.
fn count_workers(reader: &mut Reader, surroundings: &Surroundings) {
    let origin = reader.origin("server.workers");
    let is_zero = reader.said("server.workers").is_some_and(|value| parse::number(value, &(0..=0_u8)).is_ok());
    if is_zero {
        let origin = if origin.is_said() { origin } else { Origin::DefaultFor("number of cores") };
        let cores = surroundings.cores.clamp(1, WORKERS_MAX);
        reader.decide("server.workers", Value::Text(cores.to_string()), origin);
    }
}

fn host(value: &Value) -> Result<IpAddr, String> {
    let what = "an IP address such as 127.0.0.1";
    listen::address(parse::text(value, what)?).ok_or_else(|| parse::expected(what, value))
}

/// Both files or none.
fn read_tls(reader: &mut Reader) -> Option<Option<PemFiles>> {
    let cert = reader.read("server.tls_cert", pem_file);
    let key = reader.read("server.tls_key", pem_file);
    match (cert?, key?) {
        (Some(cert), Some(key)) => Some(Some(PemFiles { cert, key })),
        (None, None) => Some(None),
        (Some(_), None) => half_of_tls(reader, "server.tls_cert", "a certificate is of no use without server.tls_key"),
        (None, Some(_)) => half_of_tls(reader, "server.tls_key", "a key is of no use without server.tls_cert"),
    }
}

fn half_of_tls(reader: &mut Reader, key: &'static str, what: &str) -> Option<Option<PemFiles>> {
    reader.fault(key, format!("{what}; say both, or neither"));
    None
}

fn pem_file(value: &Value) -> Result<Option<PathBuf>, String> {
    let text = parse::text(value, "a PEM file")?;
    if text.contains('\0') { Err(parse::expected("a PEM file", value)) } else { Ok(some_path(text)) }
}

fn some_path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// The refusal does not repeat the value: a login in it would be a secret.
fn origin(value: &Value) -> Result<Option<Url>, String> {
    match parse::text_of(value).map(str::trim) {
        Some("") => Ok(None),
        text => text.and_then(listen::public_origin).map(Some).ok_or_else(|| {
            "expected an http or https address without path or login, such as https://hub.example.org".to_owned()
        }),
    }
}

fn show_origin(origin: &Option<Url>) -> String {
    let text = origin.as_ref().map(|url| url.origin().ascii_serialization());
    format!("\"{}\"", text.unwrap_or_default())
}

fn read_token(reader: &mut Reader, key: &'static str) -> Option<Option<String>> {
    let may_be_empty = may_be_empty(&reader.origin(key));
    let show = |token: &Option<String>| if token.is_some() { "(set)" } else { "(none)" }.to_owned();
    reader.read_shown(key, |value| token(value, may_be_empty), show)
}

/// Who may create channels is not by that who may delete everybody's.
fn tell_tokens_apart(reader: &mut Reader, token: Option<&Option<String>>, admin_token: Option<&Option<String>>) {
    if let (Some(Some(token)), Some(Some(admin_token))) = (token, admin_token)
        && token == admin_token
    {
        reader.fault("server.admin_token", "must not be the same as server.token".to_owned());
    }
}

fn read_chatroom(reader: &mut Reader) -> Option<Option<String>> {
    let may_be_empty = may_be_empty(&reader.origin("server.chatroom"));
    let show = |password: &Option<String>| if password.is_some() { "(set)" } else { "(none)" }.to_owned();
    let read = |value: &Value| match parse::text_of(value) {
        Some("") if may_be_empty => Ok(None),
        Some("") => Err("an empty password guards nothing; set one, or leave it out".to_owned()),
        Some(text) if text.len() <= PASSWORD_BYTES && !text.chars().any(char::is_control) => Ok(Some(text.to_owned())),
        _ => Err(format!("expected text of at most {PASSWORD_BYTES} bytes without control characters")),
    };
    reader.read_shown("server.chatroom", read, show)
}

/// An unset variable on a command line gives an empty token; to take that for "none" would leave a door open.
fn may_be_empty(origin: &Origin) -> bool {
    !matches!(origin, Origin::Env(_) | Origin::Flag(_))
}

fn token(value: &Value, may_be_empty: bool) -> Result<Option<String>, String> {
    match parse::text_of(value) {
        Some("") if may_be_empty => Ok(None),
        Some("") => Err("an empty token guards nothing; set one, or leave it out".to_owned()),
        Some(text) if TOKEN_CHARS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(format!("expected text of {} to {} visible ASCII characters", TOKEN_CHARS.start(), TOKEN_CHARS.end())),
    }
}

/// A hub that other machines reach without a token would serve whoever finds it.
fn demand_token(reader: &mut Reader, host: Option<IpAddr>, token: Option<&Option<String>>) {
    if let (Some(host), Some(None)) = (host, token)
        && !host.is_loopback()
    {
        reader.fault(
            "server.host",
            format!(
                "other machines reach {host}, and no token guards the hub; set one with --token or \
                 ROGERRAT_SERVER__TOKEN, or use --lan, which makes one"
            ),
        );
    }
}

//! The tunnel of `[server]`: the program that makes the hub reachable from the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::environment::Environment;
use super::parse;
use super::raw::Value;
use super::reader::Reader;
use super::storage::path;

/// A program that opens a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TunnelProvider {
    /// cloudflared, with a quick tunnel: no account, another name at each start.
    Cloudflared,
    /// ngrok, which needs an account.
    Ngrok,
}

impl TunnelProvider {
    /// Its name, which is also that of the program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cloudflared => "cloudflared",
            Self::Ngrok => "ngrok",
        }
    }
}

/// Which tunnel to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TunnelSettings {
    /// The program.
    pub provider: TunnelProvider,
    /// Its path; none searches for it.
    pub command: Option<PathBuf>,
    /// Whether the hub serves without a tunnel that cannot be opened.
    pub is_optional: bool,
}

/// Reads the provider. It decides about other keys, so it is read before them.
pub(super) fn read_provider(reader: &mut Reader) -> Option<Option<TunnelProvider>> {
    let show = |provider: &Option<TunnelProvider>| format!("\"{}\"", provider.map_or("", TunnelProvider::name));
    reader.read_shown("server.tunnel", provider, show)
}

/// Reads the other keys of the tunnel, and checks that its program can reach the hub.
pub(super) fn read(
    reader: &mut Reader,
    environment: &Environment,
    provider: Option<TunnelProvider>,
    (host, tcp, has_tls): (IpAddr, bool, bool),
) -> Option<Option<TunnelSettings>> {
    let command = reader.read("server.tunnel_command", |value| command(value, environment.home()));
    let is_optional = reader.read("server.tunnel_optional", parse::boolean);
    let (command, is_optional) = (command?, is_optional?);
    let Some(provider) = provider else { return Some(None) };
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let problem = if !tcp {
        "needs the TCP port; remove --no-tcp"
    } else if has_tls {
        "needs a hub that serves plain http on this machine, because the tunnel itself is https; remove tls_cert and tls_key"
    } else if !loopback.contains(&host) {
        "needs a hub that listens on 127.0.0.1 or on all interfaces; change server.host"
    } else {
        return Some(Some(TunnelSettings { provider, command, is_optional }));
    };
    reader.error("server.tunnel", problem.to_owned());
    None
}

fn provider(value: &Value) -> Result<Option<TunnelProvider>, String> {
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        Some("cloudflared") => Ok(Some(TunnelProvider::Cloudflared)),
        Some("ngrok") => Ok(Some(TunnelProvider::Ngrok)),
        _ => Err(parse::expected("cloudflared or ngrok", value)),
    }
}

fn command(value: &Value, home: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        _ => path(value, home, "a path").map(Some),
    }
}

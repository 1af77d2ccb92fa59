//! The guard against server-side request forgery: which addresses a webhook may be posted to.
//!
//! It checks a URL at subscription and again at every attempt. It returns addresses, and the connection is made to one of
//! them without resolving the name again, so a name whose answer changes in between cannot redirect a request.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rogerrat_domain::Refusal;
use tokio::time::timeout;
use url::{Host, Url};

use super::reserved::is_reserved;
use super::resolver::Resolve;

/// Time limit for resolving a name.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses that a name may have. A name with more is refused.
const ADDRESSES_MAX: usize = 64;
/// Ports of other protocols, which a range of ports does not include: ports that browsers refuse, and those of databases
/// and other services that might execute a request body as commands.
const EXCLUDED_PORTS: [u16; 26] = [
    1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5900, 6000, 6379, 6566,
    6665, 6666, 6667, 6668, 6669, 6697, 11211,
];

/// Ports that a webhook may be posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedPorts(Vec<RangeInclusive<u16>>);

impl AllowedPorts {
    /// The ports in these ranges. A range of one port allows that port even if it belongs to another protocol; a longer range
    /// excludes such ports.
    pub fn from_ranges(ranges: Vec<RangeInclusive<u16>>) -> Self {
        Self(ranges)
    }

    fn allow(&self, port: u16) -> bool {
        let is_excluded = EXCLUDED_PORTS.contains(&port);
        self.0.iter().any(|range| range.contains(&port) && (!is_excluded || range.start() == range.end()))
    }
}

/// Formats the ports as the configuration spells them.
impl fmt::Display for AllowedPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
            (first, last) if first == last => format!("\"{first}\""),
            (first, last) => format!("\"{first}-{last}\""),
        };
        write!(f, "[{}]", self.0.iter().map(range).collect::<Vec<_>>().join(","))
    }
}

/// Why a URL is refused. It reveals nothing about the network behind the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    /// It is not a URL, or other parsers may read it differently.
    InvalidUrl,
    /// The scheme is not http or https.
    Scheme,
    /// It contains a user or a password.
    Userinfo,
    /// The port is not allowed.
    Port,
    /// The name has no address.
    Unresolved,
    /// Resolving the name timed out.
    ResolveTimeout,
    /// One of its addresses is not on the public internet.
    Address,
}

impl From<TargetError> for Refusal {
    fn from(error: TargetError) -> Self {
        let (text, hint) = match error {
            TargetError::InvalidUrl => ("`url` is not a valid URL", "use the form https://example.org/hook"),
            TargetError::Scheme => ("`url` must be http or https", "use the form https://example.org/hook"),
            TargetError::Userinfo => {
                ("`url` must not have a user or a password", "receivers authenticate the hub by its signature")
            }
            TargetError::Port => ("`url` has a port this hub does not post to", "use port 80, 443 or one above 1023"),
            TargetError::Unresolved | TargetError::ResolveTimeout => {
                ("the name in `url` could not be resolved", "check the name")
            }
            TargetError::Address => (
                "`url` resolves to an address this hub does not post to",
                "use a public address, or ask the operator of the hub to add it to `webhook_allow`",
            ),
        };
        Refusal::invalid(text).hint(hint)
    }
}

/// A checked URL and its checked addresses.
#[derive(Clone, Debug)]
pub(crate) struct PinnedTarget {
    /// The URL in the normal form that was checked.
    pub(crate) url: Url,
    /// Its addresses, the preferred one first; at least one.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Decides where webhooks may be posted to.
pub struct SsrfGuard {
    allow: Vec<IpNet>,
    ports: AllowedPorts,
    resolver: Arc<dyn Resolve>,
}

impl SsrfGuard {
    /// A guard that allows the networks `allow` beside the public internet. A hub that listens on loopback only also allows
    /// loopback, because its clients already have access to this machine.
    pub fn new(allow: &[IpNet], ports: AllowedPorts, is_loopback: bool, resolver: Arc<dyn Resolve>) -> Self {
        let loopback = [IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST)), IpNet::new_assert([127, 0, 0, 0].into(), 8)];
        let loopback = loopback.into_iter().filter(|_| is_loopback);
        Self { allow: allow.iter().copied().chain(loopback).collect(), ports, resolver }
    }

    /// Checks a URL and all addresses of its name.
    pub(crate) async fn pin(&self, url: &str) -> Result<PinnedTarget, TargetError> {
        let url = parse_url(url)?;
        let port = url.port_or_known_default().filter(|port| self.ports.allow(*port)).ok_or(TargetError::Port)?;
        let addresses = match url.host().ok_or(TargetError::InvalidUrl)? {
            Host::Ipv4(v4) => vec![v4.into()],
            Host::Ipv6(v6) => vec![v6.into()],
            Host::Domain(name) => self.resolve(name).await?,
        };
        if !addresses.iter().all(|address| self.allows(*address)) {
            return Err(TargetError::Address);
        }
        let mut seen = HashSet::new();
        let addresses = addresses.into_iter().filter(|address| seen.insert(*address));
        let addresses: Vec<_> = addresses.map(|address| SocketAddr::new(address, port)).collect();
        if addresses.is_empty() { Err(TargetError::Unresolved) } else { Ok(PinnedTarget { url, addresses }) }
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, TargetError> {
        let bare = name.strip_suffix('.').unwrap_or(name);
        if bare == "localhost" || bare.ends_with(".localhost") {
            // A resolver may answer differently, but these names mean loopback (RFC 6761).
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let found = timeout(RESOLVE_TIMEOUT, self.resolver.resolve(bare.into()))
            .await
            .map_err(|_| TargetError::ResolveTimeout)?;
        let found = found.map_err(|_| TargetError::Unresolved)?;
        if found.len() > ADDRESSES_MAX { Err(TargetError::Address) } else { Ok(found) }
    }

    /// Whether an address may be posted to.
    fn allows(&self, address: IpAddr) -> bool {
        !is_reserved(address) || self.allow.iter().any(|net| net.contains(&address))
    }
}

/// Parses a URL strictly: one that other parsers may read differently is refused.
fn parse_url(text: &str) -> Result<Url, TargetError> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(TargetError::InvalidUrl);
    }
    let mut url = Url::parse(text).map_err(|_| TargetError::InvalidUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TargetError::Scheme);
    }
    // The parser tolerates missing and additional slashes; others may not.
    let rest = text.split_once("://").map(|(_, rest)| rest).filter(|rest| !rest.starts_with('/'));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).ok_or(TargetError::InvalidUrl)?;
    if authority.contains('@') {
        return Err(TargetError::Userinfo);
    }
    // One trailing dot is removed: it denotes the same name.
    let name = url.host_str().unwrap_or_default().trim_end_matches('.');
    let dots = url.host_str().unwrap_or_default().len() - name.len();
    if name.is_empty() || dots > 1 || name.contains("..") || name.starts_with('.') {
        return Err(TargetError::InvalidUrl);
    }
    if dots == 1 {
        let name = name.to_owned();
        url.set_host(Some(&name)).map_err(|_| TargetError::InvalidUrl)?;
    }
    url.set_fragment(None);
    Ok(url)
}

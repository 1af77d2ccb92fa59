//! The guard against server-side request forgery: which addresses a webhook may be posted to.
//!
//! It is asked when somebody subscribes, and again at every attempt. What it gives is addresses, not a name: whoever
//! connects asks nobody again, so a name that changes its mind in between leads nowhere else.

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

/// How long a name may take to be resolved.
const RESOLVE_TIME: Duration = Duration::from_secs(5);
/// Addresses of one name that are looked at. A name with more is refused.
const ADDRESSES_MAX: usize = 64;
/// AllowedPorts that other protocols are spoken on, refused within a range: those browsers refuse, and databases and the like
/// that would take a body for commands.
const OTHER_PROTOCOLS: [u16; 26] = [
    1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5900, 6000, 6379, 6566,
    6665, 6666, 6667, 6668, 6669, 6697, 11211,
];

/// The ports a webhook may be posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedPorts(Vec<RangeInclusive<u16>>);

impl AllowedPorts {
    /// The ports in these ranges. One that stands alone is meant, whatever is usually spoken on it.
    pub fn of(ranges: Vec<RangeInclusive<u16>>) -> Self {
        Self(ranges)
    }

    fn allow(&self, port: u16) -> bool {
        let is_other = OTHER_PROTOCOLS.contains(&port);
        self.0.iter().any(|range| range.contains(&port) && (!is_other || range.start() == range.end()))
    }
}

/// As a list, as the configuration has it.
impl fmt::Display for AllowedPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
            (first, last) if first == last => format!("\"{first}\""),
            (first, last) => format!("\"{first}-{last}\""),
        };
        write!(f, "[{}]", self.0.iter().map(range).collect::<Vec<_>>().join(","))
    }
}

/// Why an address is refused. It says nothing of what is behind the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    /// It is no URL, or written in a way that others may read otherwise.
    NotAnUrl,
    /// It is not http or https.
    Scheme,
    /// It has a user or a password.
    Userinfo,
    /// The port is not among those allowed.
    Port,
    /// The name has no address.
    Unresolved,
    /// The name was not resolved in time.
    Slow,
    /// An address of it is not on the open internet.
    Address,
}

impl From<TargetError> for Refusal {
    fn from(refused: TargetError) -> Self {
        let (text, hint) = match refused {
            TargetError::NotAnUrl => ("`url` is not an URL", "write it plainly, such as https://example.org/hook"),
            TargetError::Scheme => {
                ("`url` must be http or https", "write it plainly, such as https://example.org/hook")
            }
            TargetError::Userinfo => ("`url` must not have a user or a password", "the signature says who posts"),
            TargetError::Port => ("`url` has a port this hub does not post to", "use 443, 80 or a port from 1024"),
            TargetError::Unresolved | TargetError::Slow => {
                ("the name in `url` could not be resolved", "check the name")
            }
            TargetError::Address => (
                "`url` leads to an address this hub does not post to",
                "use a public address, or ask the operator for `webhook_allow`",
            ),
        };
        Refusal::invalid(text).hint(hint)
    }
}

/// An address that was checked.
#[derive(Clone, Debug)]
pub(crate) struct PinnedTarget {
    /// As it is asked for: the name, in the one spelling that was checked.
    pub(crate) url: Url,
    /// Where to connect, the preferred one first. There is at least one.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Knows where webhooks may be posted to.
pub struct SsrfGuard {
    allow: Vec<IpNet>,
    ports: AllowedPorts,
    resolver: Arc<dyn Resolve>,
}

impl SsrfGuard {
    /// A guard that allows these networks beside the open internet. A hub on loopback allows loopback: who can reach
    /// it is there already.
    pub fn new(allow: &[IpNet], ports: AllowedPorts, is_loopback: bool, resolver: Arc<dyn Resolve>) -> Self {
        let loopback = [IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST)), IpNet::new_assert([127, 0, 0, 0].into(), 8)];
        let loopback = loopback.into_iter().filter(|_| is_loopback);
        Self { allow: allow.iter().copied().chain(loopback).collect(), ports, resolver }
    }

    /// Checks an URL and everything it leads to.
    pub(crate) async fn pin(&self, url: &str) -> Result<PinnedTarget, TargetError> {
        let url = read(url)?;
        let port = url.port_or_known_default().filter(|port| self.ports.allow(*port)).ok_or(TargetError::Port)?;
        let addresses = match url.host().ok_or(TargetError::NotAnUrl)? {
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
            // Whatever some resolver makes of it, this is what it means.
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let found = timeout(RESOLVE_TIME, self.resolver.resolve(bare.into())).await.map_err(|_| TargetError::Slow)?;
        let found = found.map_err(|_| TargetError::Unresolved)?;
        if found.len() > ADDRESSES_MAX { Err(TargetError::Address) } else { Ok(found) }
    }

    /// Whether an address may be posted to, in the spelling it has.
    fn allows(&self, address: IpAddr) -> bool {
        !is_reserved(address) || self.allow.iter().any(|net| net.contains(&address))
    }
}

/// Reads an URL in the one way there is. What other readers may understand otherwise is refused.
fn read(text: &str) -> Result<Url, TargetError> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(TargetError::NotAnUrl);
    }
    let mut url = Url::parse(text).map_err(|_| TargetError::NotAnUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TargetError::Scheme);
    }
    // The reader forgives missing and additional slashes; others may not.
    let rest = text.split_once("://").map(|(_, rest)| rest).filter(|rest| !rest.starts_with('/'));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).ok_or(TargetError::NotAnUrl)?;
    if authority.contains('@') {
        return Err(TargetError::Userinfo);
    }
    // Names end with no dot, one is forgiven: it is the same name.
    let name = url.host_str().unwrap_or_default().trim_end_matches('.');
    let dots = url.host_str().unwrap_or_default().len() - name.len();
    if name.is_empty() || dots > 1 || name.contains("..") || name.starts_with('.') {
        return Err(TargetError::NotAnUrl);
    }
    if dots == 1 {
        let name = name.to_owned();
        url.set_host(Some(&name)).map_err(|_| TargetError::NotAnUrl)?;
    }
    url.set_fragment(None);
    Ok(url)
}

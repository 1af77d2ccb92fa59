//! Which proxy requests go through: chosen from environment variables by the rules of curl.
//!
//! `https_proxy`, `http_proxy` and `all_proxy` name the proxy, in lower or upper case; `HTTP_PROXY` in upper case is
//! ignored, because a CGI program gets it from a request header. `no_proxy` lists the hosts that need none.

use std::net::IpAddr;
use std::{env, fmt};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

const HTTP_PORT: u16 = 80;
const SOCKS_PORT: u16 = 1080;

/// A proxy that requests go through.
#[derive(Clone)]
pub struct Proxy {
    /// `host:port`, to resolve and connect to.
    host: String,
    kind: ProxyKind,
    /// The variable that named it, and its URL without credentials.
    shown: String,
}

#[derive(Clone)]
pub(crate) enum ProxyKind {
    /// An HTTP proxy, with the value of `Proxy-Authorization`.
    Http { authorization: Option<String> },
    /// A SOCKS 5 proxy, with user and password.
    Socks { credentials: Option<(String, String)> },
}

impl Proxy {
    /// Chooses the proxy for a host from the variables of this process.
    ///
    /// # Errors
    ///
    /// Fails with a message if a variable is not the URL of a supported proxy.
    pub fn from_environment(scheme: &str, host: &Host<&str>, port: u16) -> Result<Option<Self>, String> {
        Self::choose(|name| env::var(name).ok(), scheme, host, port)
    }

    fn choose(
        variable: impl Fn(&str) -> Option<String>,
        scheme: &str,
        host: &Host<&str>,
        port: u16,
    ) -> Result<Option<Self>, String> {
        let first = |names: &[&'static str]| {
            let value = |name: &&'static str| Some((*name, variable(name)?.trim().to_owned()));
            names.iter().filter_map(value).find(|(_, value)| !value.is_empty())
        };
        let names: &[_] = match scheme {
            "https" => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
            _ => &["http_proxy", "all_proxy", "ALL_PROXY"],
        };
        let Some((name, value)) = first(names) else { return Ok(None) };
        let exceptions = first(&["no_proxy", "NO_PROXY"]).map_or_else(String::new, |(_, value)| value);
        match is_excepted(&exceptions, host, port) {
            true => Ok(None),
            false => Self::parse(name, &value).map(Some),
        }
    }

    /// Parses `[http://][user[:password]@]host[:port]`, or the same with `socks5://` or `socks5h://`.
    fn parse(name: &str, value: &str) -> Result<Self, String> {
        // The value may contain a password, so errors do not repeat it.
        let invalid = |reason: &str| format!("the variable {name} does not name a proxy: {reason}");
        let text = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let url = Url::parse(&text).map_err(|error| invalid(&error.to_string()))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| invalid("it has no host"))?;
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = Some(decode(url.username())).filter(|user| !user.is_empty());
        let password = url.password().map(decode).unwrap_or_default();
        let (port, kind) = match url.scheme() {
            "http" => {
                let encoded = user.map(|user| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
                (HTTP_PORT, ProxyKind::Http { authorization: encoded })
            }
            "socks5" | "socks5h" => (SOCKS_PORT, ProxyKind::Socks { credentials: user.map(|user| (user, password)) }),
            _ => return Err(invalid("its URL starts with http://, socks5:// or socks5h://, or has no scheme")),
        };
        let host = format!("{host}:{}", url.port().unwrap_or(port));
        Ok(Self { shown: format!("{}://{host} ({name})", url.scheme()), host, kind })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn kind(&self) -> &ProxyKind {
        &self.kind
    }
}

/// Its URL without credentials, and the variable that named it.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Omits the credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.shown).finish()
    }
}

/// Whether a list of hosts, separated by commas or spaces, contains a host. An entry is `*`, a domain with its
/// subdomains, an address, or a network, and may end with a port.
fn is_excepted(list: &str, host: &Host<&str>, port: u16) -> bool {
    let mut entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    entries.any(|entry| entry == "*" || is_in_entry(entry, host, port))
}

fn is_in_entry(entry: &str, host: &Host<&str>, port: u16) -> bool {
    let address = match host {
        Host::Domain(name) => name.parse::<IpAddr>().ok(),
        Host::Ipv4(address) => Some(IpAddr::from(*address)),
        Host::Ipv6(address) => Some(IpAddr::from(*address).to_canonical()),
    };
    let (entry, entry_port) = split_port(entry);
    if entry_port.is_some_and(|entry_port| entry_port != port) {
        return false;
    }
    if let Some(address) = address {
        return entry.parse::<IpNet>().is_ok_and(|network| network.contains(&address))
            || entry.parse::<IpAddr>().is_ok_and(|entry| entry.to_canonical() == address);
    }
    let Host::Domain(name) = host else { return false };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let domain = entry.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
    !domain.is_empty() && (name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.')))
}

/// Splits `host:port`, `[v6]:port` or `[v6]`.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|entry| entry.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy that these variables name for a URL.
    fn proxy(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
        let url = Url::parse(url).unwrap();
        let variable = |name: &str| Some(variables.iter().find(|(known, _)| *known == name)?.1.to_owned());
        let port = url.port_or_known_default().unwrap();
        Ok(Proxy::choose(variable, url.scheme(), &url.host().unwrap(), port)?.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn the_variable_of_the_scheme_comes_first_and_in_lower_case() {
        let all = [("all_proxy", "a:1"), ("https_proxy", "s:2"), ("HTTPS_PROXY", "S:3"), ("http_proxy", "h:4")];
        assert_eq!(proxy(&all, "https://hub.example").unwrap().unwrap(), "http://s:2 (https_proxy)");
        assert_eq!(proxy(&all, "http://hub.example").unwrap().unwrap(), "http://h:4 (http_proxy)");
        assert_eq!(proxy(&all[..1], "http://hub.example").unwrap().unwrap(), "http://a:1 (all_proxy)");
        let upper = [("HTTP_PROXY", "h:1"), ("HTTPS_PROXY", "s:2"), ("ALL_PROXY", "socks5h://a")];
        assert_eq!(proxy(&upper, "https://hub.example").unwrap().unwrap(), "http://s:2 (HTTPS_PROXY)");
        let shown = proxy(&upper, "http://hub.example").unwrap().unwrap();
        assert_eq!(shown, "socks5h://a:1080 (ALL_PROXY)", "HTTP_PROXY is ignored");
        assert_eq!(proxy(&[("http_proxy", "  ")], "http://hub.example").unwrap(), None);
    }

    #[test]
    fn no_proxy_lists_domains_addresses_networks_and_ports() {
        for (list, url, is_direct) in [
            ("*", "http://hub.example", true),
            ("*", "http://10.1.2.3", true),
            ("a, hub.example", "http://HUB.example", true),
            ("example", "http://hub.example", true),
            (".example", "http://hub.example", true),
            ("*.example", "http://hub.example", true),
            ("example.", "http://hub.example", true),
            ("ample", "http://hub.example", false),
            ("hub.example.org", "http://hub.example", false),
            ("localhost 127.0.0.1", "http://127.0.0.1:7424", true),
            ("localhost", "http://127.0.0.1:7424", false),
            ("127.0.0.0/8", "http://127.0.0.1:7424", true),
            ("10.0.0.0/8", "http://127.0.0.1", false),
            ("::1", "http://[::1]:7424", true),
            ("[::1]", "http://[::1]:7424", true),
            ("fd00::/8", "http://[fd12::1]", true),
            ("hub.example:7424", "http://hub.example:7424", true),
            ("hub.example:80", "http://hub.example:7424", false),
            ("127.0.0.1:7424", "http://127.0.0.1:7424", true),
            ("[::1]:80", "http://[::1]:7424", false),
            (",, .", "http://hub.example", false),
        ] {
            let found = proxy(&[("http_proxy", "p:1"), ("NO_PROXY", list)], url).unwrap();
            assert_eq!(found.is_none(), is_direct, "{list} {url}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let parse = |value: &str| Proxy::parse("all_proxy", value);
        let found = parse("http://ann:p%40ss@[::1]:3128/").unwrap();
        assert!(
            matches!(found.kind(), ProxyKind::Http { authorization: Some(value) } if value == "Basic YW5uOnBAc3M=")
        );
        assert_eq!((found.host(), &*found.to_string()), ("[::1]:3128", "http://[::1]:3128 (all_proxy)"));
        let found = parse("socks5://ann:secret@proxy").unwrap();
        assert!(matches!(found.kind(), ProxyKind::Socks { credentials: Some((user, _)) } if user == "ann"));
        assert!(!format!("{found:?} {found}").contains("secret"));
        for value in
            ["https://ann:secret@proxy", "socks4://ann:secret@proxy", "http://ann:secret@", "http://a b:secret@c:x"]
        {
            let error = parse(value).unwrap_err();
            assert!(error.contains("all_proxy") && !error.contains("secret"), "{error}");
        }
    }
}

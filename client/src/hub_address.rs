//! The address of a hub: http, https or a Unix socket, perhaps through a proxy.

use std::path::{Path, PathBuf};

use serde_json::Value;
use url::{Host, ParseError, Url};

use crate::http::{Tls, Tunnel};
use crate::proxy_settings::{Proxy, ProxyKind};

/// The address of a hub that was started without flags on this machine.
pub const DEFAULT_ORIGIN: &str = "http://127.0.0.1:7424";
const UNIX_SCHEME: &str = "unix:";

/// The parsed address of a hub.
#[derive(Clone, Debug)]
pub struct HubAddress {
    origin: String,
    /// `host:port`, to resolve and connect to, and for the `Host` header. `localhost` for a Unix socket.
    host: String,
    /// The path before `/api`, without a final slash.
    prefix: String,
    /// For https.
    tls: Option<Tls>,
    /// The Unix socket, instead of a host.
    socket: Option<PathBuf>,
    proxy: Option<Proxy>,
}

/// Returns an address in the form in which addresses are compared and stored: without a default port or a final slash.
#[must_use]
pub fn normalize_origin(origin: &str) -> String {
    if let Some(path) = socket_path(origin) {
        return format!("{UNIX_SCHEME}{}", path.display());
    }
    let origin = origin.trim_end_matches('/');
    let parsed = Url::parse(origin).ok().filter(Url::has_host);
    parsed
        .map_or_else(|| origin.to_owned(), |url| url.origin().ascii_serialization() + url.path().trim_end_matches('/'))
}

/// The path of `unix:/path` or `unix:///path`.
fn socket_path(origin: &str) -> Option<PathBuf> {
    let path = origin.strip_prefix(UNIX_SCHEME)?;
    let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
    Some(std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)))
}

impl HubAddress {
    /// Parses `http[s]://host[:port][/prefix]`, or `unix:/path` for a Unix socket.
    ///
    /// For https, `ca_file` is a PEM file with the certificate authorities to trust; `None` trusts those of this
    /// machine. They are loaded here.
    ///
    /// # Errors
    ///
    /// Fails with a message if the address is invalid or no certificate authority can be loaded.
    pub fn parse(origin: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        if let Some(path) = socket_path(origin) {
            if path.as_os_str().is_empty() {
                return Err(format!("`{origin}` names no socket: the address of a Unix socket is unix:/path"));
            }
            let (origin, host) = (normalize_origin(origin), "localhost".to_owned());
            return Ok(Self { origin, host, prefix: String::new(), tls: None, socket: Some(path), proxy: None });
        }
        let parsed = match Url::parse(origin) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => parsed,
            Ok(_) | Err(ParseError::RelativeUrlWithoutBase) => {
                return Err(format!("`{origin}`: the address of a hub starts with http://, https:// or unix:/"));
            }
            Err(error) => return Err(format!("`{origin}` is not a URL: {error}")),
        };
        let host = parsed.host().ok_or_else(|| format!("`{origin}` has no host"))?;
        let tls = (parsed.scheme() == "https").then(|| Tls::new(&host, ca_file)).transpose()?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        let (origin, host) = (normalize_origin(origin), format!("{host}:{port}"));
        Ok(Self { origin, host, prefix, tls, socket: None, proxy: None })
    }

    /// Connects through the proxy that the environment variables `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`
    /// choose for this hub, if any. A Unix socket needs none.
    ///
    /// # Errors
    ///
    /// Fails with a message if a variable does not name a supported proxy.
    pub fn through_environment_proxy(mut self) -> Result<Self, String> {
        if self.socket.is_none() {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            let (host, port) = self.host_and_port();
            let host = Host::parse(host).map_err(|error| error.to_string())?;
            let host = match &host {
                Host::Domain(name) => Host::Domain(&**name),
                Host::Ipv4(address) => Host::Ipv4(*address),
                Host::Ipv6(address) => Host::Ipv6(*address),
            };
            self.proxy = Proxy::from_environment(scheme, &host, port)?;
        }
        Ok(self)
    }

    /// Returns the [normalized](normalize_origin) address.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns `host:port`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the target of a request for a path of the hub, followed by the headers that a proxy needs, if any.
    #[must_use]
    pub fn request_target(&self, path: &str) -> (String, String) {
        let Self { host, prefix, .. } = self;
        match self.forwarding_proxy() {
            None => (format!("{prefix}{path}"), String::new()),
            Some(authorization) => {
                let header = authorization.map(|value| format!("Proxy-Authorization: {value}\r\n"));
                (format!("http://{host}{prefix}{path}"), header.unwrap_or_default())
            }
        }
    }

    /// Returns how to verify the certificate, for https.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// The Unix socket, if it is the address of one.
    pub(crate) fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// `host:port` of the hub or of its proxy.
    pub(crate) fn peer(&self) -> &str {
        self.proxy.as_ref().map_or(&self.host, Proxy::host)
    }

    /// How the proxy opens a connection to the hub.
    pub(crate) fn tunnel(&self) -> Option<Tunnel> {
        Some(match self.proxy.as_ref()?.kind() {
            ProxyKind::Http { .. } if self.tls.is_none() => return None,
            ProxyKind::Http { authorization } => {
                Tunnel::Connect { target: self.host.clone(), authorization: authorization.clone() }
            }
            ProxyKind::Socks { credentials } => {
                let (host, port) = self.host_and_port();
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Tunnel::Socks { host, port, credentials: credentials.clone() }
            }
        })
    }

    /// The hub in messages about the network, with its proxy.
    pub(crate) fn shown(&self) -> String {
        match (&self.proxy, &self.socket) {
            (Some(proxy), _) => format!("{} through the proxy {proxy}", self.host),
            (None, Some(_)) => self.origin.clone(),
            (None, None) => self.host.clone(),
        }
    }

    pub(crate) fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// An HTTP proxy forwards plain requests: the value of `Proxy-Authorization`, if it needs one.
    fn forwarding_proxy(&self) -> Option<Option<&str>> {
        match self.proxy.as_ref()?.kind() {
            ProxyKind::Http { authorization } if self.tls.is_none() => Some(authorization.as_deref()),
            _ => None,
        }
    }

    fn host_and_port(&self) -> (&str, u16) {
        let (host, port) = self.host.rsplit_once(':').unwrap_or((&self.host, ""));
        (host, port.parse().unwrap_or(80))
    }

    /// Builds the bytes of a request. No argument may contain a line break.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        session: Option<&str>,
        body: Option<&Value>,
    ) -> Vec<u8> {
        let bearer = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let session = session.map_or(String::new(), |session| format!("X-Session-Id: {session}\r\n"));
        let body = body.map_or(String::new(), Value::to_string);
        let (target, proxy_headers) = self.request_target(path);
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\n{proxy_headers}{bearer}{session}Content-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(origin: &str) -> Result<HubAddress, String> {
        HubAddress::parse(origin, None)
    }

    #[test]
    fn parses_http_and_https_addresses() {
        let hub = parse("http://hub.local/rat/").unwrap();
        assert_eq!((hub.origin(), hub.host()), ("http://hub.local/rat", "hub.local:80"));
        assert_eq!(hub.request_target("/api").0, "/rat/api");
        assert!(hub.tls().is_none());
        assert_eq!(parse("http://[::1]:7424").unwrap().host(), "[::1]:7424");
        assert!(parse("ftp://hub.local").unwrap_err().contains("http://, https:// or unix:/"));
        assert!(parse("hub").unwrap_err().contains("http://, https:// or unix:/"));
        assert!(parse("http://[::").unwrap_err().contains("not a URL"));
        let file = Some(Path::new("/nowhere/ca.pem"));
        assert!(HubAddress::parse("https://hub.local", file).unwrap_err().contains("/nowhere/ca.pem"));
    }

    #[test]
    fn parses_the_path_of_a_unix_socket() {
        for origin in ["unix:/run/rr.sock", "unix:///run/rr.sock"] {
            let hub = parse(origin).unwrap();
            assert_eq!(
                (hub.origin(), hub.host(), hub.socket()),
                ("unix:/run/rr.sock", "localhost", Some(Path::new("/run/rr.sock")))
            );
            assert_eq!(normalize_origin(origin), "unix:/run/rr.sock");
        }
        assert!(Path::new(parse("unix:rr.sock").unwrap().origin().strip_prefix("unix:").unwrap()).is_absolute());
        assert!(parse("unix:").unwrap_err().contains("unix:/path"));
    }
}

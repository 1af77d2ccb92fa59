//! A hub's address, and how it is reached: over http, or over https with somebody to trust.

use crate::cli::client::Tls;
use std::path::Path;
use url::Url;

/// Where a hub is if nobody says anything.
pub(in crate::cli) const HERE: &str = "http://127.0.0.1:7424";

#[derive(Clone, Debug)]
pub(in crate::cli) struct Hub {
    /// As it was said, without a slash at its end.
    pub(in crate::cli) origin: String,
    /// What is looked up and connected to: `host:port`.
    pub(in crate::cli) host: String,
    /// What stands before `/api`, without a slash at its end.
    pub(in crate::cli) prefix: String,
    /// For https.
    pub(in crate::cli) tls: Option<Tls>,
}

impl Hub {
    /// Takes `http[s]://host[:port][/prefix]`.
    pub(in crate::cli) fn parse(origin: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let parsed = Url::parse(origin).map_err(|cause| format!("`{origin}` is not a URL: {cause}"))?;
        let host = parsed.host().ok_or_else(|| format!("`{origin}` has no host"))?;
        let tls = match parsed.scheme() {
            "http" => None,
            "https" => Some(Tls::new(&host, ca_file)?),
            _ => return Err(format!("`{origin}`: a hub is at http:// or https://")),
        };
        let port = parsed.port_or_known_default().unwrap_or(80);
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        let origin = format!("{}{prefix}", parsed.origin().ascii_serialization());
        Ok(Self { origin, host: format!("{host}:{port}"), prefix, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(origin: &str) -> Result<Hub, String> {
        Hub::parse(origin, None)
    }

    #[test]
    fn an_address_is_http_or_https() {
        let hub = parse("http://hub.local/rat/").unwrap();
        assert_eq!((&*hub.origin, &*hub.host, &*hub.prefix), ("http://hub.local/rat", "hub.local:80", "/rat"));
        assert!(hub.tls.is_none());
        assert_eq!(parse("http://[::1]:7424").unwrap().host, "[::1]:7424");
        assert!(parse("ftp://hub.local").unwrap_err().contains("at http:// or https://"));
        assert!(parse("hub").unwrap_err().contains("not a URL"));
        let file = Some(Path::new("/nowhere/ca.pem"));
        assert!(Hub::parse("https://hub.local", file).unwrap_err().contains("/nowhere/ca.pem"));
    }
}

//! A hub's address, and how it is reached: over http, or over https with somebody to trust.

use std::path::Path;

use serde_json::Value;
use url::Url;

use crate::http::Tls;

/// Where a hub is if nobody says anything.
pub const DEFAULT_ORIGIN: &str = "http://127.0.0.1:7424";

#[derive(Clone, Debug)]
pub struct HubAddress {
    /// As it was said, without a slash at its end.
    pub origin: String,
    /// What is looked up and connected to: `host:port`.
    pub host: String,
    /// What stands before `/api`, without a slash at its end.
    pub prefix: String,
    /// For https.
    pub tls: Option<Tls>,
}

/// An address as it is compared and remembered.
pub fn normalize_origin(origin: &str) -> String {
    let origin = origin.trim_end_matches('/');
    let parsed = Url::parse(origin).ok().filter(Url::has_host);
    parsed
        .map_or_else(|| origin.to_owned(), |url| url.origin().ascii_serialization() + url.path().trim_end_matches('/'))
}

impl HubAddress {
    /// Takes `http[s]://host[:port][/prefix]`.
    pub fn parse(origin: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let parsed = Url::parse(origin).map_err(|error| format!("`{origin}` is not a URL: {error}"))?;
        let host = parsed.host().ok_or_else(|| format!("`{origin}` has no host"))?;
        let tls = match parsed.scheme() {
            "http" => None,
            "https" => Some(Tls::new(&host, ca_file)?),
            _ => return Err(format!("`{origin}`: a hub is at http:// or https://")),
        };
        let port = parsed.port_or_known_default().unwrap_or(80);
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        Ok(Self { origin: normalize_origin(origin), host: format!("{host}:{port}"), prefix, tls })
    }

    /// A request as it goes over the wire. Everything in it was checked to be words.
    pub fn request(
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
        format!(
            "{method} {}{path} HTTP/1.1\r\nHost: {}\r\n{bearer}{session}Content-Length: {}\r\n\r\n{body}",
            self.prefix,
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
    fn an_address_is_http_or_https() {
        let hub = parse("http://hub.local/rat/").unwrap();
        assert_eq!((&*hub.origin, &*hub.host, &*hub.prefix), ("http://hub.local/rat", "hub.local:80", "/rat"));
        assert!(hub.tls.is_none());
        assert_eq!(parse("http://[::1]:7424").unwrap().host, "[::1]:7424");
        assert!(parse("ftp://hub.local").unwrap_err().contains("at http:// or https://"));
        assert!(parse("hub").unwrap_err().contains("not a URL"));
        let file = Some(Path::new("/nowhere/ca.pem"));
        assert!(HubAddress::parse("https://hub.local", file).unwrap_err().contains("/nowhere/ca.pem"));
    }
}

//! The address of a hub, over http or https.

use std::path::Path;

use serde_json::Value;
use url::Url;

use crate::http::Tls;

/// The address of a hub that was started without flags on this machine.
pub const DEFAULT_ORIGIN: &str = "http://127.0.0.1:7424";

/// The parsed address of a hub.
#[derive(Clone, Debug)]
pub struct HubAddress {
    origin: String,
    /// `host:port`, to resolve and connect to.
    host: String,
    /// The path before `/api`, without a final slash.
    prefix: String,
    /// For https.
    tls: Option<Tls>,
}

/// Returns an address in the form in which addresses are compared and stored: without a default port or a final slash.
#[must_use]
pub fn normalize_origin(origin: &str) -> String {
    let origin = origin.trim_end_matches('/');
    let parsed = Url::parse(origin).ok().filter(Url::has_host);
    parsed
        .map_or_else(|| origin.to_owned(), |url| url.origin().ascii_serialization() + url.path().trim_end_matches('/'))
}

impl HubAddress {
    /// Parses `http[s]://host[:port][/prefix]`.
    ///
    /// For https, `ca_file` is a PEM file with the certificate authorities to trust; `None` trusts those of this
    /// machine. They are loaded here.
    ///
    /// # Errors
    ///
    /// Fails with a message if the address is invalid or no certificate authority can be loaded.
    pub fn parse(origin: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let parsed = Url::parse(origin).map_err(|error| format!("`{origin}` is not a URL: {error}"))?;
        let host = parsed.host().ok_or_else(|| format!("`{origin}` has no host"))?;
        let tls = match parsed.scheme() {
            "http" => None,
            "https" => Some(Tls::new(&host, ca_file)?),
            _ => return Err(format!("`{origin}`: the address of a hub starts with http:// or https://")),
        };
        let port = parsed.port_or_known_default().unwrap_or(80);
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        Ok(Self { origin: normalize_origin(origin), host: format!("{host}:{port}"), prefix, tls })
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

    /// Returns the path before `/api`, without a final slash.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns how to verify the certificate, for https.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
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
    fn parses_http_and_https_addresses() {
        let hub = parse("http://hub.local/rat/").unwrap();
        assert_eq!((hub.origin(), hub.host(), hub.prefix()), ("http://hub.local/rat", "hub.local:80", "/rat"));
        assert!(hub.tls().is_none());
        assert_eq!(parse("http://[::1]:7424").unwrap().host(), "[::1]:7424");
        assert!(parse("ftp://hub.local").unwrap_err().contains("http:// or https://"));
        assert!(parse("hub").unwrap_err().contains("not a URL"));
        let file = Some(Path::new("/nowhere/ca.pem"));
        assert!(HubAddress::parse("https://hub.local", file).unwrap_err().contains("/nowhere/ca.pem"));
    }
}

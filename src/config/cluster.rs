//! `[cluster]`: the port for other hubs that share the database.

use std::net::SocketAddr;

use url::Url;

use super::parse;
use super::raw::Value;
use super::reader::Reader;

/// Where other instances of the hub reach this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// The address of the port for other instances; none opens none.
    pub listen: Option<SocketAddr>,
    /// The URL under which other instances reach that port; none if it is that of `listen`.
    pub url: Option<Url>,
}

impl Cluster {
    /// Reads the section. `is_shared` is whether other hubs may use the same database.
    pub(super) fn read(reader: &mut Reader, is_shared: bool) -> Option<Self> {
        let listen = reader.read("cluster.listen", address);
        let url = reader.read_shown("cluster.url", peer_url, |url| {
            format!("\"{}\"", url.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default())
        });
        let (listen, url) = (listen?, url?);
        if is_shared && url.is_none() && listen.is_some_and(|listen| listen.ip().is_unspecified()) {
            let message = "is needed, because cluster.listen names no address that other hubs can connect to; \
                 set it to this hub's, such as \"http://10.0.0.5:7425\"";
            reader.error("cluster.url", message.to_owned());
            return None;
        }
        Some(Self { listen, url })
    }

    /// The URL under which other instances reach this one, if its port is bound to an address. Empty without such a port.
    pub(crate) fn instance_url(&self, bound: Option<SocketAddr>) -> String {
        match (&self.url, bound) {
            (_, None) => String::new(),
            (Some(url), Some(_)) => url.origin().ascii_serialization(),
            (None, Some(bound)) => format!("http://{bound}"),
        }
    }
}

fn address(value: &Value) -> Result<Option<SocketAddr>, String> {
    let expected = "an IP address with a port, such as \"10.0.0.5:7425\", or \"\"";
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| parse::expected(expected, value)),
        None => Err(parse::expected(expected, value)),
    }
}

fn peer_url(value: &Value) -> Result<Option<Url>, String> {
    let expected = "a URL with host and port only, such as \"http://10.0.0.5:7425\", or \"\"";
    let parsed = |text: &str| {
        let url = Url::parse(text).ok()?;
        let is_plain = url.scheme() == "http" && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        (is_plain && url.host().is_some() && url.username().is_empty() && url.password().is_none()).then_some(url)
    };
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        Some(text) => parsed(text).map(Some).ok_or_else(|| parse::expected(expected, value)),
        None => Err(parse::expected(expected, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_instances_get_an_address_they_can_connect_to() {
        let bound = "10.0.0.5:7425".parse().ok();
        let cluster = Cluster { listen: bound, url: None };
        assert_eq!(cluster.instance_url(bound), "http://10.0.0.5:7425");
        assert_eq!(cluster.instance_url(None), "");
        let url = peer_url(&Value::Text("http://hub-1.internal:7425/".into())).unwrap();
        assert_eq!(Cluster { url, ..cluster }.instance_url(bound), "http://hub-1.internal:7425");
        for refused in ["10.0.0.5:7425", "https://hub:7425", "http://u:p@hub:7425", "http://hub:7425/path", "http://"] {
            assert!(peer_url(&Value::Text(refused.into())).is_err(), "{refused}");
        }
    }
}

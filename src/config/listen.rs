//! Parsers for the addresses, hosts, origins, networks and ports of `[server]`.
//!
//! They return `None` for invalid text; [`parse`](super::parse) builds the error message.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use url::{Host, Url};

/// An IP address to listen on; `localhost` is 127.0.0.1.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    match text {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        text => text.parse().ok(),
    }
}

/// An http(s) URL without path, query or credentials.
pub(super) fn public_origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    is_bare(&url).then_some(url)
}

/// A host name as in a `Host` header, in lower case and without a port.
pub(super) fn host_name(text: &str) -> Option<String> {
    if text.contains('*') {
        return None;
    }
    match Host::parse(text).ok()? {
        Host::Domain(domain) if !domain.is_empty() => Some(domain.to_ascii_lowercase()),
        Host::Domain(_) => None,
        address => Some(address.to_string()),
    }
}

/// A web origin as a browser sends it: scheme, host, and the port unless it is the default of the scheme.
pub(super) fn web_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(is_bare)?;
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?.to_ascii_lowercase()))
}

/// A network in CIDR notation, or a single address as a network of one.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(|_| address()).ok().map(|network| network.trunc())
}

/// A port, or a range of ports such as `1024-65535`.
pub(super) fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first > 0 && first <= last).then_some(first..=last)
}

fn is_bare(url: &Url) -> bool {
    let no_path = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let no_credentials = url.username().is_empty() && url.password().is_none();
    url.host_str().is_some_and(|host| !host.is_empty() && !host.contains('*')) && no_path && no_credentials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_origin_has_no_path_and_no_credentials() {
        assert_eq!(public_origin("https://Hub.example.org").unwrap().as_str(), "https://hub.example.org/");
        assert!(public_origin("http://10.0.0.2:7424/").is_some());
        for bad in ["hub.example.org", "ftp://a", "https://a/b", "https://a?b", "https://a#b", "https://u:p@a"] {
            assert!(public_origin(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_lower_case_and_without_port() {
        assert_eq!(host_name("Hub.Internal").as_deref(), Some("hub.internal"));
        assert_eq!(host_name("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(host_name("[::1]").as_deref(), Some("[::1]"));
        for bad in ["hub:80", "http://hub", "*.example.org", "a/b", "a b"] {
            assert!(host_name(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn web_origins_are_normalized_to_what_browsers_send() {
        assert_eq!(web_origin("https://App.example:443/").as_deref(), Some("https://app.example"));
        assert_eq!(web_origin("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
        assert_eq!(web_origin("vscode-webview://AB12").as_deref(), Some("vscode-webview://ab12"));
        for bad in ["null", "*", "https://*.example", "app.example", "https://app.example/page"] {
            assert!(web_origin(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_a_network_or_one_address() {
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        assert!(network("10.0.0.0/33").is_none() && network("proxy").is_none());
    }

    #[test]
    fn ports_are_single_or_ranges() {
        assert_eq!(ports("443"), Some(443..=443));
        assert_eq!(ports("1024 - 65535"), Some(1024..=65535));
        for bad in ["", "0", "65536", "9-8", "a", "1-2-3", "-"] {
            assert_eq!(ports(bad), None, "{bad}");
        }
    }

    #[test]
    fn localhost_is_an_address_to_listen_on() {
        assert_eq!(address("localhost"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(address("::"), "::".parse().ok());
        assert_eq!(address("hub.example.org"), None);
    }
}

//! The client address of a request: the peer address, or the one a trusted proxy forwards (D25). Free of side effects,
//! so that it can be fuzzed.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The nearest address that is not a trusted proxy: the peer address, or one in the `X-Forwarded-For` headers, read
/// from the right.
pub(crate) fn client<S: AsRef<str>>(socket: IpAddr, headers: impl Iterator<Item = S>, trusted: &[IpNet]) -> IpAddr {
    if !is_trusted(socket, trusted) {
        return socket;
    }
    let headers: Vec<S> = headers.collect();
    let mut nearest = socket;
    for hop in headers.iter().rev().flat_map(|header| header.as_ref().rsplit(',')).map(str::trim) {
        if hop.is_empty() {
            continue;
        }
        let Some(address) = address_of(hop) else { break };
        nearest = address.to_canonical();
        if !is_trusted(nearest, trusted) {
            break;
        }
    }
    nearest
}

/// Parses a hop. Some proxies append a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d25_only_trusted_proxies_count_and_hops_are_read_from_the_right() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let behind = |headers: &[&'static str]| client(ip("10.0.0.1"), headers.iter().copied(), &trusted);
        assert_eq!(behind(&["6.6.6.6, 1.2.3.4"]), ip("1.2.3.4"));
        assert_eq!(behind(&["6.6.6.6", "1.2.3.4, 10.0.0.2"]), ip("1.2.3.4"));
        assert_eq!(behind(&["6.6.6.6, rubbish, 10.0.0.2"]), ip("10.0.0.2"));
        assert_eq!(behind(&["\u{fffd}, 1.2.3.4"]), ip("1.2.3.4"), "a malformed hop further left is ignored");
        assert_eq!(behind(&["1.2.3.4:4444"]), ip("1.2.3.4"));
        assert_eq!(behind(&["[2001:db8::1]:4444"]), ip("2001:db8::1"));
        assert_eq!(behind(&["1.2.3.4, ", ""]), ip("1.2.3.4"));
        assert_eq!(behind(&[]), ip("10.0.0.1"));
        assert_eq!(client(ip("9.9.9.9"), ["6.6.6.6"].into_iter(), &trusted), ip("9.9.9.9"), "an untrusted peer");
    }
}

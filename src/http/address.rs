//! Whose address a request counts for: the socket's, unless a trusted proxy says otherwise (D25).

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// Finds the client's address.
pub(crate) fn client(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let socket = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    if !is_trusted(socket, trusted) {
        return socket;
    }
    let headers = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    behind(socket, headers, trusted)
}

/// The nearest address that is not a proxy of ours, read from the right.
fn behind<'a>(socket: IpAddr, headers: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> IpAddr {
    let said: Vec<_> = headers.flat_map(|header| header.split(',')).map(str::trim).collect();
    let mut nearest = socket;
    for hop in said.iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
        if !is_trusted(nearest, trusted) {
            break;
        }
    }
    nearest
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d25_only_a_trusted_proxy_is_believed_and_from_the_right() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let behind = |headers: &[&'static str]| behind(ip("10.0.0.1"), headers.iter().copied(), &trusted);
        assert_eq!(behind(&["6.6.6.6, 1.2.3.4"]), ip("1.2.3.4"));
        assert_eq!(behind(&["6.6.6.6", "1.2.3.4, 10.0.0.2"]), ip("1.2.3.4"));
        assert_eq!(behind(&["6.6.6.6, rubbish, 10.0.0.2"]), ip("10.0.0.2"));
        assert_eq!(behind(&[]), ip("10.0.0.1"));
    }
}

//! The host name and network addresses of this machine.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use if_addrs::Interface;

/// Domains whose names are only known on one machine or in one network.
const LOCAL_DOMAINS: [&str; 5] = ["localhost", "local", "internal", "lan", "home.arpa"];

/// Whether a host name can be known outside of its network. It is not if it is an address.
pub(crate) fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let is_address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    name.contains('.') && !is_address && !LOCAL_DOMAINS.iter().any(|domain| is_below(name, domain))
}

/// Whether a host name is that of a domain, or below it. The case is ignored.
pub(crate) fn is_below(name: &str, domain: &str) -> bool {
    let Some(at) = name.len().checked_sub(domain.len()).filter(|at| name.is_char_boundary(*at)) else { return false };
    let (rest, end) = name.split_at(at);
    end.eq_ignore_ascii_case(domain) && (rest.is_empty() || rest.ends_with('.'))
}

/// This machine's host name, in lower case.
pub(crate) fn hostname() -> String {
    gethostname::gethostname().to_string_lossy().to_lowercase()
}

/// Addresses at which other machines on the network can reach this one: IPv4 first, physical interfaces first.
pub(crate) fn lan_addresses() -> Vec<IpAddr> {
    let mut interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.retain(|interface| interface.is_oper_up() && is_reachable(interface.ip()));
    interfaces.sort_by_key(|interface| (interface.ip().is_ipv6(), is_virtual(interface)));
    let mut addresses = interfaces.iter().map(Interface::ip).collect::<Vec<_>>();
    addresses.dedup();
    addresses
}

/// Addresses at which other machines on the network can reach a socket that is bound to `bound`, in order of preference.
pub(crate) fn addresses_of(bound: SocketAddr) -> Vec<IpAddr> {
    reaching(bound, lan_addresses())
}

/// The addresses of `lan` at which a socket bound to `bound` can be reached.
fn reaching(bound: SocketAddr, mut lan: Vec<IpAddr>) -> Vec<IpAddr> {
    match bound.ip() {
        IpAddr::V6(v6) if v6.is_unspecified() => lan,
        IpAddr::V4(v4) if v4.is_unspecified() => {
            lan.retain(IpAddr::is_ipv4);
            lan
        }
        own if own.is_loopback() => Vec::new(),
        own => vec![own],
    }
}

fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => is_global_unicast(v6),
    }
}

/// Whether the address is in 2000::/3, the range of global unicast addresses.
fn is_global_unicast(v6: Ipv6Addr) -> bool {
    v6.segments()[0] & 0xe000 == 0x2000
}

/// Whether the interface is a bridge of containers or virtual machines, which other machines cannot reach.
fn is_virtual(interface: &Interface) -> bool {
    ["docker", "br-", "veth", "virbr", "vmnet", "bridge"].iter().any(|prefix| interface.name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_name_is_lower_case() {
        assert_eq!(hostname(), hostname().to_lowercase());
    }

    #[test]
    fn only_addresses_reachable_from_other_machines_are_listed() {
        for reachable in ["192.168.1.5", "10.0.0.1", "2001:db8::1"] {
            assert!(is_reachable(reachable.parse().unwrap()), "{reachable}");
        }
        for unreachable in ["127.0.0.1", "169.254.3.4", "0.0.0.0", "::1", "fe80::1", "fd00::1", "ff02::1"] {
            assert!(!is_reachable(unreachable.parse().unwrap()), "{unreachable}");
        }
        assert!(lan_addresses().into_iter().all(is_reachable));
    }

    #[test]
    fn only_addresses_of_the_bound_socket_are_shown() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let all: Vec<IpAddr> = vec!["192.168.1.5".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert_eq!(reaching(address("0.0.0.0:1"), all.clone()), all[..1]);
        assert_eq!(reaching(address("[::]:1"), all.clone()), all);
        assert_eq!(reaching(address("10.0.0.9:1"), all.clone()), [address("10.0.0.9:1").ip()]);
        assert!(reaching(address("127.0.0.1:1"), all).is_empty());
    }
}

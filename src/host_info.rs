//! The host name and network addresses of this machine.

use std::net::{IpAddr, Ipv6Addr};

use if_addrs::Interface;

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
}

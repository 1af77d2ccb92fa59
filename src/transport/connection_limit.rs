//! Limits the open connections of one client address, so that one client cannot use up the files and the memory that
//! the connections of all others need.
//!
//! The addresses of an IPv6 client are counted by their /64 network, which usually belongs to one customer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;

/// How many connections above the limit get a response that names it. Further ones are closed without one.
const ANSWERED_ABOVE_LIMIT: usize = 16;
/// The network part of an IPv6 address that identifies a client.
const IPV6_CLIENT: u128 = !0 << 64;

/// The open connections of each client address.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    /// The maximum for each address; none is unlimited.
    per_address: Option<usize>,
    /// Proxies: they connect for many clients, so they are not limited.
    exempt: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
    refused_total: AtomicU64,
    /// Whether the first refusal was logged.
    is_logged: AtomicBool,
}

/// What happens with a new connection.
#[derive(Debug)]
pub(super) enum ConnectionAdmission {
    /// It is served.
    Admitted(CountedConnection),
    /// It is refused with a response.
    Refused(CountedConnection),
    /// It is closed at once.
    Closed,
}

/// A connection that counts as open until this is dropped. Empty for an address without a limit.
#[derive(Debug, Default)]
pub(super) struct CountedConnection(Option<(Arc<ConnectionLimit>, IpAddr)>);

impl ConnectionLimit {
    /// Allows `per_address` open connections for each address outside of `exempt`; 0 is unlimited.
    pub(crate) fn new(per_address: usize, exempt: &[IpNet]) -> Arc<Self> {
        Arc::new(Self {
            per_address: (per_address > 0).then_some(per_address),
            exempt: exempt.to_vec(),
            open: Mutex::default(),
            refused_total: AtomicU64::new(0),
            is_logged: AtomicBool::new(false),
        })
    }

    /// The connections that were refused.
    pub(crate) fn refused_total(&self) -> u64 {
        self.refused_total.load(Relaxed)
    }

    /// Counts a connection from this address.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> ConnectionAdmission {
        let peer = peer.to_canonical();
        let Some(limit) = self.per_address.filter(|_| !self.exempt.iter().any(|net| net.contains(&peer))) else {
            return ConnectionAdmission::Admitted(CountedConnection::default());
        };
        let client = client_of(peer);
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(client).or_default();
            if *count < limit {
                *count += 1;
                return ConnectionAdmission::Admitted(CountedConnection(Some((self.clone(), client))));
            }
            self.refused_total.fetch_add(1, Relaxed);
            if *count >= limit + ANSWERED_ABOVE_LIMIT {
                return ConnectionAdmission::Closed;
            }
            *count += 1;
        }
        if !self.is_logged.swap(true, Relaxed) {
            log::warn!(address:display = client, limit; "refused a connection: server.max_connections_per_address is \
                 reached (logged once; see rogerrat_connections_refused_total)");
        }
        ConnectionAdmission::Refused(CountedConnection(Some((self.clone(), client))))
    }
}

/// The address that a client is counted by.
fn client_of(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_CLIENT).into(),
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let Some((limit, client)) = self.0.take() else { return };
        let mut open = limit.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn d30_an_address_has_a_limited_number_of_connections() {
        let limit = ConnectionLimit::new(2, &[]);
        let mut open: Vec<_> = (0..2).map(|_| limit.admit(ip("192.0.2.1"))).collect();
        assert!(matches!(open[1], ConnectionAdmission::Admitted(_)));
        assert!(matches!(limit.admit(ip("192.0.2.1")), ConnectionAdmission::Refused(_)));
        assert!(matches!(limit.admit(ip("::ffff:192.0.2.1")), ConnectionAdmission::Refused(_)), "the same address");
        assert!(matches!(limit.admit(ip("192.0.2.2")), ConnectionAdmission::Admitted(_)), "another client");
        open.pop();
        assert!(matches!(limit.admit(ip("192.0.2.1")), ConnectionAdmission::Admitted(_)));
        drop(open);
        assert_eq!((limit.refused_total(), limit.open.lock().unwrap().len()), (2, 0), "nothing is kept");
    }

    #[test]
    fn d30_an_ipv6_client_is_a_network() {
        let limit = ConnectionLimit::new(1, &[]);
        let _first = limit.admit(ip("2001:db8::1"));
        assert!(matches!(limit.admit(ip("2001:db8::ffff:2")), ConnectionAdmission::Refused(_)));
        assert!(matches!(limit.admit(ip("2001:db8:0:1::1")), ConnectionAdmission::Admitted(_)));
    }

    #[test]
    fn d30_proxies_have_no_limit_and_zero_is_none() {
        let proxies = ConnectionLimit::new(1, &["10.0.0.0/8".parse().unwrap()]);
        let unlimited = ConnectionLimit::new(0, &[]);
        for (limit, address) in [(proxies, "10.1.2.3"), (unlimited, "192.0.2.1")] {
            let open: Vec<_> = (0..9).map(|_| limit.admit(ip(address))).collect();
            assert!(open.iter().all(|one| matches!(one, ConnectionAdmission::Admitted(_))));
        }
    }

    #[test]
    fn d30_a_flood_above_the_limit_is_closed_without_a_response() {
        let limit = ConnectionLimit::new(1, &[]);
        let open: Vec<_> = (0..=ANSWERED_ABOVE_LIMIT).map(|_| limit.admit(ip("192.0.2.1"))).collect();
        assert!(matches!(open[ANSWERED_ABOVE_LIMIT], ConnectionAdmission::Refused(_)));
        assert!(matches!(limit.admit(ip("192.0.2.1")), ConnectionAdmission::Closed));
    }
}

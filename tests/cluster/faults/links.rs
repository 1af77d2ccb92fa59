//! Networks that fail between hubs, and between a hub and its database.

use std::fs;
use std::net::SocketAddr;

use rogerrat_testkit::{Hub, Link, Postgres, TcpProxy, wait_until};

use super::super::{NO_LIMITS, environment, is_long};
use super::{Cluster, RECOVERY};

/// Two hubs. Everything to or from the first one passes proxies: other hubs, and the database.
struct Linked {
    cluster: Cluster,
    /// From each hub to the other.
    between: [TcpProxy; 2],
    database: TcpProxy,
    url: String,
}

/// The address on which a hub listens for other hubs: the one that is not for clients.
fn peers(hub: &Hub) -> SocketAddr {
    let sockets = fs::read_dir(format!("/proc/{}/fd", hub.pid)).unwrap().flatten();
    let sockets: Vec<_> = sockets.filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
    let table = fs::read_to_string(format!("/proc/{}/net/tcp", hub.pid)).unwrap();
    let listening = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_own = sockets.iter().any(|socket| socket.to_str() == Some(&format!("socket:[{}]", fields[9])));
        let port = u16::from_str_radix(fields[1].rsplit_once(':')?.1, 16).ok()?;
        (fields[3] == "0A" && is_own && port != hub.0.port()).then_some(port)
    });
    SocketAddr::from(([127, 0, 0, 1], listening.last().unwrap()))
}

impl Linked {
    fn start(name: &'static str) -> Option<Self> {
        let server = Postgres::shared()?;
        let url = server.database();
        let database = TcpProxy::start();
        database.pass_to(server.address());
        let proxied = url.replace(&server.address().to_string(), &database.address.to_string());
        let between = [TcpProxy::start(), TcpProxy::start()];
        let addresses = between.each_ref().map(|proxy| format!("http://{}", proxy.address));
        let [first, second] = [(&*proxied, &*addresses[0]), (&*url, &*addresses[1])].map(|(url, peers)| {
            let [database, listen] = environment(url);
            [database, listen, ("ROGERRAT_CLUSTER__URL", peers)]
        });
        let cluster = Cluster::start_at(name, &[&first, &second], |hubs| {
            for (proxy, hub) in between.iter().zip(hubs) {
                proxy.pass_to(peers(hub));
            }
            hubs.iter().map(|hub| hub.0).collect()
        });
        Some(Self { cluster, between, database, url: proxied })
    }

    fn set_between(&self, link: Link) {
        self.between.iter().for_each(|proxy| proxy.set(link));
    }

    /// Waits until the first hub has ended, because the other one has declared it dead, and starts it again.
    fn restart_the_first(&mut self) {
        let hub = &mut self.cluster.hubs[0];
        assert_eq!(hub.wait_for_exit().code(), Some(1), "{}", hub.log());
        let peers = format!("http://{}", self.between[0].address);
        let [database, listen] = environment(&self.url);
        hub.start_again(&NO_LIMITS, &[database, listen, ("ROGERRAT_CLUSTER__URL", &peers)]);
        self.between[0].pass_to(self::peers(hub));
    }

    /// Makes something fail until everything is served without it, and then well again.
    fn during(&mut self, fault: impl FnOnce(&mut Self)) {
        self.cluster.judge.begin_fault();
        fault(self);
        self.cluster.expect_sends();
        self.cluster.judge.end_fault();
        self.cluster.expect_sends();
    }
}

#[test]
fn hubs_cannot_reach_each_other() {
    let Some(mut linked) = Linked::start("cut between hubs") else { return };
    // What an owner writes into a silent connection counts as delivered to a reader without `ack=manual`, see ADR 50.
    let links = if is_long() { &[Link::Closed, Link::Silent][..] } else { &[Link::Closed] };
    for link in links.iter().copied() {
        linked.during(|linked| {
            linked.set_between(link);
            // Each hub serves its own channels to those who come to it.
            linked.cluster.expect_sends();
            linked.set_between(Link::Up);
        });
    }
    linked.cluster.finish();
}

#[test]
fn a_hub_cannot_reach_its_database() {
    let Some(mut linked) = Linked::start("cut between a hub and its database") else { return };
    linked.during(|linked| {
        linked.database.set(Link::Silent);
        assert!(linked.cluster.judge.wait_until_served(RECOVERY), "the other hub does not serve");
        linked.database.set(Link::Up);
        linked.restart_the_first();
    });
    linked.cluster.finish();
}

#[test]
fn a_hub_reaches_neither_its_database_nor_another_hub() {
    let Some(mut linked) = Linked::start("cut between a hub and all others") else { return };
    linked.during(|linked| {
        linked.database.set(Link::Silent);
        // See `hubs_cannot_reach_each_other`.
        linked.set_between(if is_long() { Link::Silent } else { Link::Closed });
        assert!(linked.cluster.judge.wait_until_served(RECOVERY), "the other hub does not serve");
        linked.set_between(Link::Up);
        linked.database.set(Link::Up);
        linked.restart_the_first();
    });
    linked.cluster.finish();
}

#[test]
fn connections_to_the_database_are_cut_and_made_again() {
    let Some(mut linked) = Linked::start("idle connections cut") else { return };
    linked.during(|linked| {
        for _ in 0..if is_long() { 10 } else { 2 } {
            linked.database.set(Link::Closed);
            linked.database.set(Link::Up);
            linked.cluster.expect_sends();
        }
    });
    linked.cluster.expect_running();
    linked.cluster.finish();
}

#[test]
fn a_commit_is_done_and_its_answer_is_lost() {
    let Some(mut linked) = Linked::start("answer of a commit lost") else { return };
    linked.during(|linked| {
        for n in 1..=if is_long() { 20 } else { 3 } {
            linked.database.swallow_answer_to(b"COMMIT");
            wait_until("a commit", || linked.database.swallowed() == n);
            linked.cluster.expect_sends();
        }
    });
    linked.cluster.finish();
}

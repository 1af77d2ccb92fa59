//! What may fail around hubs that share a database: nothing that they acknowledged is lost, doubled or out of order.
//!
//! Clients send and read at all hubs, half of them at hubs that do not own their channels, and go to the next hub when one
//! does not answer. The oracle of `rogerrat torture` judges what they see. Each test prints its figures, which
//! `--nocapture` shows; with `ROGERRAT_LONG_FAULTS=1` faults last longer.

mod hubs;
mod links;
mod proxy;
mod races;
mod servers;

use std::net::SocketAddr;
use std::time::Duration;

use rogerrat_testkit::{Hub, Postgres};
use rogerrat_torture::{Judge, TortureLoad};
use serde_json::{Value, json};

/// How long a recovery may take on a loaded machine. The figures that are printed are far below.
const RECOVERY: Duration = Duration::from_secs(60);
/// Sends before and after each fault.
const SENDS: u64 = 40;
const LOAD: TortureLoad = TortureLoad { durable_channels: 2, memory_channels: 2, writers: 2, readers: 5 };

/// Hubs on one database, and clients of all of them.
struct Cluster {
    hubs: Vec<Hub>,
    judge: Judge,
    name: &'static str,
}

impl Cluster {
    /// Starts hubs with these environments, and clients.
    fn start(name: &'static str, environments: &[&[(&str, &str)]]) -> Self {
        Self::start_at(name, environments, |hubs| hubs.iter().map(|hub| hub.0).collect())
    }

    /// Starts hubs, then clients at the addresses that `clients_at` returns.
    fn start_at(
        name: &'static str,
        environments: &[&[(&str, &str)]],
        clients_at: impl FnOnce(&[Hub]) -> Vec<SocketAddr>,
    ) -> Self {
        let mut hubs = Vec::<Hub>::new();
        for environment in environments {
            let hub = match hubs.first() {
                None => Hub::with(&super::NO_LIMITS, environment),
                Some(first) => Hub::beside(first, &super::NO_LIMITS, environment),
            };
            hubs.push(hub);
        }
        let judge = Judge::start(clients_at(&hubs), LOAD, 1).unwrap();
        let cluster = Self { hubs, judge, name };
        cluster.expect_sends();
        cluster
    }

    /// Waits until every channel is served, and some messages more are sent.
    fn expect_sends(&self) {
        assert!(self.judge.wait_until_served(RECOVERY), "{}: a channel is not served", self.name);
        assert!(self.judge.wait_for_sends(SENDS, RECOVERY), "{}: the clients do not send", self.name);
    }

    /// Makes something fail and makes it well again. `fault` returns when all hubs that are left are well.
    fn during(&mut self, fault: impl FnOnce(&mut Self)) {
        self.judge.begin_fault();
        fault(self);
        self.expect_sends();
        self.judge.end_fault();
        self.expect_sends();
    }

    /// No hub took another one for dead.
    fn expect_running(&mut self) {
        for hub in &mut self.hubs {
            assert!(!hub.has_exited(), "{}: a hub has ended: {}", self.name, hub.log());
        }
    }

    /// Lets the clients read everything; returns the report, which must be clean.
    fn finish(self) -> Value {
        let report = self.judge.finish().unwrap();
        eprintln!("{}: {report}", self.name);
        let report = json!(report);
        assert_eq!(report["violations"], json!({}), "{}: {report:#}", self.name);
        report
    }
}

/// Two hubs with the same environment on a database of the server that tests share; none without PostgreSQL.
fn two_hubs(name: &'static str) -> Option<(Cluster, String)> {
    let url = Postgres::shared()?.database();
    let environment = super::environment(&url);
    Some((Cluster::start(name, &[&environment, &environment]), url))
}

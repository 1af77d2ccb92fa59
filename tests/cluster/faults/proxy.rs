//! Hubs behind the proxy of `deploy/cluster/`, the only address that clients know.

use std::path::Path;

use rogerrat_testkit::{Caddy, HttpTarget, Hub, Postgres, wait_until};

use super::super::{NO_LIMITS, environment};
use super::{Cluster, RECOVERY};

#[test]
fn hubs_behind_a_proxy_are_killed_and_restarted() {
    let Some(server) = Postgres::shared().filter(|_| Caddy::is_installed()) else { return };
    let url = server.database();
    let [database, listen] = environment(&url);
    let environment = [database, listen, ("ROGERRAT_SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let mut proxy = None;
    let mut cluster = Cluster::start_at("behind a proxy", &[&environment, &environment], |hubs| {
        let address = proxy.insert(caddy(hubs)).address;
        wait_until("the proxy reaches a hub", || HttpTarget(address).get("/readyz").send().status == 200);
        // Two groups of clients.
        vec![address; 2]
    });
    for hub in 0..2 {
        cluster.during(|cluster| {
            cluster.hubs[hub].kill();
            assert!(cluster.judge.wait_until_served(RECOVERY), "the other hub does not serve");
            cluster.hubs[hub].start_again(&NO_LIMITS, &environment);
        });
        cluster.during(|cluster| {
            cluster.hubs[hub].stop();
            cluster.hubs[hub].start_again(&NO_LIMITS, &environment);
        });
    }
    cluster.finish();
}

/// Caddy with its configuration for a cluster, in front of two hubs.
fn caddy(hubs: &[Hub]) -> Caddy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/cluster/Caddyfile");
    let [first, second] = [0, 1].map(|n| hubs[n].0.to_string());
    Caddy::start(&file, &[("hub-1:7424", &first), ("hub-2:7424", &second)])
}

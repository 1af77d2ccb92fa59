//! Hubs that are killed, stopped and frozen.

use std::time::Duration;

use super::super::{NO_LIMITS, environment, is_long};
use super::{RECOVERY, two_hubs};

#[test]
fn half_of_the_clients_use_the_wrong_hub() {
    let Some((cluster, _)) = two_hubs("peace") else { return };
    let report = cluster.finish();
    assert_eq!(report["kills"], 0);
    for kind in ["disk", "memory"] {
        assert_eq!(report[kind]["unconfirmed"], 0, "{report:#}");
        assert!(report[kind]["deliveries"].as_u64().unwrap() > 0, "{report:#}");
    }
}

#[test]
fn an_owner_is_killed() {
    let Some((mut cluster, url)) = two_hubs("kill -9 of an owner") else { return };
    for owner in 0..2 {
        cluster.during(|cluster| {
            cluster.hubs[owner].kill();
            assert!(cluster.judge.wait_until_served(RECOVERY), "the other hub does not serve");
            cluster.hubs[owner].start_again(&NO_LIMITS, &environment(&url));
        });
    }
    cluster.finish();
}

#[test]
fn each_hub_is_restarted_in_turn() {
    let Some((mut cluster, url)) = two_hubs("restart of each hub") else { return };
    for hub in 0..2 {
        cluster.during(|cluster| {
            cluster.hubs[hub].stop();
            cluster.hubs[hub].start_again(&NO_LIMITS, &environment(&url));
        });
    }
    for hub in &cluster.hubs {
        assert!(!hub.log().contains("did not give up"), "a hub that stops leaves no doubt: {}", hub.log());
    }
    cluster.finish();
}

#[test]
fn an_owner_is_frozen_and_wakes_up_when_its_channels_have_moved() {
    let Some((mut cluster, url)) = two_hubs("freeze of an owner") else { return };
    cluster.during(|cluster| {
        cluster.hubs[0].signal("STOP");
        assert!(cluster.judge.wait_until_served(RECOVERY), "the other hub does not serve");
        if is_long() {
            assert!(!cluster.judge.wait_for_sends(u64::MAX / 2, Duration::from_secs(10)));
        }
        cluster.hubs[0].signal("CONT");
        assert_eq!(cluster.hubs[0].wait_for_exit().code(), Some(1), "{}", cluster.hubs[0].log());
        cluster.hubs[0].start_again(&NO_LIMITS, &environment(&url));
    });
    cluster.finish();
}

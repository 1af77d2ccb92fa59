//! `rogerrat load` and `rogerrat torture` with several hubs that run already.

use rogerrat_testkit::{Hub, Postgres, run};
use serde_json::{Value, json};

use super::{NO_LIMITS, environment};
use crate::load::run::{fact, load};

/// Two hubs on one database, with more flags.
fn two_hubs(flags: &[&str]) -> Option<[Hub; 2]> {
    let url = Postgres::shared()?.database();
    let flags = [&NO_LIMITS, flags].concat();
    let first = Hub::with(&flags, &environment(&url));
    let second = Hub::beside(&first, &flags, &environment(&url));
    Some([first, second])
}

#[test]
fn load_is_spread_over_several_hubs() {
    let Some(hubs) = two_hubs(&[]) else { return };
    let [first, second] = hubs.each_ref().map(Hub::origin);
    for scenario in [
        &["pingpong", "--pairs", "4"][..],
        &["broadcast", "--channels", "4", "--listeners", "4"],
        &["sends", "--channels", "4", "--senders", "2"],
        &["tasks", "--pairs", "4"],
        &["tasks", "--pairs", "4", "--takes"],
    ] {
        let forwarded = forwarded(&hubs);
        let ended = load(&[scenario, &["--url", &first, "--hub", &second, "--json"]].concat());
        assert_eq!(ended.code, Some(0), "{scenario:?}: {ended:?}");
        let figures: Value = serde_json::from_str(&ended.out).unwrap();
        let side = &figures["sides"][0];
        assert!(side["count"].as_u64().unwrap() > 0, "{scenario:?}: {figures}");
        for hub in ["right_hub_p50_us", "wrong_hub_p50_us"] {
            assert!(fact(side, hub) > 0.0, "{scenario:?}: {figures}");
        }
        for (hub, (before, after)) in forwarded.iter().zip(self::forwarded(&hubs)).enumerate() {
            assert!(after > *before, "{scenario:?}: hub {hub} has forwarded nothing");
        }
    }
}

/// How many requests each hub has forwarded.
fn forwarded(hubs: &[Hub; 2]) -> [u64; 2] {
    hubs.each_ref().map(|hub| {
        let metrics = hub.get("/metrics").send();
        assert_eq!(metrics.status, 200);
        let text = String::from_utf8(metrics.body).unwrap();
        let totals = text.lines().filter(|line| line.starts_with("rogerrat_forwarded_total{"));
        totals.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
    })
}

#[test]
fn torture_creates_channels_with_the_server_token() {
    const TOKEN: &str = "a-token-of-the-server";
    let Some(hubs) = two_hubs(&["--token", TOKEN]) else { return };
    let [first, second] = hubs.each_ref().map(Hub::origin);
    let torture = |more: &[&str]| {
        let small = ["--cycles", "0", "--seconds", "0.5", "--channels", "1", "--writers", "1", "--readers", "2"];
        run(&[&["torture", "--hub", &first, "--hub", &second, "--json"], &small[..], more].concat(), &[])
    };
    let refused = torture(&[]);
    let printed = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && printed.contains("create channel"), "{printed}");
    let output = torture(&["--token", TOKEN]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["violations"]), (Some(0), &json!({})), "{report:#}");
    assert!(report["disk"]["acknowledged"].as_u64().unwrap() > 0, "{report:#}");
}

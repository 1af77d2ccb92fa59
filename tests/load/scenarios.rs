//! Each scenario with small numbers: it ends, prints its figures, and nothing is lost, duplicated or reordered.

use rogerrat_testkit::Hub;
use serde_json::Value;

use super::run::{clean, fact, load};

#[test]
fn pairs_answer_each_other_over_polls_and_mcp_tools() {
    let hub = Hub::unlimited();
    let figures = clean(&hub, &["pingpong", "--pairs", "3"]);
    let side = &figures["sides"][0];
    assert_eq!((&figures["scenario"], &figures["unit"]), (&"pingpong".into(), &"hop".into()));
    assert!(side["latency_us"]["p99"].as_u64() >= side["latency_us"]["p50"].as_u64(), "{side}");
    assert!(side["rss_after_kib"].as_u64().unwrap() > 0 && side["samples"].as_array().is_some(), "{side}");
    clean(&hub, &["pingpong", "--pairs", "2", "--listen", "wait", "--bystanders", "5", "--payload", "4000"]);
    clean(&hub, &["mcp", "--pairs", "2"]);
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let hub = Hub::unlimited();
    let figures = clean(&hub, &["sends", "--channels", "2", "--senders", "2", "--rate", "100"]);
    let count = figures["sides"][0]["count"].as_u64().unwrap();
    assert!((10..=100).contains(&count), "0.4 s at 100 per second, more or less: {count}");
}

#[test]
fn one_sender_reaches_all_streams() {
    let hub = Hub::unlimited();
    clean(&hub, &["broadcast", "--listeners", "20", "--channels", "2"]);
    clean(&hub, &["broadcast", "--listeners", "5", "--rate", "50", "--durability", "disk"]);
}

#[test]
fn all_parked_polls_are_woken() {
    let hub = Hub::unlimited();
    for streams in [&[][..], &["--streams"]] {
        let figures = clean(&hub, &[&["park", "--polls", "30", "--per-channel", "8"], streams].concat());
        let side = &figures["sides"][0];
        assert_eq!((side["count"].as_u64(), fact(side, "parked")), (Some(30), 30.0), "{side}");
        assert!(fact(side, "woken_after_ms") > 0.0, "{side}");
    }
}

#[test]
fn many_senders_with_one_receiver_or_none() {
    let hub = Hub::unlimited();
    clean(&hub, &["sends", "--channels", "2", "--senders", "3"]);
    clean(&hub, &["sends", "--channels", "2", "--senders", "3", "--unheard"]);
    let figures = clean(&hub, &["sends", "--channels", "2", "--compare-durability"]);
    let names: Vec<&Value> = figures["sides"].as_array().unwrap().iter().map(|side| &side["name"]).collect();
    assert_eq!(names, ["disk", "memory"]);
    assert!(!figures["ratios"].as_array().unwrap().is_empty(), "{figures}");
}

#[test]
fn channels_are_created_and_guests_join_and_leave() {
    let hub = Hub::unlimited();
    let figures = clean(&hub, &["channels", "--channels", "60", "--members", "2", "--creators", "4"]);
    let side = &figures["sides"][0];
    assert_eq!(side["count"], 60);
    assert!(fact(side, "last_to_first") > 0.0, "{side}");
    let figures = clean(&hub, &["channels", "--channels", "20", "--unload", "0.01", "--waves", "3"]);
    assert_eq!(figures["sides"][0]["count"], 60);
    assert!(fact(&figures["sides"][0], "bytes_per_channel_unloaded").is_finite(), "{figures}");
    clean(&hub, &["churn", "--guests", "3"]);
    clean(&hub, &["soak", "--scale", "1"]);
}

#[test]
fn pairs_ask_each_other_and_share_out_work() {
    let hub = Hub::unlimited();
    let figures = clean(&hub, &["tasks", "--pairs", "2"]);
    assert_eq!(figures["unit"], "ask");
    let figures = clean(&hub, &["tasks", "--takes", "--durability", "disk"]);
    assert_eq!(figures["unit"], "take");
}

#[test]
fn http2_works_like_http1() {
    let hub = Hub::unlimited();
    clean(&hub, &["pingpong", "--pairs", "3", "--h2c", "--connections", "2"]);
    clean(&hub, &["park", "--polls", "20", "--h2c", "--connections", "2"]);
    clean(&hub, &["broadcast", "--listeners", "10", "--h2c"]);
    clean(&hub, &["pingpong", "--pairs", "2", "--sources", "3"]);
}

#[test]
fn two_hubs_are_measured_in_turns() {
    let (one, two) = (Hub::unlimited(), Hub::unlimited());
    let (other, pid) = (two.origin(), two.pid.to_string());
    let figures = clean(&one, &["pingpong", "--pairs", "2", "--compare", &other, "--pid2", &pid]);
    assert!(figures["sides"][1]["count"].as_u64().unwrap() > 0, "{figures}");
    let labels = figures["ratios"].to_string();
    assert!(labels.contains("CPU per hop") && labels.contains("p99"), "{labels}");
}

#[test]
fn the_baseline_runs_every_scenario_it_supports() {
    for words in [
        &["pingpong", "--pairs", "2"][..],
        &["sends", "--channels", "1"],
        &["broadcast", "--listeners", "5"],
        &["park", "--polls", "10"],
        &["pingpong", "--pairs", "2", "--h2c"],
    ] {
        let ended = load(&[words, &["--baseline"]].concat());
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
        assert!(ended.out.contains("baseline"), "{ended:?}");
    }
}

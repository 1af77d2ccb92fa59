//! A7: metrics, and that dashboard and alerts query only existing ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rogerrat_testkit::{HttpTarget, Hub, wait_until};
use serde_json::{Value, json};

/// Scrapes the metrics. Returns the lines.
fn scrape(target: HttpTarget) -> Vec<String> {
    let reply = target.get("/metrics").send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let page = reply.text();
    assert!(page.ends_with("# EOF\n"), "{page}");
    page.lines().map(str::to_owned).collect()
}

/// The value of a series, or 0 if it is absent.
fn value(page: &[String], series: &str) -> u64 {
    let value = page.iter().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or(0)
}

#[test]
fn a07_the_metrics_count_what_happened() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "hi");
    assert_eq!(bob.listen(), ["hi"]);
    ann.try_send(&json!({"to": "nobody", "message": "x"})).refused(400, "unknown_recipient");
    channel.request("PUT", "send").send().refused(405, "method_not_allowed");
    hub.get("/nowhere/a1b2").send().refused(404, "not_found");
    hub.get("/api/channels/no-such-one/roster").send().refused(404, "not_found");
    let stream = bob.stream("");
    let page = scrape(*hub);
    let requests = |route: &str, status: u16| {
        value(&page, &format!("rogerrat_requests_total{{route=\"{route}\",status=\"{status}\"}}"))
    };
    assert_eq!(requests("/api/channels", 200), 1);
    assert_eq!(requests("/api/channels/{id}/join", 200), 2);
    assert_eq!((requests("/api/channels/{id}/send", 200), requests("/api/channels/{id}/send", 400)), (1, 1));
    assert_eq!((requests("/api/channels/{id}/send", 405), requests("/api/channels/{id}/roster", 404)), (1, 1));
    assert_eq!((requests("(none)", 404), requests("/api/channels/{id}/stream", 200)), (1, 1));
    for (series, expected) in [
        ("rogerrat_refusals_total{code=\"unknown_recipient\"}", 1),
        ("rogerrat_refusals_total{code=\"not_found\"}", 2),
        ("rogerrat_sends_total{kind=\"message\"}", 1),
        ("rogerrat_sends_total{kind=\"status\"}", 0),
        ("rogerrat_deliveries_total{outcome=\"delivered\"}", 1),
        ("rogerrat_joins_total", 2),
        ("rogerrat_channels", 4),
        ("rogerrat_channels_live", 1),
        ("rogerrat_members_live", 2),
        ("rogerrat_streams_open", 1),
        ("rogerrat_held_bytes", 0),
        ("rogerrat_store_failing", 0),
        ("rogerrat_draining", 0),
    ] {
        assert_eq!(value(&page, series), expected, "{series}\n{}", page.join("\n"));
    }
    for known in ["process_max_fds", "process_open_fds", "process_resident_memory_bytes"] {
        assert!(value(&page, known) > 0, "{known}");
    }
    stream.disconnect();
    wait_until("the stream has ended", || value(&scrape(*hub), "rogerrat_streams_open") == 0);
}

#[test]
fn a07_no_label_contains_client_input() {
    let hub = Hub::start();
    let channel = hub.channel();
    hub.get("/secret-path").send();
    hub.get(&channel.path("consumers/secret-name")).bearer(&channel.token).send();
    channel.join("secret-callsign").post("send", &json!({"to": "secret-name", "message": "secret-message"}));
    let page = scrape(*hub).join("\n");
    assert!(!page.contains("secret-") && !page.contains(&channel.id), "{page}");
    assert!(page.contains("/api/channels/{id}/consumers/{name}"), "{page}");
}

#[test]
fn a07_metrics_need_the_server_token_or_a_local_request() {
    let hub = Hub::with(&["--token", "s3cret-token"], &[]);
    hub.get("/metrics").send().refused(401, "unauthorized");
    hub.get("/metrics").bearer("wrong").send().refused(401, "unauthorized");
    assert_eq!(hub.get("/metrics").bearer("s3cret-token").send().status, 200);
    let hub = Hub::start();
    hub.get("/metrics").header("X-Forwarded-For", "127.0.0.1").send().refused(403, "forbidden");
    hub.get("/metrics").header("Host", "evil.example").send().refused(421, "misdirected");
    assert_eq!(hub.request("HEAD", "/metrics").send().status, 200);
}

/// The names of the metrics in a query.
fn names(query: &str) -> impl Iterator<Item = &str> {
    query
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("rogerrat_") || word.starts_with("process_"))
}

fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("expr").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| queries(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

#[test]
fn a07_dashboard_and_alerts_query_existing_metrics() {
    let hub = Hub::start();
    hub.channel();
    let page = scrape(*hub);
    let existing: BTreeSet<_> = page.iter().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let dashboard = fs::read_to_string(deploy.join("grafana.json")).unwrap();
    let mut asked = Vec::new();
    queries(&serde_json::from_str(&dashboard).unwrap(), &mut asked);
    let alerts = fs::read_to_string(deploy.join("alerts.yml")).unwrap();
    let alerts = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned);
    let (panels, rules) = (asked.len(), alerts.clone().count());
    assert!(panels >= 12 && rules >= 6, "{panels} panels, {rules} rules");
    for query in asked.into_iter().chain(alerts) {
        assert!(names(&query).next().is_some(), "it queries no metric of the hub: {query}");
        for name in names(&query) {
            assert!(existing.contains(name), "`{name}` does not exist: {query}");
        }
    }
}

#[test]
fn a12_the_age_of_the_oldest_direct_message_that_was_not_delivered_is_published() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob, eve) = (channel.join("ann"), channel.join("bob"), channel.join("eve"));
    let age = || value(&scrape(*hub), "rogerrat_oldest_unread_seconds");
    assert_eq!(age(), 0);
    ann.send("bob", "one");
    wait_until("it gets older", || age() > 0);
    ann.send("eve", "two");
    assert!(age() > 0, "a newer one is not the oldest");
    bob.get("listen?timeout=1").ok();
    eve.get("listen?timeout=1").ok();
    wait_until("nothing is held", || age() == 0);
}

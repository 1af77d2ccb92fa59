//! A run that cannot work is refused before any load, with one line and exit code 2.

use std::net::TcpListener;

use rogerrat_testkit::Hub;

use super::run::{load, start};

#[track_caller]
fn refused(words: &[&str], because: &str) {
    load(words).with_one_line(2, because);
}

#[test]
fn a_target_that_does_not_answer_is_refused() {
    // The listener is closed again, so the port refuses connections.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    refused(&["pingpong", "--url", &format!("http://127.0.0.1:{port}")], "no hub is reachable");
    refused(&["pingpong", "--url", &format!("http://127.0.0.1:{port}"), "--h2c"], "cannot connect");
    refused(&["pingpong", "--url", "https://127.0.0.1"], "only http://");
    refused(&["pingpong", "--url", "http://no.such.host.invalid"], "cannot resolve");
}

#[test]
fn a_hub_that_would_refuse_the_load_is_refused() {
    let hub = Hub::with(&["--rate-limit", "off", "--token", "a-long-token"], &[]);
    refused(&["sends", "--url", &hub.origin()], "--token");
    refused(&["sends", "--url", &hub.origin(), "--token", "another-token"], "--token");
    refused(&["sends", "--url", &hub.origin(), "--pid", "4000000"], "no such process");
    let hub = Hub::start();
    refused(&["pingpong", "--url", &hub.origin()], "--rate-limit off");
    let hub = Hub::with(&[], &[("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "5"), ("ROGERRAT_LIMITS__SEND_PER_SESSION", "0")]);
    refused(&["pingpong", "--pairs", "9", "--url", &hub.origin()], "limits.join_per_address");
}

#[test]
fn a_load_that_does_not_fit_is_refused() {
    let hub = Hub::unlimited();
    let url = hub.origin();
    refused(&["park", "--polls", "1000000", "--url", &url], "");
    refused(&["park", "--polls", "50000", "--sources", "1", "--url", &url], "--sources 2");
    refused(&["park", "--polls", "10", "--url", &url, "--warmup", "250"], "--streams");
    refused(&["churn", "--baseline", "--url", &url], "the baseline does not support");
    for scenario in ["park", "channels", "churn", "mcp", "soak"] {
        refused(
            &[scenario, "--url", &url, "--hub", &url],
            "--hub works with `pingpong`, `broadcast`, `sends` and `tasks`",
        );
    }
    refused(&["pingpong", "--url", &url, "--report", "/no/such/folder/page.html"], "cannot write");
}

#[test]
fn an_interrupt_prints_the_figures_so_far() {
    let hub = Hub::unlimited();
    let run = start(&["pingpong", "--pairs", "2", "--url", &hub.origin(), "--warmup", "60"]);
    rogerrat_testkit::wait_until("the pairs exchange messages", || {
        hub.get("/api/stats").send().ok()["messages_total"].as_u64() > Some(50)
    });
    run.signal("INT");
    let ended = run.wait_for_exit();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("interrupted; until then every message"), "{ended:?}");
}

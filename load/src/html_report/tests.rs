//! The page is well-formed and self-contained.

use super::super::order_check::OrderErrors;
use super::super::report::{Fact, Machine, Quantiles, Ratio, Slice};
use super::*;

fn server(name: &str) -> ServerReport {
    let sample = |second: u32| Sample {
        at_s: f64::from(second),
        measured: second > 1,
        per_second: 1000.0 + f64::from(second),
        p50_us: 100,
        p99_us: 900 + u64::from(second),
        errors: 0,
        population: u64::from(second) * 10,
        rss_kib: Some(20_000 + u64::from(second)),
        cpu_percent: Some(50.0),
    };
    ServerReport {
        name: name.into(),
        url: "http://127.0.0.1:1".into(),
        count: 12_345,
        seconds: 10.0,
        per_second: 1234.5,
        latency_us: Quantiles { p50: 100, p90: 200, p99: 900, p999: 1500, max: 3000 },
        answer_us: None,
        order_errors: OrderErrors::default(),
        errors: [("closed".to_owned(), 1)].into(),
        first_errors: vec!["<script>alert(\"x\")</script> & more".into()],
        server_cpu_us_each: Some(18.2),
        server_cpu_percent: Some(40.0),
        loader_cpu_us_each: Some(10.0),
        rss_before_kib: Some(9000),
        rss_after_kib: Some(9900),
        facts: vec![Fact::new("kib_per_poll", "memory of a parked request", 18.5, "KiB")],
        slices: vec![Slice { seconds: 1.0, count: 10, server_cpu_us: None, loader_cpu_us: None }],
        samples: (0..30).map(sample).collect(),
        curve: (0..=60).map(|n| (1.2_f64.powi(n), 100 + u64::from(n.unsigned_abs()))).collect(),
    }
}

fn run(servers: Vec<ServerReport>) -> LoadReport {
    LoadReport {
        scenario: "pingpong",
        summary: "64 pairs reply to each other".into(),
        unit: "hop",
        units: "hops",
        population: "agents",
        command: "rogerrat load pingpong --self".into(),
        machine: Machine { cpu: "a <cpu>".into(), cores: 2, kernel: "6.1".into(), version: "0" },
        interrupted: false,
        servers,
        ratios: vec![Ratio { label: "CPU per hop".into(), value: 1.3, quartiles: Some((1.2, 1.4)) }],
        fsyncs_per_second: None,
    }
}

/// Whether all tags are closed in the right order.
fn is_balanced(html: &str) -> bool {
    const EMPTY: [&str; 5] = ["meta", "!doctype", "line", "path", "br"];
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).filter_map(|part| part.split_once('>')).map(|(tag, _)| tag) {
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(closed) if open.pop() != Some(closed) => return false,
            Some(_) => {}
            None if tag.ends_with('/') || EMPTY.contains(&name) => {}
            None => open.push(name),
        }
    }
    open.is_empty()
}

#[test]
fn every_tag_is_closed_and_no_external_resource_is_used() {
    for servers in [vec![server("hub")], vec![server("hub"), server("baseline")]] {
        let page = html(&run(servers));
        assert!(is_balanced(&page), "{page}");
        for word in ["<script", "<link", "src=", "@import", "url(", "<img"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"), "not a number");
        assert_eq!(page.matches("<svg").count(), 5);
    }
}

#[test]
fn a_run_without_results_has_a_page() {
    let nothing = ServerReport { count: 0, samples: vec![], curve: vec![], ..server("hub") };
    let page = html(&run(vec![nothing]));
    assert!(is_balanced(&page) && !page.contains("<svg") && !page.contains("NaN"));
    assert!(is_balanced(&html(&run(vec![]))));
}

//! The report: its shape, and that nothing is left out.

use super::*;
use crate::cli::client::Fault;

fn report(cpu_us: u64) -> Report {
    let stage = Stage::new().unwrap();
    held(&stage.hops).record_n(100, 90).unwrap();
    held(&stage.hops).record_n(900, 10).unwrap();
    let start = Mark { at_ns: 0, server_cpu_us: Some(5000), loader_cpu_us: Some(0) };
    let end = Mark { at_ns: 2_000_000_000, server_cpu_us: Some(5000 + cpu_us), loader_cpu_us: Some(1000) };
    Report::new(&stage, (start, end), (Some(10), Some(20)))
}

#[test]
fn numbers_are_for_one_hop() {
    let report = report(4000);
    assert_eq!((report.hops, report.hops_per_second), (100, 50.0));
    assert_eq!((report.server_cpu_us_per_hop, report.loader_cpu_us_per_hop), (Some(40.0), Some(10.0)));
    assert_eq!(report.server_cpu_percent, Some(0.2));
    assert_eq!(report.latency_us, Quantiles { p50: 100, p90: 100, p99: 900, p999: 900, max: 900 });
    assert_eq!(report.answer_us, None);
}

#[test]
fn the_lines_for_eyes() {
    let comparison = Comparison::new(Some(report(4000)), Some(report(2000)));
    let expected = "\
hub
  hops      100 in 2.00 s = 50/s
  latency   p50 100  p90 100  p99 900  p99.9 900  max 900 µs
  cpu       40.00 µs a hop, 0 % of a core
  loader    10.00 µs a hop
  rss       10 KiB before, 20 KiB after
  messages  lost 0  doubled 0  reordered 0
  errors    0
floor";
    let lines = comparison.to_string();
    assert!(lines.starts_with(expected), "{lines}");
    assert!(lines.ends_with("CPU per hop, hub : floor = 2.00 : 1\n"), "{lines}");
}

#[test]
fn the_object_for_scripts() {
    let json = serde_json::to_value(Comparison::new(Some(report(4000)), None)).unwrap();
    assert_eq!(json["hub"]["latency_us"]["p99.9"], 900);
    assert_eq!(json["hub"]["lost"], 0);
    assert!(json.get("floor").is_none() && json.get("cpu_ratio").is_none());
}

#[test]
fn a_run_without_hops_divides_by_nothing() {
    let stage = Stage::new().unwrap();
    stage.fail(&Fault::Closed);
    let mark = Mark { at_ns: 7, server_cpu_us: Some(1), loader_cpu_us: Some(1) };
    let report = Report::new(&stage, (mark, mark), (None, None));
    assert_eq!((report.server_cpu_us_per_hop, report.hops_per_second), (None, 0.0));
    assert!(report.to_string().contains("errors    1  closed 1\n            the server closed"));
    assert!(!Comparison::new(Some(report), None).is_clean());
}

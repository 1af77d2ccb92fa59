//! The report of a run: a table, or one JSON object.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::context::Context;
use super::oracle::{Counts, Oracle};
use super::service::LongestGaps;

/// Maximum lines of the hub's log in the report.
const SHOWN_LOG_ERRORS: usize = 5;

/// What a run has counted, and what it found.
#[derive(Debug, Serialize)]
pub struct TortureReport {
    pub(super) seed: u64,
    seconds: f64,
    kills: u32,
    /// From a kill until the hub serves again.
    #[serde(rename = "back_ms", skip_serializing_if = "Option::is_none")]
    downtime_ms: Option<Spread>,
    /// Several hubs: how long a sending member was without service at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_gap_ms: Option<LongestGaps>,
    disk: Counts,
    memory: Counts,
    #[serde(rename = "violations")]
    violations: BTreeMap<String, u64>,
    #[serde(rename = "first_violations")]
    first_violations: Vec<String>,
    /// Lines at `ERROR` in the hub's log. They are not violations.
    log_errors: usize,
    first_log_errors: Vec<String>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Spread {
    min: u64,
    median: u64,
    max: u64,
}

impl Spread {
    fn of(values: &[u64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        Some(Self { min: *sorted.first()?, median: sorted[sorted.len() / 2], max: *sorted.last()? })
    }
}

impl TortureReport {
    pub(super) fn new(
        oracle: &Oracle,
        seed: u64,
        seconds: f64,
        downtimes_ms: &[u64],
        mut log_errors: Vec<String>,
    ) -> Self {
        let count = log_errors.len();
        log_errors.truncate(SHOWN_LOG_ERRORS);
        let violations = oracle.violations.counts.iter();
        Self {
            seed,
            seconds,
            kills: oracle.request_start().boot,
            downtime_ms: Spread::of(downtimes_ms),
            longest_gap_ms: None,
            disk: oracle.disk,
            memory: oracle.memory,
            violations: violations.map(|(violation, count)| (violation.to_string(), *count)).collect(),
            first_violations: oracle.violations.first.clone(),
            log_errors: count,
            first_log_errors: log_errors,
        }
    }

    /// The report about several hubs. Each fault has a begin and an end.
    pub(super) fn of_cluster(context: &Context, seed: u64, seconds: f64) -> Self {
        let report = Self::new(&context.oracle(), seed, seconds, &[], Vec::new());
        Self { kills: report.kills.div_ceil(2), longest_gap_ms: Some(context.service().longest()), ..report }
    }

    /// Whether no promise was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    fn rows(&self) -> [(&'static str, u64, u64); 17] {
        let Self { disk, memory, .. } = self;
        [
            ("sends acknowledged", disk.acknowledged, memory.acknowledged),
            ("  refused, mailbox full", disk.refused, memory.refused),
            ("  outcome unknown", disk.abandoned, memory.abandoned),
            ("  repeated with their key", disk.repeated, memory.repeated),
            ("  recognised as done", disk.recognised, memory.recognised),
            ("responses 503 or 507", disk.unavailable, memory.unavailable),
            ("deliveries", disk.deliveries, memory.deliveries),
            ("  repeated, and marked", disk.redelivered, memory.redelivered),
            ("  to automatic reads", disk.doubted, memory.doubted),
            ("acks", disk.acks, memory.acks),
            ("  void after a crash", disk.acks_void, memory.acks_void),
            ("reads cut off by a kill", disk.cut, memory.cut),
            ("  abandoned by the client", disk.left, memory.left),
            ("gaps reported", disk.gaps, memory.gaps),
            ("missing, inside a gap", disk.in_gap, memory.in_gap),
            ("  direct, memory channel", disk.forgotten, memory.forgotten),
            ("  unconfirmed, read cut off", disk.unconfirmed, memory.unconfirmed),
        ]
    }
}

impl fmt::Display for TortureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.longest_gap_ms.is_some() { "faults" } else { "kills" };
        writeln!(f, "{} {what} in {:.1} s, seed {}", self.kills, self.seconds, self.seed)?;
        writeln!(f, "{:<28}{:>10}{:>10}", "", "disk", "memory")?;
        for (name, disk, memory) in self.rows() {
            writeln!(f, "{name:<28}{disk:>10}{memory:>10}")?;
        }
        if let Some(Spread { min, median, max }) = &self.downtime_ms {
            writeln!(f, "downtime after a kill       min {min} ms, median {median} ms, max {max} ms")?;
        }
        if let Some(LongestGaps { disk, memory }) = self.longest_gap_ms {
            writeln!(f, "{:<28}{disk:>7} ms{memory:>7} ms", "longest without service")?;
        }
        if self.log_errors > 0 {
            writeln!(f, "errors in the hub's log     {}", self.log_errors)?;
            self.first_log_errors.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        if self.is_clean() {
            return writeln!(f, "violations                  none");
        }
        writeln!(f, "violations")?;
        for (violation, count) in &self.violations {
            writeln!(f, "  {violation:<26}{count:>10}")?;
        }
        self.first_violations.iter().try_for_each(|text| writeln!(f, "  {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Event;

    #[test]
    fn a_violation_is_named_and_counted() {
        let mut oracle = Oracle::default();
        let report = TortureReport::new(&oracle, 7, 1.0, &[30, 10, 20], Vec::new());
        assert!(report.is_clean() && report.to_string().contains("seed 7"));
        assert!(report.to_string().contains("min 10 ms, median 20 ms, max 30 ms"), "{report}");
        oracle.record(1, Event::Unfinished { what: "something".into() });
        let report = TortureReport::new(&oracle, 7, 1.0, &[], vec!["x ERROR y".into()]);
        assert!(!report.is_clean());
        let text = report.to_string();
        assert!(text.contains("unfinished") && text.contains("boot 0: unfinished: something"), "{text}");
        assert!(serde_json::to_string(&report).unwrap().contains(r#""violations":{"unfinished":1}"#));
    }
}

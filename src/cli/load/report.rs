//! The numbers at the end of a run: as lines for eyes, or as one JSON object for scripts.

use super::sequence::Disorder;
use super::stage::{Mark, Stage, held};
use super::tally::Tally;
use super::turns::Turns;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Hub and floor, whichever was measured.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hub: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<Report>,
    /// The hub's CPU time for a hop, the floor's being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_ratio: Option<f64>,
    /// Of the folder that was asked for, with nothing else to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fsyncs_per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Messages that were sent and heard in the window.
    pub(super) hops: u64,
    pub(super) seconds: f64,
    pub(super) hops_per_second: f64,
    /// From just before a send is written until its listener has read it.
    pub(super) latency_us: Quantiles,
    /// From just before a send is written until its own reply is read; of `sends` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer_us: Option<Quantiles>,
    /// Of `sends` that took turns only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) durability: Option<Turns>,
    #[serde(flatten)]
    pub(super) disorder: Disorder,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) first_errors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_hop: Option<f64>,
    /// Of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loader_cpu_us_per_hop: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_before_kib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_after_kib: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Quantiles {
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
    #[serde(rename = "p99.9")]
    pub(super) p999: u64,
    pub(super) max: u64,
}

impl Comparison {
    pub(super) fn new(hub: Option<Report>, floor: Option<Report>) -> Self {
        let price = |report: &Option<Report>| report.as_ref().and_then(|report| report.server_cpu_us_per_hop);
        let cpu_ratio = price(&hub).zip(price(&floor)).map(|(hub, floor)| hub / floor);
        Self { hub, floor, cpu_ratio: cpu_ratio.filter(|ratio| ratio.is_finite()), fsyncs_per_second: None }
    }

    /// Every message came once and in order, and no request failed.
    pub(super) fn is_clean(&self) -> bool {
        self.hub.iter().chain(&self.floor).all(Report::is_clean)
    }
}

impl Report {
    pub(super) fn new(stage: &Stage, (start, end): (Mark, Mark), rss_kib: (Option<u64>, Option<u64>)) -> Self {
        let latency = held(&stage.hops);
        let turns = Turns::new(stage);
        let answers = held(&stage.answers[0]);
        let Tally { counts, first } = held(&stage.tally).clone();
        let hops = latency.len();
        let seconds = (end.at_ns - start.at_ns) as f64 / 1e9;
        let server_cpu_us = difference(start.server_cpu_us, end.server_cpu_us);
        let per_hop = |cpu_us: f64| (hops > 0).then(|| cpu_us / hops as f64);
        Self {
            hops,
            seconds,
            hops_per_second: if seconds > 0.0 { hops as f64 / seconds } else { 0.0 },
            latency_us: Quantiles::of(&latency),
            answer_us: (turns.is_none() && !answers.is_empty()).then(|| Quantiles::of(&answers)),
            durability: turns,
            disorder: *held(&stage.disorder),
            errors: counts,
            first_errors: first,
            server_cpu_us_per_hop: server_cpu_us.and_then(per_hop),
            server_cpu_percent: server_cpu_us.filter(|_| seconds > 0.0).map(|cpu_us| cpu_us / seconds / 1e4),
            loader_cpu_us_per_hop: difference(start.loader_cpu_us, end.loader_cpu_us).and_then(per_hop),
            rss_before_kib: rss_kib.0,
            rss_after_kib: rss_kib.1,
        }
    }

    fn is_clean(&self) -> bool {
        self.disorder.is_none() && self.errors.is_empty()
    }
}

/// Microseconds between two readings.
pub(super) fn difference(start: Option<u64>, end: Option<u64>) -> Option<f64> {
    start.zip(end).map(|(start, end)| end.saturating_sub(start) as f64)
}

impl Quantiles {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max } = self;
        write!(f, "p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p999}  max {max} µs")
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, report) in [("hub", &self.hub), ("floor", &self.floor)] {
            if let Some(report) = report {
                writeln!(f, "{name}\n{report}")?;
            }
        }
        self.cpu_ratio.map_or(Ok(()), |ratio| writeln!(f, "CPU per hop, hub : floor = {ratio:.2} : 1"))?;
        self.fsyncs_per_second.map_or(Ok(()), |rate| writeln!(f, "disk alone: {rate:.0} fsyncs a second, 4 KiB each"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Disorder { lost, doubled, reordered } = self.disorder;
        writeln!(f, "  hops      {} in {:.2} s = {:.0}/s", self.hops, self.seconds, self.hops_per_second)?;
        writeln!(f, "  latency   {}", self.latency_us)?;
        if let Some(answer) = &self.answer_us {
            writeln!(f, "  answer    {answer}")?;
        }
        if let Some(turns) = &self.durability {
            write!(f, "{turns}")?;
        }
        if let (Some(price), Some(percent)) = (self.server_cpu_us_per_hop, self.server_cpu_percent) {
            writeln!(f, "  cpu       {price:.2} µs a hop, {percent:.0} % of a core")?;
        }
        if let Some(price) = self.loader_cpu_us_per_hop {
            writeln!(f, "  loader    {price:.2} µs a hop")?;
        }
        if let (Some(before), Some(after)) = (self.rss_before_kib, self.rss_after_kib) {
            writeln!(f, "  rss       {before} KiB before, {after} KiB after")?;
        }
        writeln!(f, "  messages  lost {lost}  doubled {doubled}  reordered {reordered}")?;
        let errors: u64 = self.errors.values().sum();
        write!(f, "  errors    {errors}")?;
        for (kind, count) in &self.errors {
            write!(f, "  {kind} {count}")?;
        }
        for text in &self.first_errors {
            write!(f, "\n            {text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

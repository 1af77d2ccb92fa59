//! What a parked poll costs: as lines for eyes, or as one JSON object for scripts.

use super::super::report::difference;
use super::super::stage::Mark;
use serde::Serialize;
use std::fmt;

#[derive(Debug, Serialize)]
pub(in super::super) struct IdleReport {
    polls: u64,
    /// Polls that were answered or closed although nothing was sent.
    disturbed: u64,
    seconds: f64,
    server_cpu_ms: Option<f64>,
    /// Of one core.
    server_cpu_percent: Option<f64>,
    rss_before_kib: Option<u64>,
    rss_joined_kib: Option<u64>,
    rss_parked_kib: Option<u64>,
    joined_bytes_per_agent: Option<f64>,
    parked_bytes_per_poll: Option<f64>,
}

impl IdleReport {
    /// `rss_kib` is taken before all, after joining and at the end of the window.
    pub(super) fn new(polls: u64, disturbed: u64, (start, end): (Mark, Mark), rss_kib: [Option<u64>; 3]) -> Self {
        let [rss_before_kib, rss_joined_kib, rss_parked_kib] = rss_kib;
        let seconds = (end.at_ns - start.at_ns) as f64 / 1e9;
        let cpu_us = difference(start.server_cpu_us, end.server_cpu_us);
        let bytes_each = |from, to| difference(from, to).map(|kib| kib * 1024.0 / polls as f64);
        Self {
            polls,
            disturbed,
            seconds,
            server_cpu_ms: cpu_us.map(|cpu_us| cpu_us / 1e3),
            server_cpu_percent: cpu_us.map(|cpu_us| cpu_us / seconds / 1e4),
            rss_before_kib,
            rss_joined_kib,
            rss_parked_kib,
            joined_bytes_per_agent: bytes_each(rss_before_kib, rss_joined_kib),
            parked_bytes_per_poll: bytes_each(rss_joined_kib, rss_parked_kib),
        }
    }

    pub(in super::super) fn is_clean(&self) -> bool {
        self.disturbed == 0
    }
}

impl fmt::Display for IdleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "parked    {} polls for {:.1} s, {} disturbed", self.polls, self.seconds, self.disturbed)?;
        if let (Some(ms), Some(percent)) = (self.server_cpu_ms, self.server_cpu_percent) {
            writeln!(f, "cpu       {ms:.0} ms = {percent:.2} % of a core")?;
        }
        let rss = (self.rss_before_kib, self.rss_joined_kib, self.rss_parked_kib);
        if let (Some(before), Some(joined), Some(parked)) = rss {
            writeln!(f, "rss       {before} KiB before, {joined} joined, {parked} parked")?;
        }
        if let (Some(agent), Some(poll)) = (self.joined_bytes_per_agent, self.parked_bytes_per_poll) {
            writeln!(f, "each      {agent:.0} bytes an agent, {poll:.0} bytes a parked poll")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_for_each() {
        let mark = |at_ns, cpu_us| Mark { at_ns, server_cpu_us: Some(cpu_us), loader_cpu_us: None };
        let marks = (mark(0, 0), mark(2_000_000_000, 20_000));
        let report = IdleReport::new(1024, 0, marks, [Some(100), Some(300), Some(1300)]);
        assert_eq!((report.server_cpu_ms, report.server_cpu_percent), (Some(20.0), Some(1.0)));
        assert_eq!((report.joined_bytes_per_agent, report.parked_bytes_per_poll), (Some(200.0), Some(1000.0)));
    }
}

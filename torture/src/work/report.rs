//! The report of a run of `rogerrat torture work`: a table, or one JSON object.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::oracle::{WorkCounts, WorkOracle};

#[derive(Debug, Serialize)]
pub(crate) struct WorkReport {
    pub(super) seed: u64,
    pub(super) rounds: u32,
    pub(super) seconds: f64,
    #[serde(flatten)]
    counts: WorkCounts,
    violations: BTreeMap<&'static str, u64>,
    first_violations: Vec<String>,
}

impl WorkReport {
    pub(super) fn new(oracle: &WorkOracle, seed: u64, rounds: u32, seconds: f64) -> Self {
        let violations = oracle.violations.clone();
        Self {
            seed,
            rounds,
            seconds,
            counts: oracle.counts,
            violations,
            first_violations: oracle.first_violations.clone(),
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for WorkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, rounds, seconds, counts, .. } = self;
        writeln!(f, "{rounds} rounds in {seconds:.1} s, seed {seed}")?;
        for (name, count) in [
            ("tasks posted", counts.posted),
            ("takings", counts.takings),
            ("renewals", counts.renewals),
            ("given back", counts.given_back),
            ("finished", counts.finished),
            ("results refused", counts.refused),
            ("  sent after the lease", counts.late),
            ("  of tasks not kept any more", counts.not_kept),
            ("failed after five leases", counts.failed_after_leases),
            ("kills of the hub", counts.hub_kills),
            ("kills of workers", counts.worker_kills),
            ("requests cut off", counts.cut),
        ] {
            writeln!(f, "{name:<28}{count:>10}")?;
        }
        if self.is_clean() {
            return writeln!(f, "violations                        none");
        }
        writeln!(f, "violations")?;
        for (violation, count) in &self.violations {
            writeln!(f, "  {violation:<34}{count:>6}")?;
        }
        self.first_violations.iter().try_for_each(|text| writeln!(f, "  {text}"))
    }
}

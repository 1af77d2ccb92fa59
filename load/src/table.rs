//! The report as text for a terminal.

use std::fmt;

use super::order_check::OrderErrors;
use super::report::{LoadReport, Quantiles, ServerReport};

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.scenario, self.summary)?;
        for server in &self.servers {
            server.write(f, self)?;
        }
        let names = self.servers.iter().map(|server| &*server.name).collect::<Vec<_>>().join(" : ");
        for ratio in &self.ratios {
            write!(f, "{}, {names} = {:.2} : 1", ratio.label, ratio.value)?;
            match ratio.quartiles {
                Some((low, high)) => writeln!(f, "  (middle half of the slices: {low:.2} to {high:.2})")?,
                None => writeln!(f)?,
            }
        }
        if let Some(rate) = self.fsyncs_per_second {
            writeln!(f, "idle disk: {rate:.0} fsyncs per second of 4 KiB each")?;
        }
        let verdict = match (self.is_clean(), self.interrupted) {
            (true, false) => "every message arrived once, in order, at its recipient",
            (true, true) => "interrupted; until then every message arrived once, in order, at its recipient",
            (false, _) => "NOT CLEAN: see above",
        };
        writeln!(f, "{verdict}")
    }
}

impl ServerReport {
    fn write(&self, f: &mut fmt::Formatter<'_>, run: &LoadReport) -> fmt::Result {
        let (one, many) = (run.unit, run.units);
        writeln!(f, "{} ({})", self.name, self.url)?;
        writeln!(f, "  {many:<10} {} in {:.2} s = {:.0}/s", self.count, self.seconds, self.per_second)?;
        writeln!(f, "  latency    {}", self.latency_us)?;
        if let Some(answer) = &self.answer_us {
            writeln!(f, "  reply      {answer}")?;
        }
        if let Some(cpu_us) = self.server_cpu_us_each {
            let percent = self.server_cpu_percent.unwrap_or_default();
            writeln!(f, "  server     {cpu_us:.1} µs of CPU per {one}, {percent:.1} % of a core")?;
        } else if let Some(percent) = self.server_cpu_percent {
            writeln!(f, "  server     {percent:.2} % of a core")?;
        }
        if let Some(cpu_us) = self.loader_cpu_us_each {
            writeln!(f, "  load       {cpu_us:.1} µs of CPU per {one}")?;
        }
        if let (Some(before), Some(after)) = (self.rss_before_kib, self.rss_after_kib) {
            writeln!(f, "  memory     {before} KiB before, {after} KiB after")?;
        }
        for fact in &self.facts {
            writeln!(f, "  {}: {} {}", fact.label, short(fact.value), fact.unit)?;
        }
        let OrderErrors { lost, doubled, reordered, strayed } = self.order_errors;
        if !self.order_errors.is_none() {
            writeln!(f, "  MESSAGES   {lost} lost, {doubled} doubled, {reordered} reordered, {strayed} strayed")?;
        }
        for (kind, count) in &self.errors {
            writeln!(f, "  ERROR      {kind}: {count}")?;
        }
        self.first_errors.iter().try_for_each(|error| writeln!(f, "    {error}"))
    }
}

/// Formats a number with three significant digits, or all digits before the point.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max } = self;
        write!(f, "p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p999}  max {max} µs")
    }
}

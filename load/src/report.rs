//! The results of a run: they are written as JSON, as a table and as an HTML page.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::order_check::OrderErrors;

/// Points of the latency curve.
const CURVE_POINTS: u32 = 60;

/// The results of a whole run.
#[derive(Debug, Serialize)]
pub(super) struct LoadReport {
    pub(super) scenario: &'static str,
    pub(super) summary: String,
    /// The counted operation, in singular and plural.
    pub(super) unit: &'static str,
    pub(super) units: &'static str,
    /// What the memory is plotted over.
    pub(super) population: &'static str,
    pub(super) command: String,
    pub(super) machine: Machine,
    /// Whether Ctrl-C ended the run early.
    pub(super) interrupted: bool,
    #[serde(rename = "sides")]
    pub(super) servers: Vec<ServerReport>,
    /// The results of the first server relative to the second.
    pub(super) ratios: Vec<Ratio>,
    /// Of the folder of `--fsync-dir`, measured without load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fsyncs_per_second: Option<f64>,
}

/// The machine of the run.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    pub(super) version: &'static str,
}

/// The results of one hub or of the baseline.
#[derive(Debug, Serialize)]
pub(super) struct ServerReport {
    pub(super) name: String,
    pub(super) url: String,
    /// Operations in the window.
    pub(super) count: u64,
    pub(super) seconds: f64,
    pub(super) per_second: f64,
    /// From the intended time of a send until its listener has read it.
    pub(super) latency_us: Quantiles,
    /// From the intended time of a send until its own response is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer_us: Option<Quantiles>,
    #[serde(flatten)]
    pub(super) order_errors: OrderErrors,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) first_errors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_each: Option<f64>,
    /// Of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loader_cpu_us_each: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_before_kib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_after_kib: Option<u64>,
    pub(super) facts: Vec<Fact>,
    pub(super) slices: Vec<Slice>,
    pub(super) samples: Vec<Sample>,
    /// Latency over the percentiles: 1 / (1 - percentile), and microseconds.
    pub(super) curve: Vec<(f64, u64)>,
}

/// A result that only one scenario has.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fact {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) value: f64,
    pub(super) unit: &'static str,
}

/// One turn of a server.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Slice {
    pub(super) seconds: f64,
    pub(super) count: u64,
    pub(super) server_cpu_us: Option<f64>,
    pub(super) loader_cpu_us: Option<f64>,
}

/// A measurement during a turn.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    /// Seconds since the start, counting only the turns of this server.
    pub(super) at_s: f64,
    pub(super) measured: bool,
    pub(super) per_second: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) errors: u64,
    pub(super) population: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_kib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_percent: Option<f64>,
}

/// A result of the first server relative to the second.
#[derive(Debug, Serialize)]
pub(super) struct Ratio {
    pub(super) label: String,
    pub(super) value: f64,
    /// The middle half of the ratios of neighbouring slices, if there are enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quartiles: Option<(f64, f64)>,
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

impl Fact {
    pub(super) fn new(key: &'static str, label: &'static str, value: f64, unit: &'static str) -> Self {
        Self { key, label, value, unit }
    }
}

impl LoadReport {
    /// Whether every message arrived once, in order, at its recipient, and no request failed.
    pub(super) fn is_clean(&self) -> bool {
        self.servers.iter().all(|server| server.order_errors.is_none() && server.errors.is_empty())
    }

    /// Adds the ratios of the first two servers.
    pub(super) fn compare(&mut self) {
        let [first, second, ..] = &self.servers[..] else { return };
        let mut ratios = Vec::new();
        let mut add = |label: String, whole: Option<f64>, slices: &dyn Fn(&Slice) -> Option<f64>| {
            let pairs = first.slices.iter().zip(&second.slices);
            let each = pairs.filter_map(|(a, b)| Some(slices(a)? / slices(b)?)).filter(|ratio| ratio.is_finite());
            ratios.extend(ratio(label, whole, each.collect()));
        };
        let each = |slice: &Slice| Some(slice.server_cpu_us? / slice.count as f64);
        let cpu = first.server_cpu_us_each.zip(second.server_cpu_us_each).map(|(a, b)| a / b);
        add(format!("CPU per {}", self.unit), cpu, &each);
        let rate = |slice: &Slice| Some(slice.count as f64 / slice.seconds);
        add(format!("{} per second", self.units), Some(first.per_second / second.per_second), &rate);
        let none = |_: &Slice| None;
        let quantile = |of: fn(&Quantiles) -> u64| Some(of(&first.latency_us) as f64 / of(&second.latency_us) as f64);
        add("p50".to_owned(), quantile(|q| q.p50), &none);
        add("p99".to_owned(), quantile(|q| q.p99), &none);
        for fact in first.facts.iter().filter(|fact| !fact.unit.is_empty()) {
            let other = second.facts.iter().find(|other| other.key == fact.key);
            add(fact.label.to_owned(), other.map(|other| fact.value / other.value), &none);
        }
        self.ratios = ratios;
    }
}

/// Returns the median over the slices, which one disturbed slice does not move; with few slices, the ratio of the whole.
fn ratio(label: String, whole: Option<f64>, mut each: Vec<f64>) -> Option<Ratio> {
    const ENOUGH: usize = 4;
    each.sort_by(f64::total_cmp);
    let at = |part: f64| each[((each.len() - 1) as f64 * part).round() as usize];
    let (value, quartiles) = match each.len() {
        ENOUGH.. => (Some(at(0.5)), Some((at(0.25), at(0.75)))),
        _ => (whole, None),
    };
    let value = value.filter(|value| value.is_finite())?;
    Some(Ratio { label, value, quartiles })
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

/// Returns the latency over the percentiles, up to the percentile of a single message.
pub(super) fn curve(histogram: &Histogram<u64>) -> Vec<(f64, u64)> {
    let most = histogram.len() as f64;
    if most < 2.0 {
        return Vec::new();
    }
    let step = most.ln() / f64::from(CURVE_POINTS);
    let point = |index: u32| {
        let rarity = (step * f64::from(index)).exp();
        (rarity, histogram.value_at_quantile(1.0 - 1.0 / rarity))
    };
    (0..=CURVE_POINTS).map(point).collect()
}

impl Machine {
    pub(super) fn read() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        Self {
            cpu: model.trim_start_matches(['\t', ' ', ':']).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_disturbed_slice_does_not_move_a_ratio() {
        let of = |each: &[f64]| ratio("x".into(), Some(7.0), each.to_vec()).map(|ratio| ratio.value);
        assert_eq!(of(&[1.1, 1.2, 1.3, 1.2, 90.0]), Some(1.2));
        assert_eq!(of(&[1.1]), Some(7.0), "too few slices");
        assert!(ratio("x".into(), Some(f64::NAN), vec![]).is_none());
    }

    #[test]
    fn a_curve_ends_at_the_slowest_message() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        (1..=1000).for_each(|us| histogram.record(us).unwrap());
        let curve = curve(&histogram);
        assert_eq!((curve[0].1, curve[CURVE_POINTS as usize].1), (1, 999));
        assert!(super::curve(&Histogram::<u64>::new(3).unwrap()).is_empty());
    }
}

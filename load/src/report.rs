//! The figures of a run, as they go into the JSON file, the table and the page.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::order_check::OrderError;

/// Points of the curve over the percentiles.
const CURVE_POINTS: u32 = 60;

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct LoadReport {
    pub(super) scenario: &'static str,
    pub(super) summary: String,
    /// What is counted, one of them and many.
    pub(super) unit: &'static str,
    pub(super) units: &'static str,
    /// What the memory is drawn over.
    pub(super) population: &'static str,
    pub(super) command: String,
    pub(super) machine: Machine,
    /// Ctrl-C ended it early.
    pub(super) interrupted: bool,
    pub(super) sides: Vec<ServerUnderTest>,
    /// The first side's figures, the second's being 1.
    pub(super) ratios: Vec<Ratio>,
    /// Of the folder that was asked for, with nothing else to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fsyncs_per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    pub(super) version: &'static str,
}

/// One hub, or the baseline.
#[derive(Debug, Serialize)]
pub(super) struct ServerUnderTest {
    pub(super) name: String,
    pub(super) url: String,
    /// Of the unit, in the window.
    pub(super) count: u64,
    pub(super) seconds: f64,
    pub(super) per_second: f64,
    /// From the intended moment of a send until its listener has read it.
    pub(super) latency_us: Quantiles,
    /// From the intended moment of a send until its own reply is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer_us: Option<Quantiles>,
    #[serde(flatten)]
    pub(super) disorder: OrderError,
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
    /// Latency over the percentiles: 1 / (1 - percentile), and µs.
    pub(super) curve: Vec<(f64, u64)>,
}

/// What only this scenario tells.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fact {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) value: f64,
    pub(super) unit: &'static str,
}

/// One turn of a side.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Slice {
    pub(super) seconds: f64,
    pub(super) count: u64,
    pub(super) server_cpu_us: Option<f64>,
    pub(super) loader_cpu_us: Option<f64>,
}

/// A glance at a side that has its turn.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    /// Of the run so far, this side's turns only.
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

#[derive(Debug, Serialize)]
pub(super) struct Ratio {
    pub(super) label: String,
    pub(super) value: f64,
    /// The middle half of the ratios of neighbouring slices, where there are some.
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
    /// Every message came once and in order to whom it was sent, and no request failed.
    pub(super) fn is_clean(&self) -> bool {
        self.sides.iter().all(|side| side.disorder.is_none() && side.errors.is_empty())
    }

    /// Compares the first two sides.
    pub(super) fn compare(&mut self) {
        let [first, second, ..] = &self.sides[..] else { return };
        let mut ratios = Vec::new();
        let mut add = |label: String, whole: Option<f64>, slices: &dyn Fn(&Slice) -> Option<f64>| {
            let pairs = first.slices.iter().zip(&second.slices);
            let each = pairs.filter_map(|(a, b)| Some(slices(a)? / slices(b)?)).filter(|ratio| ratio.is_finite());
            ratios.extend(ratio(label, whole, each.collect()));
        };
        let each = |slice: &Slice| Some(slice.server_cpu_us? / slice.count as f64);
        let cpu = first.server_cpu_us_each.zip(second.server_cpu_us_each).map(|(a, b)| a / b);
        add(format!("CPU for each {}", self.unit), cpu, &each);
        let rate = |slice: &Slice| Some(slice.count as f64 / slice.seconds);
        add(format!("{} a second", self.units), Some(first.per_second / second.per_second), &rate);
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

/// The median over the slices, which one disturbed slice does not move; else that of the whole.
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

/// Latency over the percentiles, up to where single messages stand.
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
    pub(super) fn here() -> Self {
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
        assert_eq!(of(&[1.1]), Some(7.0), "too few to know");
        assert!(ratio("x".into(), Some(f64::NAN), vec![]).is_none());
    }

    #[test]
    fn a_curve_ends_at_the_slowest() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        (1..=1000).for_each(|us| histogram.record(us).unwrap());
        let curve = curve(&histogram);
        assert_eq!((curve[0].1, curve[CURVE_POINTS as usize].1), (1, 999));
        assert!(super::curve(&Histogram::<u64>::new(3).unwrap()).is_empty());
    }
}

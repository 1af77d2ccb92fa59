//! The axes of a plot: position of a value, ticks, and number formats.

/// Approximate number of ticks of an axis.
const TICKS: f64 = 5.0;

pub(super) struct Axis {
    pub(super) label: String,
    low: f64,
    high: f64,
    is_log: bool,
    /// Values and their labels.
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) format: fn(f64) -> String,
}

impl Axis {
    /// A linear axis; `None` without values.
    pub(super) fn linear(
        label: &str,
        values: impl Iterator<Item = f64>,
        format: fn(f64) -> String,
        from_zero: bool,
    ) -> Option<Self> {
        let (low, high) = ends(values)?;
        let low = if from_zero { low.min(0.0) } else { low };
        let high = if high > low { high } else { low + 1.0 };
        let step = round_step((high - low) / TICKS);
        let high = if from_zero { (high / step).ceil() * step } else { high };
        let first = (low / step).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let ticks = (first..=last).map(|n| n as f64 * step).map(|value| (value, format(value))).collect();
        Some(Self { label: label.to_owned(), low, high, is_log: false, ticks, format })
    }

    /// A logarithmic axis with ticks at 1, 2 and 5 of each decade, or at 1 if there are many decades.
    pub(super) fn log(label: &str, values: impl Iterator<Item = f64>, format: fn(f64) -> String) -> Option<Self> {
        const FEW_DECADES: f64 = 2.5;
        let (low, high) = ends(values)?;
        let (low, high) = (low.max(1.0), high.max(2.0));
        let steps: &[f64] = if (high / low).log10() <= FEW_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
        let all: Vec<_> = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade))).collect();
        let low = all.iter().rev().find(|tick| **tick <= low).copied().unwrap_or(low);
        let high = all.iter().find(|tick| **tick >= high).copied().unwrap_or(high);
        let ticks = all.into_iter().filter(|tick| (low..=high).contains(tick)).map(|tick| (tick, format(tick)));
        Some(Self { label: label.to_owned(), low, high, is_log: true, ticks: ticks.collect(), format })
    }

    /// An axis of percentiles; values are 1 / (1 - percentile).
    pub(super) fn percentiles(label: &str, values: impl Iterator<Item = f64>) -> Option<Self> {
        let (_, high) = ends(values)?;
        let high = high.max(10.0);
        let names = [(2.0, "50 %"), (10.0, "90 %"), (1e2, "99 %"), (1e3, "99.9 %"), (1e4, "99.99 %")];
        let more = [(1e5, "99.999 %"), (1e6, "99.9999 %"), (1e7, "99.99999 %")];
        let ticks = names.into_iter().chain(more).filter(|(value, _)| *value <= high);
        let ticks = ticks.map(|(value, name)| (value, name.to_owned())).collect();
        Some(Self { label: label.to_owned(), low: 1.0, high, is_log: true, ticks, format: of_rarity })
    }

    /// Whether an area below a line is meaningful.
    pub(super) fn is_from_zero(&self) -> bool {
        !self.is_log && self.low == 0.0
    }

    /// Returns the position of a value, from 0 at the low end to 1 at the high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let position = match self.is_log {
            true => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        position.clamp(0.0, 1.0)
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// Rounds up to 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= step).unwrap_or(10.0);
    factor * power
}

fn of_rarity(rarity: f64) -> String {
    format!("{} %", trimmed(100.0 - 100.0 / rarity, 4))
}

/// Formats a number with a space between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

pub(super) fn count(value: f64) -> String {
    match value {
        size if size >= 1e6 => format!("{}\u{202f}M", trimmed(size / 1e6, 2)),
        size if size >= 1e4 => format!("{}\u{202f}k", trimmed(size / 1e3, 1)),
        size if size >= 100.0 => grouped(size.round() as u64),
        size => trimmed(size, 1),
    }
}

pub(super) fn duration_of_us(us: f64) -> String {
    match us {
        us if us >= 1e6 => format!("{}\u{202f}s", trimmed(us / 1e6, 2)),
        us if us >= 1e4 => format!("{}\u{202f}ms", trimmed(us / 1e3, 1)),
        us if us >= 1e3 => format!("{}\u{202f}ms", trimmed(us / 1e3, 2)),
        us => format!("{}\u{202f}µs", trimmed(us, 1)),
    }
}

pub(super) fn bytes_of_mib(mib: f64) -> String {
    match mib {
        mib if mib >= 10_240.0 => format!("{}\u{202f}GiB", trimmed(mib / 1024.0, 2)),
        mib if mib >= 1.0 || mib == 0.0 => format!("{}\u{202f}MiB", trimmed(mib, 1)),
        mib => format!("{}\u{202f}KiB", trimmed(mib * 1024.0, 1)),
    }
}

pub(super) fn percent(value: f64) -> String {
    format!("{}\u{202f}%", trimmed(value, if value < 1.0 { 2 } else { 1 }))
}

pub(super) fn seconds(value: f64) -> String {
    trimmed(value, 1)
}

/// Formats a number with at most `digits` decimals and without trailing zeros.
fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let names = |axis: Option<Axis>| axis.unwrap().ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(
            names(Axis::linear("", [3.0, 97.0].into_iter(), seconds, true)),
            ["0", "20", "40", "60", "80", "100"]
        );
        assert_eq!(names(Axis::log("", [30.0, 900.0].into_iter(), seconds)), ["20", "50", "100", "200", "500", "1000"]);
        assert_eq!(names(Axis::percentiles("", [500.0].into_iter())), ["50 %", "90 %", "99 %"]);
        assert!(Axis::linear("", std::iter::empty(), seconds, true).is_none());
    }

    #[test]
    fn positions_are_between_the_ends() {
        let axis = Axis::log("", [1.0, 100.0].into_iter(), seconds).unwrap();
        assert_eq!([axis.position(0.0), axis.position(10.0), axis.position(1e9)], [0.0, 0.5, 1.0]);
    }

    #[test]
    fn numbers_are_formatted_with_units() {
        assert_eq!([count(7.0), count(1234.4), count(152_300.0)], ["7", "1\u{202f}234", "152.3\u{202f}k"]);
        assert_eq!([duration_of_us(18.26), duration_of_us(1500.0)], ["18.3\u{202f}µs", "1.5\u{202f}ms"]);
        assert_eq!([bytes_of_mib(1.5), bytes_of_mib(0.5)], ["1.5\u{202f}MiB", "512\u{202f}KiB"]);
        assert_eq!(percent(0.07), "0.07\u{202f}%");
    }
}

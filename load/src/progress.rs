//! Progress on standard error: one changing line in a terminal, otherwise a line every two seconds.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::Sample;
use super::run_state::Phase;
use crate::stopwatch::elapsed_ns;

/// Between two lines without a terminal.
const LINE_EVERY_NS: u64 = 2_000_000_000;
const STEPS: u64 = 1000;

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    units: &'static str,
    last_line_ns: Cell<u64>,
}

impl Progress {
    pub(super) fn new(quiet: bool, units: &'static str) -> Self {
        let has_bar = !quiet && io::stderr().is_terminal();
        let bar = has_bar.then(|| {
            let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
            // The template is valid; the default style would do as well.
            let style = ProgressStyle::with_template("{spinner} {bar:24.cyan/dim} {elapsed:>4}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─"));
            bar
        });
        Self { bar, quiet, units, last_line_ns: Cell::new(0) }
    }

    pub(super) fn setting_up(&self, server: &str, sample: &Sample) {
        self.show(0.0, || format!("{server}: setting up, {} so far", sample.population));
    }

    pub(super) fn running(&self, server: &str, phase: Phase, sample: &Sample, part: f64) {
        self.show(part, || {
            let what = if phase == Phase::Warming { "warming up" } else { "measuring" };
            let Sample { per_second, p50_us, p99_us, errors, .. } = sample;
            let units = self.units;
            format!("{server}: {what}  {per_second:.0} {units}/s  p50 {p50_us} µs  p99 {p99_us} µs  errors {errors}")
        });
    }

    pub(super) fn draining(&self) {
        self.show(1.0, || "waiting for the last messages".into());
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Shows a line, and the done part of the current phase.
    fn show(&self, part: f64, text: impl Fn() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position((part.clamp(0.0, 1.0) * STEPS as f64) as u64);
            bar.set_message(text());
            return;
        }
        let now_ns = elapsed_ns();
        if !self.quiet && now_ns.saturating_sub(self.last_line_ns.get()) >= LINE_EVERY_NS {
            self.last_line_ns.set(now_ns);
            // Progress is not worth failing for.
            let _ = writeln!(io::stderr(), "{}", text());
        }
    }
}

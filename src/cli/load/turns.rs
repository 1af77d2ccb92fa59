//! Sends to memory and to disk that took turns in one run: the same hub, the same connections, the same minute.

use super::report::Quantiles;
use super::stage::{Stage, held};
use serde::Serialize;
use std::fmt;

#[derive(Debug, Serialize)]
pub(super) struct Turns {
    memory: Turn,
    disk: Turn,
    /// Sends to disk in a second, those to memory being 1.
    ratio: f64,
}

#[derive(Debug, Serialize)]
struct Turn {
    sends: u64,
    sends_per_second: f64,
    /// From just before a send is written until its own reply is read.
    answer_us: Quantiles,
}

impl Turns {
    /// `None` when nobody took turns.
    pub(super) fn new(stage: &Stage) -> Option<Self> {
        let turn_ns = held(&stage.turn_ns);
        let turn = |side: usize| {
            let answers = held(stage.answers.get(side)?);
            let seconds = *turn_ns.get(side)? as f64 / 1e9;
            let sends = answers.len();
            let sends_per_second = if seconds > 0.0 { sends as f64 / seconds } else { 0.0 };
            Some(Turn { sends, sends_per_second, answer_us: Quantiles::of(&answers) })
        };
        let (memory, disk) = (turn(0)?, turn(1)?);
        let ratio = disk.sends_per_second / memory.sends_per_second;
        Some(Self { memory, disk, ratio: if ratio.is_finite() { ratio } else { 0.0 } })
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, turn) in [("memory", &self.memory), ("disk", &self.disk)] {
            writeln!(f, "  {name:<9} {:.0} sends/s, {}", turn.sends_per_second, turn.answer_us)?;
        }
        writeln!(f, "  disk : memory = {:.2} : 1", self.ratio)
    }
}

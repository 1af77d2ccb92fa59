//! Time as the domain sees it: a number somebody hands in.

/// An instant, on two clocks. It never comes from the domain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the Unix epoch: what people read, and what ids are made of. May step back.
    pub at_ms: u64,
    /// Milliseconds since the hub started: what deadlines are made of. Never steps back.
    pub uptime_ms: u64,
}

//! The time, which the driver passes to the domain.

/// A moment, on two clocks. The domain never reads a clock itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the Unix epoch, for timestamps and message ids. It may decrease.
    pub at_ms: u64,
    /// Milliseconds since the hub started, for deadlines. It never decreases.
    pub uptime_ms: u64,
}

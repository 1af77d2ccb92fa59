//! Faults that the tests of the simulation put into this crate, to show that the simulation finds them. Outside of tests
//! there are none, and the checks compile to nothing.

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliberateFault {
    /// The log does not check the fence of an append.
    UncheckedFence,
    /// Who takes a channel begins at the ids that its last owner may still assign.
    ReusedIds,
    /// A memory channel of a hub that ended is opened without a gap.
    MissingGap,
    /// A reply does not wait for the commit.
    EarlyReply,
    /// A channel of a hub that ended is opened as if nothing had been delivered.
    MissingDoubt,
    /// An instance drives webhooks of lanes that it does not hold.
    UnheldLanes,
    /// Who takes a channel serves it before it knows what its last owner has changed.
    EarlyOpen,
    /// Who takes a channel does not apply the takings of tasks that its last owner has logged.
    ForgottenTakings,
    /// Who takes a channel does not apply the results of tasks that its last owner has logged.
    ForgottenResults,
    /// Work is given to the next member before the lease of its holder ends.
    ShortLease,
}

#[cfg(test)]
thread_local! {
    static CURRENT: std::cell::Cell<Option<DeliberateFault>> = const { std::cell::Cell::new(None) };
}

/// Whether a test has put this fault into the code.
#[cfg(test)]
pub(crate) fn is_broken(fault: DeliberateFault) -> bool {
    CURRENT.get() == Some(fault)
}

/// Whether a test has put this fault into the code.
#[cfg(not(test))]
pub(crate) const fn is_broken(_: DeliberateFault) -> bool {
    false
}

/// Puts a fault into the code that this thread runs.
#[cfg(test)]
pub(crate) fn set_fault(fault: Option<DeliberateFault>) {
    CURRENT.set(fault);
}

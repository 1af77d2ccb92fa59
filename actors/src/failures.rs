//! Failures of what is tried again and again, each of which is logged once.

use std::collections::BTreeSet;

use crate::ports::error::LogError;

/// What failed when it was tried last.
#[derive(Debug, Default)]
pub(crate) struct Failures(BTreeSet<&'static str>);

impl Failures {
    /// Logs why something failed that is tried again, unless it failed the last time as well.
    pub(crate) fn failed(&mut self, what: &'static str, error: &LogError) {
        if self.0.insert(what) {
            log::warn!(error:display; "{what}; trying again until it succeeds");
        }
    }

    /// The next failure is logged again.
    pub(crate) fn succeeded(&mut self, what: &'static str) {
        self.0.remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_new_after_a_success_only() {
        let mut failures = Failures::default();
        failures.failed("a", &LogError::Busy);
        failures.failed("b", &LogError::Busy);
        failures.failed("a", &LogError::Busy);
        assert_eq!(failures.0, BTreeSet::from(["a", "b"]));
        failures.succeeded("a");
        assert_eq!(failures.0, BTreeSet::from(["b"]));
    }
}

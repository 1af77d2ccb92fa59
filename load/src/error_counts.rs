//! The tally of faults. A fault never ends the tool: it ends one pair, is counted by its kind, and the first few are
//! kept in full for the report.

use std::collections::BTreeMap;

use rogerrat_client::http::HttpError;

/// Full texts kept for the report; the others are only counted.
const KEPT_TEXTS: usize = 5;

/// Counts by kind, and the first few texts.
#[derive(Debug, Default, Clone)]
pub(super) struct ErrorCounts {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) first: Vec<String>,
}

impl ErrorCounts {
    pub(super) fn add(&mut self, fault: &HttpError) {
        *self.counts.entry(fault.kind()).or_default() += 1;
        if self.first.len() < KEPT_TEXTS {
            self.first.push(fault.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use rogerrat_client::http::expect_success;

    use super::*;

    #[test]
    fn all_are_counted_and_few_are_kept() {
        let mut error_counts = ErrorCounts::default();
        for _ in 0..9 {
            error_counts.add(&HttpError::Closed);
        }
        error_counts.add(&expect_success("send", 503, b"{}").unwrap_err());
        assert_eq!(error_counts.counts, BTreeMap::from([("closed".into(), 9), ("status_503".into(), 1)]));
        assert_eq!(error_counts.first.len(), KEPT_TEXTS);
    }
}

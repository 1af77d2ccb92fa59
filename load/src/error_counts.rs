//! Counts the errors of a run. An error ends one agent or pair, never the tool. It is counted by its kind, and the first
//! few are reported with their texts.

use std::collections::BTreeMap;

use rogerrat_client::http::HttpError;

/// Errors that are stored with their texts; the others are only counted.
const TEXTS: usize = 5;

/// Counts by kind, and the first few texts.
#[derive(Debug, Default, Clone)]
pub(super) struct ErrorCounts {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) first: Vec<String>,
}

impl ErrorCounts {
    pub(super) fn add(&mut self, error: &HttpError) {
        *self.counts.entry(error.kind()).or_default() += 1;
        if self.first.len() < TEXTS {
            self.first.push(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use rogerrat_client::http::expect_success;

    use super::*;

    #[test]
    fn all_errors_are_counted_and_few_are_stored() {
        let mut errors = ErrorCounts::default();
        for _ in 0..9 {
            errors.add(&HttpError::Closed);
        }
        errors.add(&expect_success("send", 503, b"{}").unwrap_err());
        assert_eq!(errors.counts, BTreeMap::from([("closed".into(), 9), ("status_503".into(), 1)]));
        assert_eq!(errors.first.len(), TEXTS);
    }
}

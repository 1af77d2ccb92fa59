//! When to report that the hub cannot be reached. Short interruptions are normal, for example behind a proxy that closes
//! every connection after a minute, and a line about each could wake an agent.

use std::time::Duration;

use tokio::time::Instant;

use super::now;

/// A connection that has been lost for this long is reported.
const REPORT_AFTER: Duration = Duration::from_secs(300);

/// The state of the connection.
pub(super) struct Outage {
    /// Why there is no connection; none while there is one.
    reason: Option<String>,
    /// When the connection was lost; none before the first one.
    since: Option<Instant>,
    is_reported: bool,
    /// Whether every interruption is reported.
    is_verbose: bool,
}

impl Outage {
    /// The state before the first connection. If `is_verbose`, every interruption is reported.
    pub(super) fn new(is_verbose: bool) -> Self {
        Self { reason: Some("the hub has not responded yet".into()), since: None, is_reported: false, is_verbose }
    }

    /// Notes that there is no connection. Returns the line to report: before the first connection for each reason, after
    /// it once, when it has lasted.
    pub(super) fn lost(&mut self, reason: &str) -> Option<String> {
        let was_connected = self.reason.is_none();
        let is_new = self.reason.as_deref() != Some(reason);
        self.reason = Some(reason.to_owned());
        if was_connected {
            self.since = Some(now());
        }
        if self.is_verbose {
            self.is_reported = true;
            return Some(format!("{reason}; trying again"));
        }
        if was_connected {
            return None;
        }
        let is_due = match self.since {
            None => is_new,
            Some(since) => !self.is_reported && since.elapsed() >= REPORT_AFTER,
        };
        self.is_reported |= is_due;
        is_due.then(|| match self.since {
            None => format!("{reason}; trying again"),
            Some(since) => {
                format!("no connection for {} minutes: {reason}; trying again", since.elapsed().as_secs() / 60)
            }
        })
    }

    /// Notes that there is a connection. Returns whether that is to be reported: because it is the first one, or because
    /// the loss of the one before was reported.
    pub(super) fn connected(&mut self) -> bool {
        let is_first = self.since.is_none() && self.reason.is_some();
        self.reason = None;
        std::mem::take(&mut self.is_reported) || is_first
    }

    /// Why there is no connection; none while there is one.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reports_the_first_connection_and_long_interruptions_only() {
        let mut outage = Outage::new(false);
        assert_eq!(outage.lost("refused").as_deref(), Some("refused; trying again"));
        assert_eq!(outage.lost("refused"), None);
        assert!(outage.connected());
        for _ in 0..100 {
            assert_eq!(outage.lost("closed"), None);
            assert_eq!(outage.lost("refused"), None);
            assert!(!outage.connected());
            tokio::time::advance(Duration::from_secs(60)).await;
        }
        assert_eq!(outage.lost("closed"), None);
        tokio::time::advance(Duration::from_secs(301)).await;
        assert_eq!(outage.lost("refused").as_deref(), Some("no connection for 5 minutes: refused; trying again"));
        assert_eq!((outage.lost("refused"), outage.reason()), (None, Some("refused")));
        assert!(outage.connected());
        assert!(!outage.connected());
    }
}

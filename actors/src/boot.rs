//! The runs of a hub over one data directory: which this is, and after which the hub last went down without a goodbye.

use crate::ports::log::{Log, LogError};

/// The note the runs are counted in.
const NOTE: &str = "run";

/// One run of the hub, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Boot {
    /// Its number, from 1.
    pub(crate) id: u64,
    /// The last run that ended without a goodbye; 0 when none did.
    pub(crate) crashed: u64,
}

impl Boot {
    /// Begins a boot. From here on it counts as one that crashed, until it ends.
    pub(crate) async fn begin(log: &dyn Log) -> Result<Self, LogError> {
        let boot = match log.get_meta(NOTE).await? {
            None => Self { id: 1, crashed: 0 },
            Some(note) => Self::after(&note)?,
        };
        log.put_meta(NOTE, boot.note("open")).await?;
        Ok(boot)
    }

    /// Ends a run in which everything was kept.
    pub(crate) async fn end(&self, log: &dyn Log) -> Result<(), LogError> {
        log.put_meta(NOTE, self.note("clean")).await
    }

    /// Whether what rested in some run may have been opened again since, without a record of it.
    pub(crate) fn doubts(&self, rested_in: Option<u64>) -> bool {
        rested_in.is_none_or(|run| run <= self.crashed)
    }

    fn note(&self, how: &str) -> String {
        let Self { id, crashed } = self;
        format!("{id} {how} {crashed}")
    }

    fn after(note: &str) -> Result<Self, LogError> {
        let bad = || LogError::Damaged("the note of the hub's runs cannot be read".into());
        let mut words = note.split(' ');
        let mut word = || words.next().ok_or_else(bad);
        let id: u64 = word()?.parse().map_err(|_| bad())?;
        let was_clean = word()? == "clean";
        let crashed: u64 = word()?.parse().map_err(|_| bad())?;
        Ok(Self { id: id + 1, crashed: if was_clean { crashed } else { id } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryLog;

    #[actix_rt::test]
    async fn a_run_knows_which_run_crashed_before_it() {
        let log = MemoryLog::default();
        let first = Boot::begin(&log).await.unwrap();
        assert_eq!(first, Boot { id: 1, crashed: 0 });
        first.end(&log).await.unwrap();
        let second = Boot::begin(&log).await.unwrap();
        assert_eq!(second, Boot { id: 2, crashed: 0 });
        assert!(!second.doubts(Some(1)) && second.doubts(None));
        let third = Boot::begin(&log).await.unwrap();
        assert_eq!(third, Boot { id: 3, crashed: 2 });
        assert!(third.doubts(Some(2)) && third.doubts(Some(1)) && !third.doubts(Some(3)));
    }
}

//! Counts the boots of a hub over one data directory, and records which of them ended in a clean shutdown.

use crate::ports::error::LogError;
use crate::ports::instances::InstanceId;
use crate::ports::log::Log;

/// The name of the record in the log that counts boots.
const NOTE: &str = "run";

/// One boot of the hub, from its start to its shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Boot {
    /// The number of the boot, from 1.
    pub(crate) id: u64,
    /// The last boot that ended without a clean shutdown; 0 if there was none.
    pub(crate) crashed: u64,
}

impl Boot {
    /// Records the start of a boot. Until [`end`](Self::end) is recorded it counts as crashed.
    pub(crate) async fn begin(log: &dyn Log) -> Result<Self, LogError> {
        let boot = match log.get_meta(NOTE).await? {
            None => Self { id: 1, crashed: 0 },
            Some(note) => Self::after(&note)?,
        };
        log.put_meta(NOTE, boot.note("open")).await?;
        Ok(boot)
    }

    /// The boot of an instance, of which there is only one. Others decide by the log whether it ended cleanly.
    pub(crate) fn of(instance: InstanceId) -> Self {
        Self { id: instance.0, crashed: 0 }
    }

    /// Records a clean shutdown: every channel's state is in the log.
    pub(crate) async fn end(&self, log: &dyn Log) -> Result<(), LogError> {
        log.put_meta(NOTE, self.note("clean")).await
    }

    /// Whether a channel unloaded in boot `unloaded_in` may have been in memory since then without a record in the log.
    pub(crate) fn doubts(&self, unloaded_in: Option<u64>) -> bool {
        unloaded_in.is_none_or(|run| run <= self.crashed)
    }

    fn note(&self, how: &str) -> String {
        let Self { id, crashed } = self;
        format!("{id} {how} {crashed}")
    }

    fn after(note: &str) -> Result<Self, LogError> {
        let bad = || LogError::Damaged("the record of the hub's boots is unreadable".into());
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
    async fn a_boot_knows_which_boot_crashed_before_it() {
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

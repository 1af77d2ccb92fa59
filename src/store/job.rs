//! What the writer is asked to do, and how it answers.

use rogerrat_actors::{Appended, LogError};
use rogerrat_domain::ChannelId;
use tokio::sync::oneshot;

use super::body::{Draft, Folded};
use super::letters::Letters;
use super::shared::Place;

/// One thing to write.
#[derive(Debug)]
pub(super) enum Work {
    Append(Draft),
    Fold(Folded),
    Forget(ChannelId),
    Used(Vec<(ChannelId, u64)>),
    Floor(u64),
    Note(&'static str, String),
    Row(&'static str, String, Option<String>),
    Letters(Letters),
    Probe(i64),
    /// Nothing: it is done when everything before it is.
    Sync,
    /// A fault of the writer itself.
    #[cfg(test)]
    Panic,
}

/// What is in the queue.
#[derive(Debug)]
pub(super) enum Job {
    Do(Box<Task>),
    /// Finish what came before, and end.
    Close,
}

/// A thing to write, and who waits for it.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) work: Work,
    pub(super) reply: Reply,
    pub(super) place: Place,
}

/// Who waits. Nobody may wait any more; what was asked for is done all the same.
#[derive(Debug)]
pub(super) enum Reply {
    Append(oneshot::Sender<Appended>),
    Plain(oneshot::Sender<Result<(), LogError>>),
    Whether(oneshot::Sender<Outcome>),
}

/// What became of a thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Conflict,
    Refused(String),
    Unknown(String),
}

impl Work {
    /// What it weighs, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append(draft) => draft.bytes(),
            Self::Fold(folded) => folded.body.len() + folded.held.len() * 8,
            Self::Used(channels) => channels.len() * 64,
            Self::Note(_, text) => text.len(),
            Self::Letters(letters) => letters.bytes(),
            Self::Row(_, name, text) => name.len() + text.as_ref().map_or(0, String::len),
            _ => 0,
        }
    }
}

impl Task {
    /// Leaves the queue, and tells who waits.
    pub(super) fn answer(self, outcome: Outcome) {
        drop(self.place);
        self.reply.give(outcome);
    }
}

impl Reply {
    fn give(self, outcome: Outcome) {
        match self {
            Self::Append(to) => {
                let _ = to.send(match outcome {
                    Outcome::Done => Appended::Done,
                    Outcome::Conflict => Appended::Conflict,
                    Outcome::Refused(_) => Appended::Refused,
                    Outcome::Unknown(_) => Appended::Unknown,
                });
            }
            Self::Whether(to) => {
                let _ = to.send(outcome);
            }
            Self::Plain(to) => {
                let _ = to.send(match outcome {
                    Outcome::Done => Ok(()),
                    Outcome::Conflict => Err(LogError::Failed("somebody else wrote first".into())),
                    Outcome::Refused(why) => Err(LogError::Failed(why)),
                    Outcome::Unknown(why) => Err(LogError::Failed(format!("it may or may not be kept: {why}"))),
                });
            }
        }
    }
}

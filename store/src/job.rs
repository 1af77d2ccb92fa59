//! What the writer is asked to do, and how it answers.

use rogerrat_actors::{AccountChange, AccountChangeResult, AppendResult, LogError, Opened};
use rogerrat_domain::{AccountId, ChannelId};
use tokio::sync::oneshot;

use super::body::{Draft, Folded};
use super::letters::Letters;
use super::shared::Place;

/// One thing to write.
#[derive(Debug)]
pub(super) enum Work {
    Append(Draft),
    /// The first record of a channel that is an account's, and how many of them it may own.
    Own(Draft, AccountId, Option<u32>),
    Account(AccountChange),
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
    Append(oneshot::Sender<AppendResult>),
    Own(oneshot::Sender<Opened>),
    Account(oneshot::Sender<Result<AccountChangeResult, LogError>>),
    Plain(oneshot::Sender<Result<(), LogError>>),
    Whether(oneshot::Sender<Outcome>),
}

/// What became of a thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// What became of a change of an account.
    AccountChangeResult(AccountChangeResult),
    Conflict,
    Refused(String),
    Unknown(String),
}

impl Work {
    /// What it weighs, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append(draft) | Self::Own(draft, ..) => draft.bytes(),
            Self::Account(_) => 256,
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
            Self::Append(to) => drop(to.send(appended(&outcome))),
            Self::Whether(to) => drop(to.send(outcome)),
            Self::Own(to) => drop(to.send(match outcome {
                Outcome::AccountChangeResult(AccountChangeResult::Full) => Opened::Full,
                Outcome::AccountChangeResult(AccountChangeResult::Missing) => Opened::Missing,
                outcome => Opened::Tried(appended(&outcome)),
            })),
            Self::Account(to) => drop(to.send(match outcome {
                Outcome::AccountChangeResult(changed) => Ok(changed),
                outcome => plain(outcome).map(|()| AccountChangeResult::Done(Vec::new())),
            })),
            Self::Plain(to) => drop(to.send(plain(outcome))),
        }
    }
}

fn appended(outcome: &Outcome) -> AppendResult {
    match outcome {
        Outcome::Done | Outcome::AccountChangeResult(_) => AppendResult::Done,
        Outcome::Conflict => AppendResult::Conflict,
        Outcome::Refused(_) => AppendResult::Refused,
        Outcome::Unknown(_) => AppendResult::Unknown,
    }
}

fn plain(outcome: Outcome) -> Result<(), LogError> {
    match outcome {
        Outcome::Done | Outcome::AccountChangeResult(_) => Ok(()),
        Outcome::Conflict => Err(LogError::Failed("somebody else wrote first".into())),
        Outcome::Refused(why) => Err(LogError::Failed(why)),
        Outcome::Unknown(why) => Err(LogError::Unknown(why)),
    }
}

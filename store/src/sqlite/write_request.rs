//! Requests to the writer's thread, and how it replies to them.

use rogerrat_actors::{
    AccountChange, AccountChangeResult, AppendResult, EmailChange, EmailChangeResult, LogError, Opened,
};
use rogerrat_domain::{AccountId, ChannelId};
use tokio::sync::oneshot;

use super::state::QueueSlot;
use crate::shared::rows::{RecordRow, SnapshotRow, WebhookWrite};

/// The size of a change of an account in the write queue.
const CHANGE_BYTES: usize = 256;
/// The size of a change of the addresses of an account.
const EMAIL_BYTES: usize = 1024;

/// One write.
#[derive(Debug)]
pub(super) enum WriteOp {
    Append(RecordRow),
    /// The first record of a channel that an account owns, how many channels the account may own, and the changes of
    /// accounts that are made with it.
    AppendOwned(RecordRow, AccountId, Option<u32>, Vec<AccountChange>),
    ChangeAccount(AccountChange),
    ChangeEmail(EmailChange),
    Compact(SnapshotRow),
    DeleteChannel(ChannelId),
    MarkUsed(Vec<(ChannelId, u64)>),
    ReserveIds(u64),
    PutMeta(&'static str, String),
    PutRow(&'static str, String, Option<String>),
    Webhook(WebhookWrite),
    Probe(i64),
    /// Writes nothing; it is answered once everything queued before it is committed.
    Sync,
    /// Makes the writer panic.
    #[cfg(test)]
    Panic,
}

/// An item of the writer's queue.
#[derive(Debug)]
pub(super) enum WriterCommand {
    Write(Box<WriteRequest>),
    /// Commit everything queued before, then stop.
    Close,
}

/// A write and its reply channel.
#[derive(Debug)]
pub(super) struct WriteRequest {
    pub(super) op: WriteOp,
    pub(super) reply: ReplySender,
    pub(super) slot: QueueSlot,
}

/// The caller's reply channel. The write happens even if the caller has dropped the other end.
#[derive(Debug)]
pub(super) enum ReplySender {
    Append(oneshot::Sender<AppendResult>),
    AppendOwned(oneshot::Sender<Opened>),
    Account(oneshot::Sender<Result<AccountChangeResult, LogError>>),
    Email(oneshot::Sender<Result<EmailChangeResult, LogError>>),
    Unit(oneshot::Sender<Result<(), LogError>>),
    Outcome(oneshot::Sender<WriteOutcome>),
}

/// The result of one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    Done,
    /// The result of an account change.
    Account(AccountChangeResult),
    /// The result of a change of the addresses of accounts.
    Email(EmailChangeResult),
    /// The result of a change that belongs to the creation of a channel and was not made.
    NotMade(AccountChangeResult),
    Conflict,
    Refused(String),
    Unknown(String),
}

impl WriteOp {
    /// Its size in the write queue.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append(record) => record.bytes(),
            Self::AppendOwned(record, _, _, with) => record.bytes() + with.len() * CHANGE_BYTES,
            Self::ChangeAccount(_) => CHANGE_BYTES,
            Self::ChangeEmail(_) => EMAIL_BYTES,
            Self::Compact(snapshot) => snapshot.body.len() + snapshot.held.len() * 8,
            Self::MarkUsed(channels) => channels.len() * 64,
            Self::PutMeta(_, text) => text.len(),
            Self::Webhook(write) => write.bytes(),
            Self::PutRow(_, name, text) => name.len() + text.as_ref().map_or(0, String::len),
            _ => 0,
        }
    }
}

impl WriteRequest {
    /// Releases its queue slot and sends the reply.
    pub(super) fn answer(self, outcome: WriteOutcome) {
        drop(self.slot);
        self.reply.send(outcome);
    }
}

impl ReplySender {
    fn send(self, outcome: WriteOutcome) {
        match self {
            Self::Append(to) => drop(to.send(append_result(&outcome))),
            Self::Outcome(to) => drop(to.send(outcome)),
            Self::AppendOwned(to) => drop(to.send(match outcome {
                WriteOutcome::Account(AccountChangeResult::Full) => Opened::Full,
                WriteOutcome::Account(AccountChangeResult::Missing) => Opened::Missing,
                WriteOutcome::NotMade(result) => Opened::NotMade(result),
                outcome => Opened::Tried(append_result(&outcome)),
            })),
            Self::Account(to) => drop(to.send(match outcome {
                WriteOutcome::Account(result) => Ok(result),
                outcome => unit_result(outcome).map(|()| AccountChangeResult::Done(Vec::new())),
            })),
            Self::Email(to) => drop(to.send(match outcome {
                WriteOutcome::Email(result) => Ok(result),
                outcome => unit_result(outcome).map(|()| EmailChangeResult::Missing),
            })),
            Self::Unit(to) => drop(to.send(unit_result(outcome))),
        }
    }
}

fn append_result(outcome: &WriteOutcome) -> AppendResult {
    match outcome {
        WriteOutcome::Done | WriteOutcome::Account(_) | WriteOutcome::Email(_) => AppendResult::Done,
        WriteOutcome::Conflict | WriteOutcome::NotMade(_) => AppendResult::Conflict,
        WriteOutcome::Refused(_) => AppendResult::Refused,
        WriteOutcome::Unknown(_) => AppendResult::Unknown,
    }
}

fn unit_result(outcome: WriteOutcome) -> Result<(), LogError> {
    match outcome {
        WriteOutcome::Done | WriteOutcome::Account(_) | WriteOutcome::Email(_) => Ok(()),
        WriteOutcome::Conflict | WriteOutcome::NotMade(_) => Err(LogError::Failed("another write came first".into())),
        WriteOutcome::Refused(why) => Err(LogError::Failed(why)),
        WriteOutcome::Unknown(why) => Err(LogError::Unknown(why)),
    }
}

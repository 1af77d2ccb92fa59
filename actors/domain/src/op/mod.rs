//! The operations and queries of a channel, one file each: input, reply, rules and tests.
//!
//! An [`Operation`] changes the channel, in three steps: [`decide`](Operation::decide) returns entries or refuses, the
//! entries are applied, and [`answer`](Operation::answer) returns the reply. A [`Query`] only reads.

mod ack;
mod board;
mod consumers;
mod create;
mod draft;
mod evict;
mod fetch;
mod find_message;
#[cfg(test)]
pub(crate) mod harness;
mod history;
mod info;
mod inspect;
mod join;
mod keepalive;
mod leave;
mod open_tasks;
mod posture;
mod push_check;
mod push_own;
mod read;
mod receipts;
mod resolve_viewer;
mod revoke;
mod roster;
mod rotate_token;
mod send;
mod session_holders;
mod set_pin;
mod side_events;
mod stats;
mod stream;
#[cfg(test)]
mod summary;
mod tail;
mod take;
mod task;

pub use ack::{Ack, AckInput, AckReply};
pub use board::{Board, BoardFilter, BoardReply, TasksForYou};
pub use consumers::{ConsumerRow, Consumers, ConsumersReply, RemoveConsumer};
pub use create::{CreateDraft, CreateInput};
pub use draft::{AttachmentInput, Draft, SendInput};
pub use evict::Evict;
pub use fetch::{Fetch, Fetched};
pub use find_message::FindMessage;
pub use history::{History, HistoryReply, OlderMessages, OlderPage};
pub use info::{Info, InfoReply};
pub use inspect::{Inspect, Inspection, SessionInfo};
pub use join::{Join, JoinInput, JoinReply};
pub use keepalive::{Keepalive, KeepaliveReply};
pub use leave::{Leave, LeaveReply};
pub use open_tasks::OpenTasks;
pub use posture::TrustPosture;
pub use push_check::{PushCheck, PushMember, PushSubscriber, PushVerdict};
pub use push_own::{GoneMember, GoneWhileAsked, UnreadMessage, UnreadOwn, UnreadOwnReply};
pub use read::{Read, ReadInput, ReadOutcome, ReadQuery, ReadReply, WaitReply};
pub use receipts::{
    MessageReceipts, Receipt, ReceiptCounts, ReceiptState, Receipts, ReceiptsOfMany, ReceiptsOfManyReply, ReceiptsReply,
};
pub use resolve_viewer::ResolveViewer;
pub use revoke::{LiveIdentities, Revoke};
pub use roster::{MemberPresence, OnlineMember, Roster, RosterMember, RosterReply};
pub use rotate_token::RotateToken;
pub use send::{RecipientPresence, Send, SendReply};
pub use session_holders::{SessionHolder, SessionHolders};
pub use set_pin::SetPin;
pub use stats::{Stats, StatsReply};
pub use stream::{OpenStream, StreamInput};
pub use tail::{Tail, TailReply};
pub use take::{Take, TakeOutcome, TakenTask};
pub use task::{AskReply, LookAtTask, LookUntil, TaskOutcome};

use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::ids::SessionId;
use crate::transcript::TranscriptLine;
use crate::{Now, Refusal};

/// A request that changes a channel.
pub trait Operation: std::marker::Send + Sized + 'static {
    /// The reply.
    type Reply: std::marker::Send + 'static;
    /// Whether it assigns message ids.
    const ASSIGNS_IDS: bool = false;

    /// Checks the request against the channel, and returns the entries to apply. It changes nothing.
    ///
    /// # Errors
    /// Why the request is refused.
    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal>;

    /// The lines for the transcript, if the channel has one. Called before `entries` are applied.
    fn transcript(&self, channel: &Channel, entries: &[Entry], now: Now) -> Vec<TranscriptLine> {
        let _ = (channel, entries, now);
        Vec::new()
    }

    /// Computes the reply, after `entries` were applied. What it changes is not logged, so a restart loses it.
    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, effects: &mut Effects) -> Self::Reply;
}

/// Reads a channel and writes nothing.
pub trait Query: std::marker::Send + Sized + 'static {
    /// The reply.
    type Reply: std::marker::Send + 'static;

    /// The session of the member that asks, if it named one. A query that succeeds refreshes it, as any request does.
    fn session(&self) -> Option<&SessionId> {
        None
    }

    /// Computes the reply.
    ///
    /// # Errors
    /// Why the query is refused.
    fn answer(&self, channel: &Channel, now: Now) -> Result<Self::Reply, Refusal>;
}

impl Channel {
    /// Runs a query: lets time pass, computes the reply, and refreshes the session of the member that asks.
    ///
    /// # Errors
    /// Why the query is refused.
    pub fn query<Q: Query>(&mut self, query: &Q, now: Now, effects: &mut Effects) -> Result<Q::Reply, Refusal> {
        self.tick(now, effects);
        let reply = query.answer(self, now)?;
        if let Some(session) = query.session() {
            self.touch(session, now);
        }
        Ok(reply)
    }

    /// Runs an operation: decides, applies, answers. For channels without a log, and for tests.
    ///
    /// # Errors
    /// Why the operation is refused.
    pub fn run<O: Operation>(&mut self, op: O, now: Now, effects: &mut Effects) -> Result<O::Reply, Refusal> {
        self.tick(now, effects);
        let entries = op.decide(self, now)?;
        for entry in &entries {
            self.apply(entry, now, effects);
        }
        Ok(op.answer(self, &entries, now, effects))
    }
}

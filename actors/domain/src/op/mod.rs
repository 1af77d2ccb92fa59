//! The operations of a channel, one file each: input, reply, rule and tests.
//!
//! Every operation goes the same way: [`decide`](Operation::decide) looks and refuses or says what will have happened,
//! the entries are kept and applied, [`answer`](Operation::answer) replies.

mod ack;
mod consumers;
mod create;
mod draft;
mod evict;
mod find_message;
#[cfg(test)]
mod harness;
mod history;
mod info;
mod inspect;
mod join;
mod keepalive;
mod leave;
mod posture;
mod read;
mod receipts;
mod resolve_viewer;
mod revoke;
mod roster;
mod rotate_token;
mod send;
mod stats;
mod stream;
#[cfg(test)]
mod summary;
mod tail;

pub use ack::{Ack, AckInput, AckReply};
pub use consumers::{ConsumerRow, Consumers, ConsumersReply, RemoveConsumer};
pub use create::{CreateDraft, CreateInput};
pub use draft::{AttachmentInput, Draft, SendInput};
pub use evict::Evict;
pub use find_message::FindMessage;
pub use history::{History, HistoryReply};
pub use info::{Info, InfoReply};
pub use inspect::{Inspect, Inspection, SessionInfo};
pub use join::{Join, JoinInput, JoinReply};
pub use keepalive::{Keepalive, KeepaliveReply};
pub use leave::{Leave, LeaveReply};
pub use posture::TrustPosture;
pub use read::{Read, ReadInput, ReadOutcome, ReadQuery, ReadReply, WaitReply};
pub use receipts::{Receipt, ReceiptState, Receipts, ReceiptsReply};
pub use resolve_viewer::ResolveViewer;
pub use revoke::Revoke;
pub use roster::{OnlineMember, Roster, RosterMember, RosterReply};
pub use rotate_token::RotateToken;
pub use send::{Send, SendReply};
pub use stats::{Stats, StatsReply};
pub use stream::{OpenStream, StreamInput};
pub use tail::{Tail, TailReply};

use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::ids::SessionId;
use crate::transcript::TranscriptLine;
use crate::{Now, Refusal};

/// One thing that can be asked of a channel.
pub trait Operation: std::marker::Send + Sized + 'static {
    /// What it is answered with.
    type Reply: std::marker::Send + 'static;
    /// Whether it gives out message ids.
    const GIVES_IDS: bool = false;

    /// Says what will have happened, and changes nothing.
    ///
    /// # Errors
    /// A refusal; the channel is as it was.
    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal>;

    /// What the transcript says of it, where one is kept. The channel is as it was before `entries`.
    fn transcript(&self, channel: &Channel, entries: &[Entry], now: Now) -> Vec<TranscriptLine> {
        let _ = (channel, entries, now);
        Vec::new()
    }

    /// Replies, after `entries` were applied. What it changes may be forgotten by a restart.
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

    /// Runs an operation at once: decides, applies, answers. For channels that keep nothing, and for tests.
    ///
    /// # Errors
    /// What the operation refuses.
    pub fn run<O: Operation>(&mut self, op: O, now: Now, effects: &mut Effects) -> Result<O::Reply, Refusal> {
        self.tick(now, effects);
        let entries = op.decide(self, now)?;
        for entry in &entries {
            self.apply(entry, now, effects);
        }
        Ok(op.answer(self, &entries, now, effects))
    }
}

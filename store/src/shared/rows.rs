//! Rows to write, already encoded. The caller's thread encodes them, so that the writer's thread only runs SQL.

use std::sync::Arc;

use bytes::Bytes;
use rogerrat_domain::webhook::{HookChange, HookId, HookOwner};
use rogerrat_domain::{AccountId, ChannelId, MemberNo, MessageId};
use serde_json::value::RawValue;

/// What a webhook row takes beside its JSON, in bytes; an estimate.
const WEBHOOK_ROW_BYTES: usize = 160;

/// A record of a channel's log.
#[derive(Debug)]
pub(crate) struct RecordRow {
    pub(crate) channel: ChannelId,
    pub(crate) seq: u64,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "one hub owns every channel of an SQLite file"))]
    pub(crate) fence: u64,
    pub(crate) rid: [u8; 16],
    pub(crate) at_ms: u64,
    /// Whether the record creates the channel.
    pub(crate) creates: bool,
    /// The settings, if the record creates the channel or changes them.
    pub(crate) settings: Option<Vec<u8>>,
    /// The account that creates the channel.
    pub(crate) owner: Option<AccountId>,
    pub(crate) body: Vec<u8>,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) lines: Vec<TranscriptRow>,
    pub(crate) due: Vec<DueDeliveryRows>,
}

/// A message.
#[derive(Debug)]
pub(crate) struct MessageRow {
    pub(crate) id: MessageId,
    pub(crate) from: MemberNo,
    pub(crate) to: Option<MemberNo>,
    pub(crate) json: Bytes,
}

/// A line of a transcript. `ends` are the sender and the recipient of a private message.
#[derive(Debug)]
pub(crate) struct TranscriptRow {
    pub(crate) dm_members: Option<(MemberNo, MemberNo)>,
    pub(crate) json: Box<RawValue>,
}

/// The state of a channel after a record, and which messages it still needs.
#[derive(Debug)]
pub(crate) struct SnapshotRow {
    pub(crate) channel: ChannelId,
    pub(crate) seq: u64,
    pub(crate) body: Vec<u8>,
    /// Messages up to this id may be deleted, except those in `held`.
    pub(crate) evicted_upto: MessageId,
    /// In ascending order.
    pub(crate) held: Arc<[MessageId]>,
}

/// A webhook payload, encrypted, and the deliveries that need it.
#[derive(Debug)]
pub(crate) struct DueDeliveryRows {
    pub(crate) deliveries: Vec<WebhookDeliveryRow>,
    pub(crate) payload: Vec<u8>,
}

/// A webhook delivery.
#[derive(Debug)]
pub(crate) struct WebhookDeliveryRow {
    pub(crate) hook: String,
    pub(crate) id: String,
    pub(crate) channel: Option<String>,
    pub(crate) is_due: bool,
    pub(crate) json: Vec<u8>,
}

/// A change to the tables of webhooks.
#[derive(Debug)]
pub(crate) enum WebhookWrite {
    /// Stores a hook, unless its owner has `most` of its type.
    PutHook {
        hook: HookId,
        owner: HookOwner,
        most: Option<usize>,
        json: Vec<u8>,
    },
    ChangeHook(HookId, HookChange),
    DropHook(String),
    DropHooksOf(String),
    Enqueue(DueDeliveryRows),
    UpdateDelivery {
        no: u64,
        hook: String,
        json: Vec<u8>,
        is_done: bool,
    },
}

impl RecordRow {
    /// Its size in the write queue.
    pub(crate) fn bytes(&self) -> usize {
        let messages = self.messages.iter().map(|message| message.json.len()).sum::<usize>();
        let lines = self.lines.iter().map(|line| line.json.get().len()).sum::<usize>();
        self.body.len()
            + messages
            + lines
            + self.due.iter().map(DueDeliveryRows::bytes).sum::<usize>()
            + self.settings.as_ref().map_or(0, Vec::len)
    }
}

impl DueDeliveryRows {
    pub(crate) fn bytes(&self) -> usize {
        self.payload.len() + self.deliveries.iter().map(|row| row.json.len() + WEBHOOK_ROW_BYTES).sum::<usize>()
    }
}

impl WebhookWrite {
    /// Its size in the write queue.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::PutHook { json, .. } | Self::UpdateDelivery { json, .. } => json.len() + WEBHOOK_ROW_BYTES,
            Self::Enqueue(due) => due.bytes(),
            Self::ChangeHook(..) | Self::DropHook(_) | Self::DropHooksOf(_) => WEBHOOK_ROW_BYTES,
        }
    }
}

//! Rows to write, already encoded. The caller's thread encodes them, so that the writer's thread only runs SQL.

use std::sync::Arc;

use bytes::Bytes;
use rogerrat_domain::webhook::{HookId, HookOwner};
use rogerrat_domain::{AccountId, ChannelId, MemberNo, MessageId};
use serde_json::value::RawValue;

/// What a webhook row takes beside its JSON, in bytes; an estimate.
const WEBHOOK_ROW_BYTES: usize = 160;

/// A record of a channel's log.
#[derive(Debug)]
pub(super) struct RecordRow {
    pub(super) channel: ChannelId,
    pub(super) seq: u64,
    pub(super) rid: [u8; 16],
    pub(super) at_ms: u64,
    /// Whether the record creates the channel.
    pub(super) creates: bool,
    /// The settings, if the record creates the channel or changes them.
    pub(super) settings: Option<Vec<u8>>,
    /// The account that creates the channel.
    pub(super) owner: Option<AccountId>,
    pub(super) body: Vec<u8>,
    pub(super) messages: Vec<MessageRow>,
    pub(super) lines: Vec<TranscriptRow>,
    pub(super) due: Vec<DueDeliveryRows>,
}

/// A message.
#[derive(Debug)]
pub(super) struct MessageRow {
    pub(super) id: MessageId,
    pub(super) from: MemberNo,
    pub(super) to: Option<MemberNo>,
    pub(super) json: Bytes,
}

/// A line of a transcript. `ends` are the sender and the recipient of a private message.
#[derive(Debug)]
pub(super) struct TranscriptRow {
    pub(super) dm_members: Option<(MemberNo, MemberNo)>,
    pub(super) json: Box<RawValue>,
}

/// The state of a channel after a record, and which messages it still needs.
#[derive(Debug)]
pub(super) struct SnapshotRow {
    pub(super) channel: ChannelId,
    pub(super) seq: u64,
    pub(super) body: Vec<u8>,
    /// Messages up to this id may be deleted, except those in `held`.
    pub(super) evicted_upto: MessageId,
    /// In ascending order.
    pub(super) held: Arc<[MessageId]>,
}

/// A webhook payload, encrypted, and the deliveries that need it.
#[derive(Debug)]
pub(super) struct DueDeliveryRows {
    pub(super) deliveries: Vec<WebhookDeliveryRow>,
    pub(super) payload: Vec<u8>,
}

/// A webhook delivery.
#[derive(Debug)]
pub(super) struct WebhookDeliveryRow {
    pub(super) hook: String,
    pub(super) id: String,
    pub(super) channel: Option<String>,
    pub(super) is_due: bool,
    pub(super) json: Vec<u8>,
}

/// A change to the tables of webhooks.
#[derive(Debug)]
pub(super) enum WebhookWrite {
    PutHook { hook: HookId, owner: HookOwner, json: Vec<u8> },
    DropHook(String),
    DropHooksOf(String),
    Enqueue(DueDeliveryRows),
    UpdateDelivery { no: u64, hook: String, json: Vec<u8>, is_done: bool },
}

impl RecordRow {
    /// Its size in the write queue.
    pub(super) fn bytes(&self) -> usize {
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
    pub(super) fn bytes(&self) -> usize {
        self.payload.len() + self.deliveries.iter().map(|row| row.json.len() + WEBHOOK_ROW_BYTES).sum::<usize>()
    }
}

impl WebhookWrite {
    /// Its size in the write queue.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::PutHook { json, .. } | Self::UpdateDelivery { json, .. } => json.len() + WEBHOOK_ROW_BYTES,
            Self::Enqueue(due) => due.bytes(),
            Self::DropHook(_) | Self::DropHooksOf(_) => WEBHOOK_ROW_BYTES,
        }
    }
}

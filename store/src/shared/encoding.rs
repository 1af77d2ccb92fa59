//! The JSON of records, settings and snapshots, as the database holds it. Callers encode and decode on their own
//! threads.

use rogerrat_actors::LogError;
use rogerrat_domain::webhook::{Delivery, DeliveryState, DueDelivery, HookId};
use rogerrat_domain::{ChannelId, Entry, Record, Snapshot};
use serde::{Deserialize, Serialize};

use crate::shared::rows::{DueDeliveryRows, MessageRow, RecordRow, SnapshotRow, TranscriptRow, WebhookDeliveryRow};

/// The version of a record's JSON.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct RecordJson<'r> {
    v: u32,
    at_ms: u64,
    entries: &'r [Entry],
}

#[derive(Deserialize)]
struct StoredRecord {
    at_ms: u64,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct RecordVersion {
    v: u32,
}

impl RecordRow {
    /// Encodes a record. `None` if it names a message whose text is not at hand.
    pub(crate) fn encode(record: Record) -> Option<Self> {
        let Record { channel, seq, fence, rid, at_ms, entries, transcript, due } = record;
        let created = match entries.first() {
            Some(Entry::Created { settings }) => Some(settings),
            _ => None,
        };
        let changed = entries.iter().rev().find_map(|entry| match entry {
            Entry::Settings { settings } => Some(settings),
            _ => None,
        });
        let (creates, owner) = (created.is_some(), created.and_then(|settings| settings.creator_account_id.clone()));
        let settings = match changed.or(created) {
            Some(settings) => Some(serde_json::to_vec(&**settings).ok()?),
            None => None,
        };
        let kept = entries.iter().filter_map(Entry::stored_message);
        let messages =
            kept.map(|m| m.has_body().then(|| MessageRow { id: m.id, from: m.from, to: m.to, json: m.json() }));
        let messages = messages.collect::<Option<Vec<_>>>()?;
        let body = serde_json::to_vec(&RecordJson { v: VERSION, at_ms, entries: &entries }).ok()?;
        let lines =
            transcript.into_iter().map(|line| TranscriptRow { dm_members: line.dm_members, json: line.json }).collect();
        let due = due.into_iter().map(DueDeliveryRows::encode).collect::<Result<_, _>>().ok()?;
        let rid = rid.to_be_bytes();
        Some(Self { channel, seq, fence, rid, at_ms, creates, settings, owner, body, messages, lines, due })
    }
}

impl SnapshotRow {
    pub(crate) fn encode(channel: &ChannelId, seq: u64, snapshot: &Snapshot) -> serde_json::Result<Self> {
        let body = serde_json::to_vec(snapshot)?;
        let mut held = snapshot.held().collect::<Vec<_>>();
        held.sort_unstable();
        Ok(Self { channel: channel.clone(), seq, body, evicted_upto: snapshot.evicted_upto(), held: held.into() })
    }
}

impl DueDeliveryRows {
    pub(crate) fn encode(due: DueDelivery) -> serde_json::Result<Self> {
        let encode = |(hook, delivery): (HookId, Delivery)| {
            Ok(WebhookDeliveryRow {
                hook: hook.to_string(),
                id: delivery.id.to_string(),
                channel: delivery.channel.as_ref().map(ToString::to_string),
                is_due: delivery.state == DeliveryState::Due,
                json: serde_json::to_vec(&delivery)?,
            })
        };
        Ok(Self {
            deliveries: due.deliveries.into_iter().map(encode).collect::<serde_json::Result<_>>()?,
            payload: due.hidden,
        })
    }
}

/// Decodes a record. It comes without transcript lines and deliveries, which are not part of its body.
pub(crate) fn decode_record(channel: &ChannelId, seq: u64, rid: [u8; 16], body: &[u8]) -> Result<Record, LogError> {
    let damaged = |what: String| LogError::Damaged(format!("record {seq} of channel {channel}: {what}"));
    match serde_json::from_slice(body) {
        Ok(RecordVersion { v: VERSION }) => {}
        Ok(RecordVersion { v }) => {
            return Err(damaged(format!("it has version {v}, and this rogerrat reads only version {VERSION}")));
        }
        Err(error) => return Err(damaged(error.to_string())),
    }
    let StoredRecord { at_ms, entries } = serde_json::from_slice(body).map_err(|error| damaged(error.to_string()))?;
    let rid = u128::from_be_bytes(rid);
    Ok(Record { channel: channel.clone(), seq, fence: 0, rid, at_ms, entries, transcript: Vec::new(), due: Vec::new() })
}

/// Decodes a value of a channel; `what` names it in the error.
pub(crate) fn decode_json<T: serde::de::DeserializeOwned>(
    channel: &ChannelId,
    what: &str,
    body: &[u8],
) -> Result<T, LogError> {
    serde_json::from_slice(body).map_err(|error| LogError::Damaged(format!("{what} of channel {channel}: {error}")))
}

//! How records, settings and snapshots stand in the database: JSON, made and read on the threads of those who ask.

use std::sync::Arc;

use bytes::Bytes;
use rogerrat_actors::LogError;
use rogerrat_domain::{AccountId, ChannelId, Entry, MemberNo, MessageId, Record};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::letters::Bundle;

/// The version of a record's JSON.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'r> {
    v: u32,
    at_ms: u64,
    entries: &'r [Entry],
}

#[derive(Deserialize)]
struct Read {
    at_ms: u64,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

/// A record as the writer needs it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) channel: ChannelId,
    pub(super) seq: u64,
    pub(super) rid: [u8; 16],
    pub(super) at_ms: u64,
    /// Whether the record creates the channel.
    pub(super) creates: bool,
    /// The settings, if the record creates the channel or changes them.
    pub(super) settings: Option<Vec<u8>>,
    /// The account that creates it.
    pub(super) owner: Option<AccountId>,
    pub(super) body: Vec<u8>,
    pub(super) messages: Vec<Text>,
    pub(super) lines: Vec<Said>,
    pub(super) due: Vec<Bundle>,
}

/// A message that is kept.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) id: MessageId,
    pub(super) from: MemberNo,
    pub(super) to: Option<MemberNo>,
    pub(super) json: Bytes,
}

/// A line of the transcript.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) ends: Option<(MemberNo, MemberNo)>,
    pub(super) json: Box<RawValue>,
}

impl Draft {
    /// Writes a record down; none if it cannot be, because it names a message whose text is not at hand.
    pub(super) fn of(record: Record) -> Option<Self> {
        let Record { channel, seq, rid, at_ms, entries, transcript, due } = record;
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
        let kept = entries.iter().filter_map(Entry::kept_message);
        let messages = kept.map(|m| m.is_whole().then(|| Text { id: m.id, from: m.from, to: m.to, json: m.json() }));
        let messages = messages.collect::<Option<Vec<_>>>()?;
        let body = serde_json::to_vec(&Written { v: VERSION, at_ms, entries: &entries }).ok()?;
        let lines = transcript.into_iter().map(|line| Said { ends: line.ends, json: line.json }).collect();
        let due = due.into_iter().map(Bundle::of).collect::<Result<_, _>>().ok()?;
        let rid = rid.to_be_bytes();
        Some(Self { channel, seq, rid, at_ms, creates, settings, owner, body, messages, lines, due })
    }

    /// What it weighs, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.messages.iter().map(|message| message.json.len()).sum::<usize>();
        let lines = self.lines.iter().map(|line| line.json.get().len()).sum::<usize>();
        self.body.len()
            + texts
            + lines
            + self.due.iter().map(Bundle::bytes).sum::<usize>()
            + self.settings.as_ref().map_or(0, Vec::len)
    }
}

/// Reads a record.
pub(super) fn record(channel: &ChannelId, seq: u64, rid: [u8; 16], body: &[u8]) -> Result<Record, LogError> {
    let damaged = |what: String| LogError::Damaged(format!("record {seq} of channel {channel}: {what}"));
    match serde_json::from_slice(body) {
        Ok(Versioned { v: VERSION }) => {}
        Ok(Versioned { v }) => return Err(damaged(format!("it has version {v}, and only {VERSION} is known"))),
        Err(error) => return Err(damaged(error.to_string())),
    }
    let Read { at_ms, entries } = serde_json::from_slice(body).map_err(|error| damaged(error.to_string()))?;
    let rid = u128::from_be_bytes(rid);
    Ok(Record { channel: channel.clone(), seq, rid, at_ms, entries, transcript: Vec::new(), due: Vec::new() })
}

/// Reads what is kept as one piece of JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    channel: &ChannelId,
    what: &str,
    body: &[u8],
) -> Result<T, LogError> {
    serde_json::from_slice(body).map_err(|error| LogError::Damaged(format!("{what} of channel {channel}: {error}")))
}

/// The ids of a snapshot that the writer needs, and the snapshot.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) channel: ChannelId,
    pub(super) seq: u64,
    pub(super) body: Vec<u8>,
    pub(super) departed: MessageId,
    /// In order.
    pub(super) held: Arc<[MessageId]>,
}

impl Folded {
    pub(super) fn of(channel: &ChannelId, seq: u64, snapshot: &rogerrat_domain::Snapshot) -> serde_json::Result<Self> {
        let body = serde_json::to_vec(snapshot)?;
        let mut held = snapshot.held().collect::<Vec<_>>();
        held.sort_unstable();
        Ok(Self { channel: channel.clone(), seq, body, departed: snapshot.departed(), held: held.into() })
    }
}

//! Records, snapshots and hooks to put into a store.

use std::sync::Arc;

use rogerrat_domain::transcript::TranscriptEvent;
use rogerrat_domain::webhook::{Delivery, DueDelivery, Hook, HookId, HookOwner, MESSAGE_RECEIVED, Retry, Secret};
use rogerrat_domain::{
    BacklogLimits, Callsign, Channel, ChannelId, Durability, Encryptor, Entry, HubKey, MemberNo, Message, MessageId,
    Now, Record, Rules, Settings, Snapshot, TokenHash,
};
use serde_json::json;

pub(crate) fn channel(name: &str) -> ChannelId {
    ChannelId::parse(name).unwrap()
}

pub(crate) fn message(id: MessageId, from: MemberNo, to: Option<MemberNo>, text: &str) -> Arc<Message> {
    let json = json!({"id": id, "from": "ann", "to": "all", "text": text, "at": 6}).to_string();
    Arc::new(Message::from_json(id, from, to, json.as_bytes()).unwrap())
}

pub(crate) fn sent(id: MessageId, text: &str) -> Entry {
    Entry::Sent { message: message(id, 1, None, text), to: "all".into(), key: None, task: None }
}

pub(crate) fn created() -> Entry {
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("token"), 5) };
    Entry::Created { settings: Arc::new(settings) }
}

/// A record whose `rid` is derived from its channel and number.
pub(crate) fn record(name: &str, seq: u64, entries: Vec<Entry>) -> Record {
    let rid = name.bytes().fold(u128::from(seq), |rid, byte| rid * 257 + u128::from(byte));
    let transcript = entries
        .iter()
        .filter_map(Entry::stored_message)
        .map(|m| {
            TranscriptEvent::Message {
                ts: 6,
                from: "ann",
                to: "all",
                text: &String::from_utf8_lossy(&m.json()),
                verified: None,
            }
            .line(m.to.map(|to| (m.from, to)))
        })
        .collect();
    Record { channel: channel(name), seq, fence: 0, rid, at_ms: 6, entries, transcript, due: Vec::new() }
}

/// The state of a channel that has evicted its messages up to an id, except those held.
pub(crate) fn snapshot(evicted_upto: MessageId, held: &[MessageId]) -> Snapshot {
    let now = Now { at_ms: 5, uptime_ms: 0 };
    let backlog = BacklogLimits { messages: 1000, bytes: 1 << 20 };
    let key = HubKey::new([7; 32]);
    let rules = Rules { key, sends_per_minute: None, backlog, idle_ms: None, idle_lossless_ms: None };
    let Entry::Created { settings } = created() else { unreachable!() };
    let mut state = Channel::open(channel("c"), settings, rules.into(), 0, None, now);
    state.replay([joined()].iter(), now);
    let mut written = serde_json::to_value(state.snapshot(None, now)).unwrap();
    written["departed"]["any"] = evicted_upto.into();
    written["members"][0]["held"] = held.into();
    serde_json::from_value(written).unwrap()
}

pub(crate) fn joined() -> Entry {
    let callsign = Callsign::parse("ann").unwrap();
    Entry::Joined {
        no: 1,
        callsign,
        generation: 1,
        own_session: None,
        identity: None,
        cursor: 0,
        shown_upto: 0,
        about: None,
        at_ms: 5,
    }
}

/// A hook whose secret decrypts with a hub's key.
pub(crate) fn hook(key: &HubKey, n: u128, owner: HookOwner) -> Hook {
    let (id, secret) = (HookId::from_random(n), Secret::from_bytes([7; 24]));
    let secret =
        Encryptor::new(key, "webhook secret").encrypt_text(secret.text().as_bytes(), id.as_str(), [1; 24]).into();
    let (url, retry) = ("https://hook.example.org/".into(), Retry::Immediate);
    let (previous, format, push) = (None, None, None);
    Hook { id, owner, url, retry, created_ms: 5, secret, previous, format, failures: 0, off_ms: None, push }
}

/// A due delivery of a test event, or of a message of a channel.
pub(crate) fn due(key: &HubKey, hook: &Hook, channel: Option<ChannelId>) -> DueDelivery {
    let message = channel.as_ref().map(|_| 7);
    let delivery = Delivery::due(9, MESSAGE_RECEIVED, channel, message, 5);
    let hidden = Encryptor::new(key, "webhook message").encrypt(b"{}", &delivery.context(), [2; 24]);
    DueDelivery { deliveries: vec![(hook.id.clone(), delivery)], hidden }
}

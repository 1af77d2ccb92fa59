//! What every log must do, as functions that take a new log. Each store runs them in its own tests.

use std::sync::Arc;

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log, PreviousOwner};
use rogerrat_domain::{
    BacklogLimits, Channel, ChannelId, Durability, Entry, HubKey, MemberNo, Message, MessageId, Now, Record, Rules,
    Settings, Snapshot, TokenHash,
};

/// The channel of a contract.
pub(crate) fn channel(name: &str) -> ChannelId {
    ChannelId::parse(name).unwrap()
}

fn settings() -> Arc<Settings> {
    Arc::new(Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("token"), 5) })
}

/// A record of one entry, or of the creation. Its `rid` follows from its channel and number.
pub(crate) fn record(name: &str, fence: u64, seq: u64, entry: Option<Entry>) -> Record {
    let rid = name.bytes().fold(u128::from(seq), |rid, byte| rid * 257 + u128::from(byte));
    let entries = vec![entry.unwrap_or_else(|| Entry::Created { settings: settings() })];
    Record { channel: channel(name), seq, fence, rid, at_ms: 6, entries, transcript: Vec::new(), due: Vec::new() }
}

/// A message of a size.
pub(crate) fn sent(id: MessageId, bytes: usize) -> Option<Entry> {
    let json = format!(r#"{{"id":{id},"from":"ann","to":"all","text":"{}","at":6}}"#, "x".repeat(bytes));
    let (from, to): (MemberNo, Option<MemberNo>) = (1, None);
    let message = Arc::new(Message::from_json(id, from, to, json.as_bytes()).unwrap());
    Some(Entry::Sent { message, to: "all".into(), key: None, task: None })
}

/// The state of a channel that has assigned ids up to one.
pub(crate) fn snapshot(name: &str, last_id: MessageId) -> Snapshot {
    let now = Now { at_ms: 5, uptime_ms: 0 };
    let backlog = BacklogLimits { messages: 1000, bytes: 1 << 20 };
    let key = HubKey::new([7; 32]);
    let rules = Rules { key, sends_per_minute: None, backlog, idle_ms: None, idle_lossless_ms: None };
    Channel::open(channel(name), settings(), rules.into(), last_id, None, now).snapshot(Some(7), now)
}

/// Creates a channel, takes it and appends messages 1 to `messages`. Returns the fence.
pub(crate) async fn fill(log: &dyn Log, name: &str, messages: u64) -> u64 {
    assert_eq!(log.append(record(name, 0, 1, None)).await, AppendResult::Done);
    let fence = log.take(&channel(name)).await.unwrap().fence;
    for id in 1..=messages {
        assert_eq!(log.append(record(name, fence, id + 1, sent(id, 10))).await, AppendResult::Done);
    }
    fence
}

/// Runs every contract of a log that one hub uses, each on a new log.
pub(crate) async fn a_log<L: Log>(new: impl Fn() -> L) {
    appends_are_in_order_and_once(&new()).await;
    a_conflict_leaves_the_other_channels_alone(&new()).await;
    a_channel_is_taken_with_everything_appended_before(&new()).await;
    a_channel_given_up_can_be_taken_again(&new()).await;
    compactions_never_go_back(&new()).await;
    a_deleted_channel_takes_no_record(&new()).await;
    reserved_ids_never_decrease(&new()).await;
    large_records_are_stored_like_small_ones(&new()).await;
}

async fn appends_are_in_order_and_once(log: &dyn Log) {
    assert_eq!(log.append(record("c", 0, 2, sent(1, 1))).await, AppendResult::Conflict, "it does not exist");
    let fence = fill(log, "c", 2).await;
    assert_eq!(log.append(record("c", fence, 3, sent(2, 10))).await, AppendResult::Done, "it is repeated");
    for seq in [1, 2, 3, 5] {
        let other = Record { rid: 5, ..record("c", fence, seq, sent(9, 1)) };
        assert_eq!(log.append(other).await, AppendResult::Conflict, "{seq}");
    }
    let taken = Record { rid: 5, ..record("c", 0, 1, None) };
    assert_eq!(log.append(taken).await, AppendResult::Conflict, "its id is taken");
    let stored = log.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len(), stored.backlog.len()), (3, 3, 2));
    assert!(log.messages(&channel("c"), vec![9]).await.unwrap().is_empty());
}

async fn a_conflict_leaves_the_other_channels_alone(log: &dyn Log) {
    let (c, d) = (fill(log, "c", 1).await, fill(log, "d", 1).await);
    let conflicting = Record { rid: 5, ..record("c", c, 2, sent(9, 1)) };
    let batch =
        [record("d", d, 3, sent(2, 1)), conflicting, record("d", d, 4, sent(3, 1)), record("c", c, 3, sent(2, 1))];
    let appended = join_all(batch.map(|record| log.append(record))).await;
    use AppendResult::{Conflict, Done};
    assert_eq!(appended, [Done, Conflict, Done, Done]);
}

async fn a_channel_is_taken_with_everything_appended_before(log: &dyn Log) {
    let fence = fill(log, "c", 0).await;
    let appends: Vec<_> = (1..200).map(|id| log.append(record("c", fence, id + 1, sent(id, 10)))).collect();
    let taken = log.take(&channel("c"));
    drop(appends);
    let stored = taken.await.unwrap();
    assert_eq!((stored.seq, stored.records.len()), (200, 200), "nothing waited for the appends");
    assert!(stored.records.iter().zip(1..).all(|(record, seq)| record.seq == seq));
    assert_eq!(log.take(&channel("d")).await.unwrap().seq, 0, "it does not exist");
}

async fn a_channel_given_up_can_be_taken_again(log: &dyn Log) {
    let fence = fill(log, "c", 3).await;
    log.give_up(&channel("c"), fence, 4, snapshot("c", 3)).await.unwrap();
    let stored = log.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len(), stored.backlog.len()), (4, 0, 3));
    assert_eq!(stored.snapshot.map(|snapshot| (snapshot.last_id(), snapshot.unloaded_in())), Some((3, Some(7))));
    assert!(!matches!(stored.previous_owner, PreviousOwner::Lost { .. }));
    assert_eq!(log.append(record("c", stored.fence, 5, sent(4, 1))).await, AppendResult::Done);
}

async fn compactions_never_go_back(log: &dyn Log) {
    let fence = fill(log, "c", 5).await;
    log.compact(&channel("c"), fence, 5, snapshot("c", 4)).await.unwrap();
    log.compact(&channel("c"), fence, 3, snapshot("c", 2)).await.unwrap();
    assert!(log.compact(&channel("c"), fence, 9, snapshot("c", 9)).await.is_err(), "there is no such record");
    let stored = log.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len()), (6, 1));
    assert_eq!(stored.snapshot.map(|snapshot| snapshot.last_id()), Some(4));
    assert!(log.compact(&channel("d"), fence, 1, snapshot("d", 1)).await.is_err(), "it does not exist");
}

async fn a_deleted_channel_takes_no_record(log: &dyn Log) {
    let fence = fill(log, "c", 2).await;
    assert!(log.delete_channel(&channel("c")).await.unwrap());
    assert!(!log.delete_channel(&channel("c")).await.unwrap());
    assert_eq!(log.append(record("c", fence, 4, sent(3, 1))).await, AppendResult::Conflict);
    assert!(log.compact(&channel("c"), fence, 3, snapshot("c", 2)).await.is_err());
    assert!(log.find(&channel("c")).await.unwrap().is_none());
    assert_eq!(log.take(&channel("c")).await.unwrap().seq, 0);
}

async fn reserved_ids_never_decrease(log: &dyn Log) {
    log.reserve_ids(90).await.unwrap();
    log.reserve_ids(70).await.unwrap();
    assert_eq!(log.id_high_water_mark(), 90);
}

async fn large_records_are_stored_like_small_ones(log: &dyn Log) {
    let fence = fill(log, "c", 0).await;
    // More than the bytes of one batch.
    let appends = (1..=12).map(|id| log.append(record("c", fence, id + 1, sent(id, 1 << 20))));
    assert_eq!(join_all(appends).await, [AppendResult::Done; 12]);
    let all = log.messages(&channel("c"), (1..=12).collect()).await.unwrap();
    assert!(all.len() == 12 && all.iter().all(|message| message.json().len() > 1 << 20));
}

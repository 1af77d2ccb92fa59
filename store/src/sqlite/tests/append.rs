//! Appends: stored completely, in order, once.

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log as _, StoredSummary, TRANSCRIPT_PAGE_LINES, TranscriptPart};
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{Entry, Message};
use rusqlite::Connection;

use super::super::Store;
use super::fixtures::{TempDir, channel, created, fill, record, sent, snapshot};

#[actix_rt::test]
async fn a03_appended_records_survive_reopening() {
    let dir = TempDir::new();
    {
        let store = dir.open();
        let first = record("c", 1, vec![created(), Entry::Left { no: 1, evicted: false }]);
        let appends = [store.append(first), store.append(record("c", 2, vec![sent(7, "hi"), sent(8, "you")]))];
        assert_eq!(join_all(appends).await, [AppendResult::Done; 2]);
    }
    let store = dir.open();
    let stored = store.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len(), stored.snapshot.is_none()), (2, 2, true));
    assert!(matches!(stored.records[0].entries[..], [Entry::Created { .. }, Entry::Left { no: 1, .. }]));
    assert_eq!(stored.records[1].rid, record("c", 2, vec![]).rid);
    let messages = store.messages(&channel("c"), vec![8, 9, 7]).await.unwrap();
    assert_eq!(messages.iter().map(|m| m.id).collect::<Vec<_>>(), [8, 7]);
    assert_eq!(messages[0].json(), sent(8, "you").stored_message().unwrap().json());
    let weights = stored.backlog.iter().map(|s| (s.id, s.from, s.to, s.weight_bytes)).collect::<Vec<_>>();
    let weight =
        |id, text| sent(id, text).stored_message().map(|m: &std::sync::Arc<Message>| m.weight_bytes()).unwrap();
    assert_eq!(weights, [(7, 1, None, weight(7, "hi")), (8, 1, None, weight(8, "you"))]);
    let transcript = store.transcript(&channel("c"), TranscriptPart::Last(1)).await.unwrap();
    assert!(transcript.lines.len() == 1 && transcript.lines[0].json.get().contains("you"));
    assert!(store.find(&channel("c")).await.unwrap().unwrap().is_durable());
    assert!(store.find(&channel("d")).await.unwrap().is_none());
    assert_eq!(store.take(&channel("d")).await.unwrap().seq, 0);
    assert_eq!(store.count().await.unwrap(), 1);
}

#[actix_rt::test]
async fn a_repeated_append_succeeds_and_one_out_of_order_conflicts() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 2, "hi").await;
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
    assert_eq!(store.append(record("c", 2, vec![sent(1, "hi")])).await, AppendResult::Done);
    let other = |seq| rogerrat_domain::Record { rid: 5, ..record("c", seq, vec![sent(9, "no")]) };
    for seq in [1, 2, 3, 5] {
        assert_eq!(store.append(other(seq)).await, AppendResult::Conflict, "{seq}");
    }
    let taken = rogerrat_domain::Record { rid: 5, ..record("c", 1, vec![created()]) };
    assert_eq!(store.append(taken).await, AppendResult::Conflict);
    assert_eq!(store.append(record("d", 2, vec![])).await, AppendResult::Conflict);
    assert!(store.messages(&channel("c"), vec![9]).await.unwrap().is_empty());
    drop(store);
    let store = dir.open();
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
    assert_eq!(store.append(other(4)).await, AppendResult::Done);
}

#[actix_rt::test]
async fn compaction_stores_the_state_and_deletes_what_it_replaces() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 5, "hi").await;
    store.compact(&channel("c"), 0, 5, snapshot(3, &[2])).await.unwrap();
    let stored = store.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.snapshot.unwrap().evicted_upto()), (6, 3));
    assert_eq!(stored.records.iter().map(|r| r.seq).collect::<Vec<_>>(), [6]);
    assert_eq!(stored.backlog.iter().map(|s| s.id).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(store.messages(&channel("c"), vec![1, 2, 3, 4]).await.unwrap().len(), 2);
    // An older snapshot is ignored; one beyond the last record is refused.
    store.compact(&channel("c"), 0, 4, snapshot(1, &[])).await.unwrap();
    assert!(store.compact(&channel("c"), 0, 9, snapshot(1, &[])).await.is_err());
    store.compact(&channel("c"), 0, 6, snapshot(5, &[])).await.unwrap();
    let stored = store.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len(), stored.backlog.len()), (6, 0, 0));
    // The id of the last record survives compaction.
    drop(store);
    let store = dir.open();
    assert_eq!(store.append(record("c", 6, vec![sent(5, "hi")])).await, AppendResult::Done);
    assert_eq!(store.append(record("c", 7, vec![sent(6, "hi")])).await, AppendResult::Done);
}

#[actix_rt::test]
async fn a_band_is_stored_but_is_not_listed_as_a_channel() {
    let dir = TempDir::new();
    let store = dir.open();
    assert_eq!(
        store.append(record("general", 1, vec![Entry::Left { no: 1, evicted: false }])).await,
        AppendResult::Done
    );
    assert_eq!(store.take(&channel("general")).await.unwrap().seq, 1);
    assert!(store.find(&channel("general")).await.unwrap().is_none());
    assert_eq!((store.count().await.unwrap(), store.unused(0..u64::MAX, 9).await.unwrap().len()), (0, 0));
}

#[actix_rt::test]
async fn a_load_includes_appends_queued_before_it() {
    let dir = TempDir::new();
    let store = dir.open();
    let appends = (1..=200)
        .map(|seq| store.append(record("c", seq, vec![Entry::Left { no: 1, evicted: false }])))
        .collect::<Vec<_>>();
    let taken = store.take(&channel("c"));
    drop(appends);
    assert_eq!(taken.await.unwrap().seq, 200);
}

#[actix_rt::test]
async fn unused_channels_are_listed_oldest_first() {
    let dir = TempDir::new();
    let store = dir.open();
    for name in ["a", "b", "c"] {
        fill(&store, name, 0, "").await;
    }
    store.used(vec![(channel("a"), 30), (channel("b"), 20), (channel("x"), 1), (channel("c"), 2)]).await.unwrap();
    assert_eq!(store.unused(0..30, 9).await.unwrap(), [channel("c"), channel("b")]);
    assert_eq!(store.unused(0..31, 1).await.unwrap(), [channel("c")]);
}

#[actix_rt::test]
async fn the_latest_channels_are_listed_with_their_settings() {
    let dir = TempDir::new();
    let store = dir.open();
    for name in ["a", "b", "c"] {
        fill(&store, name, 0, "").await;
    }
    store.used(vec![(channel("a"), u64::MAX >> 2), (channel("c"), u64::MAX >> 1)]).await.unwrap();
    let ids = |found: Vec<StoredSummary>| found.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.latest(2).await.unwrap()), [channel("c"), channel("a")]);
    let all = store.latest(9).await.unwrap();
    assert!(all.iter().all(|row| !row.settings.is_band && row.settings.token.is_some()));
    assert_eq!(ids(all).len(), 3);
}

#[actix_rt::test]
async fn d10_reserved_ids_never_decrease_and_metadata_persists() {
    let dir = TempDir::new();
    {
        let store = dir.open();
        assert_eq!((store.id_high_water_mark(), store.get_meta("run").await.unwrap()), (0, None));
        store.reserve_ids(90).await.unwrap();
        store.reserve_ids(70).await.unwrap();
        store.put_meta("run", "1 open 0".into()).await.unwrap();
        assert_eq!(store.id_high_water_mark(), 90);
    }
    let store = dir.open();
    assert_eq!(store.id_high_water_mark(), 90);
    assert_eq!(store.get_meta("run").await.unwrap().as_deref(), Some("1 open 0"));
    let probes = join_all((0..20).map(|_| store.probe())).await;
    assert!(probes.iter().all(Result::is_ok) && store.is_healthy());
}

/// All pages of the transcript of channel `c`: the lines, and how many are damaged.
async fn all_lines(store: &Store, limit: usize) -> (Vec<TranscriptLine>, usize) {
    let (mut lines, mut damaged, mut part) = (Vec::new(), 0, Some(TranscriptPart::Last(limit)));
    while let Some(next) = part {
        let page = store.transcript(&channel("c"), next).await.unwrap();
        assert!(page.lines.len() <= TRANSCRIPT_PAGE_LINES);
        lines.extend(page.lines);
        (damaged, part) = (damaged + page.damaged, page.rest);
    }
    (lines, damaged)
}

#[actix_rt::test]
async fn a_damaged_line_of_a_transcript_does_not_hide_the_others() {
    let dir = TempDir::new();
    let store = dir.open();
    let lines = (1..=20).map(|id| sent(id, "hi")).collect();
    assert_eq!(store.append(record("c", 1, lines)).await, AppendResult::Done);
    let other = Connection::open(dir.file("hub.db")).unwrap();
    for (n, damage) in [(2, "json = x'fffe'"), (5, "json = x''"), (9, "json = x'7b22'"), (20, "from_no = 7")] {
        other.execute_batch(&format!("UPDATE transcript SET {damage} WHERE n = {n}")).unwrap();
    }
    let (lines, damaged) = all_lines(&store, 100).await;
    assert_eq!((lines.len(), damaged), (16, 4));
    assert_eq!(all_lines(&store, 3).await.0.len(), 2, "the last three, one of which is damaged");
}

#[actix_rt::test]
async fn a_transcript_keeps_its_newest_lines() {
    let dir = TempDir::new();
    let store = dir.open();
    for seq in 1..=21 {
        let lines = (1..=500).map(|id| sent(seq * 1000 + id, "hi")).collect();
        assert_eq!(store.append(record("c", seq, lines)).await, AppendResult::Done);
    }
    let lines = all_lines(&store, usize::MAX).await.0;
    assert_eq!(lines.len(), 10_000);
    assert!(lines[0].json.get().contains(r#"\"id\":2001,"#) && lines[9999].json.get().contains(r#"\"id\":21500,"#));
}

#[actix_rt::test]
async fn a_closed_store_leaves_no_wal_and_refuses_calls() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 5, "hi").await;
    store.close();
    assert_eq!(store.append(record("c", 7, vec![sent(9, "hi")])).await, AppendResult::Busy);
    assert!(store.take(&channel("c")).await.is_err() && !store.is_healthy());
    let names = dir.files().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["hub.db", "hub.key", "lock"]);
    drop(store);
    assert_eq!(dir.open().take(&channel("c")).await.unwrap().seq, 6);
}

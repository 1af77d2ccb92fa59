//! What is stored of a channel, and what is left of a deleted one.

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log as _, TRANSCRIPT_PAGE_LINES, TranscriptPart};
use rogerrat_domain::Entry;
use rogerrat_testkit::{Postgres, wait_until};

use super::fixtures::{channel, fill, open, owned, record, sent, snapshot};
use crate::PostgresStore;

/// All pages of the transcript of channel `c`, and how many lines are damaged.
async fn all_lines(store: &PostgresStore, limit: usize) -> (Vec<String>, usize) {
    let (mut lines, mut damaged, mut part) = (Vec::new(), 0, Some(TranscriptPart::Last(limit)));
    while let Some(next) = part {
        let page = store.transcript(&channel("c"), next).await.unwrap();
        assert!(page.lines.len() <= TRANSCRIPT_PAGE_LINES);
        lines.extend(page.lines.iter().map(|line| line.json.get().to_owned()));
        (damaged, part) = (damaged + page.damaged, page.rest);
    }
    (lines, damaged)
}

#[actix_rt::test]
async fn a_transcript_keeps_its_newest_lines() {
    let Some(server) = Postgres::shared() else { return };
    let store = open(&server.database());
    let fence = fill(&store, "c", 0, "").await;
    let appends = (2..=22).map(|seq| {
        let messages = (1..=500).map(|id| sent(seq * 1000 + id, "hi")).collect();
        store.append(owned("c", fence, seq, messages))
    });
    assert_eq!(join_all(appends).await, [AppendResult::Done; 21]);
    let (lines, damaged) = all_lines(&store, usize::MAX).await;
    assert_eq!((lines.len(), damaged), (10_000, 0));
    assert!(lines[0].contains(r#"\"id\":3001,"#) && lines[9999].contains(r#"\"id\":22500,"#));
}

#[actix_rt::test]
async fn nothing_is_readable_in_the_database_and_nothing_is_left_of_a_deleted_channel() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    let fence = fill(&store, "c", 20, "a text to hide").await;
    store.compact(&channel("c"), fence, 5, snapshot(3, &[2])).await.unwrap();
    let stored = store.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.records.len(), stored.backlog.len()), (21, 16, 18));
    assert_eq!(stored.snapshot.unwrap().evicted_upto(), 3);
    assert!(all_lines(&store, 3).await.0[2].contains("a text to hide"));
    let tables = ["messages", "transcript", "records", "snapshots"];
    for table in tables {
        let with = format!("SELECT count(*) FROM {table} t WHERE position('hide' in encode(t.body, 'escape')) > 0");
        let with = if table == "transcript" { with.replace("t.body", "t.json") } else { with };
        assert_eq!(server.sql(&url, with), "0", "{table}");
        assert_ne!(server.sql(&url, format!("SELECT count(*) FROM {table}")), "0", "{table}");
    }
    // A row that was put in the place of another is not taken for it.
    server.sql(&url, "UPDATE transcript SET json = (SELECT json FROM transcript WHERE n = 1) WHERE n = 2");
    assert_eq!(all_lines(&store, 100).await.1, 1);
    assert!(store.delete_channel(&channel("c")).await.unwrap());
    for table in ["channels", "erasing"].iter().chain(&tables) {
        wait_until("the rows are deleted", || server.sql(&url, format!("SELECT count(*) FROM {table}")) == "0");
    }
}

#[actix_rt::test]
async fn a_band_is_stored_but_is_not_listed_as_a_channel() {
    let Some(server) = Postgres::shared() else { return };
    let store = open(&server.database());
    let band = channel("general");
    let fence = store.take(&band).await.unwrap().fence;
    store.give_up(&band, fence, 0, snapshot(0, &[])).await.unwrap();
    let fence = store.take(&band).await.unwrap().fence;
    let left = || vec![Entry::Left { no: 1, evicted: false }];
    assert_eq!(store.append(owned("general", fence, 1, left())).await, AppendResult::Done);
    assert_eq!(store.take(&band).await.unwrap().seq, 1);
    assert!(store.find(&band).await.unwrap().is_none());
    assert_eq!((store.count().await.unwrap(), store.unused(0..u64::MAX, 9).await.unwrap().len()), (0, 0));
    assert_eq!(store.append(record("c", 1, left())).await, AppendResult::Done, "without an owner");
}

#[actix_rt::test]
async fn channels_are_listed_by_their_use() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (store, other) = (open(&url), open(&url));
    for name in ["a", "b", "c"] {
        fill(&store, name, 0, "").await;
    }
    store.used(vec![(channel("a"), 30), (channel("b"), 20), (channel("x"), 1), (channel("c"), 2)]).await.unwrap();
    assert_eq!(store.unused(0..30, 9).await.unwrap(), [channel("c"), channel("b")]);
    assert_eq!(store.unused(0..31, 1).await.unwrap(), [channel("c")]);
    assert!(other.unused(0..u64::MAX, 9).await.unwrap().is_empty(), "another instance uses them");
    store.used(vec![(channel("b"), u64::MAX >> 2), (channel("c"), 40)]).await.unwrap();
    let latest = store.latest(2).await.unwrap();
    assert_eq!(latest.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(other.count().await.unwrap(), 3);
}

#[actix_rt::test]
async fn metadata_and_rows_are_shared() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (store, other) = (open(&url), open(&url));
    store.put_meta("run", "1 open 0".into()).await.unwrap();
    assert_eq!(other.get_meta("run").await.unwrap().as_deref(), Some("1 open 0"));
    assert_eq!(other.get_meta("key").await.unwrap(), None);
    store.put_row("kind", "one".into(), Some("text".into())).await.unwrap();
    store.put_row("kind", "two".into(), Some("gone".into())).await.unwrap();
    store.put_row("kind", "two".into(), None).await.unwrap();
    assert_eq!(other.rows("kind").await.unwrap(), [("one".to_owned(), "text".to_owned())]);
    assert_eq!(other.row("kind", "one").await.unwrap().as_deref(), Some("text"));
    assert_eq!(other.row("kind", "two").await.unwrap(), None);
}

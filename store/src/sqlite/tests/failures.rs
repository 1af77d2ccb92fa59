//! Failing writes: each is refused completely, and the store recovers by itself.

use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log as _};
use rogerrat_domain::Record;
use rusqlite::Connection;

use super::super::write_request::{ReplySender, WriteOp};
use super::fixtures::{TempDir, channel, created, fill, record, sent, snapshot};
use crate::{Store, StoreOptions};

/// Waits until the store is healthy.
async fn wait_until_healthy(store: &Store) {
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        while !store.is_healthy() {
            interval.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the store should recover");
}

/// Appends messages to a channel until the store is full. Returns the number of the last record.
async fn fill_up(store: &Store, name: &str) -> u64 {
    assert_eq!(store.append(record(name, 1, vec![created()])).await, AppendResult::Done);
    let text = "x".repeat(8000);
    for seq in 2..10_000 {
        match store.append(record(name, seq, vec![sent(seq, &text), sent(100_000 + seq, &text)])).await {
            AppendResult::Done => {}
            AppendResult::Refused => return seq - 1,
            other => panic!("unexpected result on a full disk: {other:?}"),
        }
    }
    panic!("the store did not become full");
}

/// Fills a store, checks what still works, frees space and checks the recovery.
async fn fills_up_and_recovers(dir: &TempDir, options: StoreOptions, free_space: impl AsyncFnOnce(&Store)) {
    let store = Store::open(dir.path(), options).unwrap();
    fill(&store, "big", 60, &"y".repeat(8000)).await;
    let last = fill_up(&store, "c").await;
    assert!(!store.is_healthy());
    // No record is partially written.
    let stored = store.take(&channel("c")).await.unwrap();
    assert_eq!((stored.seq, stored.backlog.len() as u64), (last, 2 * (last - 1)));
    assert_eq!(stored.records.len() as u64, last);
    // Reads still work.
    assert_eq!(store.messages(&channel("big"), vec![1, 60]).await.unwrap().len(), 2);
    free_space(&store).await;
    wait_until_healthy(&store).await;
    store.probe().await.unwrap();
    let again = record("c", last + 1, vec![sent(last + 1, &"x".repeat(8000)), sent(100_001 + last, "x")]);
    assert_eq!(store.append(again).await, AppendResult::Done);
    drop(store);
    assert_eq!(dir.open().take(&channel("c")).await.unwrap().seq, last + 1);
}

#[actix_rt::test]
async fn a_database_at_its_size_limit_refuses_writes_and_recovers() {
    fills_up_and_recovers(&TempDir::new(), StoreOptions { max_mib: 2, truncate_wal_after_ms: 0 }, async |store| {
        store.delete_channel(&channel("big")).await.unwrap();
    })
    .await;
}

#[actix_rt::test]
async fn a_full_disk_refuses_writes_and_recovers() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.path()).unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=10m,mode=700", "tmpfs"]).arg(dir.path()).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("\n!!! SKIPPED: no small file system can be mounted here; the full disk was not tested !!!\n");
        return;
    }
    struct Mounted<'f>(&'f TempDir);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0.path()).status();
        }
    }
    let _mounted = Mounted(&dir);
    let ballast = dir.file("ballast");
    std::fs::write(&ballast, vec![1; 5 << 20]).unwrap();
    fills_up_and_recovers(&dir, StoreOptions { max_mib: 0, truncate_wal_after_ms: 0 }, async |_| {
        std::fs::remove_file(ballast).unwrap();
    })
    .await;
}

#[actix_rt::test]
async fn a_small_record_fits_after_a_large_one_was_refused() {
    let dir = TempDir::new();
    let store = Store::open(dir.path(), StoreOptions { max_mib: 1, truncate_wal_after_ms: 0 }).unwrap();
    fill(&store, "c", 1, "hi").await;
    let huge = store.append(record("c", 3, vec![sent(3, &"x".repeat(900_000)), sent(4, &"x".repeat(900_000))]));
    assert_eq!(huge.await, AppendResult::Refused);
    assert!(!store.is_healthy());
    assert_eq!(store.append(record("c", 3, vec![sent(3, "hi")])).await, AppendResult::Done);
    assert!(store.is_healthy());
}

#[actix_rt::test]
async fn a_foreign_lock_is_waited_for_and_then_the_write_is_refused() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    let other = Connection::open(dir.file("hub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Refused);
    assert!(!store.is_healthy() && store.probe().await.is_err());
    other.execute_batch("ROLLBACK").unwrap();
    wait_until_healthy(&store).await;
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
}

/// Makes every commit of a record fail after all its statements succeeded.
const SABOTAGE: &str = "
    CREATE TABLE mother (id INTEGER PRIMARY KEY);
    CREATE TABLE child (mother INTEGER REFERENCES mother (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER sabotage AFTER INSERT ON messages BEGIN INSERT INTO child VALUES (1); END;
";

#[actix_rt::test]
async fn a_commit_that_fails_is_unknown_and_can_be_repeated() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    let other = Connection::open(dir.file("hub.db")).unwrap();
    other.execute_batch(SABOTAGE).unwrap();
    let appends = [
        store.append(record("c", 3, vec![sent(2, "hi")])),
        store.append(record("d", 1, vec![created(), sent(1, "hi")])),
    ];
    assert_eq!(join_all(appends).await, [AppendResult::Unknown; 2]);
    assert!(!store.is_healthy());
    assert_eq!(store.take(&channel("c")).await.unwrap().seq, 2);
    other.execute_batch("DROP TRIGGER sabotage").unwrap();
    wait_until_healthy(&store).await;
    let appends = [
        store.append(record("c", 3, vec![sent(2, "hi")])),
        store.append(record("d", 1, vec![created(), sent(1, "hi")])),
    ];
    assert_eq!(join_all(appends).await, [AppendResult::Done; 2]);
    assert_eq!((store.take(&channel("c")).await.unwrap().seq, store.count().await.unwrap()), (3, 2));
}

#[actix_rt::test]
async fn an_invalid_record_is_refused_without_the_others_of_its_group() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    // Both are in one group.
    let invalid = store.append(record("c", 3, vec![sent(1, "again")]));
    let valid = store.append(record("d", 1, vec![created()]));
    assert_eq!((invalid.await, valid.await), (AppendResult::Refused, AppendResult::Done));
    assert!(store.is_healthy());
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
}

#[actix_rt::test]
async fn a_panic_of_the_writer_fails_its_group_and_the_writer_restarts() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    let (reply, answer) = tokio::sync::oneshot::channel();
    assert!(store.enqueue_write(WriteOp::Panic, ReplySender::Append(reply)));
    assert!(answer.await.is_err());
    wait_until_healthy(&store).await;
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
    let failed = store.readers.query::<()>(|_| panic!("a query that panics, for the test")).await;
    assert!(failed.is_err());
    assert_eq!(store.take(&channel("c")).await.unwrap().seq, 3);
}

#[actix_rt::test]
async fn a_full_queue_refuses_immediately() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 0, "").await;
    let other = Connection::open(dir.file("hub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let heavy = |seq| -> Record { record("c", seq, vec![sent(seq, &"x".repeat(1 << 20))]) };
    let appends = (2..202).map(|seq| store.append(heavy(seq))).collect::<Vec<_>>();
    other.execute_batch("ROLLBACK").unwrap();
    let appended = join_all(appends).await;
    let refused = appended.iter().filter(|appended| **appended == AppendResult::Busy).count();
    assert!(refused > 100, "{refused} of 200 MiB were refused");
    assert_eq!(
        store.take(&channel("c")).await.unwrap().seq,
        appended.iter().filter(|a| **a == AppendResult::Done).count() as u64 + 1
    );
}

#[actix_rt::test]
async fn deleted_text_leaves_the_disk() {
    let dir = TempDir::new();
    let store = dir.open();
    let (secret, other) = ("the password is swordfish", "the weather is fine");
    fill(&store, "secret", 3000, secret).await;
    fill(&store, "other", 10, other).await;
    assert!(!dir.files_with(secret).is_empty());
    store.compact(&channel("secret"), 0, 2900, snapshot(20, &[])).await.unwrap();
    store.delete_channel(&channel("secret")).await.unwrap();
    assert!(store.find(&channel("secret")).await.unwrap().is_none());
    assert_eq!(store.take(&channel("secret")).await.unwrap().seq, 0);
    assert_eq!(store.count().await.unwrap(), 1);
    // The id can be reused, and the new channel sees nothing of the old one.
    fill(&store, "secret", 1, "new").await;
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    let gone = async {
        while !dir.files_with(secret).is_empty() {
            interval.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the text should be gone");
    assert!(!dir.files_with(other).is_empty());
    assert_eq!(store.take(&channel("secret")).await.unwrap().seq, 2);
    assert_eq!(store.take(&channel("other")).await.unwrap().backlog.len(), 10);
}

#[actix_rt::test]
async fn an_interrupted_deletion_continues_after_a_restart() {
    let dir = TempDir::new();
    let store = dir.open();
    let secret = "the password is swordfish";
    fill(&store, "secret", 3000, secret).await;
    store.close();
    let database = Connection::open(dir.file("hub.db")).unwrap();
    database
        .execute_batch(
            "INSERT INTO erasing SELECT no FROM channels; DELETE FROM channels; PRAGMA journal_mode = DELETE",
        )
        .unwrap();
    drop(database);
    let store = dir.open();
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    let gone = async {
        while !dir.files_with(secret).is_empty() {
            interval.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the text should be gone");
    drop(store);
}

/// A damaged row must not prevent the start of the hub, nor hide the other rows.
#[actix_rt::test]
async fn a_damaged_webhook_or_delivery_is_left_out() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    let other = Connection::open(dir.file("hub.db")).unwrap();
    for damage in [
        "INSERT INTO webhooks (id, owner, json) VALUES ('a', 'channel c', x'7b'), ('b', 'channel c', x'ff')",
        "INSERT INTO deliveries (hook, id, json) VALUES ('a', 'd', x'7b')",
        "INSERT INTO channels (id, settings, created_ms, used_ms) VALUES ('NO ID', x'7b', 0, 0)",
    ] {
        other.execute_batch(damage).unwrap();
    }
    assert!(store.webhooks().hooks().await.unwrap().is_empty());
    assert_eq!(store.unused(0..u64::MAX, 10).await.unwrap(), [channel("c")]);
}

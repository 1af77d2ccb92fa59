//! What a store does when it cannot write: it refuses as a whole, says so, and works again by itself.

use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log as _};
use rogerrat_domain::Record;
use rusqlite::Connection;

use super::rig::{Folder, channel, created, fill, record, sent, snapshot};
use crate::job::{Reply, Work};
use crate::{Store, StoreOptions};

/// Waits until the store works again.
async fn healed(store: &Store) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        while !store.is_healthy() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it should work again");
}

/// Appends messages to a channel until the store is full; gives the number of the last record.
async fn fill_up(store: &Store, name: &str) -> u64 {
    assert_eq!(store.append(record(name, 1, vec![created()])).await, AppendResult::Done);
    let text = "x".repeat(8000);
    for seq in 2..10_000 {
        match store.append(record(name, seq, vec![sent(seq, &text), sent(100_000 + seq, &text)])).await {
            AppendResult::Done => {}
            AppendResult::Refused => return seq - 1,
            other => panic!("a full disk is {other:?}"),
        }
    }
    panic!("the store has no end");
}

/// What must hold of a full store, and of one that gets room again.
async fn is_full_and_heals(folder: &Folder, options: StoreOptions, make_room: impl AsyncFnOnce(&Store)) {
    let store = Store::open(folder.path(), options).unwrap();
    fill(&store, "big", 60, &"y".repeat(8000)).await;
    let last = fill_up(&store, "c").await;
    assert!(!store.is_healthy());
    // Nothing is half applied: neither a record nor one of its messages.
    let kept = store.load(&channel("c")).await.unwrap();
    assert_eq!((kept.seq, kept.backlog.len() as u64), (last, 2 * (last - 1)));
    assert_eq!(kept.records.len() as u64, last);
    // What is there is still read.
    assert_eq!(store.messages(&channel("big"), vec![1, 60]).await.unwrap().len(), 2);
    make_room(&store).await;
    healed(&store).await;
    store.probe().await.unwrap();
    let again = record("c", last + 1, vec![sent(last + 1, &"x".repeat(8000)), sent(100_001 + last, "x")]);
    assert_eq!(store.append(again).await, AppendResult::Done);
    drop(store);
    assert_eq!(folder.open().load(&channel("c")).await.unwrap().seq, last + 1);
}

#[actix_rt::test]
async fn a_database_at_its_bound_refuses_and_heals() {
    is_full_and_heals(&Folder::new(), StoreOptions { max_mib: 2, erase_after_ms: 0 }, async |store| {
        store.delete_channel(&channel("big")).await.unwrap();
    })
    .await;
}

#[actix_rt::test]
async fn a_full_disk_refuses_and_heals() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path()).unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=10m,mode=700", "tmpfs"]).arg(folder.path()).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("\n!!! SKIPPED: no small file system can be mounted here; the full disk was not tested !!!\n");
        return;
    }
    struct Mounted<'f>(&'f Folder);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0.path()).status();
        }
    }
    let _mounted = Mounted(&folder);
    let ballast = folder.file("ballast");
    std::fs::write(&ballast, vec![1; 5 << 20]).unwrap();
    is_full_and_heals(&folder, StoreOptions { max_mib: 0, erase_after_ms: 0 }, async |_| {
        std::fs::remove_file(ballast).unwrap();
    })
    .await;
}

#[actix_rt::test]
async fn what_is_refused_for_want_of_room_does_not_take_a_small_record_with_it_for_ever() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), StoreOptions { max_mib: 1, erase_after_ms: 0 }).unwrap();
    fill(&store, "c", 1, "hi").await;
    let huge = store.append(record("c", 3, vec![sent(3, &"x".repeat(900_000)), sent(4, &"x".repeat(900_000))]));
    assert_eq!(huge.await, AppendResult::Refused);
    assert!(!store.is_healthy());
    assert_eq!(store.append(record("c", 3, vec![sent(3, "hi")])).await, AppendResult::Done);
    assert!(store.is_healthy());
}

#[actix_rt::test]
async fn a_lock_of_somebody_else_is_waited_for_and_then_refused() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 1, "hi").await;
    let other = Connection::open(folder.file("hub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Refused);
    assert!(!store.is_healthy() && store.probe().await.is_err());
    other.execute_batch("ROLLBACK").unwrap();
    healed(&store).await;
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
}

/// Makes every commit of a record fail, after all its statements went well.
const SABOTAGE: &str = "
    CREATE TABLE mother (id INTEGER PRIMARY KEY);
    CREATE TABLE child (mother INTEGER REFERENCES mother (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER sabotage AFTER INSERT ON messages BEGIN INSERT INTO child VALUES (1); END;
";

#[actix_rt::test]
async fn a_commit_that_fails_is_unknown_and_can_be_repeated() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 1, "hi").await;
    let other = Connection::open(folder.file("hub.db")).unwrap();
    other.execute_batch(SABOTAGE).unwrap();
    let appends = [
        store.append(record("c", 3, vec![sent(2, "hi")])),
        store.append(record("d", 1, vec![created(), sent(1, "hi")])),
    ];
    assert_eq!(join_all(appends).await, [AppendResult::Unknown; 2]);
    assert!(!store.is_healthy());
    assert_eq!(store.load(&channel("c")).await.unwrap().seq, 2);
    other.execute_batch("DROP TRIGGER sabotage").unwrap();
    healed(&store).await;
    let appends = [
        store.append(record("c", 3, vec![sent(2, "hi")])),
        store.append(record("d", 1, vec![created(), sent(1, "hi")])),
    ];
    assert_eq!(join_all(appends).await, [AppendResult::Done; 2]);
    assert_eq!((store.load(&channel("c")).await.unwrap().seq, store.count().await.unwrap()), (3, 2));
}

#[actix_rt::test]
async fn a_record_that_contradicts_what_is_kept_is_refused_alone() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 1, "hi").await;
    // They are committed together, or not at all.
    let double = store.append(record("c", 3, vec![sent(1, "again")]));
    let sound = store.append(record("d", 1, vec![created()]));
    assert_eq!((double.await, sound.await), (AppendResult::Refused, AppendResult::Done));
    assert!(store.is_healthy());
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
}

#[actix_rt::test]
async fn a_writer_that_panics_leaves_nobody_waiting_and_goes_on() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 1, "hi").await;
    let (reply, answer) = tokio::sync::oneshot::channel();
    assert!(store.enqueue(Work::Panic, Reply::Append(reply)));
    assert!(answer.await.is_err());
    healed(&store).await;
    assert_eq!(store.append(record("c", 3, vec![sent(2, "hi")])).await, AppendResult::Done);
    let failed = store.readers.ask::<()>(|_| panic!("a question that panics, for the test")).await;
    assert!(failed.is_err());
    assert_eq!(store.load(&channel("c")).await.unwrap().seq, 3);
}

#[actix_rt::test]
async fn a_full_queue_refuses_at_once() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 0, "").await;
    let other = Connection::open(folder.file("hub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let heavy = |seq| -> Record { record("c", seq, vec![sent(seq, &"x".repeat(1 << 20))]) };
    let appends = (2..202).map(|seq| store.append(heavy(seq))).collect::<Vec<_>>();
    other.execute_batch("ROLLBACK").unwrap();
    let appended = join_all(appends).await;
    let refused = appended.iter().filter(|appended| **appended == AppendResult::Busy).count();
    assert!(refused > 100, "{refused} of 200 MiB were refused");
    assert_eq!(
        store.load(&channel("c")).await.unwrap().seq,
        appended.iter().filter(|a| **a == AppendResult::Done).count() as u64 + 1
    );
}

#[actix_rt::test]
async fn a_deleted_text_is_on_the_disk_no_more() {
    let folder = Folder::new();
    let store = folder.open();
    let (secret, other) = ("the password is swordfish", "the weather is fine");
    fill(&store, "secret", 3000, secret).await;
    fill(&store, "other", 10, other).await;
    assert!(!folder.files_with(secret).is_empty());
    store.compact(&channel("secret"), 2900, snapshot(20, &[])).await.unwrap();
    store.delete_channel(&channel("secret")).await.unwrap();
    assert!(store.find(&channel("secret")).await.unwrap().is_none());
    assert_eq!(store.load(&channel("secret")).await.unwrap().seq, 0);
    assert_eq!(store.count().await.unwrap(), 1);
    // The id may be taken again, and nothing of the old channel shows.
    fill(&store, "secret", 1, "new").await;
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let erased = async {
        while !folder.files_with(secret).is_empty() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), erased).await.expect("the text should be gone");
    assert!(!folder.files_with(other).is_empty());
    assert_eq!(store.load(&channel("secret")).await.unwrap().seq, 2);
    assert_eq!(store.load(&channel("other")).await.unwrap().backlog.len(), 10);
}

#[actix_rt::test]
async fn a_deletion_that_was_interrupted_goes_on_after_a_restart() {
    let folder = Folder::new();
    let store = folder.open();
    let secret = "the password is swordfish";
    fill(&store, "secret", 3000, secret).await;
    store.close();
    let database = Connection::open(folder.file("hub.db")).unwrap();
    database
        .execute_batch(
            "INSERT INTO erasing SELECT no FROM channels; DELETE FROM channels; PRAGMA journal_mode = DELETE",
        )
        .unwrap();
    drop(database);
    let store = folder.open();
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let erased = async {
        while !folder.files_with(secret).is_empty() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), erased).await.expect("the text should be gone");
    drop(store);
}

//! Stores on databases of the server that the tests share, and channels to put into them.

use rogerrat_actors::{AppendResult, Log as _};
use rogerrat_domain::{Entry, HubKey, Record};

use crate::postgres::session::{Connector, Session};
pub(super) use crate::tests::records::{channel, created, record, sent, snapshot};
use crate::{PostgresOptions, PostgresStore};

/// Ends all connections to a database.
pub(super) const CUT: &str = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

pub(super) fn options(url: &str) -> PostgresOptions {
    PostgresOptions { url: url.to_owned(), ca_file: None, instance_url: "http://127.0.0.1:1".into() }
}

/// Starts an instance on a database, as if it had been a minute ago.
pub(super) fn open(url: &str) -> PostgresStore {
    let store = PostgresStore::open(&options(url), HubKey::new([7; 32])).unwrap();
    store.state.age_lock(60_000);
    store
}

/// Frees the lock of an instance, and lets it be silent for longer than a reconnect takes.
pub(super) async fn kill(store: &PostgresStore) {
    store.lose_lock().await;
    let me = store.channel_writer.instance;
    let silent = store.write(0, move |session| {
        Box::pin(async move {
            let sql = "UPDATE instances SET beat_at = beat_at - interval '5 seconds' WHERE id = $1";
            session.execute(sql, &[&me]).await
        })
    });
    assert_eq!(silent.await.unwrap(), 1);
}

/// A session of no instance.
pub(super) async fn session(url: &str) -> Session {
    Connector::new(url, None).unwrap().connect().await.unwrap()
}

/// A record of the owner.
pub(super) fn owned(name: &str, fence: u64, seq: u64, entries: Vec<Entry>) -> Record {
    Record { fence, ..record(name, seq, entries) }
}

/// Creates a channel, takes it and appends messages 1 to `messages`. Returns the fence.
pub(super) async fn fill(store: &PostgresStore, name: &str, messages: u64, text: &str) -> u64 {
    assert_eq!(store.append(record(name, 1, vec![created()])).await, AppendResult::Done);
    let fence = store.take(&channel(name)).await.unwrap().fence;
    for id in 1..=messages {
        assert_eq!(store.append(owned(name, fence, id + 1, vec![sent(id, text)])).await, AppendResult::Done);
    }
    fence
}

//! Stores on databases of the server that the tests share, and channels to put into them.

use rogerrat_actors::{AppendResult, Log as _};
use rogerrat_domain::{Entry, HubKey, Record};

pub(super) use crate::tests::records::{channel, created, record, sent, snapshot};
use crate::{PostgresOptions, PostgresStore};

pub(super) fn options(url: &str) -> PostgresOptions {
    PostgresOptions { url: url.to_owned(), ca_file: None, instance_url: "http://127.0.0.1:1".into() }
}

/// Starts an instance on a database.
pub(super) fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&options(url), HubKey::new([7; 32])).unwrap()
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

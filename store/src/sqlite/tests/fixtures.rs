//! A temporary store, and channels to put into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log as _};

pub(super) use crate::tests::records::{channel, created, due, hook, record, sent, snapshot};
use crate::{Store, StoreOptions};

/// A temporary directory, removed on drop. It does not exist until a store creates it.
#[derive(Debug)]
pub(super) struct TempDir(PathBuf);

impl TempDir {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rogerrat-store-{}-{n}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn open(&self) -> Store {
        Store::open(&self.0, StoreOptions { max_mib: 0, truncate_wal_after_ms: 0 }).unwrap()
    }

    /// The names and contents of the files.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect::<Vec<_>>();
        files.sort();
        files
    }

    /// The names of the files that contain a text.
    pub(super) fn files_with(&self, text: &str) -> Vec<String> {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        self.files().into_iter().filter(|(_, bytes)| has(bytes)).map(|(name, _)| name).collect()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Creates a channel with messages 1 to `messages`, in as many records.
pub(super) async fn fill(store: &Store, name: &str, messages: u64, text: &str) {
    let first = store.append(record(name, 1, vec![created()]));
    let others = (1..=messages).map(|id| store.append(record(name, id + 1, vec![sent(id, text)])));
    let appended = join_all(std::iter::once(first).chain(others)).await;
    assert!(appended.iter().all(|appended| *appended == AppendResult::Done), "{appended:?}");
}

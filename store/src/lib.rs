//! The store: the hub's [`Log`](rogerrat_actors::Log) and its [`Accounts`](rogerrat_actors::Accounts) in an SQLite file.
//!
//! One thread writes and commits in groups, two read; whoever asks only puts something into a queue. It decides nothing
//! about channels, and it never holds a text longer than a transaction or an answer takes.
#![warn(missing_docs)]

mod accounts;
mod backup;
mod belongings;
mod body;
mod census;
mod erase;
mod error;
mod folder;
mod job;
mod ledger;
mod letters;
mod look;
mod number;
mod pen;
mod port;
mod postbox;
mod reader;
mod schema;
mod shared;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rogerrat_domain::HubKey;
use rusqlite::Connection;

pub use backup::{back_up, restore};
pub use census::{VerifyReport, verify};
pub use error::StoreError;
use folder::{Folder, Lock};
use job::Job;
use port::Probing;
use reader::Readers;
use shared::Shared;
use writer::Writer;

/// Things that may wait to be written.
const QUEUE: usize = 4096;
/// How soon after a deletion the WAL is emptied.
const ERASE_AFTER_MS: u64 = 20_000;

/// How a store is kept.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// What the database may grow to, in MiB, its WAL not counted; 0 is no bound.
    pub max_mib: u64,
    /// How soon after a deletion the WAL is emptied.
    pub erase_after_ms: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { max_mib: 0, erase_after_ms: ERASE_AFTER_MS }
    }
}

/// An open store. There is one for a data directory.
pub struct Store {
    key: HubKey,
    shared: Arc<Shared>,
    writer: SyncSender<Job>,
    readers: Readers,
    threads: Mutex<Option<Threads>>,
    probes: AtomicI64,
    probing: Mutex<Option<Probing>>,
}

/// What runs until the store is closed.
struct Threads {
    writer: JoinHandle<()>,
    readers: Vec<JoinHandle<()>>,
    _lock: Lock,
}

impl Store {
    /// Opens the store of a data directory, and makes what is missing.
    ///
    /// # Errors
    /// When the directory or what is in it cannot be used. Then nothing in it was changed.
    pub fn open(data_dir: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let folder = Folder::new(data_dir);
        folder.prepare()?;
        folder.check_files()?;
        let lock = folder.lock()?;
        let key = ready(&folder)?;
        let path = folder.database();
        let mut connection = schema::open_writer(&path, options.max_mib).map_err(StoreError::sql(&path))?;
        schema::migrate(&mut connection).map_err(StoreError::sql(&path))?;
        Self::start(&path, options, connection, lock, key)
    }

    fn start(
        path: &Path,
        options: StoreOptions,
        connection: Connection,
        lock: Lock,
        key: HubKey,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::read(&connection).map_err(StoreError::sql(path))?);
        let (readers, reading) = Readers::start(path)?;
        let (to, queue) = sync_channel(QUEUE);
        let writer = Writer::new(path.to_owned(), options, connection, shared.clone());
        let writing = thread::Builder::new().name("store-writer".into()).spawn(move || writer.run(&queue));
        let writing = writing.map_err(StoreError::io(path, "written"))?;
        let threads = Threads { writer: writing, readers: reading, _lock: lock };
        Ok(Self {
            key,
            shared,
            writer: to,
            readers,
            threads: Mutex::new(Some(threads)),
            probes: AtomicI64::new(0),
            probing: Mutex::default(),
        })
    }

    /// The hub's key.
    pub fn key(&self) -> HubKey {
        self.key.clone()
    }

    /// Finishes what was begun, empties the WAL and gives the directory back. Waits for all of it; what is asked of the
    /// store afterwards is refused.
    pub fn close(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads { writer, readers, _lock }) = threads else { return };
        for _ in &readers {
            self.readers.close_one();
        }
        // The last connection to close takes the WAL away, so the writer's is the last.
        readers.into_iter().for_each(|reader| drop(reader.join()));
        let _ = self.writer.send(Job::Close);
        drop(writer.join());
    }

    fn readers(&self) -> &Readers {
        &self.readers
    }

    fn next_probe(&self) -> i64 {
        self.probes.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

/// Sees that database and key can be used, or makes both. Gives the key.
fn ready(folder: &Folder) -> Result<HubKey, StoreError> {
    let path = folder.database();
    let exists = look::look(folder)?;
    let key = match folder.read_key()? {
        Some(key) => key,
        None if exists => return Err(StoreError::NoKey { path: folder.key(), database: path }),
        None => folder.make_key()?,
    };
    folder::make_private(&folder.key())?;
    if exists {
        folder::make_private(&path)?;
        return Ok(HubKey::new(key));
    }
    // A database that is half made has another name, so that it is never taken for a damaged one.
    let draft = folder.draft();
    folder::private_file(&draft).map_err(StoreError::io(&draft, "made"))?;
    schema::create(&draft).map_err(StoreError::sql(&draft))?;
    folder.adopt(&draft)?;
    Ok(HubKey::new(key))
}

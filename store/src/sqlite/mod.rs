//! The store in one SQLite file.
//!
//! One thread writes and commits in groups, two threads read; callers put requests into bounded queues and get futures.

mod account_rows;
mod accounts_impl;
mod backup;
mod data_dir;
mod email_rows;
mod emails_impl;
mod error;
#[cfg(feature = "postgres")]
pub(crate) mod export;
mod inspect;
mod log_impl;
mod meta;
mod purge;
mod reader;
mod scan;
mod schema;
mod sqlite_int;
mod state;
#[cfg(test)]
mod tests;
mod transaction;
mod transcript;
mod verify;
mod verify_accounts;
mod verify_emails;
mod webhook_rows;
mod webhook_store_impl;
mod write_request;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rogerrat_domain::HubKey;
use rusqlite::Connection;

pub use backup::{back_up, restore};
pub use data_dir::{existing_hub_key, hub_key};
pub use error::StoreError;
pub use verify::{VerifyReport, verify};

use data_dir::{DataDir, DirLock};
use log_impl::SharedProbe;
use reader::ReaderPool;
use state::StoreState;
use write_request::WriterCommand;
use writer::Writer;

/// Writes that may be queued.
const WRITE_QUEUE: usize = 4096;
/// How soon after a deletion the WAL is truncated.
const TRUNCATE_WAL_AFTER_MS: u64 = 20_000;

/// Options of a [`Store`].
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Maximum size of the database in MiB, without its WAL; 0 is no bound.
    pub max_mib: u64,
    /// How soon after a deletion the WAL is truncated, in milliseconds, so that deleted text leaves the disk.
    pub truncate_wal_after_ms: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { max_mib: 0, truncate_wal_after_ms: TRUNCATE_WAL_AFTER_MS }
    }
}

/// An open store. It holds the lock of its data directory.
pub struct Store {
    key: HubKey,
    state: Arc<StoreState>,
    writer: SyncSender<WriterCommand>,
    readers: ReaderPool,
    threads: Mutex<Option<Threads>>,
    probes: AtomicI64,
    probe: Mutex<Option<SharedProbe>>,
}

/// The threads of an open store, and its lock.
struct Threads {
    writer: JoinHandle<()>,
    readers: Vec<JoinHandle<()>>,
    lock: Arc<DirLock>,
}

impl Store {
    /// Opens the store of a data directory, creating the directory, the database and the key if they are missing.
    ///
    /// # Errors
    /// If the directory or a file in it cannot be used. Existing files have not been changed then.
    pub fn open(data_dir: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let dir = DataDir::new(data_dir);
        dir.create()?;
        dir.check_files()?;
        let lock = Arc::new(dir.lock()?);
        dir.check_wal()?;
        let key = prepare_files(&dir)?;
        let path = dir.database();
        let mut connection = schema::open_writer(&path, options.max_mib).map_err(StoreError::sql(&path))?;
        schema::migrate(&mut connection).map_err(StoreError::sql(&path))?;
        Self::start(&path, options, connection, lock, key)
    }

    fn start(
        path: &Path,
        options: StoreOptions,
        connection: Connection,
        lock: Arc<DirLock>,
        key: HubKey,
    ) -> Result<Self, StoreError> {
        let state = Arc::new(StoreState::load(&connection).map_err(StoreError::sql(path))?);
        let (readers, reader_threads) = ReaderPool::start(path)?;
        // The first query has created the WAL.
        lock.note_wal(true);
        let (to, queue) = sync_channel(WRITE_QUEUE);
        let writer = Writer::new(path.to_owned(), options, connection, state.clone(), lock.clone());
        let writer = thread::Builder::new().name("store-writer".into()).spawn(move || writer.run(&queue));
        let writer = writer.map_err(StoreError::io(path, "written"))?;
        let threads = Threads { writer, readers: reader_threads, lock };
        Ok(Self {
            key,
            state,
            writer: to,
            readers,
            threads: Mutex::new(Some(threads)),
            probes: AtomicI64::new(0),
            probe: Mutex::default(),
        })
    }

    /// The hub's key.
    pub fn key(&self) -> HubKey {
        self.key.clone()
    }

    /// Closes the store: commits everything queued, truncates the WAL and releases the lock of the directory. Blocks until
    /// that is done. Later calls are refused.
    pub fn close(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads { writer, readers, lock }) = threads else { return };
        for _ in &readers {
            self.readers.stop_one();
        }
        // The last connection to close deletes the WAL, and only the writer's can.
        readers.into_iter().for_each(|reader| drop(reader.join()));
        let _ = self.writer.send(WriterCommand::Close);
        drop(writer.join());
        drop(lock);
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

/// Checks the database and the key, or creates them. Returns the key.
fn prepare_files(dir: &DataDir) -> Result<HubKey, StoreError> {
    let path = dir.database();
    let exists = inspect::check_existing(dir)?;
    let key = dir.read_key()?;
    let had_key = key.is_some();
    let key = match key {
        Some(key) => key,
        None if exists => return Err(StoreError::MissingKey { path: dir.key(), database: path }),
        None => dir.create_key()?,
    };
    if !exists && had_key {
        // A crash at the first start leaves this, too, so it is no error.
        log::warn!(database:display = path.display(); "the hub's key exists, but its database is missing: starting with \
             an empty one. If it was lost, stop the hub and restore a backup with `rogerrat restore`");
    }
    data_dir::make_private(&dir.key())?;
    if exists {
        data_dir::make_private(&path)?;
        return Ok(HubKey::new(key));
    }
    // An incomplete database has another name, so that it is never mistaken for a corrupt one.
    let new = dir.new_database();
    data_dir::create_private_file(&new).map_err(StoreError::io(&new, "created"))?;
    schema::create(&new).map_err(StoreError::sql(&new))?;
    dir.install_database(&new)?;
    Ok(HubKey::new(key))
}

//! The store in a PostgreSQL database, which several hubs may share.
//!
//! Two threads drive the connections. One connection writes and commits in groups ([`writer`]), some run queries ([`reader`]),
//! and one holds the lock by which other hubs know that this one is alive ([`instance`]). Callers put requests into bounded
//! queues and get futures.
//!
//! # To add a table
//!
//! Write `migrations/N_name.sql` and name it in [`schema`]. Times are `bigint` in milliseconds, ids are `text COLLATE "C"`,
//! digests, JSON and encrypted values are `bytea`.
//!
//! # To add a query or a write
//!
//! [`PostgresStore::read`] runs a query on a connection for queries, [`PostgresStore::write`] in the next transaction of the writer,
//! in the order of the calls. Both take a closure that returns a boxed future, which may run more than once; so it clones
//! what it needs:
//!
//! ```ignore
//! fn recovery(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<AccountId>, LogError>> {
//!     self.read(move |session| {
//!         let token = token.clone();
//!         Box::pin(async move {
//!             let row = session.query_opt("SELECT id FROM accounts WHERE recovery = $1", &[&&token.bytes()[..]]).await?;
//!             row.map(|row| decode_account(&row)).transpose()
//!         })
//!     })
//! }
//! ```
//!
//! Numbers are passed and read as `i64` ([`int`]). A statement that fails aborts the transaction: pass the error on with `?`, never
//! ignore it; `SAVEPOINT` and `ROLLBACK TO` undo a part. What a caller may not do, but is no error, is a value of the result. A
//! query of several statements that must see one point in time begins with
//! `session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")` and ends with `session.batch("COMMIT")`.
//! Two instances write at the same time, unlike in SQLite: what must be unique or counted needs a constraint, or a row
//! that is locked first (`SELECT … FOR UPDATE`). Rows are locked in the order of their keys.

mod account_rows;
mod accounts_impl;
mod append;
mod append_job;
mod body_key;
mod cluster_rows;
mod email_rows;
mod eraser;
mod error;
mod gate;
mod import;
mod import_tables;
mod instance;
mod instances_impl;
mod int;
mod load;
mod log_impl;
mod opening;
mod ownership;
mod queue;
mod reader;
mod report;
mod schema;
mod session;
mod start_order;
mod state;
#[cfg(test)]
mod tests;
mod verify;
mod webhook_rows;
mod webhook_store_impl;
mod writer;

use std::future::ready;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use futures_util::future::BoxFuture;
use rogerrat_actors::LogError;
use rogerrat_domain::HubKey;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle as JoinTask;

pub use error::PostgresError;
pub use import::{ImportError, import};
pub use report::{DatabaseReport, RunningHub};
pub use verify::verify_database;

use append::ChannelWriter;
use body_key::BodyKeys;
use eraser::Eraser;
use error::Failure;
use instance::InstanceCommand;
use queue::{Job, Run, answer, job};
use reader::{READERS, ReaderPool, reader_pool};
use session::{Connector, Session};
use state::SharedState;
use writer::{QueuedWrite, Writer};

/// Writes that may be queued.
const WRITE_QUEUE: usize = 4096;
/// Beats that may wait.
const INSTANCE_QUEUE: usize = 16;

/// Where the database is, and how other hubs reach this one.
#[derive(Clone)]
pub struct PostgresOptions {
    /// The URL of the database, or its parameters as `libpq` has them. It may contain a password.
    pub url: String,
    /// A PEM file with the certificate authorities to trust; none trusts those of the machine.
    pub ca_file: Option<PathBuf>,
    /// The URL of the port on which this hub takes requests of other hubs.
    pub instance_url: String,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, ca_file, instance_url } = self;
        f.debug_struct("PostgresOptions")
            .field("ca_file", ca_file)
            .field("instance_url", instance_url)
            .finish_non_exhaustive()
    }
}

/// An open store: one instance of the hubs that share the database.
pub struct PostgresStore {
    key: HubKey,
    channel_writer: ChannelWriter,
    state: Arc<SharedState>,
    /// None when the store is closed.
    writer: Mutex<Option<mpsc::Sender<QueuedWrite>>>,
    readers: ReaderPool,
    eraser: Eraser,
    commands: mpsc::Sender<InstanceCommand>,
    /// Notified when facts were written.
    notified: Arc<Notify>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl PostgresStore {
    /// Connects to a database, creates or migrates its tables, and starts an instance. Blocks until that is done.
    ///
    /// # Errors
    /// If the database cannot be used. Then no channel, message or account of it was changed; its tables may be newer, and the
    /// row of an instance that did not start may be left.
    pub fn open(options: &PostgresOptions, key: HubKey) -> Result<Self, PostgresError> {
        let connector = Connector::new(&options.url, options.ca_file.as_deref())?;
        let notified = connector.notified();
        let state = Arc::new(SharedState::default());
        let (readers, queries) = reader_pool(&state.clock);
        let (writer, queue) = mpsc::channel(WRITE_QUEUE);
        let (commands, to_do) = mpsc::channel(INSTANCE_QUEUE);
        let (opened, result) = std::sync::mpsc::sync_channel(1);
        let (stop_readers, stopped) = oneshot::channel::<()>();
        let (on_reader, reader_thread) = start_thread("postgres-reader", async {
            let _ = stopped.await;
        })?;
        // An earlier instance may have stopped before it was done.
        let eraser = Eraser::default();
        eraser.wake();
        let (pool, erasing) = (readers.clone(), eraser.clone());
        let (shared, url, hub_key) = (state.clone(), options.instance_url.clone(), key.clone());
        let (_, writer_thread) = start_thread("postgres-writer", async move {
            let _stop_readers = stop_readers;
            let connections = match connect(&connector, &url, &hub_key, &on_reader).await {
                Ok(connections) => connections,
                Err(error) => return drop(opened.send(Err(error))),
            };
            let Connections { connector, instance, lock, writer, readers } = connections;
            shared.lock_taken();
            let _ = opened.send(Ok(instance));
            let holder = tokio::spawn(instance::hold(connector.clone(), lock, instance, shared.clone(), to_do));
            let mut tasks = queries.run(&connector, readers, &on_reader);
            tasks.push(on_reader.spawn(eraser::run(pool, erasing)));
            Writer::new(connector, writer, instance, shared.clone()).run(queue).await;
            shared.is_healthy.store(false, Relaxed);
            tasks.iter().for_each(JoinTask::abort);
            // The lock is freed last: until then no hub declares this instance ended.
            holder.abort();
            let _ = holder.await;
        })?;
        let instance = result.recv().unwrap_or_else(|_| Err(PostgresError::Thread(io::Error::other("it panicked"))))?;
        let threads = Mutex::new(vec![writer_thread, reader_thread]);
        let channel_writer = ChannelWriter { instance, keys: BodyKeys::new(&key) };
        let writer = Mutex::new(Some(writer));
        Ok(Self { key, channel_writer, state, writer, readers, eraser, commands, notified, threads })
    }

    /// The hub's key.
    pub fn key(&self) -> HubKey {
        self.key.clone()
    }

    /// Closes the store: commits everything queued and closes the connections. Blocks until that is done. Later calls are refused.
    pub fn close(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // The writer ends when it has committed what is in the queue.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }

    /// Runs a query. Busy if too many are queued.
    fn read<T: Send + 'static>(&self, run: impl Run<T>) -> BoxFuture<'static, Result<T, LogError>> {
        self.readers.read(run)
    }

    /// Runs a write of a size in bytes, in a transaction with others, after those that were queued before. Busy if too many are
    /// queued.
    fn write<T: Send + 'static>(&self, bytes: usize, run: impl Run<T>) -> BoxFuture<'static, Result<T, LogError>> {
        let (job, reply) = job(run);
        if !self.enqueue(bytes, job) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(answer(reply, LogError::Unknown("the writer failed".into())))
    }

    /// Queues a write. False if the queue is full.
    fn enqueue(&self, bytes: usize, job: Box<dyn Job>) -> bool {
        let Some(slot) = self.state.reserve(bytes) else { return false };
        let write = QueuedWrite { job, slot, since_ms: self.state.clock.uptime_ms() };
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().is_some_and(|writer| writer.try_send(write).is_ok())
    }

    /// Frees the lock of this instance, as the end of its process would.
    #[cfg(test)]
    async fn lose_lock(&self) {
        self.command(InstanceCommand::FreeLock).await.unwrap();
    }

    /// Sends a command to the connection of the instance.
    fn command(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), LogError>>) -> InstanceCommand,
    ) -> BoxFuture<'static, Result<(), LogError>> {
        let (reply, done) = oneshot::channel();
        match self.commands.try_send(command(reply)) {
            Ok(()) => Box::pin(answer(done, LogError::Failed("the store is closed".into()))),
            Err(_) => Box::pin(ready(Err(LogError::Busy))),
        }
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.close();
    }
}

/// The connections of a store.
struct Connections {
    connector: Connector,
    instance: i64,
    lock: Session,
    writer: Session,
    readers: Vec<Session>,
}

/// Connects, checks the server, migrates the tables, starts the instance and checks the connections.
async fn connect(
    connector: &Connector,
    url: &str,
    key: &HubKey,
    on_reader: &Handle,
) -> Result<Connections, PostgresError> {
    let unreachable = Failure::into_connect_error;
    let first = connector.connect().await.map_err(unreachable)?;
    for warning in gate::check_server(&first).await? {
        log::warn!("{warning}");
    }
    gate::check_tables(&first).await?;
    schema::migrate(&first).await?;
    gate::check_key(&first, key).await?;
    let lock = first;
    start_order::begin(&lock, url).await?;
    let instance = instance::start(&lock, url).await?;
    start_order::end(&lock).await?;
    let connector = connector.named(&instance::connection_name(instance));
    lock.rename(&instance::connection_name(instance)).await?;
    let writer = connector.connect().await.map_err(unreachable)?;
    let mut readers = Vec::with_capacity(READERS);
    for _ in 0..READERS {
        let connector = connector.clone();
        let connected = on_reader.spawn(async move { connector.connect().await }).await;
        readers.push(connected.map_err(|error| io::Error::other(error.to_string()))?.map_err(unreachable)?);
    }
    let others: Vec<_> = readers.iter().chain([&writer]).collect();
    gate::check_sessions(&lock, instance::lock_key(instance), &others).await?;
    Ok(Connections { connector, instance, lock, writer, readers })
}

/// Starts a thread that runs a future, and other tasks until that is done.
fn start_thread(
    name: &str,
    run: impl Future<Output = ()> + Send + 'static,
) -> Result<(Handle, JoinHandle<()>), PostgresError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let thread = thread::Builder::new().name(name.into()).spawn(move || runtime.block_on(run))?;
    Ok((handle, thread))
}

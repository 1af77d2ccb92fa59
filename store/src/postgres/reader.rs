//! The connections that queries run on. Each runs one query at a time, in the order of the calls.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rogerrat_actors::{Clock, LogError};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::error::Failure;
use super::gate;
use super::queue::{Job, Run, TxEnd, answer, job};
use super::session::{Connector, Session, SqlResult};

/// Queries that may be queued.
const QUERY_QUEUE: usize = 1024;
/// Connections for queries.
pub(super) const READERS: usize = 4;
/// How often a query runs whose connection is lost.
const TRIES: u32 = 3;

/// How long a query may wait for an idle connection, and how long after its call it is tried again.
const WAIT_MS: u64 = 10_000;

/// A query, and when it was called, in milliseconds of the clock.
type QueuedQuery = (Box<dyn Job>, u64);

/// A handle to the connections. The next idle one runs a query.
#[derive(Clone)]
pub(super) struct ReaderPool {
    to: Sender<QueuedQuery>,
    clock: Clock,
}

/// The other end of the queue.
pub(super) struct Queries {
    queue: Arc<Mutex<Receiver<QueuedQuery>>>,
    clock: Clock,
}

pub(super) fn reader_pool(clock: &Clock) -> (ReaderPool, Queries) {
    let (to, queries) = channel(QUERY_QUEUE);
    let queue = Arc::new(Mutex::new(queries));
    (ReaderPool { to, clock: *clock }, Queries { queue, clock: *clock })
}

impl ReaderPool {
    /// Runs a query. Busy if too many are queued.
    pub(super) fn read<T: Send + 'static>(&self, run: impl Run<T>) -> BoxFuture<'static, Result<T, LogError>> {
        let (query, reply) = job(run);
        let queued = self.to.try_send((query, self.clock.uptime_ms()));
        Box::pin(async move {
            match queued {
                Ok(()) => answer(reply, LogError::Failed("the query was not answered".into())).await,
                Err(_) => Err(LogError::Busy),
            }
        })
    }
}

impl Queries {
    /// Starts a task for each connection, on the runtime that has made them.
    pub(super) fn run(self, connector: &Connector, sessions: Vec<Session>, on: &Handle) -> Vec<JoinHandle<()>> {
        let start = |session| on.spawn(run_queries(connector.clone(), session, self.queue.clone(), self.clock));
        sessions.into_iter().map(start).collect()
    }
}

async fn run_queries(
    connector: Connector,
    mut session: Session,
    queries: Arc<Mutex<Receiver<QueuedQuery>>>,
    clock: Clock,
) {
    loop {
        let next = queries.lock().await.recv().await;
        let Some((mut query, since_ms)) = next else { return };
        let is_late = || clock.uptime_ms() >= since_ms + WAIT_MS;
        if is_late() {
            query.answer(TxEnd::Refused(LogError::Busy));
            continue;
        }
        let end = match run_query(&connector, &mut session, &mut *query, is_late).await {
            Ok(()) => TxEnd::Committed,
            Err(failure) => TxEnd::Refused(failure.into()),
        };
        query.answer(end);
    }
}

async fn run_query(
    connector: &Connector,
    session: &mut Session,
    query: &mut dyn Job,
    is_late: impl Fn() -> bool,
) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match reconnect(connector, session).await {
            Ok(()) => match query.run(session).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        if !session.is_closed() {
            // It may have begun a transaction. If this fails, so does the next query, which connects again.
            let _ = session.batch("ROLLBACK").await;
        }
        if tries == TRIES || is_late() || !(failure.is_disconnect() || failure.is_worth_repeating()) {
            return Err(failure);
        }
        tokio::time::sleep(Duration::from_millis(100 * u64::from(tries))).await;
    }
}

/// Replaces a connection that is closed. The new one may lead to another server, which must be as safe.
pub(super) async fn reconnect(connector: &Connector, session: &mut Session) -> SqlResult<()> {
    if !session.is_closed() {
        return Ok(());
    }
    let connected = async {
        let session = connector.connect().await.map_err(|failure| failure.text())?;
        gate::check_settings(&session).await.map_err(|error| error.to_string())?;
        Ok(session)
    };
    let connected: Result<_, String> = connected.await;
    connector.note_reached(connected.as_ref().map(|_| ()).map_err(String::as_str));
    *session = connected.map_err(Failure::Unreachable)?;
    Ok(())
}

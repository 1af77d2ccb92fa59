//! The connections that queries run on. Each runs one query at a time, in the order of the calls.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rogerrat_actors::LogError;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::error::{Failure, describe};
use super::queue::{Job, Run, TxEnd, answer, job};
use super::session::{Connector, Session, SqlResult};

/// Queries that may be queued.
const QUERY_QUEUE: usize = 1024;
/// Connections for queries.
pub(super) const READERS: usize = 4;
/// How often a query runs whose connection is lost.
const TRIES: u32 = 3;

/// A handle to the connections. The next idle one runs a query.
#[derive(Clone)]
pub(super) struct ReaderPool(Sender<Box<dyn Job>>);

/// The other end of the queue.
pub(super) struct Queries(Arc<Mutex<Receiver<Box<dyn Job>>>>);

pub(super) fn reader_pool() -> (ReaderPool, Queries) {
    let (to, queries) = channel(QUERY_QUEUE);
    (ReaderPool(to), Queries(Arc::new(Mutex::new(queries))))
}

impl ReaderPool {
    /// Runs a query. Busy if too many are queued.
    pub(super) fn read<T: Send + 'static>(&self, run: impl Run<T>) -> BoxFuture<'static, Result<T, LogError>> {
        let (query, reply) = job(run);
        let queued = self.0.try_send(query);
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
        let start = |session| on.spawn(run_queries(connector.clone(), session, self.0.clone()));
        sessions.into_iter().map(start).collect()
    }
}

async fn run_queries(connector: Connector, mut session: Session, queries: Arc<Mutex<Receiver<Box<dyn Job>>>>) {
    loop {
        let next = queries.lock().await.recv().await;
        let Some(mut query) = next else { return };
        let end = match run_query(&connector, &mut session, &mut *query).await {
            Ok(()) => TxEnd::Committed,
            Err(failure) => TxEnd::Refused(failure.into()),
        };
        query.answer(end);
    }
}

async fn run_query(connector: &Connector, session: &mut Session, query: &mut dyn Job) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match reconnect(connector, session).await {
            Ok(()) => match query.run(session).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            Err(error) => Failure::Sql(error),
        };
        if !session.is_closed() {
            // It may have begun a transaction. If this fails, so does the next query, which connects again.
            let _ = session.batch("ROLLBACK").await;
        }
        if tries == TRIES || !(failure.is_disconnect() || failure.is_worth_repeating()) {
            return Err(failure);
        }
        tokio::time::sleep(Duration::from_millis(100 * u64::from(tries))).await;
    }
}

/// Replaces a connection that is closed.
pub(super) async fn reconnect(connector: &Connector, session: &mut Session) -> SqlResult<()> {
    if session.is_closed() {
        *session = connector.connect().await.inspect_err(|error| {
            let error = describe(error);
            log::warn!(error:display; "PostgreSQL cannot be reached");
        })?;
    }
    Ok(())
}

//! Reads and writes that callers queue, and how they are answered.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rogerrat_actors::LogError;
use tokio::sync::oneshot;

use super::append_job::AppendJob;
use super::error::Failure;
use super::session::Session;

/// The result of a query or a write.
pub(super) type Done<T> = Result<T, Failure>;
/// What runs a query or a write. It may run more than once, if the connection is lost or the transaction must be repeated; so the
/// future takes clones of what it needs.
pub(super) trait Run<T>: for<'s> FnMut(&'s Session) -> BoxFuture<'s, Done<T>> + Send + 'static {}

impl<T, F: for<'s> FnMut(&'s Session) -> BoxFuture<'s, Done<T>> + Send + 'static> Run<T> for F {}

/// How a transaction ended.
#[derive(Clone, Debug)]
pub(super) enum TxEnd {
    Committed,
    /// Nothing was written.
    Refused(LogError),
    /// It may be committed.
    Unknown(String),
}

/// A query, or a write in a transaction with others.
pub(super) trait Job: Send {
    /// Runs it, in place of an earlier run.
    fn run<'s>(&'s mut self, session: &'s Session) -> BoxFuture<'s, Done<()>>;

    /// This job as an append, which runs together with others.
    fn as_append(&mut self) -> Option<&mut AppendJob> {
        None
    }

    /// Answers its caller, with the result of the last run if that was committed.
    fn answer(self: Box<Self>, end: TxEnd);
}

struct QueuedJob<T, F> {
    run: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, LogError>>,
}

/// A job, and where its result arrives.
pub(super) fn job<T: Send + 'static>(run: impl Run<T>) -> (Box<dyn Job>, oneshot::Receiver<Result<T, LogError>>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(QueuedJob { run, result: None, reply }), answer)
}

impl<T: Send + 'static, F: Run<T>> Job for QueuedJob<T, F> {
    fn run<'s>(&'s mut self, session: &'s Session) -> BoxFuture<'s, Done<()>> {
        self.result = None;
        // A panic must not end the task that runs the others.
        let run = AssertUnwindSafe(async move {
            self.result = Some((self.run)(session).await?);
            Ok(())
        });
        Box::pin(run.catch_unwind().map(|ran| {
            ran.unwrap_or_else(|_panic| {
                log::error!("a statement of the store panicked");
                Err(Failure::Log(LogError::Failed("it panicked".into())))
            })
        }))
    }

    fn answer(self: Box<Self>, end: TxEnd) {
        let answer = match (end, self.result) {
            (TxEnd::Committed, Some(result)) => Ok(result),
            (TxEnd::Committed, None) => Err(LogError::Failed("the transaction had no result".into())),
            (TxEnd::Refused(why), _) => Err(why),
            (TxEnd::Unknown(why), _) => Err(LogError::Unknown(why)),
        };
        let _ = self.reply.send(answer);
    }
}

/// Waits for the result of a job.
pub(super) async fn answer<T>(reply: oneshot::Receiver<Result<T, LogError>>, lost: LogError) -> Result<T, LogError> {
    reply.await.unwrap_or(Err(lost))
}

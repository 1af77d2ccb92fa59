//! Appends that wait in the writer's queue.

use futures_util::future::BoxFuture;
use rogerrat_actors::{AppendResult, LogError};
use tokio::sync::oneshot;

use super::append::ChannelWriter;
use super::queue::{Done, Job, TxEnd};
use super::session::Session;
use crate::shared::rows::RecordRow;

/// A record to append, and where the result arrives.
pub(super) struct AppendJob {
    channel_writer: ChannelWriter,
    record: RecordRow,
    result: AppendResult,
    reply: oneshot::Sender<AppendResult>,
}

impl AppendJob {
    pub(super) fn new(channel_writer: ChannelWriter, record: RecordRow) -> (Self, oneshot::Receiver<AppendResult>) {
        let (reply, answer) = oneshot::channel();
        (Self { channel_writer, record, result: AppendResult::Unknown, reply }, answer)
    }

    /// Runs appends that follow each other in the queue.
    pub(super) async fn run_all(jobs: &mut [&mut Self], session: &Session) -> Done<()> {
        let Some(first) = jobs.first() else { return Ok(()) };
        let records: Vec<_> = jobs.iter().map(|job| &job.record).collect();
        let results = first.channel_writer.append(session, &records).await?;
        for (job, result) in jobs.iter_mut().zip(results) {
            job.result = result;
        }
        Ok(())
    }
}

impl Job for AppendJob {
    fn run<'s>(&'s mut self, session: &'s Session) -> BoxFuture<'s, Done<()>> {
        Box::pin(async move { Self::run_all(&mut [self], session).await })
    }

    fn answer(self: Box<Self>, end: TxEnd) {
        let _ = self.reply.send(match end {
            TxEnd::Committed => self.result,
            TxEnd::Refused(LogError::Busy) => AppendResult::Busy,
            TxEnd::Refused(_) => AppendResult::Refused,
            TxEnd::Unknown(_) => AppendResult::Unknown,
        });
    }

    fn as_append(&mut self) -> Option<&mut AppendJob> {
        Some(self)
    }
}

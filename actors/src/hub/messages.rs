//! Messages from memory or from the log: one by its id, and pages of the history.

use std::sync::Arc;

use rogerrat_domain::op::{Fetch, Fetched, History, HistoryReply, OlderMessages, OlderPage};
use rogerrat_domain::{Message, MessageId, SessionId, limits};

use super::{Admitted, Hub};
use crate::error::HubError;

/// How often one page of the history reads from the log, to find the messages of a thread.
const HISTORY_READS: usize = 10;

impl Hub {
    /// A page of the history: the last messages of the ring; those before an id also from the log.
    ///
    /// # Errors
    /// `storage_failed` or `overloaded` when the log cannot be read.
    pub async fn history(&self, at: &Admitted, history: History) -> Result<HistoryReply, HubError> {
        let History { session, n, thread, before } = history.clone();
        let mut reply = self.query(at, history).await?;
        if before.is_none() {
            return Ok(reply);
        }
        let mut bytes = 0;
        for _ in 0..HISTORY_READS {
            let left = n.saturating_sub(reply.history.len());
            let Some(before) = reply.before.filter(|_| left > 0 && bytes < limits::FETCH_BYTES) else { break };
            // Most messages may belong to other threads.
            let n = if thread.is_some() { limits::FETCH_MESSAGES } else { left };
            let OlderPage { ids, before } =
                self.query(at, OlderMessages { session: session.clone(), before, n }).await?;
            reply.before = before;
            let mut found = match ids.is_empty() {
                true => break,
                false => self.shared.log.messages(at.id(), ids).await,
            }
            .map_err(HubError::of_log("could not read a page of the history"))?;
            found.retain(|message| thread.is_none() || message.thread.as_deref() == thread.as_deref());
            if found.len() > left {
                // The oldest ones that do not fit begin the next page.
                found.drain(..found.len() - left);
                reply.before = found.first().map(|oldest| oldest.id);
            }
            bytes += found.iter().map(|message| message.weight_bytes()).sum::<usize>();
            reply.history.splice(..0, found);
        }
        Ok(reply)
    }

    /// A message that the caller may see, as long as the channel holds it, in memory or in the log.
    ///
    /// # Errors
    /// `not_found`; a refusal of the session; `storage_failed` or `overloaded` when the log cannot be read.
    pub async fn fetch(
        &self,
        at: &Admitted,
        session: Option<SessionId>,
        id: MessageId,
    ) -> Result<Arc<Message>, HubError> {
        match self.query(at, Fetch { session, id }).await? {
            Fetched::InMemory(message) => Ok(message),
            Fetched::InLog => {
                let found = self.shared.log.messages(at.id(), vec![id]).await;
                let found = found.map_err(HubError::of_log("could not read a message"))?;
                Ok(found.into_iter().next().ok_or_else(Fetch::not_found)?)
            }
        }
    }
}

//! One message by its id, from memory or from the log.

use std::sync::Arc;

use rogerrat_domain::op::{Fetch, Fetched};
use rogerrat_domain::{Message, MessageId, SessionId};

use super::{Admitted, Hub};
use crate::error::HubError;

impl Hub {
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

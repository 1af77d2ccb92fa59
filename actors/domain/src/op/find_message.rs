//! Finding a message in memory by its id, for the replay of a webhook delivery.

use std::sync::Arc;

use crate::channel::Channel;
use crate::ids::MessageId;
use crate::message::Message;
use crate::op::Query;
use crate::{Now, Refusal};

/// Returns a message, if it is in memory.
#[derive(Clone, Copy, Debug)]
pub struct FindMessage {
    /// The message's id.
    pub id: MessageId,
}

impl Query for FindMessage {
    type Reply = Option<Arc<Message>>;

    fn answer(&self, channel: &Channel, _: Now) -> Result<Option<Arc<Message>>, Refusal> {
        Ok(channel.held_message(self.id))
    }
}

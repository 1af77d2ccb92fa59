//! Getting a message again that the channel may still hold in memory: for the replay of a delivery.

use std::sync::Arc;

use crate::channel::Channel;
use crate::ids::MessageId;
use crate::message::Message;
use crate::op::Query;
use crate::{Now, Refusal};

/// Ask for a message by its id.
#[derive(Clone, Copy, Debug)]
pub struct FindMessage {
    /// The message.
    pub id: MessageId,
}

impl Query for FindMessage {
    type Reply = Option<Arc<Message>>;

    fn answer(&self, channel: &Channel, _: Now) -> Result<Option<Arc<Message>>, Refusal> {
        Ok(channel.held_message(self.id))
    }
}

//! Getting a message again that the channel may still hold in memory: for the replay of a delivery.

use std::sync::Arc;

use crate::channel::{Channel, Effect};
use crate::entry::Entry;
use crate::ids::MessageId;
use crate::message::Message;
use crate::op::Operation;
use crate::{Now, Refusal};

/// Ask for a message by its id.
#[derive(Clone, Copy, Debug)]
pub struct FindMessages {
    /// The message.
    pub id: MessageId,
}

impl Operation for FindMessages {
    type Reply = Option<Arc<Message>>;
    const NAME: &'static str = "recall";

    fn decide(&self, _: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        Ok(Vec::new())
    }

    fn answer(self, channel: &mut Channel, _: &[Entry], _: Now, _: &mut Vec<Effect>) -> Option<Arc<Message>> {
        channel.held_message(self.id)
    }
}

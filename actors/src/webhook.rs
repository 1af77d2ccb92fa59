//! The place of the webhooks: the actor that is told of messages on channels that have any.
//!
//! Nobody can subscribe yet, so it is told of nothing. Its outbox and its poster come with accounts.

use std::sync::Arc;

use actix::prelude::*;
use rogerrat_domain::{ChannelId, Message as ChannelMessage};

/// Drives the deliveries of webhooks.
#[derive(Debug, Default)]
pub(crate) struct WebhookActor;

impl Actor for WebhookActor {
    type Context = Context<Self>;
}

/// A message was sent on a channel that has webhooks.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Notice {
    pub(crate) channel: ChannelId,
    pub(crate) message: Arc<ChannelMessage>,
}

impl Handler<Notice> for WebhookActor {
    type Result = ();

    fn handle(&mut self, notice: Notice, _: &mut Self::Context) {
        log::debug!(channel:display = notice.channel, message = notice.message.id; "a message nobody has subscribed to");
    }
}

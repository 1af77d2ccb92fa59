//! The messages of the Registry. None of them leaves this crate.

use std::sync::Arc;

use actix::prelude::*;
use rogerrat_domain::ChannelId;
use tokio::sync::oneshot;

use crate::channel::actor::ChannelActor;
use crate::channel::handle::ChannelHandle;
use crate::error::HubError;

/// Starts a channel's actor, unless one other than `stopped` is running.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenChannel {
    pub(crate) handle: Arc<ChannelHandle>,
    /// The actor that the caller found stopped.
    pub(crate) stopped: Option<Addr<ChannelActor>>,
    /// Where the actor is to run.
    pub(crate) arbiter: ArbiterHandle,
    pub(crate) opened: oneshot::Sender<Result<(), HubError>>,
}

/// Opens no more channels, because the hub shuts down.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StopOpening;

/// Deletes a channel.
#[derive(Message)]
#[rtype(result = "Result<(), HubError>")]
pub(crate) struct DeleteChannel {
    pub(crate) channel: ChannelId,
}

//! Sends requests to channel actors, and starts an actor where none is running.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::channel::actor::ChannelActor;
use crate::channel::handle::{ChannelHandle, Undelivered};
use crate::channel::messages::Request;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::registry::Registry;
use crate::registry::messages::OpenChannel;

/// How often a request is sent to a channel whose actor stopped before taking it.
const TRIES: usize = 3;

/// Sends requests to channels; asks the Registry to open those that are not in memory.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    pub(crate) registry: Addr<Registry>,
    pub(crate) counters: Arc<Counters>,
}

impl Dispatcher {
    /// Sends a request to a channel and waits for the reply, opening the channel if need be. Returns none if the actor
    /// took the request and stopped before it replied.
    ///
    /// # Errors
    /// `Busy` when the mailbox is full, and what opening the channel fails with.
    pub(crate) async fn call<O, R, M>(
        &self,
        handle: &Arc<ChannelHandle>,
        mut op: O,
        wrap: impl Fn(Request<O, R>) -> M,
    ) -> Result<Option<Result<R, HubError>>, HubError>
    where
        O: Send + 'static,
        R: Send + 'static,
        M: Message<Result = ()> + Send + 'static,
        ChannelActor: Handler<M>,
    {
        for _ in 0..TRIES {
            let (request, answer) = Request::new(op);
            let stopped = match handle.try_send(wrap(request)) {
                Ok(()) => None,
                Err(Undelivered::Full) => return Err(self.full()),
                Err(Undelivered::NoActor(message, stopped)) => {
                    drop(message);
                    Some(stopped)
                }
            };
            op = match answer.await {
                Ok(Ok(answer)) => return Ok(Some(answer)),
                Err(_) => return Ok(None),
                Ok(Err(returned)) => returned,
            };
            // The request came back: no actor was running, or it stopped before it took the request.
            self.open(handle, stopped.unwrap_or_else(|| handle.addr())).await?;
        }
        Err(self.full())
    }

    fn full(&self) -> HubError {
        self.counters.add(Count::MailboxRefusals, 1);
        HubError::Busy
    }

    /// Opens a channel, unless its actor is running.
    ///
    /// # Errors
    /// `Moved` when another instance owns it; what else opening it fails with.
    pub(crate) async fn open_if_closed(&self, handle: &Arc<ChannelHandle>) -> Result<(), HubError> {
        if handle.is_live() { Ok(()) } else { self.open(handle, handle.addr()).await }
    }

    async fn open(&self, handle: &Arc<ChannelHandle>, stopped: Option<Addr<ChannelActor>>) -> Result<(), HubError> {
        let arbiter = Arbiter::try_current().ok_or(HubError::Gone)?;
        let (opened, answer) = oneshot::channel();
        let open = OpenChannel { handle: handle.clone(), stopped, arbiter, opened };
        self.registry.send(open).await.map_err(|_| HubError::Gone)?;
        answer.await.map_err(|_| HubError::Gone)?
    }
}

//! The courier: brings operations to a channel's mailbox and the answers back, whatever becomes of the channel meanwhile.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::channel::actor::ChannelActor;
use crate::channel::messages::Request;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::registry::directory::{ChannelEntry, Undelivered};
use crate::registry::{OpenChannel, Registry};

/// How often an operation is brought to a channel that went down before it took it up.
const TRIES: usize = 3;

/// Knows whom to ask when nobody is home.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    pub(crate) registry: Addr<Registry>,
    pub(crate) counters: Arc<Counters>,
}

impl Dispatcher {
    /// Brings an operation to a channel's mailbox, opening the channel if need be. None when the channel took it up and
    /// went down with it.
    pub(crate) async fn bring<O, R, M>(
        &self,
        room: &Arc<ChannelEntry>,
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
            let (call, answer) = Request::new(op);
            let dead = match room.try_send(wrap(call)) {
                Ok(()) => None,
                Err(Undelivered::Full) => return Err(self.full()),
                Err(Undelivered::NoActor(message, dead)) => {
                    drop(message);
                    Some(dead)
                }
            };
            op = match answer.await {
                Ok(Ok(answer)) => return Ok(Some(answer)),
                Err(_) => return Ok(None),
                Ok(Err(back)) => back,
            };
            // Handed back: nobody was home, or whoever was went before taking it up.
            self.open(room, dead.unwrap_or_else(|| room.addr())).await?;
        }
        Err(self.full())
    }

    fn full(&self) -> HubError {
        self.counters.add(Count::MailboxRefusals, 1);
        HubError::Busy
    }

    async fn open(&self, room: &Arc<ChannelEntry>, dead: Option<Addr<ChannelActor>>) -> Result<(), HubError> {
        let arbiter = Arbiter::try_current().ok_or(HubError::Gone)?;
        let (opened, answer) = oneshot::channel();
        let open = OpenChannel { room: room.clone(), dead, arbiter, opened };
        self.registry.send(open).await.map_err(|_| HubError::Gone)?;
        answer.await.map_err(|_| HubError::Gone)?
    }
}

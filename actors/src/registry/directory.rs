//! A room: what is known of a channel beside its mailbox, read by everybody and written by few.
//!
//! Whether a channel exists and whether a token admits is decided here, before any mailbox.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use actix::Addr;
use actix::dev::{MessageResponse, ToEnvelope};
use actix::prelude::{Handler, Message, SendError};
use dashmap::DashMap;
use rogerrat_domain::{ChannelId, Now, Settings};

use crate::channel::actor::ChannelActor;
use crate::channel::status::ChannelStatus;

/// A channel as the table knows it.
#[derive(Debug)]
pub(crate) struct ChannelEntry {
    pub(crate) id: ChannelId,
    pub(crate) vitals: Arc<ChannelStatus>,
    /// The uptime at which it was last asked for anything.
    pub(crate) used_ms: AtomicU64,
    seat: RwLock<Option<Addr<ChannelActor>>>,
}

/// Why a message did not get into a mailbox. It is handed back.
pub(crate) enum Undelivered<M> {
    /// The mailbox is full.
    Full,
    /// There is no live actor; the dead one's address, if there was one.
    NoActor(M, Option<Addr<ChannelActor>>),
}

impl ChannelEntry {
    pub(crate) fn new(id: ChannelId, settings: Arc<Settings>, now: Now) -> Self {
        let vitals = Arc::new(ChannelStatus::new(settings));
        Self { id, vitals, used_ms: AtomicU64::new(now.uptime_ms), seat: RwLock::new(None) }
    }

    /// The channel's settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.vitals.settings()
    }

    /// Puts a message into the mailbox of the room's actor, if there is one and it has room.
    pub(crate) fn try_send<M>(&self, message: M) -> Result<(), Undelivered<M>>
    where
        M: Message + Send + 'static,
        M::Result: Send + MessageResponse<ChannelActor, M>,
        ChannelActor: Handler<M>,
        <ChannelActor as actix::Actor>::Context: ToEnvelope<ChannelActor, M>,
    {
        let seat = self.seat.read().unwrap_or_else(PoisonError::into_inner);
        let Some(addr) = seat.as_ref() else { return Err(Undelivered::NoActor(message, None)) };
        match addr.try_send(message) {
            Ok(()) => Ok(()),
            Err(SendError::Full(_)) => Err(Undelivered::Full),
            Err(SendError::Closed(message)) => Err(Undelivered::NoActor(message, Some(addr.clone()))),
        }
    }

    pub(crate) fn addr(&self) -> Option<Addr<ChannelActor>> {
        self.seat.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is an actor that takes messages.
    pub(crate) fn is_live(&self) -> bool {
        self.addr().is_some_and(|addr| addr.connected())
    }

    pub(crate) fn seat(&self, addr: Addr<ChannelActor>) {
        self.vitals.wake();
        *self.seat.write().unwrap_or_else(PoisonError::into_inner) = Some(addr);
    }
}

/// The rooms of the channels in use. Whoever looks for a channel puts its room in, the Registry takes it out.
pub(crate) type ChannelDirectory = DashMap<ChannelId, Arc<ChannelEntry>>;

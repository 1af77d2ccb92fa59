//! The handle of a channel: its id, its published status, and the address of its actor while it is in memory.
//!
//! Whether a channel exists and whether a token admits a caller is decided from here, without its mailbox.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use actix::Addr;
use actix::dev::{MessageResponse, ToEnvelope};
use actix::prelude::{Handler, Message, SendError};
use dashmap::DashMap;
use rogerrat_domain::{ChannelId, Now, Settings};

use crate::channel::actor::ChannelActor;
use crate::channel::status::ChannelStatus;

/// A channel in the directory.
#[derive(Debug)]
pub(crate) struct ChannelHandle {
    pub(crate) id: ChannelId,
    pub(crate) status: Arc<ChannelStatus>,
    /// The hub's uptime at the last request for the channel.
    pub(crate) used_ms: AtomicU64,
    addr: RwLock<Option<Addr<ChannelActor>>>,
}

/// Why a message did not get into a mailbox.
pub(crate) enum Undelivered<M> {
    /// The mailbox is full.
    Full,
    /// No actor is running. Carries the message, and the address of the stopped actor if there was one.
    NoActor(M, Option<Addr<ChannelActor>>),
}

impl ChannelHandle {
    pub(crate) fn new(id: ChannelId, settings: Arc<Settings>, now: Now) -> Self {
        let status = Arc::new(ChannelStatus::new(settings));
        Self { id, status, used_ms: AtomicU64::new(now.uptime_ms), addr: RwLock::new(None) }
    }

    /// The channel's current settings.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.status.settings()
    }

    /// Puts a message into the actor's mailbox, if an actor is running and its mailbox has room.
    pub(crate) fn try_send<M>(&self, message: M) -> Result<(), Undelivered<M>>
    where
        M: Message + Send + 'static,
        M::Result: Send + MessageResponse<ChannelActor, M>,
        ChannelActor: Handler<M>,
        <ChannelActor as actix::Actor>::Context: ToEnvelope<ChannelActor, M>,
    {
        let addr = self.addr.read().unwrap_or_else(PoisonError::into_inner);
        let Some(addr) = addr.as_ref() else { return Err(Undelivered::NoActor(message, None)) };
        match addr.try_send(message) {
            Ok(()) => Ok(()),
            Err(SendError::Full(_)) => Err(Undelivered::Full),
            Err(SendError::Closed(message)) => Err(Undelivered::NoActor(message, Some(addr.clone()))),
        }
    }

    pub(crate) fn addr(&self) -> Option<Addr<ChannelActor>> {
        self.addr.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether an actor is running that takes messages.
    pub(crate) fn is_live(&self) -> bool {
        self.addr().is_some_and(|addr| addr.connected())
    }

    /// Publishes the address of an actor that has started.
    pub(crate) fn set_addr(&self, addr: Addr<ChannelActor>) {
        self.status.actor_started();
        *self.addr.write().unwrap_or_else(PoisonError::into_inner) = Some(addr);
    }
}

/// The channels in use. A request for a channel adds its handle; only the Registry removes one.
pub(crate) type ChannelDirectory = DashMap<ChannelId, Arc<ChannelHandle>, DirectoryHasher>;

/// The hasher of the directory.
#[cfg(not(test))]
type DirectoryHasher = std::hash::RandomState;
/// In tests, the order of the channels is the same in each run.
#[cfg(test)]
type DirectoryHasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

//! A room: what is known of a channel beside its mailbox, read by everybody and written by few.
//!
//! Whether a channel exists and whether a token admits is decided here, before any mailbox.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use actix::Addr;
use actix::dev::{MessageResponse, ToEnvelope};
use actix::prelude::{Handler, Message, SendError};
use dashmap::DashMap;
use rogerrat_domain::{ChannelId, Loss, Now, Settings};

use crate::channel_actor::ChannelActor;

/// A channel as the table knows it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: ChannelId,
    pub(crate) settings: Arc<Settings>,
    /// The last message id its actor has given; ids of a revived channel begin above it.
    pub(crate) last_id: AtomicU64,
    /// Members online.
    pub(crate) agents: AtomicUsize,
    /// The uptime at which it was last asked for anything.
    pub(crate) used_ms: AtomicU64,
    /// Whether its actor once lived, and whether it went to rest by itself.
    lived: AtomicBool,
    rested: AtomicBool,
    seat: RwLock<Option<Addr<ChannelActor>>>,
}

/// Why a message did not get into a mailbox. It is handed back.
pub(crate) enum Undelivered<M> {
    /// The mailbox is full.
    Full,
    /// There is no live actor; the dead one's address, if there was one.
    NobodyHome(M, Option<Addr<ChannelActor>>),
}

impl Room {
    pub(crate) fn new(id: ChannelId, settings: Arc<Settings>, now: Now) -> Self {
        Self {
            id,
            settings,
            last_id: AtomicU64::new(0),
            agents: AtomicUsize::new(0),
            used_ms: AtomicU64::new(now.uptime_ms),
            lived: AtomicBool::new(false),
            rested: AtomicBool::new(false),
            seat: RwLock::new(None),
        }
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
        let Some(addr) = seat.as_ref() else { return Err(Undelivered::NobodyHome(message, None)) };
        match addr.try_send(message) {
            Ok(()) => Ok(()),
            Err(SendError::Full(_)) => Err(Undelivered::Full),
            Err(SendError::Closed(message)) => Err(Undelivered::NobodyHome(message, Some(addr.clone()))),
        }
    }

    pub(crate) fn addr(&self) -> Option<Addr<ChannelActor>> {
        self.seat.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn seat(&self, addr: Addr<ChannelActor>) {
        self.lived.store(true, Relaxed);
        self.rested.store(false, Relaxed);
        *self.seat.write().unwrap_or_else(PoisonError::into_inner) = Some(addr);
    }

    /// Says that the actor ends because nobody is there.
    pub(crate) fn rest(&self) {
        self.rested.store(true, Relaxed);
        self.agents.store(0, Relaxed);
    }

    /// Whether anybody is to be told of its messages. Nobody can subscribe yet.
    #[expect(clippy::unused_self, reason = "subscriptions will stand in the room")]
    pub(crate) fn has_webhooks(&self) -> bool {
        false
    }

    /// Why a channel opened now has no messages, if it had any.
    pub(crate) fn loss(&self) -> Option<Loss> {
        match (self.lived.load(Relaxed), self.rested.load(Relaxed)) {
            (false, _) => None,
            (true, true) => Some(Loss::Idle),
            (true, false) => Some(Loss::Restart),
        }
    }
}

/// All rooms. The Registry writes it, everybody reads it.
pub(crate) type Table = DashMap<ChannelId, Arc<Room>>;

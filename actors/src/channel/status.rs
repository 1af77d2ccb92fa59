//! The status that a channel's actor publishes, to be read without its mailbox.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rogerrat_domain::Settings;
use tokio::sync::watch;

/// The status of a channel. The actor updates it after every message; it outlives the actor.
#[derive(Debug)]
pub(crate) struct ChannelStatus {
    /// The channel's current settings.
    settings: RwLock<Arc<Settings>>,
    /// The last message id assigned; ids of a recovered channel start above it.
    pub(crate) last_id: AtomicU64,
    /// Members online.
    pub(crate) agents: AtomicUsize,
    /// Whether any member has joined with an identity since the hub started.
    pub(crate) has_identities: AtomicBool,
    /// When the oldest held DM was sent, in seconds since the epoch; 0 if none is held.
    oldest_held_s: AtomicU32,
    /// Signals broadcasts and the end of the channel. Created on first use: few channels are watched.
    changes: OnceLock<watch::Sender<u64>>,
    /// The uptime before which the Registry must wake the actor; 0 if the actor has its own timer.
    wakeup_ms: AtomicU64,
    started: AtomicBool,
    unloaded: AtomicBool,
    /// Whether the channel is being deleted from the log.
    deleting: AtomicBool,
}

impl ChannelStatus {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings: RwLock::new(settings),
            last_id: AtomicU64::new(0),
            agents: AtomicUsize::new(0),
            has_identities: AtomicBool::new(false),
            oldest_held_s: AtomicU32::new(0),
            changes: OnceLock::new(),
            wakeup_ms: AtomicU64::new(0),
            started: AtomicBool::new(false),
            unloaded: AtomicBool::new(false),
            deleting: AtomicBool::new(false),
        }
    }

    /// When the oldest held DM was sent, in milliseconds since the epoch; none if none is held.
    pub(crate) fn oldest_held_ms(&self) -> Option<u64> {
        Some(u64::from(self.oldest_held_s.load(Relaxed)) * 1000).filter(|at_ms| *at_ms > 0)
    }

    pub(crate) fn set_oldest_held(&self, at_ms: Option<u64>) {
        let at_s = at_ms.map_or(0, |at_ms| u32::try_from(at_ms / 1000).unwrap_or(u32::MAX));
        self.oldest_held_s.store(at_s, Relaxed);
    }

    /// The current settings.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the settings.
    pub(crate) fn set_settings(&self, settings: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Signals a change to everyone who watches the channel.
    pub(crate) fn notify_watchers(&self) {
        if let Some(changes) = self.changes.get() {
            changes.send_modify(|changes| *changes += 1);
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.get_or_init(watch::Sender::default).subscribe()
    }

    /// Asks the Registry to wake the actor before an uptime; none cancels the request.
    pub(crate) fn schedule_wakeup(&self, at_ms: Option<u64>) {
        self.wakeup_ms.store(at_ms.unwrap_or(0), Relaxed);
    }

    /// Whether the actor asked to be woken before an uptime.
    pub(crate) fn wakes_before(&self, uptime_ms: u64) -> bool {
        (1..uptime_ms).contains(&self.wakeup_ms.load(Relaxed))
    }

    /// Records that an actor has started.
    pub(crate) fn actor_started(&self) {
        self.started.store(true, Relaxed);
        self.unloaded.store(false, Relaxed);
    }

    /// Records that the actor has written its state and stops.
    pub(crate) fn unload(&self) {
        self.unloaded.store(true, Relaxed);
        self.schedule_wakeup(None);
        self.agents.store(0, Relaxed);
    }

    /// Records that the log is deleting the channel, or that it could not.
    pub(crate) fn set_deleting(&self, deleting: bool) {
        self.deleting.store(deleting, Relaxed);
    }

    /// Whether the log refuses the channel because it is being deleted.
    pub(crate) fn is_deleting(&self) -> bool {
        self.deleting.load(Relaxed)
    }

    /// Whether an actor stopped without having written its state.
    pub(crate) fn has_crashed(&self) -> bool {
        self.started.load(Relaxed) && !self.unloaded.load(Relaxed)
    }
}

//! What a channel's actor publishes beside its mailbox, for those who must not wait for it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rogerrat_domain::Settings;
use tokio::sync::watch;

/// Numbers the actor writes after everything it does. They outlive it.
#[derive(Debug)]
pub(crate) struct ChannelStatus {
    /// The channel's settings, posted for everybody to read.
    settings: RwLock<Arc<Settings>>,
    /// The last message id given; ids of a recovered channel begin above it.
    pub(crate) last_id: AtomicU64,
    /// Members online.
    pub(crate) agents: AtomicUsize,
    /// Whether an identity is, or was, among its members since the hub started.
    pub(crate) has_identities: AtomicBool,
    /// Raised when something was said for all, and when the channel goes. Few channels are followed so.
    changes: OnceLock<watch::Sender<u64>>,
    /// The uptime before which the actor is to be woken, because it has set no timer; 0 when it has.
    wakeup_ms: AtomicU64,
    started: AtomicBool,
    passivated: AtomicBool,
}

impl ChannelStatus {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings: RwLock::new(settings),
            last_id: AtomicU64::new(0),
            agents: AtomicUsize::new(0),
            has_identities: AtomicBool::new(false),
            changes: OnceLock::new(),
            wakeup_ms: AtomicU64::new(0),
            started: AtomicBool::new(false),
            passivated: AtomicBool::new(false),
        }
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Posts what they are from now on.
    pub(crate) fn set_settings(&self, settings: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Raises the changes: whoever follows looks again.
    pub(crate) fn notify_watchers(&self) {
        if let Some(changes) = self.changes.get() {
            changes.send_modify(|changes| *changes += 1);
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.get_or_init(watch::Sender::default).subscribe()
    }

    /// Asks the Registry to wake the actor before an uptime; none takes that back.
    pub(crate) fn schedule_wakeup(&self, at_ms: Option<u64>) {
        self.wakeup_ms.store(at_ms.unwrap_or(0), Relaxed);
    }

    /// Whether the actor asked to be woken before this uptime.
    pub(crate) fn wakes_before(&self, uptime_ms: u64) -> bool {
        (1..uptime_ms).contains(&self.wakeup_ms.load(Relaxed))
    }

    /// Says that an actor begins.
    pub(crate) fn actor_started(&self) {
        self.started.store(true, Relaxed);
        self.passivated.store(false, Relaxed);
    }

    /// Says that the actor ends because nobody is there.
    pub(crate) fn passivate(&self) {
        self.passivated.store(true, Relaxed);
        self.schedule_wakeup(None);
        self.agents.store(0, Relaxed);
    }

    /// Whether the actor went down in the middle of its life.
    pub(crate) fn has_crashed(&self) -> bool {
        self.started.load(Relaxed) && !self.passivated.load(Relaxed)
    }
}

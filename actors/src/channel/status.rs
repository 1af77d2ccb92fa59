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
    /// The last message id given; ids of a revived channel begin above it.
    pub(crate) last_id: AtomicU64,
    /// Members online.
    pub(crate) agents: AtomicUsize,
    /// Whether an identity is, or was, among its members since the hub started.
    pub(crate) has_identities: AtomicBool,
    /// Raised when something was said for all, and when the channel goes. Few channels are followed so.
    news: OnceLock<watch::Sender<u64>>,
    /// The uptime before which the actor is to be woken, because it has set no timer; 0 when it has.
    booked_ms: AtomicU64,
    lived: AtomicBool,
    rested: AtomicBool,
}

impl ChannelStatus {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings: RwLock::new(settings),
            last_id: AtomicU64::new(0),
            agents: AtomicUsize::new(0),
            has_identities: AtomicBool::new(false),
            news: OnceLock::new(),
            booked_ms: AtomicU64::new(0),
            lived: AtomicBool::new(false),
            rested: AtomicBool::new(false),
        }
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Posts what they are from now on.
    pub(crate) fn post(&self, settings: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Raises the news: whoever follows looks again.
    pub(crate) fn tell_news(&self) {
        if let Some(news) = self.news.get() {
            news.send_modify(|news| *news += 1);
        }
    }

    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.get_or_init(watch::Sender::default).subscribe()
    }

    /// Asks the Registry to wake the actor before an uptime; none takes that back.
    pub(crate) fn book(&self, at_ms: Option<u64>) {
        self.booked_ms.store(at_ms.unwrap_or(0), Relaxed);
    }

    /// Whether the actor asked to be woken before this uptime.
    pub(crate) fn is_booked_before(&self, uptime_ms: u64) -> bool {
        (1..uptime_ms).contains(&self.booked_ms.load(Relaxed))
    }

    /// Says that an actor begins.
    pub(crate) fn wake(&self) {
        self.lived.store(true, Relaxed);
        self.rested.store(false, Relaxed);
    }

    /// Says that the actor ends because nobody is there.
    pub(crate) fn rest(&self) {
        self.rested.store(true, Relaxed);
        self.book(None);
        self.agents.store(0, Relaxed);
    }

    /// Whether the actor went down in the middle of its life.
    pub(crate) fn is_down(&self) -> bool {
        self.lived.load(Relaxed) && !self.rested.load(Relaxed)
    }
}

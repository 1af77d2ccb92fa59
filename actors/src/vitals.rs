//! What a channel's actor publishes beside its mailbox, for those who must not wait for it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::sync::watch;

/// Numbers the actor writes after everything it does. They outlive it.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    /// The last message id given; ids of a revived channel begin above it.
    pub(crate) last_id: AtomicU64,
    /// Members online.
    pub(crate) agents: AtomicUsize,
    /// Whether an identity is, or was, among its members since the hub started.
    pub(crate) has_identities: AtomicBool,
    /// Raised when something was said for all, and when the channel goes. Few channels are followed so.
    news: OnceLock<watch::Sender<u64>>,
    lived: AtomicBool,
    rested: AtomicBool,
}

impl Vitals {
    /// Raises the news: whoever follows looks again.
    pub(crate) fn tell_news(&self) {
        if let Some(news) = self.news.get() {
            news.send_modify(|news| *news += 1);
        }
    }

    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.get_or_init(watch::Sender::default).subscribe()
    }

    /// Says that an actor begins.
    pub(crate) fn wake(&self) {
        self.lived.store(true, Relaxed);
        self.rested.store(false, Relaxed);
    }

    /// Says that the actor ends because nobody is there.
    pub(crate) fn rest(&self) {
        self.rested.store(true, Relaxed);
        self.agents.store(0, Relaxed);
    }

    /// Whether the actor went down in the middle of its life.
    pub(crate) fn is_down(&self) -> bool {
        self.lived.load(Relaxed) && !self.rested.load(Relaxed)
    }
}

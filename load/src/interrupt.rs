//! Ctrl-C and other signals: the first one ends the run with its results so far, the second one at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

pub(super) struct Interrupt {
    count: watch::Receiver<u8>,
}

impl Interrupt {
    /// Installs the signal handlers.
    pub(super) fn new() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let mut signals = kinds.into_iter().map(signal).collect::<io::Result<Vec<_>>>()?;
        let (sender, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let any = signals.iter_mut().map(|signal: &mut Signal| Box::pin(signal.recv()));
                futures_util::future::select_all(any).await;
                if sender.is_closed() {
                    return;
                }
                sender.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { count })
    }

    /// Waits for the first signal.
    pub(super) async fn requested(&self) {
        self.wait_for(1).await;
    }

    /// Waits for the second signal: the user does not want to wait for the last messages.
    pub(super) async fn repeated(&self) {
        self.wait_for(2).await;
    }

    async fn wait_for(&self, signals: u8) {
        let mut count = self.count.clone();
        if count.wait_for(|count| *count >= signals).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

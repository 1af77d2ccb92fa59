//! Ctrl-C, and its like: the first ends the load gently, a second one at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

pub(super) struct Interrupt {
    heard: watch::Receiver<u8>,
}

impl Interrupt {
    /// Listens from now on.
    pub(super) fn new() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let mut signals = kinds.into_iter().map(signal).collect::<io::Result<Vec<_>>>()?;
        let (tell, heard) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let any = signals.iter_mut().map(|signal: &mut Signal| Box::pin(signal.recv()));
                futures_util::future::select_all(any).await;
                if tell.is_closed() {
                    return;
                }
                tell.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { heard })
    }

    pub(super) async fn heard(&self) {
        self.times(1).await;
    }

    /// Somebody does not want to wait for the last messages.
    pub(super) async fn insisted(&self) {
        self.times(2).await;
    }

    async fn times(&self, times: u8) {
        let mut heard = self.heard.clone();
        if heard.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

//! Clients of several hubs that run already, judged while somebody else makes the hubs fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::clients::Clients;
use super::context::{Context, now_ms};
use super::oracle::{Event, Oracle};
use super::report::TortureReport;
use super::setup::{TortureLoad, set_up};

/// Clients on a thread of their own that send and read at several hubs, and judge what they see.
///
/// Each client uses one hub, and the next one after a request without an answer or with the answer 503 or 507.
pub struct Judge {
    context: Arc<Context>,
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    seed: u64,
    start_ms: u64,
}

impl Judge {
    /// Creates channels and members at the hubs in turn, and starts to send and read.
    ///
    /// # Errors
    ///
    /// Fails if a hub refuses a channel or a member.
    pub fn start(addresses: Vec<SocketAddr>, load: TortureLoad, seed: u64) -> Result<Self, String> {
        let (started, has_started) = sync_channel(1);
        let (stop, is_stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let (context, clients) = match start(addresses, None, load, seed).await {
                    Ok(running) => running,
                    Err(reason) => return drop(started.send(Err(reason))),
                };
                let _ = started.send(Ok(Arc::clone(&context)));
                // An error means that nobody waits for the outcome.
                if is_stopped.await.is_ok() {
                    clients.drain(&context).await;
                    context.oracle().check_all_sends();
                }
            });
        });
        let context = has_started.recv().map_err(|_| "the clients did not start".to_owned())??;
        Ok(Self { context, thread, stop, seed, start_ms: now_ms() })
    }

    /// Something will fail from now on. Until [`end_fault`](Self::end_fault), channels may move.
    pub fn begin_fault(&self) {
        self.context.record(Event::FaultBegun);
    }

    /// Everything is well again, and no hub is left that was declared dead.
    pub fn end_fault(&self) {
        self.context.record(Event::FaultEnded);
    }

    /// Blocks until a send on each channel is acknowledged that began after this call; false if not within the time.
    #[must_use]
    pub fn wait_until_served(&self, within: Duration) -> bool {
        let since_ms = now_ms();
        self.context.wait_for_service(within, |service| service.is_served_since(since_ms))
    }

    /// Blocks until `count` more sends are acknowledged; false if not within the time.
    #[must_use]
    pub fn wait_for_sends(&self, count: u64, within: Duration) -> bool {
        let before = self.context.service().acknowledged();
        self.context.wait_for_service(within, |service| service.acknowledged() >= before + count)
    }

    /// Blocks until `count` more requests have the response 503 or 507; false if not within the time.
    #[must_use]
    pub fn wait_until_refused(&self, count: u64, within: Duration) -> bool {
        let before = self.context.service().refused();
        self.context.wait_for_service(within, |service| service.refused() >= before + count)
    }

    /// Lets the clients read everything, checks all sends, and returns the report.
    ///
    /// # Errors
    ///
    /// Fails if the thread of the clients has panicked.
    pub fn finish(self) -> Result<TortureReport, String> {
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| "the clients failed".to_owned())?;
        let seconds = (now_ms() - self.start_ms) as f64 / 1000.0;
        Ok(TortureReport::of_cluster(&self.context, self.seed, seconds))
    }
}

/// Starts the clients of several hubs on the current thread.
pub(super) async fn start(
    addresses: Vec<SocketAddr>,
    token: Option<&str>,
    load: TortureLoad,
    seed: u64,
) -> Result<(Arc<Context>, Clients), String> {
    let (fixture, oracle) = set_up(&addresses, token, load, Oracle::of_cluster()).await?;
    let context = Context::new(addresses, oracle, fixture.callsigns.clone(), fixture.durable.clone());
    let context = Arc::new(context);
    let clients = Clients::start(&context, &fixture, seed);
    Ok((context, clients))
}

//! What all tasks of a run share: the oracle, where the hubs are, whether they serve, and the phase of the run.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use super::oracle::{ChannelNo, Event, MemberNo, Oracle, RequestStart};
use super::service::Service;
use crate::stopwatch::elapsed_ns;

/// The phase of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// All members are active, and the hub is killed.
    Busy,
    /// There are no more kills; writers finish their last message.
    Settling,
    /// Readers read until nothing is due.
    Draining,
}

#[derive(Debug, Clone, Copy)]
struct Status {
    serving: bool,
    phase: Phase,
}

pub(super) struct Context {
    /// Where clients connect to, never empty. With several, a client that gets no answer goes to the next.
    pub(super) addresses: Vec<SocketAddr>,
    /// By member.
    pub(super) callsigns: Vec<String>,
    /// By channel: whether it stores its messages on disk.
    pub(super) durable: Vec<bool>,
    oracle: Mutex<Oracle>,
    service: Mutex<Service>,
    served: Condvar,
    status: watch::Sender<Status>,
}

impl Context {
    pub(super) fn new(addresses: Vec<SocketAddr>, oracle: Oracle, callsigns: Vec<String>, durable: Vec<bool>) -> Self {
        let status = watch::Sender::new(Status { serving: true, phase: Phase::Busy });
        let service = Mutex::new(Service::new(callsigns.len(), durable.len(), addresses.len()));
        let context =
            Self { addresses, callsigns, durable, oracle: Mutex::new(oracle), service, served: Condvar::new(), status };
        context.record(Event::Serving);
        context
    }

    /// Passes an event to the oracle.
    pub(super) fn record(&self, event: Event) {
        match event {
            Event::Killed => self.status.send_modify(|status| status.serving = false),
            Event::Serving => self.status.send_modify(|status| status.serving = true),
            Event::Unavailable { .. } => {
                self.service().refuse();
                self.served.notify_all();
            }
            _ => {}
        }
        self.oracle().record(now_ms(), event);
    }

    /// Locks the oracle. All tasks run on one thread; only who controls the run may be on another.
    pub(super) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().expect("nothing panics while it holds the lock")
    }

    /// The state of the hub for a request that begins now.
    pub(super) fn request_start(&self) -> RequestStart {
        self.oracle().request_start()
    }

    /// How long clients of these hubs were without service.
    pub(super) fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().expect("nothing panics while it holds the lock")
    }

    /// A hub answered a send of a member that began at `begun_ms`.
    pub(super) fn succeed(&self, member: MemberNo, channel: ChannelNo, begun_ms: u64) {
        self.service().succeed(member, channel, self.durable[channel], begun_ms, now_ms());
        self.served.notify_all();
    }

    /// Blocks another thread until the service is as it should be; false if it is not within the time.
    pub(super) fn wait_for_service(&self, within: Duration, mut is_good: impl FnMut(&Service) -> bool) -> bool {
        let waited = self.served.wait_timeout_while(self.service(), within, |service| !is_good(service));
        waited.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }

    /// Whether the hubs are several that share a database, of which some may fail while others serve.
    pub(super) fn is_cluster(&self) -> bool {
        self.oracle().is_cluster()
    }

    pub(super) fn is_durable(&self, channel: ChannelNo) -> bool {
        self.durable[channel]
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.status.send_modify(|status| status.phase = phase);
    }

    pub(super) fn phase(&self) -> Phase {
        self.status.borrow().phase
    }

    /// Waits until the hub serves; returns the phase.
    pub(super) async fn wait_until_serving(&self) -> Phase {
        let mut watch = self.status.subscribe();
        // It cannot fail, because the sender is in `self`.
        let status = watch.wait_for(|status| status.serving).await;
        status.map_or(Phase::Draining, |status| status.phase)
    }
}

pub(super) fn now_ms() -> u64 {
    elapsed_ns() / 1_000_000
}

/// Pauses a task to set its pace; never used to wait for other tasks.
pub(super) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

//! What all tasks of a run share: the oracle, whether the hub serves, and the phase of the run.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use super::oracle::{ChannelNo, Event, Oracle, RequestStart};
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
    pub(super) address: SocketAddr,
    /// By member.
    pub(super) callsigns: Vec<String>,
    /// By channel: whether it stores its messages on disk.
    pub(super) durable: Vec<bool>,
    oracle: Mutex<Oracle>,
    status: watch::Sender<Status>,
}

impl Context {
    pub(super) fn new(address: SocketAddr, oracle: Oracle, callsigns: Vec<String>, durable: Vec<bool>) -> Self {
        let status = watch::Sender::new(Status { serving: true, phase: Phase::Busy });
        let context = Self { address, callsigns, durable, oracle: Mutex::new(oracle), status };
        context.record(Event::Serving);
        context
    }

    /// Passes an event to the oracle.
    pub(super) fn record(&self, event: Event) {
        match event {
            Event::Killed => self.status.send_modify(|status| status.serving = false),
            Event::Serving => self.status.send_modify(|status| status.serving = true),
            _ => {}
        }
        self.oracle().record(now_ms(), event);
    }

    /// Locks the oracle. It never waits, because all tasks run on one thread.
    pub(super) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().expect("nothing panics while it holds the lock")
    }

    /// The state of the hub for a request that begins now.
    pub(super) fn request_start(&self) -> RequestStart {
        self.oracle().request_start()
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

//! What everybody in a run shares: the oracle, whether the hub serves, and how far the run is.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use super::oracle::{ChannelNo, Event, Oracle, Stamp};
use crate::stopwatch::elapsed_ns;

/// How far the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Everybody talks, and the hub is killed.
    Busy,
    /// No kills any more; writers bring their last message to its end.
    Settling,
    /// Readers read until nothing is due.
    Draining,
}

#[derive(Debug, Clone, Copy)]
struct State {
    serves: bool,
    phase: Phase,
}

pub(super) struct Context {
    pub(super) address: SocketAddr,
    /// By member.
    pub(super) callsigns: Vec<String>,
    /// By channel: whether it keeps its messages on disk.
    pub(super) durable: Vec<bool>,
    oracle: Mutex<Oracle>,
    state: watch::Sender<State>,
}

impl Context {
    pub(super) fn new(address: SocketAddr, oracle: Oracle, callsigns: Vec<String>, durable: Vec<bool>) -> Self {
        let state = watch::Sender::new(State { serves: true, phase: Phase::Busy });
        let context = Self { address, callsigns, durable, oracle: Mutex::new(oracle), state };
        context.hear(Event::Serves);
        context
    }

    pub(super) fn hear(&self, event: Event) {
        match event {
            Event::Killed => self.state.send_modify(|state| state.serves = false),
            Event::Serves => self.state.send_modify(|state| state.serves = true),
            _ => {}
        }
        self.oracle().hear(now_ms(), event);
    }

    /// All run on one thread: this lock is never waited for.
    pub(super) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().expect("nothing panics while it keeps the state")
    }

    /// For a request that begins now.
    pub(super) fn stamp(&self) -> Stamp {
        self.oracle().stamp()
    }

    pub(super) fn is_durable(&self, channel: ChannelNo) -> bool {
        self.durable[channel]
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.state.send_modify(|state| state.phase = phase);
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.borrow().phase
    }

    /// Waits until the hub serves.
    pub(super) async fn serves(&self) -> Phase {
        let mut watch = self.state.subscribe();
        // It fails only when the sender is gone, and that is ourselves.
        let state = watch.wait_for(|state| state.serves).await;
        state.map_or(Phase::Draining, |state| state.phase)
    }
}

pub(super) fn now_ms() -> u64 {
    elapsed_ns() / 1_000_000
}

/// Paces a task; never used to wait for another one.
pub(super) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

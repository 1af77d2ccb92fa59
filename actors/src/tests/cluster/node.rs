//! A hub of the simulation, with its links.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use super::linked_log::LinkedLog;
use super::links::Links;
use super::oracle::Oracle;
use super::peers::{Hubs, LinkedPeers};
use super::receiver::Receiver;
use crate::tests::harness::TestHub;
use crate::{Clock, Hub, InstanceId, MemoryInstance, Ports, SharedMemoryLog};

/// How long a durable channel stays with a hub that nobody uses it at, in milliseconds.
const IDLE_MS: u64 = 3_000;

/// A hub.
pub(super) struct Node {
    pub(super) id: InstanceId,
    pub(super) hub: Hub,
    pub(super) links: Links,
    /// It takes no new requests, because it is being stopped.
    pub(super) is_stopping: Cell<bool>,
    /// It serves nothing any more.
    pub(super) is_gone: Cell<bool>,
    /// Requests under way.
    pub(super) requests: Cell<usize>,
    instance: Arc<MemoryInstance>,
    oracle: Arc<Mutex<Oracle>>,
}

impl Node {
    /// Starts a hub. Its clock starts at `date_ms`.
    pub(super) async fn start(
        log: &SharedMemoryLog,
        oracle: &Arc<Mutex<Oracle>>,
        lost_per_mille: &Arc<AtomicU32>,
        hubs: &Hubs,
        date_ms: u64,
        seed: u64,
    ) -> Option<Rc<Self>> {
        let instance = Arc::new(log.start_instance("http://hub"));
        let links = Links::default();
        let id = crate::Instances::this(&*instance);
        let linked = LinkedLog::start(instance.clone(), links.clone(), lost_per_mille.clone(), seed, oracle.clone());
        let clock = Clock::steady(date_ms);
        let ports = Ports::with_log(Arc::new(linked));
        let receiver = Arc::new(Receiver::new(id, links.clone(), oracle.clone(), seed));
        let hub = TestHub::try_hub(ports, clock, receiver, IDLE_MS).await.ok()?;
        hubs.lock().unwrap().insert(id, (hub.clone(), links.clone()));
        hub.set_peers(Arc::new(LinkedPeers { links: links.clone(), hubs: hubs.clone() }));
        Some(Rc::new(Self {
            id,
            hub,
            links,
            is_stopping: Cell::new(false),
            is_gone: Cell::new(false),
            requests: Cell::new(0),
            instance,
            oracle: oracle.clone(),
        }))
    }

    /// Ends the process.
    pub(super) fn kill(&self) {
        self.links.set(|state| state.killed = true);
        self.oracle.lock().unwrap().posts.ended(self.id);
        self.instance.disconnect();
        self.is_gone.set(true);
    }

    /// Whether it takes requests.
    pub(super) fn takes_requests(&self) -> bool {
        !self.is_stopping.get() && !self.links.state().killed
    }
}

//! One simulation: hubs on one log, their clients, and what goes wrong, all from a seed.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::webhook::{HookOwner, SubscribeInput};
use rogerrat_domain::{ChannelId, Durability};
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::node::Node;
use super::oracle::{Oracle, Totals};
use super::peers::Hubs;
use crate::deliberate_fault::{DeliberateFault, set_fault};
use crate::random::{RngExt as _, SeedableRng as _, StdRng};
use crate::tests::harness::DAWN_MS;
use crate::{Clock, InstanceId, SharedMemoryLog};

/// Of a thousand calls of the log, how many are lost while things go wrong.
const LOST_PER_MILLE: u32 = 10;
/// How long an operator waits for a hub that is being stopped.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long a simulation may take, in its own time.
const TIME_LIMIT: Duration = Duration::from_secs(3600);
/// How often webhooks are looked for once nothing goes wrong any more, every 100 ms.
const WEBHOOK_LOOKS: u32 = 600;
/// How far clocks of hubs that agree differ at most, in milliseconds.
const SKEW_MS: u64 = 5_000;

/// What a simulation consists of.
pub(super) struct World {
    rng: RefCell<StdRng>,
    log: SharedMemoryLog,
    nodes: RefCell<Vec<Rc<Node>>>,
    oracle: Arc<Mutex<Oracle>>,
    lost_per_mille: Arc<AtomicU32>,
    hubs: Hubs,
    clock: Clock,
    /// Whether the clocks of the hubs agree, but for [`SKEW_MS`]. If not, the clock of each hub starts at the same date.
    clocks_agree: bool,
    /// What it is doing, for a message.
    phase: Cell<&'static str>,
}

/// How large a simulation is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) hubs: usize,
    pub(super) channels: usize,
    pub(super) members: usize,
    pub(super) steps: usize,
    pub(super) faults: usize,
}

impl Size {
    /// A size for a number of hubs.
    pub(super) fn of(hubs: usize) -> Self {
        Self { hubs, channels: 2 + hubs / 4, members: 3, steps: 16, faults: 3 + hubs }
    }
}

impl World {
    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.rng.borrow_mut())
    }

    /// The time since it began, in milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        self.clock.uptime_ms()
    }

    /// Until when a lease lasts at least that was asked for at `start_ms`.
    pub(super) fn lease_until_ms(&self, start_ms: u64, lease_ms: u64) -> u64 {
        // A hub whose clock is ahead of that of the hub before it ends leases early.
        if self.clocks_agree { start_ms + lease_ms - SKEW_MS } else { start_ms }
    }

    pub(super) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap()
    }

    /// A hub that a client may try. It does not know whether it answers.
    pub(super) fn some_node(&self) -> Rc<Node> {
        let nodes = self.nodes.borrow();
        let known: Vec<_> = nodes.iter().filter(|node| node.takes_requests()).collect();
        let at = self.draw(|rng| rng.random_range(0..known.len()));
        known[at].clone()
    }

    pub(super) fn node(&self, id: InstanceId) -> Rc<Node> {
        self.nodes.borrow().iter().find(|node| node.id == id).expect("it was started").clone()
    }

    /// Starts a hub, as often as it takes.
    async fn start_node(&self) {
        loop {
            let (skew_ms, seed) = self.draw(|rng| (rng.random_range(0..SKEW_MS), rng.random()));
            let start_ms = if self.clocks_agree { self.now_ms() } else { 0 };
            let date_ms = DAWN_MS + start_ms + skew_ms;
            if let Some(node) =
                Node::start(&self.log, &self.oracle, &self.lost_per_mille, &self.hubs, date_ms, seed).await
            {
                self.nodes.borrow_mut().push(node);
                return;
            }
        }
    }

    /// A hub to which something may happen. One at least stays as it is.
    fn victim(&self) -> Option<Rc<Node>> {
        let nodes = self.nodes.borrow();
        let up = |node: &&Rc<Node>| node.takes_requests() && !node.links.state().frozen;
        let up: Vec<_> = nodes.iter().filter(up).collect();
        (up.len() > 1).then(|| up[self.draw(|rng| rng.random_range(0..up.len()))].clone())
    }

    /// Makes something go wrong, and waits until it is over.
    async fn fault(self: Rc<Self>) {
        let (pause_ms, kind, ms) = self
            .draw(|rng| (rng.random_range(0..30_000), rng.random_range(0..12_usize), rng.random_range(1_000..25_000)));
        sleep(Duration::from_millis(pause_ms)).await;
        let Some(node) = self.victim() else { return };
        let time = Duration::from_millis(ms);
        let what = [
            "kill",
            "kill",
            "kill",
            "freeze",
            "freeze",
            "freeze",
            "cut from log",
            "cut from log",
            "cut from peers",
            "no database",
            "stop",
            "stop",
        ];
        self.oracle().note(|| format!("{} of {} for {ms} ms", what[kind], node.id));
        match kind {
            0..3 => {
                self.oracle().totals.kills += 1;
                node.kill();
                self.start_node().await;
            }
            3..6 => {
                self.oracle().totals.freezes += 1;
                node.links.set(|state| state.frozen = true);
                sleep(time).await;
                node.links.set(|state| state.frozen = false);
            }
            6..8 => {
                self.oracle().totals.cuts += 1;
                node.links.set(|state| state.cut_from_log = true);
                sleep(time).await;
                node.links.set(|state| state.cut_from_log = false);
            }
            8 => {
                self.oracle().totals.cuts += 1;
                node.links.set(|state| state.cut_from_peers = true);
                sleep(time).await;
                node.links.set(|state| state.cut_from_peers = false);
            }
            9 => {
                // The database is away for all.
                let all = self.nodes.borrow().clone();
                all.iter().for_each(|node| node.links.set(|state| state.cut_from_log = true));
                sleep(time / 2).await;
                all.iter().for_each(|node| node.links.set(|state| state.cut_from_log = false));
            }
            _ => self.stop(&node).await,
        }
    }

    /// Stops a hub as an operator does, and starts another.
    async fn stop(&self, node: &Rc<Node>) {
        self.oracle().totals.stops += 1;
        node.is_stopping.set(true);
        let stopping = async {
            node.hub.drain().await;
            while node.requests.get() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
            node.hub.close().await;
        };
        // It may be declared ended meanwhile, and is killed if it takes too long.
        drop(timeout(STOP_LIMIT, stopping).await);
        if !node.is_gone.get() {
            node.kill();
            self.start_node().await;
        }
    }

    /// Starts another instance for each one that learns that it was declared ended.
    async fn replace_ended(self: Rc<Self>) {
        loop {
            let ended = self.nodes.borrow().iter().find(|node| !node.is_gone.get() && node.hub.has_ended()).cloned();
            match ended {
                Some(node) => {
                    self.oracle().totals.hubs_ended += 1;
                    node.kill();
                    self.start_node().await;
                }
                None => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn channels(&self, count: usize) -> Vec<ChannelId> {
        let hub = self.nodes.borrow()[0].hub.clone();
        let mut channels = Vec::new();
        for n in 0..count {
            let durability = Some(if n % 2 == 0 { Durability::Disk } else { Durability::Memory });
            let created = hub.create(CreateInput { durability, ..CreateInput::default() }, None).await.unwrap();
            let channel = created.channel.id().clone();
            self.oracle().created(&channel, n % 2 == 0);
            if n % 2 == 0 {
                let input = SubscribeInput { url: "http://receiver".into(), ..SubscribeInput::default() };
                hub.subscribe(HookOwner::Channel(channel.clone()), input).await.unwrap();
                self.oracle().posts.hooked(&channel);
            }
            channels.push(channel);
        }
        channels
    }

    async fn play(self: &Rc<Self>, size: Size) {
        join_all((0..size.hubs).map(|_| self.start_node())).await;
        let channels = self.channels(size.channels).await;
        let who =
            channels.iter().flat_map(|channel| (0..size.members).map(|n| (channel.clone(), format!("agent-{n}"))));
        let joining = who.enumerate().map(|(n, who)| Client::join(self.clone(), who, n % 2 == 0));
        self.phase.set("joining");
        let mut clients = join_all(joining).await;
        self.phase.set("playing");
        self.lost_per_mille.store(LOST_PER_MILLE, Relaxed);
        let replacing = actix_rt::spawn(self.clone().replace_ended());
        let faults = join_all((0..size.faults).map(|_| self.clone().fault()));
        let playing = join_all(clients.iter_mut().map(|client| client.play(size.steps)));
        futures_util::future::join(
            async {
                faults.await;
                self.phase.set("playing, after the faults");
            },
            playing,
        )
        .await;
        self.phase.set("reading everything");
        self.lost_per_mille.store(0, Relaxed);
        // Instances that were declared ended learn it.
        sleep(Duration::from_secs(5)).await;
        join_all(clients.iter_mut().map(Client::read_everything)).await;
        self.phase.set("posting webhooks");
        for _ in 0..WEBHOOK_LOOKS {
            if self.oracle().has_all_webhooks() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        // Nothing is repeated later.
        sleep(Duration::from_secs(15)).await;
        join_all(clients.iter().map(Client::check_tasks)).await;
        replacing.abort();
        self.oracle().check_losses();
        self.oracle().check_webhooks();
        // They refer to each other.
        self.hubs.lock().unwrap().clear();
    }
}

/// What a simulation found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) totals: Totals,
    pub(super) violations: Vec<String>,
}

/// Runs a simulation, perhaps with a fault in the code.
pub(super) fn simulate(seed: u64, size: Size, fault: Option<DeliberateFault>) -> Outcome {
    set_fault(fault);
    crate::random::seed(seed);
    let outcome = run_paused(async move {
        let mut rng = StdRng::seed_from_u64(seed);
        let clocks_agree = rng.random_bool(0.75);
        let world = Rc::new(World {
            rng: RefCell::new(rng),
            log: SharedMemoryLog::new(),
            nodes: RefCell::default(),
            oracle: Arc::default(),
            lost_per_mille: Arc::default(),
            hubs: Arc::default(),
            clock: Clock::start(),
            clocks_agree,
            phase: Cell::new("starting"),
        });
        if std::env::var_os("SIM_TRACE").is_some() {
            world.oracle().start_trace();
        }
        if timeout(TIME_LIMIT, world.play(size)).await.is_err() {
            world.oracle().violations.push(format!("it does not end: {}", world.phase.get()));
        }
        let oracle = world.oracle();
        oracle.trace.iter().for_each(|line| println!("{line}"));
        Outcome { totals: oracle.totals, violations: oracle.violations.clone() }
    });
    set_fault(None);
    outcome
}

/// Runs a future on a runtime of its own whose time is paused.
fn run_paused<T>(future: impl Future<Output = T>) -> T {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    actix::System::with_tokio_rt(runtime).block_on(future)
}

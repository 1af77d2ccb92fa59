//! Channels created as fast as they are answered, joined, and left alone: the rate from the first part to the last, and
//! what an idle channel costs, in memory and, when there is time for it, retired.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::{Needs, ScenarioOptions};
use crate::http_connection::Line;
use crate::order_check::OrderError;
use crate::report::Fact;
use crate::run_state::{RunState, held};
use crate::setup::{self, Created};
use crate::stopwatch::elapsed_ns;
use crate::target::Target;

/// The rate of the last one is compared with that of the first.
const PARTS: usize = 10;
/// Channels of the run that are visited at the end: is each of them still there?
const VISITED: usize = 100;
/// Creating takes no longer.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// Sessions end at once where the hub shall retire the channels.
const SHORT_TTL_S: u32 = 1;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels {
    pub(super) channels: usize,
    /// Of each channel.
    pub(super) members: usize,
    pub(super) creators: usize,
    /// How long the memory is watched afterwards.
    pub(super) retire: Duration,
    /// How often all that is done.
    pub(super) waves: u8,
    pub(super) options: ScenarioOptions,
}

impl Channels {
    pub(super) fn summary(self) -> String {
        format!("{} channels created, {} members each, {} creators", self.channels, self.members, self.creators)
    }

    pub(super) fn needs(self) -> Needs {
        Needs { lines: self.creators + 1, sends_by_one: 0, parked: 0 }
    }

    pub(super) fn longest(self) -> Duration {
        LONGEST + self.retire * u32::from(self.waves)
    }

    /// One task, in which the creators work: it ends with the last channel.
    pub(super) fn start(self, target: &Arc<Target>, run_state: &Arc<RunState>, agents: &mut JoinSet<()>) {
        agents.spawn(self.scenario(Arc::clone(target), Arc::clone(run_state)));
    }

    async fn scenario(self, target: Arc<Target>, run_state: Arc<RunState>) {
        run_state.turn().await;
        let before_kib = run_state.rss_kib();
        let (work, full_kib) = self.wave(&target, &run_state).await;
        work.tell(&run_state);
        let each = |later_kib: Option<u64>, earlier_kib: Option<u64>, channels: u64| {
            Some((later_kib? as f64 - earlier_kib? as f64) * 1024.0 / channels as f64)
        };
        let tell = |key, label, bytes: Option<f64>| {
            if let Some(bytes) = bytes {
                run_state.tell(Fact::new(key, label, bytes, "B"));
            }
        };
        let grown = each(full_kib, before_kib, run_state.population());
        tell("bytes_per_channel", "memory of a channel", grown);
        if self.retire.is_zero() {
            return;
        }
        self.watch(&run_state).await;
        let idle_kib = run_state.rss_kib();
        let grown = each(idle_kib, before_kib, run_state.population());
        tell("bytes_per_channel_later", "memory of a channel, after the wait", grown);
        for _ in 1..self.waves {
            self.wave(&target, &run_state).await;
            self.watch(&run_state).await;
        }
        if self.waves > 1 {
            let grown = each(run_state.rss_kib(), idle_kib, self.channels as u64 * u64::from(self.waves - 1));
            tell("bytes_per_channel_retired", "memory that a retired channel leaves", grown);
        }
    }

    /// Creates all channels, and looks whether they are there. Gives the memory when the last one was created, too.
    async fn wave(self, target: &Target, run_state: &RunState) -> (Work, Option<u64>) {
        let work = Work::new(self);
        let creators: FuturesUnordered<_> = (0..self.creators).map(|_| work.create_all(target, run_state)).collect();
        let outcomes = creators.collect::<Vec<_>>().await;
        outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).for_each(|error| run_state.fail(error));
        run_state.was_busy(elapsed_ns() - held(&work.marks_ns)[0]);
        let full_kib = run_state.rss_kib();
        if let Err(fault) = work.visit(target).await {
            run_state.fail(&fault);
        }
        (work, full_kib)
    }

    /// Lets the hub retire what nobody uses.
    async fn watch(self, run_state: &RunState) {
        tokio::select! {
            () = tokio::time::sleep(self.retire) => {}
            () = run_state.drained() => {}
        }
    }
}

/// What the creators share.
struct Work {
    scenario: Channels,
    next: AtomicUsize,
    /// When each part ended.
    marks_ns: Mutex<Vec<u64>>,
    /// Of the ids: none may come twice.
    seen: Mutex<HashSet<u64>>,
    kept: Mutex<Vec<Created>>,
}

impl Work {
    fn new(scenario: Channels) -> Self {
        let marks_ns = Mutex::new(vec![elapsed_ns()]);
        Self { scenario, next: AtomicUsize::new(0), marks_ns, seen: Mutex::default(), kept: Mutex::default() }
    }

    async fn create_all(&self, target: &Target, run_state: &RunState) -> Result<(), HttpError> {
        let Channels { channels, options, retire, .. } = self.scenario;
        let ttl_s = (!retire.is_zero()).then_some(SHORT_TTL_S);
        let mut line = target.line();
        while !run_state.is_draining() && self.next.fetch_add(1, Ordering::Relaxed) < channels {
            let since_ns = elapsed_ns();
            let created = setup::create(&mut line, target, options.durability, ttl_s).await?;
            run_state.hop(since_ns);
            self.join_all(&mut line, target, &created).await?;
            run_state.grow();
            self.note(created, run_state);
        }
        Ok(())
    }

    async fn join_all(&self, line: &mut Line, target: &Target, channel: &Created) -> Result<(), HttpError> {
        for member in 0..self.scenario.members {
            setup::join(line, target, channel, &format!("m{member}")).await?;
        }
        Ok(())
    }

    fn note(&self, created: Created, run_state: &RunState) {
        let mut hasher = DefaultHasher::new();
        created.channel_id.hash(&mut hasher);
        let mut seen = held(&self.seen);
        if !seen.insert(hasher.finish()) {
            run_state.found(OrderError { doubled: 1, ..OrderError::default() });
        }
        let (made, channels) = (seen.len(), self.scenario.channels);
        if made.is_multiple_of((channels / VISITED).max(1)) {
            held(&self.kept).push(created);
        }
        let mut marks_ns = held(&self.marks_ns);
        if marks_ns.len() <= PARTS && made >= channels * marks_ns.len() / PARTS {
            marks_ns.push(elapsed_ns());
        }
    }

    /// The rates of the parts.
    fn tell(&self, run_state: &RunState) {
        let marks_ns = held(&self.marks_ns);
        let part = self.scenario.channels as f64 / PARTS as f64;
        let rates = marks_ns.windows(2).map(|ends| part * 1e9 / (ends[1] - ends[0]) as f64).collect::<Vec<_>>();
        if let (PARTS, Some(first), Some(last)) = (rates.len(), rates.first(), rates.last()) {
            run_state.tell(Fact::new("first_tenth_per_second", "rate of the first tenth", *first, "/s"));
            run_state.tell(Fact::new("last_tenth_per_second", "rate of the last tenth", *last, "/s"));
            run_state.tell(Fact::new("last_to_first", "last tenth : first tenth", last / first, ""));
        }
    }

    /// A channel that was created can be joined, and answers a new member.
    async fn visit(&self, target: &Target) -> Result<(), HttpError> {
        let kept = std::mem::take(&mut *held(&self.kept));
        let mut line = target.line();
        for channel in kept {
            setup::join(&mut line, target, &channel, "probe").await?;
        }
        Ok(())
    }
}

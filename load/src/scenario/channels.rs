//! Channels that are created as fast as the hub answers, joined, and left idle.
//!
//! Measures the rate from the first part to the last, and the memory of an idle channel, also after it was unloaded.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::{Needs, Scenario, ServerContext};
use crate::args::{ChannelsArgs, RunArgs};
use crate::order_check::OrderErrors;
use crate::report::Fact;
use crate::run_state::{RunState, lock};
use crate::setup::{self, Created};
use crate::stopwatch::elapsed_ns;
use crate::target::{Durability, Target};

/// The rate of the last part is compared with that of the first.
const PARTS: usize = 10;
/// Channels from all parts of the run that are joined at the end, to check that they still exist.
const JOINED_AT_END: usize = 100;
/// Maximum time for the creation of all channels.
const MAX_CREATE: Duration = Duration::from_secs(4 * 3600);
/// The session lifetime where channels must be unloaded during the run.
const SHORT_TTL_S: u32 = 1;

#[derive(Debug, Clone, Copy)]
pub(crate) struct CreateChannels {
    channels: usize,
    /// Per channel.
    members: usize,
    creators: usize,
    /// How long the memory is observed after the creation.
    unload: Duration,
    /// How often all of it is repeated.
    waves: u8,
}

impl Scenario for CreateChannels {
    fn name(&self) -> &'static str {
        "channels"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("channel", "channels")
    }

    fn population(&self) -> &'static str {
        "channels"
    }

    fn summary(&self) -> String {
        format!("{} channels created, {} members each, {} creators", self.channels, self.members, self.creators)
    }

    fn needs(&self) -> Needs {
        Needs { connections: self.creators + 1, sends_per_session: 0, parked_requests: 0 }
    }

    fn takes_turns(&self) -> bool {
        false
    }

    fn runs_on_baseline(&self) -> bool {
        false
    }

    /// The window ends with the last channel.
    fn lengths(&self, _args: &RunArgs) -> (Duration, Duration) {
        (Duration::ZERO, MAX_CREATE + self.unload * u32::from(self.waves))
    }

    /// Spawns one task for all creators; it ends with the last channel.
    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        let (target, run_state) = (Arc::clone(&server.target), Arc::clone(&server.run_state));
        agents.spawn(self.run(target, run_state, server.durability));
        Box::pin(async { Ok(()) })
    }
}

impl From<&ChannelsArgs> for CreateChannels {
    fn from(args: &ChannelsArgs) -> Self {
        let (channels, members) = (args.channels as usize, args.members as usize);
        Self { channels, members, creators: args.creators as usize, unload: args.unload.0, waves: args.waves }
    }
}

impl CreateChannels {
    async fn run(self, target: Arc<Target>, run_state: Arc<RunState>, durability: Option<Durability>) {
        run_state.wait_for_turn().await;
        let before_kib = run_state.rss_kib();
        let (wave, full_kib) = self.wave(&target, &run_state, durability).await;
        wave.add_rates(&run_state);
        let each = |later_kib: Option<u64>, earlier_kib: Option<u64>, channels: u64| {
            Some((later_kib? as f64 - earlier_kib? as f64) * 1024.0 / channels as f64)
        };
        let add_fact = |key, label, bytes: Option<f64>| {
            if let Some(bytes) = bytes {
                run_state.add_fact(Fact::new(key, label, bytes, "B"));
            }
        };
        let bytes = each(full_kib, before_kib, run_state.population());
        add_fact("bytes_per_channel", "memory of a channel", bytes);
        if self.unload.is_zero() {
            return;
        }
        self.observe(&run_state).await;
        let unloaded_kib = run_state.rss_kib();
        let bytes = each(unloaded_kib, before_kib, run_state.population());
        add_fact("bytes_per_channel_later", "memory of a channel, after the wait", bytes);
        for _ in 1..self.waves {
            self.wave(&target, &run_state, durability).await;
            self.observe(&run_state).await;
        }
        if self.waves > 1 {
            let bytes = each(run_state.rss_kib(), unloaded_kib, self.channels as u64 * u64::from(self.waves - 1));
            add_fact("bytes_per_channel_unloaded", "memory left by an unloaded channel", bytes);
        }
    }

    /// Creates all channels and checks that they exist. Also returns the memory just after the last one was created.
    async fn wave(self, target: &Target, run_state: &RunState, durability: Option<Durability>) -> (Wave, Option<u64>) {
        let wave = Wave::new(self, durability);
        let creators: FuturesUnordered<_> = (0..self.creators).map(|_| wave.create_all(target, run_state)).collect();
        let errors =
            creators.filter_map(async |outcome: Result<(), HttpError>| outcome.err()).collect::<Vec<_>>().await;
        errors.iter().for_each(|error| run_state.add_error(error));
        run_state.add_busy_time(elapsed_ns() - lock(&wave.part_ends_ns)[0]);
        let full_kib = run_state.rss_kib();
        if let Err(error) = wave.join_some(target).await {
            run_state.add_error(&error);
        }
        (wave, full_kib)
    }

    /// Gives the hub time to unload unused channels.
    async fn observe(self, run_state: &RunState) {
        tokio::select! {
            () = tokio::time::sleep(self.unload) => {}
            () = run_state.wait_for_drain() => {}
        }
    }
}

/// What the creators of a wave share.
struct Wave {
    scenario: CreateChannels,
    durability: Option<Durability>,
    next: AtomicUsize,
    /// The start, then the end of each part.
    part_ends_ns: Mutex<Vec<u64>>,
    /// Hashes of the channel ids: none may be assigned twice.
    ids: Mutex<HashSet<u64>>,
    /// The channels to join at the end.
    to_join: Mutex<Vec<Created>>,
}

impl Wave {
    fn new(scenario: CreateChannels, durability: Option<Durability>) -> Self {
        let part_ends_ns = Mutex::new(vec![elapsed_ns()]);
        let next = AtomicUsize::new(0);
        Self { scenario, durability, next, part_ends_ns, ids: Mutex::default(), to_join: Mutex::default() }
    }

    async fn create_all(&self, target: &Target, run_state: &RunState) -> Result<(), HttpError> {
        let CreateChannels { channels, members, unload, .. } = self.scenario;
        let ttl_s = (!unload.is_zero()).then_some(SHORT_TTL_S);
        let mut connection = target.connection();
        while !run_state.is_draining() && self.next.fetch_add(1, Ordering::Relaxed) < channels {
            let since_ns = elapsed_ns();
            let created = setup::create(&mut connection, target, self.durability, ttl_s).await?;
            run_state.record(since_ns);
            for member in 0..members {
                setup::join(&mut connection, target, &created, &format!("m{member}")).await?;
            }
            run_state.grow_population();
            self.add(created, run_state);
        }
        Ok(())
    }

    fn add(&self, created: Created, run_state: &RunState) {
        let mut hasher = DefaultHasher::new();
        created.channel_id.hash(&mut hasher);
        let mut ids = lock(&self.ids);
        if !ids.insert(hasher.finish()) {
            run_state.add_order_errors(OrderErrors { doubled: 1, ..OrderErrors::default() });
        }
        let (count, channels) = (ids.len(), self.scenario.channels);
        if count.is_multiple_of((channels / JOINED_AT_END).max(1)) {
            lock(&self.to_join).push(created);
        }
        let mut part_ends_ns = lock(&self.part_ends_ns);
        if part_ends_ns.len() <= PARTS && count >= channels * part_ends_ns.len() / PARTS {
            part_ends_ns.push(elapsed_ns());
        }
    }

    /// Adds the rates of the first and the last part to the report.
    fn add_rates(&self, run_state: &RunState) {
        let part_ends_ns = lock(&self.part_ends_ns);
        let part = self.scenario.channels as f64 / PARTS as f64;
        let rates = part_ends_ns.windows(2).map(|ends| part * 1e9 / (ends[1] - ends[0]) as f64).collect::<Vec<_>>();
        if let (PARTS, Some(first), Some(last)) = (rates.len(), rates.first(), rates.last()) {
            run_state.add_fact(Fact::new("first_tenth_per_second", "rate of the first tenth", *first, "/s"));
            run_state.add_fact(Fact::new("last_tenth_per_second", "rate of the last tenth", *last, "/s"));
            run_state.add_fact(Fact::new("last_to_first", "last tenth : first tenth", last / first, ""));
        }
    }

    /// Joins some of the channels with a new member, which succeeds only if they exist.
    async fn join_some(&self, target: &Target) -> Result<(), HttpError> {
        let channels = std::mem::take(&mut *lock(&self.to_join));
        let mut connection = target.connection();
        for channel in channels {
            setup::join(&mut connection, target, &channel, "probe").await?;
        }
        Ok(())
    }
}

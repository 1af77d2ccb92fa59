//! Whether other instances answer. A response may take minutes, so its absence shows nothing: an instance from which
//! nothing comes while requests wait for it is asked, and if it does not answer, they end.
//!
//! From then on requests for it are not sent. They wait until it answers, or until the log says that it has ended, which is
//! asked again and again. One task for each instance does that while requests wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use futures_util::future::{Either, select};
use rogerrat_actors::{Clock, HubError, Instance, InstanceId};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Peers;
use super::connection::PeerConnection;

/// How long an instance may be silent before it is asked.
const SILENCE: Duration = Duration::from_secs(3);
/// How long it may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a request for a silent instance waits before it is refused. Clients that know another hub wait 5 s and more.
const HOLD: Duration = Duration::from_secs(4);
/// How often a silent instance is asked, and the log whether it has ended.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How often that is done although no request waits: a client that was refused comes again.
const UNUSED_ASKS: u32 = 20;
/// The least time between two lines in the log that say the same of an instance, in milliseconds.
const LOG_EVERY_MS: u64 = 10_000;
/// Instances of which is remembered that they have ended, or were reported.
const MAX_ENDED: usize = 1024;

/// Completes when an instance does not answer, or has ended. It counts as a waiting request until it is dropped.
pub(super) type Silence = Pin<Box<dyn Future<Output = ()>>>;

/// Times of the checks.
#[derive(Clone, Copy)]
struct Limits {
    silence: Duration,
    answer: Duration,
    hold: Duration,
}

/// The instances for which requests wait, and those that have ended.
#[derive(Default)]
pub(super) struct HealthTable {
    instances: Mutex<HashMap<u64, Arc<PeerHealth>>>,
    /// How often instances were reported to be unreachable.
    reports_begun: AtomicU64,
    /// The last report of each instance. One of each is made at a time.
    last_reports: Mutex<HashMap<u64, LastReport>>,
    /// In place of the constants.
    #[cfg(test)]
    limits: Mutex<Option<Limits>>,
}

type LastReport = Arc<tokio::sync::Mutex<Option<Report>>>;

/// A report that an instance is unreachable.
#[derive(Clone, Copy)]
struct Report {
    number: u64,
    /// Whether it has ended; none if the log did not say it.
    has_ended: Option<bool>,
    /// The uptime at which that was logged.
    logged_ms: u64,
}

/// What an instance is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// Requests are sent to it.
    Responsive,
    /// It does not answer.
    Silent,
    /// It was declared to have ended. That is final.
    Ended,
}

/// Why a request is not sent to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// It does not answer.
    Silent,
    /// It has ended: others serve its channels.
    Ended,
}

/// What is known of an instance.
pub(super) struct PeerHealth {
    clock: Clock,
    /// The uptime at which something came from it.
    sign_ms: AtomicU64,
    waiting: AtomicUsize,
    condition: watch::Sender<Condition>,
}

impl PeerHealth {
    pub(super) fn new(clock: Clock) -> Self {
        let sign_ms = clock.uptime_ms().into();
        Self { clock, sign_ms, waiting: AtomicUsize::new(0), condition: watch::Sender::new(Condition::Responsive) }
    }

    /// Records that something came from it.
    pub(super) fn record_sign(&self) {
        self.sign_ms.store(self.clock.uptime_ms(), Relaxed);
    }

    /// How long nothing has come from it.
    fn silent_for(&self) -> Duration {
        Duration::from_millis(self.clock.uptime_ms().saturating_sub(self.sign_ms.load(Relaxed)))
    }

    /// Completes when it does not answer.
    fn silence(self: &Arc<Self>) -> Silence {
        let (waiting, mut condition) = (WaitingRequest::new(self.clone()), self.condition.subscribe());
        Box::pin(async move {
            let _waiting = waiting;
            if condition.wait_for(|condition| *condition != Condition::Responsive).await.is_err() {
                pending::<()>().await;
            }
        })
    }

    /// Waits until requests may be sent to it, for a limited time.
    pub(super) async fn admit(&self, hold: Duration) -> Result<(), Withheld> {
        let mut condition = self.condition.subscribe();
        let settled = condition.wait_for(|condition| *condition != Condition::Silent);
        match timeout(hold, settled).await {
            Ok(Ok(condition)) if *condition == Condition::Ended => Err(Withheld::Ended),
            // The sender lives as long as this.
            Ok(_) => Ok(()),
            Err(_) => Err(Withheld::Silent),
        }
    }

    /// Sets what it is like, unless it has ended.
    fn set(&self, condition: Condition) {
        self.condition.send_if_modified(|known| {
            let is_new = *known != Condition::Ended && *known != condition;
            if is_new {
                *known = condition;
            }
            is_new
        });
    }

    fn has_ended(&self) -> bool {
        *self.condition.borrow() == Condition::Ended
    }

    /// Waits until it was declared to have ended.
    async fn ended(&self) {
        // The sender lives as long as this.
        let _ = self.condition.subscribe().wait_for(|condition| *condition == Condition::Ended).await;
    }
}

/// Counts a request as waiting until it is dropped.
struct WaitingRequest(Arc<PeerHealth>);

impl WaitingRequest {
    fn new(health: Arc<PeerHealth>) -> Self {
        health.waiting.fetch_add(1, Relaxed);
        Self(health)
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

impl HealthTable {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<PeerHealth>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> Limits {
        #[cfg(test)]
        if let Some(limits) = *self.limits.lock().unwrap() {
            return limits;
        }
        Limits { silence: SILENCE, answer: ANSWER_TIMEOUT, hold: HOLD }
    }

    /// How long a request for a silent instance waits.
    pub(super) fn hold(&self) -> Duration {
        self.limits().hold
    }

    /// Removes an instance, if no request waits for it.
    fn remove_unused(&self, owner: &Instance, health: &Arc<PeerHealth>) -> bool {
        let mut table = self.lock();
        // A request that begins to wait has taken the entry under this lock.
        let is_removed = health.waiting.load(Relaxed) == 0 && !health.has_ended();
        if is_removed && table.get(&owner.id.0).is_some_and(|known| Arc::ptr_eq(known, health)) {
            table.remove(&owner.id.0);
        }
        is_removed
    }

    /// The last report of an instance.
    fn last_report(&self, instance: InstanceId) -> LastReport {
        let mut reports = self.last_reports.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() >= MAX_ENDED {
            reports.retain(|_, report| Arc::strong_count(report) > 1);
        }
        reports.entry(instance.0).or_default().clone()
    }

    /// An instance has ended: requests that wait for it end, and none is sent to it any more.
    pub(super) fn end(&self, instance: InstanceId, clock: Clock) {
        let mut table = self.lock();
        if table.len() >= MAX_ENDED {
            table.retain(|_, health| !health.has_ended());
        }
        let health = table.entry(instance.0).or_insert_with(|| Arc::new(PeerHealth::new(clock))).clone();
        drop(table);
        health.set(Condition::Ended);
    }
}

impl Peers {
    /// How long an instance may be silent and may take to answer, and how long requests are held for it then.
    #[cfg(test)]
    pub(crate) fn set_limits(&self, silence: Duration, answer: Duration, hold: Duration) {
        *self.health.limits.lock().unwrap() = Some(Limits { silence, answer, hold });
    }

    /// The health of an instance, and when it does not answer: a request is about to wait for it.
    pub(super) fn wait_for(self: &Arc<Self>, owner: &Instance) -> (Arc<PeerHealth>, Silence) {
        let mut table = self.health.lock();
        let health = match table.entry(owner.id.0) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(free) => {
                let health = free.insert(Arc::new(PeerHealth::new(self.clock))).clone();
                actix_web::rt::spawn(self.clone().follow(owner.clone(), health.clone()));
                health
            }
        };
        let silence = health.silence();
        drop(table);
        (health, silence)
    }

    /// An instance cannot be reached. Completes when the log knows whether it has ended, which it returns. Requests that find
    /// that at the same time ask it once: a report that began after this call serves it as well.
    pub(super) async fn report_unreachable(&self, instance: InstanceId) -> bool {
        let begun = self.health.reports_begun.load(Relaxed);
        let last = self.health.last_report(instance);
        let mut last = last.lock().await;
        if let Some(report) = last.filter(|last| last.number > begun) {
            return report.has_ended == Some(true);
        }
        let number = self.health.reports_begun.fetch_add(1, Relaxed) + 1;
        let reported = self.locator.report_unreachable(instance).await;
        let (has_ended, now_ms) = (reported.as_ref().ok().copied(), self.clock.uptime_ms());
        let logged = last.filter(|last| last.has_ended == has_ended);
        let logged_ms = match logged.filter(|last| now_ms < last.logged_ms + LOG_EVERY_MS) {
            Some(last) => last.logged_ms,
            None => {
                log_report(instance, &reported);
                now_ms
            }
        };
        *last = Some(Report { number, has_ended, logged_ms });
        has_ended == Some(true)
    }

    /// Asks an instance when nothing comes from it, while requests wait.
    async fn follow(self: Arc<Self>, owner: Instance, health: Arc<PeerHealth>) {
        let limits = self.health.limits();
        loop {
            let rest = limits.silence.saturating_sub(health.silent_for()).max(Duration::from_millis(1));
            select(pin!(sleep(rest)), pin!(health.ended())).await;
            if health.has_ended() || self.health.remove_unused(&owner, &health) {
                return;
            }
            if health.silent_for() < limits.silence || self.answers_in_time(&owner, &health, limits).await {
                continue;
            }
            log::warn!(instance = owner.id.0; "another instance does not answer for 6 s; requests that wait for it end");
            health.set(Condition::Silent);
            if !self.settle(&owner, &health, limits).await {
                return;
            }
            log::info!(instance = owner.id.0; "another instance answers again");
            health.set(Condition::Responsive);
        }
    }

    /// Waits until a silent instance answers. False if it has ended, or no request was for it for a while.
    async fn settle(&self, owner: &Instance, health: &Arc<PeerHealth>, limits: Limits) -> bool {
        let answers = async {
            while !self.answers_in_time(owner, health, limits).await {
                sleep(ASK_AGAIN).await;
            }
        };
        // It completes with the first report after the one that declares the instance ended, or with the fact about it.
        let is_over = async {
            let mut unused = 0;
            loop {
                if self.report_unreachable(owner.id).await {
                    return self.health.end(owner.id, self.clock);
                }
                unused = if health.waiting.load(Relaxed) == 0 { unused + 1 } else { 0 };
                if unused > UNUSED_ASKS && self.health.remove_unused(owner, health) {
                    return;
                }
                sleep(ASK_AGAIN).await;
            }
        };
        let (is_over, ended) = (pin!(is_over), pin!(health.ended()));
        matches!(select(pin!(answers), select(is_over, ended)).await, Either::Left(_))
    }

    async fn answers_in_time(&self, owner: &Instance, health: &Arc<PeerHealth>, limits: Limits) -> bool {
        matches!(timeout(limits.answer, self.answers(owner, health)).await, Ok(true))
    }

    async fn answers(&self, owner: &Instance, health: &Arc<PeerHealth>) -> bool {
        let Ok(mut connection) = PeerConnection::open(owner, health.clone()).await else { return false };
        let answer = self.answer_on(&mut connection, owner.id, "GET", "/").await;
        answer.is_some_and(|answer| answer.status == StatusCode::NO_CONTENT)
    }
}

fn log_report(instance: InstanceId, reported: &Result<bool, HubError>) {
    match reported {
        // Others serve its channels now.
        Ok(true) => log::warn!(instance = instance.0; "another instance has ended"),
        Ok(false) => {
            log::warn!(instance = instance.0; "another instance cannot be reached and has not ended: check that it \
                responds, its cluster.url, and the network between the hubs");
        }
        Err(error) => {
            log::warn!(instance = instance.0, error:display; "another instance cannot be reached, and the log does not \
                tell whether it has ended: check the connection to the database");
        }
    }
}

//! Whether other instances answer. A response may take minutes, so its absence shows nothing: an instance from which
//! nothing comes while requests wait for it is asked, and if it does not answer, they end.
//!
//! One task for each instance does that while requests wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rogerrat_actors::{Clock, Instance, InstanceId};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Peers;
use super::connection::{OneChunk, PeerConnection};
use super::proof::{self, PROOF, Statement};

/// How long an instance may be silent before it is asked.
const SILENCE: Duration = Duration::from_secs(3);
/// How long it may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Completes when an instance does not answer. It counts as a waiting request until it is dropped.
pub(super) type Silence = Pin<Box<dyn Future<Output = ()>>>;

/// The instances for which requests wait.
#[derive(Default)]
pub(super) struct HealthTable {
    instances: Mutex<HashMap<u64, Arc<PeerHealth>>>,
    /// How often instances were reported to be unreachable.
    reports_begun: AtomicU64,
    /// Which was reported last, and the number of that report. One is made at a time.
    last_report: tokio::sync::Mutex<Option<(InstanceId, u64)>>,
    /// In place of [`SILENCE`] and [`ANSWER_TIMEOUT`].
    #[cfg(test)]
    limits: Mutex<Option<(Duration, Duration)>>,
}

/// What is known of an instance.
pub(super) struct PeerHealth {
    clock: Clock,
    /// The uptime at which something came from it.
    sign_ms: AtomicU64,
    waiting: AtomicUsize,
    is_silent: watch::Sender<bool>,
}

impl PeerHealth {
    pub(super) fn new(clock: Clock) -> Self {
        let sign_ms = clock.uptime_ms().into();
        Self { clock, sign_ms, waiting: AtomicUsize::new(0), is_silent: watch::Sender::new(false) }
    }

    /// Records that something came from it.
    pub(super) fn record_sign(&self) {
        self.sign_ms.store(self.clock.uptime_ms(), Relaxed);
    }

    fn is_recent(&self, silence: Duration) -> bool {
        let silent_ms = self.clock.uptime_ms().saturating_sub(self.sign_ms.load(Relaxed));
        u128::from(silent_ms) < silence.as_millis()
    }

    /// Completes when it does not answer.
    pub(super) fn silence(self: &Arc<Self>) -> Silence {
        let (waiting, mut is_silent) = (WaitingRequest::new(self.clone()), self.is_silent.subscribe());
        Box::pin(async move {
            let _waiting = waiting;
            if is_silent.wait_for(|is_silent| *is_silent).await.is_err() {
                pending::<()>().await;
            }
        })
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

    fn limits(&self) -> (Duration, Duration) {
        #[cfg(test)]
        if let Some(limits) = *self.limits.lock().unwrap() {
            return limits;
        }
        (SILENCE, ANSWER_TIMEOUT)
    }

    /// Removes an instance, if no request waits for it or it is silent.
    fn remove(&self, owner: &Instance, health: &Arc<PeerHealth>, is_silent: bool) -> bool {
        let mut table = self.lock();
        // A request that begins to wait has taken the entry under this lock.
        let is_removed = is_silent || health.waiting.load(Relaxed) == 0;
        if is_removed && table.get(&owner.id.0).is_some_and(|known| Arc::ptr_eq(known, health)) {
            table.remove(&owner.id.0);
        }
        is_removed
    }
}

impl Peers {
    /// How long an instance may be silent, and may take to answer.
    #[cfg(test)]
    pub(crate) fn set_limits(&self, silence: Duration, answer_timeout: Duration) {
        *self.health.limits.lock().unwrap() = Some((silence, answer_timeout));
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

    /// An instance cannot be reached. Completes when the log knows whether it has ended. Requests that find that at the same
    /// time ask it once: a report that began after this call serves it as well.
    pub(super) async fn report_unreachable(&self, instance: InstanceId) {
        let begun = self.health.reports_begun.load(Relaxed);
        let mut last = self.health.last_report.lock().await;
        if last.is_none_or(|(reported, number)| reported != instance || number <= begun) {
            *last = Some((instance, self.health.reports_begun.fetch_add(1, Relaxed) + 1));
            self.locator.report_unreachable(instance).await;
        }
    }

    /// Asks an instance when nothing comes from it, while requests wait.
    async fn follow(self: Arc<Self>, owner: Instance, health: Arc<PeerHealth>) {
        let (silence, answer_timeout) = self.health.limits();
        loop {
            sleep(silence).await;
            if self.health.remove(&owner, &health, false) {
                return;
            }
            if !health.is_recent(silence)
                && !matches!(timeout(answer_timeout, self.answers(&owner, &health)).await, Ok(true))
            {
                log::warn!(instance = owner.id.0; "another instance does not answer for 6 s; requests that wait for it end");
                self.health.remove(&owner, &health, true);
                health.is_silent.send_replace(true);
                return;
            }
        }
    }

    async fn answers(&self, owner: &Instance, health: &Arc<PeerHealth>) -> bool {
        let Ok(mut connection) = PeerConnection::open(owner, health.clone()).await else { return false };
        let at_ms = self.clock.now().at_ms;
        let statement = Statement { to: owner.id.0, from: self.this.0, at_ms, forwarded: None };
        let proof = proof::sign(&self.signer, &statement, "GET", "/");
        let request = hyper::Request::get("/").header(hyper::header::HOST, "hub").header(PROOF.as_str(), proof);
        let Ok(request) = request.body(OneChunk(Default::default())) else { return false };
        connection.send(request).await.is_ok_and(|response| response.status() == hyper::StatusCode::NO_CONTENT)
    }
}

//! Sends webhooks over HTTP: implements [`WebhookSender`], guarded against server-side
//! request forgery.
//!
//! It runs on a thread of its own, so that a slow receiver cannot delay requests to the hub. Each call is one attempt; the
//! outbox of the domain decides about retries.
#![warn(missing_docs)]

mod attempt;
mod guard;
#[cfg(test)]
mod guard_tests;
mod headers;
mod push;
mod reserved;
mod resolver;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use actix_rt::Arbiter;
use futures_util::future::BoxFuture;
use rogerrat_actors::{PushRequest, PushSender, WebhookRequest, WebhookSender};
use rogerrat_domain::push::PushKeys;
use rogerrat_domain::webhook::{AttemptOutcome, HookHeaders};
use rogerrat_domain::{Code, Refusal, limits};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

pub use attempt::tls_config;
pub use guard::{AllowedPorts, SsrfGuard};
pub use push::{BadVapidKey, PushHost, Vapid};
pub use resolver::{Resolve, SystemResolver};

use guard::TargetError;
use push::{PushError, PushHosts, PushServices};

/// Jobs that may be queued for the thread, which only starts them.
const JOB_QUEUE: usize = 1024;

/// A job for the thread, and its reply channel.
enum Job {
    Check(Arc<str>, oneshot::Sender<Result<(), TargetError>>),
    Post(WebhookRequest, oneshot::Sender<AttemptOutcome>),
    CheckPush(Arc<str>, Box<PushKeys>, Arc<PushServices>, oneshot::Sender<Result<(), PushError>>),
    Push(Box<PushRequest>, Arc<PushServices>, oneshot::Sender<AttemptOutcome>),
}

/// Sends webhooks from a thread of its own.
pub struct HttpWebhookSender {
    jobs: mpsc::Sender<Job>,
}

impl HttpWebhookSender {
    /// Starts the thread. Its task ends when the sender is dropped.
    pub fn start(guard: SsrfGuard, tls_config: Arc<ClientConfig>) -> Arc<Self> {
        let (jobs, mut queue) = mpsc::channel(JOB_QUEUE);
        let guard = Arc::new(guard);
        Arbiter::new().spawn(async move {
            while let Some(job) = queue.recv().await {
                actix_rt::spawn(run(job, guard.clone(), tls_config.clone()));
            }
        });
        Arc::new(Self { jobs })
    }

    /// A sender of web push messages on the same thread. It sends to the known push services, and to `hosts`.
    #[must_use]
    pub fn push_sender(&self, vapid: Vapid, hosts: Vec<PushHost>) -> Arc<dyn PushSender> {
        let services = Arc::new(PushServices { vapid, hosts: PushHosts::with(hosts) });
        Arc::new(HttpPushSender { jobs: self.jobs.clone(), services })
    }
}

async fn run(job: Job, guard: Arc<SsrfGuard>, tls_config: Arc<ClientConfig>) {
    match job {
        Job::Check(url, reply) => {
            let _ = reply.send(guard.pin(&url).await.map(|_| ()));
        }
        Job::Post(request, reply) => {
            let time = Duration::from_millis(limits::HOOK_ATTEMPT_MS);
            let outcome = timeout(time, attempt::post(&request, &guard, tls_config)).await;
            let _ = reply.send(outcome.unwrap_or(AttemptOutcome::TimedOut));
        }
        Job::CheckPush(endpoint, keys, services, reply) => {
            let _ = reply.send(push::check(&endpoint, &keys, &services.hosts, &guard).await);
        }
        Job::Push(request, services, reply) => {
            let time = Duration::from_millis(limits::HOOK_ATTEMPT_MS);
            let sent = push::send(&request, &services, &guard, tls_config);
            let _ = reply.send(timeout(time, sent).await.unwrap_or(AttemptOutcome::TimedOut));
        }
    }
}

/// Sends web push messages, from the thread of a webhook sender.
struct HttpPushSender {
    jobs: mpsc::Sender<Job>,
    services: Arc<PushServices>,
}

impl PushSender for HttpPushSender {
    fn public_key(&self) -> Result<Arc<str>, Arc<str>> {
        Ok(self.services.vapid.public_key().clone())
    }

    fn check(&self, endpoint: Arc<str>, keys: PushKeys) -> BoxFuture<'static, Result<(), Refusal>> {
        let (reply, answer) = oneshot::channel();
        let job = Job::CheckPush(endpoint, Box::new(keys), self.services.clone(), reply);
        let is_queued = self.jobs.try_send(job).is_ok();
        Box::pin(async move {
            if !is_queued {
                return Err(busy());
            }
            answer.await.map_err(|_| busy())?.map_err(Refusal::from)
        })
    }

    fn push(&self, request: PushRequest) -> BoxFuture<'static, AttemptOutcome> {
        let (reply, answer) = oneshot::channel();
        let is_queued = self.jobs.try_send(Job::Push(Box::new(request), self.services.clone(), reply)).is_ok();
        Box::pin(async move {
            if is_queued { answer.await.unwrap_or(AttemptOutcome::NotBegun) } else { AttemptOutcome::NotBegun }
        })
    }
}

fn busy() -> Refusal {
    Refusal::new(Code::Overloaded, "too many addresses are being checked").retry_after_ms(1000)
}

impl WebhookSender for HttpWebhookSender {
    fn check(&self, url: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>> {
        let (reply, answer) = oneshot::channel();
        let is_queued = self.jobs.try_send(Job::Check(url, reply)).is_ok();
        Box::pin(async move {
            if !is_queued {
                return Err(busy());
            }
            answer.await.map_err(|_| busy())?.map_err(Refusal::from)
        })
    }

    fn check_headers(&self, headers: &HookHeaders) -> Result<(), Refusal> {
        headers::check(headers)
    }

    fn post(&self, request: WebhookRequest) -> BoxFuture<'static, AttemptOutcome> {
        let (reply, answer) = oneshot::channel();
        let is_queued = self.jobs.try_send(Job::Post(request, reply)).is_ok();
        Box::pin(async move {
            if is_queued { answer.await.unwrap_or(AttemptOutcome::NotBegun) } else { AttemptOutcome::NotBegun }
        })
    }
}

//! The poster: posts webhooks to the world, and only where the guard allows it.
//!
//! It has a thread of its own, so that nothing a receiver does holds up a request. It decides nothing about deliveries:
//! how often one is tried is the outbox's matter.

mod attempt;
mod guard;
#[cfg(test)]
mod guard_tests;
mod reserved;
mod resolver;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use actix_rt::Arbiter;
use rogerrat_actors::{Doing, Letter, Poster};
use rogerrat_domain::webhook::Posted;
use rogerrat_domain::{Code, Refusal, limits};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

pub(crate) use attempt::tls;
pub(crate) use guard::{Guard, Ports};
pub(crate) use resolver::SystemResolver;

use guard::Refused;

/// Errands that may wait for the thread. It only ever starts them.
const ERRANDS: usize = 1024;

/// Something to be done in the world.
enum Errand {
    Check(Arc<str>, oneshot::Sender<Result<(), Refused>>),
    Post(Letter, oneshot::Sender<Posted>),
}

/// Posts over HTTP from a thread of its own.
pub(crate) struct HttpPoster {
    errands: mpsc::Sender<Errand>,
}

impl HttpPoster {
    /// Starts the poster's thread.
    pub(crate) fn start(guard: Guard, tls: Arc<ClientConfig>) -> Arc<Self> {
        let (errands, mut queue) = mpsc::channel(ERRANDS);
        let guard = Arc::new(guard);
        Arbiter::new().spawn(async move {
            while let Some(errand) = queue.recv().await {
                actix_rt::spawn(run(errand, guard.clone(), tls.clone()));
            }
        });
        Arc::new(Self { errands })
    }
}

async fn run(errand: Errand, guard: Arc<Guard>, tls: Arc<ClientConfig>) {
    match errand {
        Errand::Check(url, reply) => {
            let _ = reply.send(guard.pin(&url).await.map(|_| ()));
        }
        Errand::Post(letter, reply) => {
            let time = Duration::from_millis(limits::HOOK_ATTEMPT_MS);
            let posted = timeout(time, attempt::post(&letter, &guard, tls)).await;
            let _ = reply.send(posted.unwrap_or(Posted::TimedOut));
        }
    }
}

impl Poster for HttpPoster {
    fn check(&self, url: Arc<str>) -> Doing<Result<(), Refusal>> {
        let (reply, answer) = oneshot::channel();
        let asked = self.errands.try_send(Errand::Check(url, reply)).is_ok();
        Box::pin(async move {
            let busy = || Refusal::new(Code::Overloaded, "too many addresses are being checked").retry_after_ms(1000);
            if !asked {
                return Err(busy());
            }
            answer.await.map_err(|_| busy())?.map_err(Refusal::from)
        })
    }

    fn post(&self, letter: Letter) -> Doing<Posted> {
        let (reply, answer) = oneshot::channel();
        let asked = self.errands.try_send(Errand::Post(letter, reply)).is_ok();
        Box::pin(async move { if asked { answer.await.unwrap_or(Posted::NotBegun) } else { Posted::NotBegun } })
    }
}

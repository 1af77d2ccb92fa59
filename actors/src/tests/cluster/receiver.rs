//! The receiver of webhooks in a simulation, as one hub reaches it: it answers late, and sometimes with an error.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rogerrat_domain::Refusal;
use rogerrat_domain::webhook::{AttemptOutcome, HookHeaders};

use super::links::Links;
use super::oracle::Oracle;
use crate::InstanceId;
use crate::ports::webhook_sender::{WebhookRequest, WebhookSender};
use crate::random::{RngExt as _, SeedableRng as _, StdRng};

/// See the module.
pub(super) struct Receiver {
    from: InstanceId,
    links: Links,
    oracle: Arc<Mutex<Oracle>>,
    rng: Mutex<StdRng>,
}

impl Receiver {
    pub(super) fn new(from: InstanceId, links: Links, oracle: Arc<Mutex<Oracle>>, seed: u64) -> Self {
        Self { from, links, oracle, rng: Mutex::new(StdRng::seed_from_u64(seed)) }
    }
}

/// A process that was killed reads nothing.
async fn pass(links: &Links) {
    if !links.pass().await {
        std::future::pending::<()>().await;
    }
}

impl WebhookSender for Receiver {
    fn check(&self, _: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn check_headers(&self, _: &HookHeaders) -> Result<(), Refusal> {
        Ok(())
    }

    fn post(&self, request: WebhookRequest) -> BoxFuture<'static, AttemptOutcome> {
        let (links, oracle, from) = (self.links.clone(), self.oracle.clone(), self.from);
        let (before_ms, after_ms, fails) = {
            let mut rng = self.rng.lock().unwrap();
            (rng.random_range(0..20), rng.random_range(0..300), rng.random_ratio(1, 8))
        };
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(before_ms)).await;
            pass(&links).await;
            let outcome = oracle.lock().unwrap().posted(from, &request, fails);
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            pass(&links).await;
            outcome
        })
    }
}

//! A webhook sender for tests: it records requests and answers them as the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rogerrat_domain::Refusal;
use rogerrat_domain::webhook::{AttemptOutcome, HookHeaders};

use crate::ports::webhook_sender::{WebhookRequest, WebhookSender};

/// What was posted, and when, in milliseconds of the hub's uptime.
#[derive(Default)]
pub(crate) struct WebhookReceiver {
    pub(crate) posted: Mutex<Vec<WebhookRequest>>,
    /// The next answers, each with its delay in milliseconds; after the last one, 204 at once.
    pub(crate) answers: Mutex<VecDeque<(AttemptOutcome, u64)>>,
    /// Addresses that never answer.
    pub(crate) hangs: Mutex<Vec<String>>,
}

impl WebhookReceiver {
    pub(crate) fn answers(&self, posted: impl IntoIterator<Item = AttemptOutcome>) {
        self.answers.lock().unwrap().extend(posted.into_iter().map(|posted| (posted, 0)));
    }

    pub(crate) fn count(&self) -> usize {
        self.posted.lock().unwrap().len()
    }

    pub(crate) fn take(&self) -> Vec<WebhookRequest> {
        std::mem::take(&mut self.posted.lock().unwrap())
    }
}

impl WebhookSender for WebhookReceiver {
    fn check(&self, url: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>> {
        let refused = url.contains("refused").then(|| Refusal::invalid("`url` leads elsewhere"));
        Box::pin(std::future::ready(refused.map_or(Ok(()), Err)))
    }

    fn check_headers(&self, _: &HookHeaders) -> Result<(), Refusal> {
        Ok(())
    }

    fn post(&self, request: WebhookRequest) -> BoxFuture<'static, AttemptOutcome> {
        let hangs = self.hangs.lock().unwrap().contains(&request.url.to_string());
        self.posted.lock().unwrap().push(request);
        let (posted, after_ms) = if hangs {
            (AttemptOutcome::TimedOut, 10_000)
        } else {
            self.answers.lock().unwrap().pop_front().unwrap_or((AttemptOutcome::Answered(204), 0))
        };
        Box::pin(async move {
            if after_ms > 0 {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
            }
            posted
        })
    }
}

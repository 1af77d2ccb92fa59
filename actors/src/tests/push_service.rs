//! A sender of web push for tests: it records requests and answers them as the test says.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use rogerrat_domain::Refusal;
use rogerrat_domain::push::PushKeys;
use rogerrat_domain::webhook::AttemptOutcome;

use crate::ports::push_sender::{PushRequest, PushSender};

/// What was pushed.
#[derive(Default)]
pub(crate) struct PushService {
    pub(crate) pushed: Mutex<Vec<PushRequest>>,
    /// The next answers; after the last one, 201.
    pub(crate) answers: Mutex<VecDeque<AttemptOutcome>>,
}

impl PushService {
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = AttemptOutcome>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn count(&self) -> usize {
        self.pushed.lock().unwrap().len()
    }

    /// The bodies of the notifications since the last call.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let pushed = std::mem::take(&mut *self.pushed.lock().unwrap());
        pushed.iter().map(|request| notification(request)["body"].as_str().unwrap().to_owned()).collect()
    }
}

/// The notification of a request.
pub(crate) fn notification(request: &PushRequest) -> serde_json::Value {
    serde_json::from_slice::<serde_json::Value>(&request.payload).unwrap()["notification"].clone()
}

impl PushSender for PushService {
    fn public_key(&self) -> Result<Arc<str>, Arc<str>> {
        Ok("key".into())
    }

    fn check(&self, endpoint: Arc<str>, _: PushKeys) -> BoxFuture<'static, Result<(), Refusal>> {
        let refused = endpoint.contains("refused").then(|| Refusal::invalid("`endpoint` leads elsewhere"));
        Box::pin(ready(refused.map_or(Ok(()), Err)))
    }

    fn push(&self, request: PushRequest) -> BoxFuture<'static, AttemptOutcome> {
        self.pushed.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(AttemptOutcome::Answered(201));
        Box::pin(ready(answer))
    }
}

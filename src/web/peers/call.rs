//! Calls of other instances that belong to no request of a client: to wake their webhooks, to ask the owner of a channel, and
//! to read what each instance counts for itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use futures_util::future::{LocalBoxFuture, join_all};
use hyper::body::{Body as _, Incoming};
use rogerrat_actors::{HubError, Instance, InstanceId, Lanes, PeerCalls};
use rogerrat_domain::{ChannelId, Refusal};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::Peers;
use super::connection::{OneChunk, PeerConnection};
use super::health::PeerHealth;
use super::proof::{self, PROOF, Statement};

/// How long an instance may take for a call.
const LIMIT: Duration = Duration::from_secs(3);
/// The longest answer, in bytes: a page of channels.
const ANSWER_BYTES: usize = 8 << 20;

/// Where deliveries that have become due are reported.
pub(super) const LANES: &str = "/lanes";
/// Where questions about a channel are asked.
pub(super) const QUESTIONS: &str = "/questions";

/// Where notices of an interface are sent.
pub(super) const NOTICES: &str = "/notices";

/// Notices that are sent at once: each client may cause some.
pub(super) const NOTICES_AT_ONCE: usize = 64;

/// What a notice of another instance does.
pub(super) type NoticeHandler = Box<dyn Fn(&str) + Send + Sync>;

/// What another instance answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Vec<u8>,
}

/// What the other instances answered, and which of them did not.
#[derive(Debug)]
pub(super) struct Answers<T> {
    pub(super) answers: Vec<T>,
    pub(super) silent: Vec<InstanceId>,
}

impl Peers {
    /// Calls an instance. None if it does not answer in time, or not with a whole answer.
    async fn call(self: Arc<Self>, to: Instance, method: &'static str, target: String) -> Option<Answer> {
        timeout(LIMIT, self.call_without_limit(&to, method, &target)).await.ok()?
    }

    async fn call_without_limit(&self, to: &Instance, method: &str, target: &str) -> Option<Answer> {
        let health = Arc::new(PeerHealth::new(self.clock));
        let mut connection = PeerConnection::open(to, health).await.ok()?;
        self.answer_on(&mut connection, to.id, method, target).await
    }

    /// Calls an instance on a connection that is open, and returns that. None if it does not answer in time.
    pub(super) async fn call_on(
        &self,
        mut connection: PeerConnection,
        to: InstanceId,
        method: &str,
        target: &str,
    ) -> Option<PeerConnection> {
        let answered = timeout(LIMIT, self.answer_on(&mut connection, to, method, target)).await;
        answered.ok()?.map(|_| connection)
    }

    /// Calls an instance on a connection that is open. None if it does not answer.
    pub(super) async fn answer_on(
        &self,
        connection: &mut PeerConnection,
        to: InstanceId,
        method: &str,
        target: &str,
    ) -> Option<Answer> {
        let at_ms = self.clock.now().at_ms;
        let statement = Statement { to: to.0, from: self.this.0, at_ms, forwarded: None };
        let proof = proof::sign(&self.signer, &statement, method, target);
        let request = hyper::Request::builder().method(method).uri(target).header(hyper::header::HOST, "hub");
        let request = request.header(PROOF.as_str(), proof).body(OneChunk(Default::default())).ok()?;
        let response = connection.send(request).await.ok()?;
        let status = StatusCode::from_u16(response.status().as_u16()).ok()?;
        let body = read(response.into_body()).await?;
        connection.settle();
        Some(Answer { status, body })
    }

    /// Sends a notice, whose text an interface defines, to all other instances. It returns when they have it, or do not answer.
    /// If too many are being sent already, it is left out: none is needed for correctness.
    pub(crate) async fn notify_all(self: &Arc<Self>, text: &str) {
        let Ok(_one_of_few) = self.sending_notices.try_acquire() else {
            log::debug!("too many notices for other instances at once; one is left out");
            return;
        };
        let target = target(NOTICES, &[("text", text)]);
        let others = self.others().await.unwrap_or_default();
        join_all(others.into_iter().map(|other| self.clone().call(other, "POST", target.clone()))).await;
    }

    /// Sets what a notice of another instance does.
    pub(crate) fn on_notice(&self, handler: impl Fn(&str) + Send + Sync + 'static) {
        // It is set only once.
        drop(self.notices.set(Box::new(handler)));
    }

    /// A notice of another instance arrived.
    pub(super) fn noticed(&self, text: &str) {
        if let Some(handler) = self.notices.get() {
            handler(text);
        }
    }

    /// Asks all other instances. None if the log cannot be read.
    pub(super) async fn ask_all<T: DeserializeOwned>(self: &Arc<Self>, target: String) -> Option<Answers<T>> {
        let others = self.others().await?;
        let asked = others.into_iter().map(|other| {
            let (id, answer) = (other.id, self.clone().call(other, "GET", target.clone()));
            async move {
                let answer = answer.await.filter(|answer| answer.status.is_success());
                answer.and_then(|answer| serde_json::from_slice(&answer.body).ok()).ok_or(id)
            }
        });
        let (mut answers, mut silent) = (Vec::new(), Vec::new());
        for answer in join_all(asked).await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(id) => silent.push(id),
            }
        }
        Some(Answers { answers, silent })
    }

    /// The other instances that are alive. None if the log cannot be read.
    async fn others(&self) -> Option<Vec<Instance>> {
        let mut living = self.locator.living().await.ok()?;
        living.retain(|instance| instance.id != self.this);
        Some(living)
    }
}

/// Reads a body, unless it is too long.
async fn read(mut body: Incoming) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > ANSWER_BYTES {
            return None;
        }
    }
    Some(bytes)
}

/// A path with a query. What a call says is there, because the proof covers it, and not the body.
fn target(path: &str, query: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{path}?{query}")
}

/// The other instances, as the hub calls them.
pub(crate) struct Calls(pub(crate) Arc<Peers>);

impl PeerCalls for Calls {
    fn wake_lanes(&self, holder: Instance, lanes: Lanes) -> LocalBoxFuture<'static, bool> {
        let peers = self.0.clone();
        Box::pin(async move {
            let target = target(LANES, &[("lanes", &lanes.bits().to_string())]);
            let answer = peers.call(holder, "POST", target).await;
            answer.is_some_and(|answer| answer.status == StatusCode::NO_CONTENT)
        })
    }

    fn ask(
        &self,
        owner: Instance,
        channel: ChannelId,
        question: String,
    ) -> LocalBoxFuture<'static, Result<String, HubError>> {
        let peers = self.0.clone();
        Box::pin(async move {
            let target = target(QUESTIONS, &[("channel", channel.as_str()), ("question", &question)]);
            let answer = peers.call(owner, "POST", target).await.ok_or(HubError::OutcomeUnknown)?;
            match answer.status {
                StatusCode::OK => String::from_utf8(answer.body).map_err(|_| HubError::OutcomeUnknown),
                StatusCode::MISDIRECTED_REQUEST => Err(HubError::Moved),
                StatusCode::NOT_FOUND => Err(Refusal::channel_not_found().into()),
                _ => Err(HubError::OutcomeUnknown),
            }
        })
    }

    fn instance_ended(&self, instance: InstanceId) {
        self.0.health.end(instance, self.0.clock);
    }
}

//! Forwards one request: finds its owner again when the channel has moved, and gives up with a clear error.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::{FutureExt as _, select};
use hyper::body::Incoming;
use rogerrat_actors::{ChannelLocation, HubError, Instance, InstanceId};
use rogerrat_domain::{ChannelId, Code, Hint, Refusal, RefusalDetail};
use tokio::time::sleep;
use uuid::Uuid;

use super::connection::{ClientConnections, OneChunk, PeerConnection, SendError};
use super::health::{PeerHealth, Withheld};
use super::proof::{self, ForwardedRequest, PROOF, Statement};
use super::response::{Interrupted, ResponseConnection, passed_on};
use super::{Peers, Presented, headers};
use crate::web::state::{AppState, host_of};

/// How often the owner of a channel is looked up again.
const LOOKS: u32 = 3;
/// How long the first of these waits; the others wait two and three times as long.
const PAUSE: Duration = Duration::from_millis(50);
/// Headers of a forwarded request. With those that are added, the other instance accepts as many over HTTP/1.1.
const HEADERS: usize = 90;
/// The header that every response has but one to a request whose proof is not accepted.
const REQUEST_ID: &str = "x-request-id";

/// A request of a client for a channel that another instance owns.
pub(super) struct Exchange<'a> {
    pub(super) peers: &'a Arc<Peers>,
    pub(super) state: &'a AppState,
    pub(super) channel: &'a ChannelId,
    /// What the request presents to be admitted to it.
    pub(super) presented: &'a Presented,
    pub(super) body: &'a Bytes,
    pub(super) id: Uuid,
    /// If it is a part of a batch, the connections of its parts.
    pub(super) part_of: Option<&'a Rc<ClientConnections>>,
}

/// What became of a forwarded request.
pub(super) enum Outcome {
    Response(HttpResponse),
    /// This instance is to respond: the channel is here now.
    Here,
    Failed {
        refusal: Refusal,
        /// The last instance that could not be reached, or did not answer.
        silent: Option<InstanceId>,
    },
}

/// Why an instance did not respond.
enum AttemptError {
    /// It was not reached, so that nothing was done.
    NotReached,
    /// It has ended, and nothing was sent.
    Ended,
    /// It does not answer, so that nothing was sent.
    Silent,
    /// The request was sent.
    Unanswered,
    /// It does not accept the proof.
    NotTrusted,
    /// This instance drains, and the request was sent.
    Draining,
    /// This instance drains, and nothing was sent.
    DrainingUnsent,
}

impl Exchange<'_> {
    /// Forwards the request, first to `owner`.
    pub(super) async fn run(&self, request: &HttpRequest, owner: Instance) -> Outcome {
        let outcome = self.forward(request, owner).await;
        match &outcome {
            Outcome::Response(_) => self.peers.answered.fetch_add(1, Relaxed),
            Outcome::Failed { .. } => self.peers.failed.fetch_add(1, Relaxed),
            Outcome::Here => 0,
        };
        outcome
    }

    async fn forward(&self, request: &HttpRequest, mut owner: Instance) -> Outcome {
        if headers::forwarded(request.headers()).count() > HEADERS {
            return failed(Refusal::invalid("the request has too many headers"));
        }
        let locator = &self.peers.locator;
        let (mut failure, mut silent) = (moving(), None);
        for look in 0..=LOOKS {
            if look > 0 {
                sleep(PAUSE * look).await;
                let located = self.peers.locate_for(self.state, request, self.channel, self.presented).await;
                owner = match located {
                    Ok(ChannelLocation::Elsewhere(owner)) => owner,
                    Ok(ChannelLocation::Here | ChannelLocation::Free) => return Outcome::Here,
                    Err(error) => return failed(error.into_refusal()),
                };
            }
            failure = match self.attempt(request, &owner).await {
                Ok(Some(response)) => return Outcome::Response(response),
                Ok(None) | Err(AttemptError::Ended) => {
                    locator.forget(self.channel);
                    moving()
                }
                // The request has waited for it.
                Err(AttemptError::Silent) => {
                    return Outcome::Failed { refusal: unreachable_owner(), silent: Some(owner.id) };
                }
                Err(AttemptError::Draining) => return failed(draining()),
                Err(AttemptError::DrainingUnsent) => return failed(HubError::Gone.into_refusal()),
                Err(AttemptError::NotTrusted) => {
                    log::error!(instance = owner.id.0; "another instance refuses this one: check that both have the same \
                         hub.key and the right time");
                    unreachable_owner()
                }
                Err(AttemptError::NotReached) => {
                    silent = Some(owner.id);
                    self.peers.report_unreachable(owner.id).await;
                    unreachable_owner()
                }
                Err(AttemptError::Unanswered) => {
                    silent = Some(owner.id);
                    self.peers.report_unreachable(owner.id).await;
                    if !self.is_repeatable(request) {
                        return Outcome::Failed { refusal: unanswered(), silent };
                    }
                    unanswered()
                }
            };
        }
        Outcome::Failed { refusal: failure, silent }
    }

    /// Whether a request may be sent again although an instance may have carried it out. One that delivers may not: what was
    /// written to a connection that has failed counts as delivered, and the next response would hide that it is missing.
    fn is_repeatable(&self, request: &HttpRequest) -> bool {
        matches!(*request.method(), Method::GET | Method::HEAD) && !(self.peers.rules.delivers)(request.path())
    }

    /// Forwards the request to an instance. `None` if it is not the owner.
    async fn attempt(&self, request: &HttpRequest, owner: &Instance) -> Result<Option<HttpResponse>, AttemptError> {
        let (health, silence) = self.peers.wait_for(owner);
        self.admit(&health).await?;
        let of_client = ClientConnections::of(request);
        let kept_in = self.part_of.cloned().or_else(|| of_client.clone());
        let take = |kept: &Rc<ClientConnections>| kept.take(owner.id.0, self.peers.clock.uptime_ms());
        let kept = kept_in.as_ref().and_then(take).or_else(|| of_client.as_ref().and_then(take));
        let is_shared = kept_in.is_none() || self.part_of.is_some();
        let mut sent = self.request_to(owner, request, is_shared).ok_or(AttemptError::NotReached)?;
        let stopping = self.peers.stopping.clone();
        let mut interrupted: Interrupted = Box::pin(async move {
            let stopping = Box::pin(async move { stopping.notified().await });
            select(silence, stopping).await;
        });
        if let Some(connection) = kept {
            match self.until_interrupted(&mut interrupted, connection, sent).await? {
                Ok((connection, response)) => return self.take(owner, connection, response, kept_in, interrupted),
                // The other instance has closed it meanwhile.
                Err(SendError::NotSent(unsent)) => sent = *unsent,
                Err(SendError::Unanswered) => return Err(AttemptError::Unanswered),
            }
        }
        let opened = tokio::select! {
            opened = PeerConnection::open(owner, health) => opened,
            () = interrupted.as_mut() => {
                return Err(if self.is_draining() { AttemptError::DrainingUnsent } else { AttemptError::NotReached });
            }
        };
        let connection = opened.map_err(|error| {
            log::debug!(instance = owner.id.0, error:display; "cannot reach another instance");
            AttemptError::NotReached
        })?;
        match self.until_interrupted(&mut interrupted, connection, sent).await? {
            Ok((connection, response)) => self.take(owner, connection, response, kept_in, interrupted),
            Err(SendError::NotSent(_)) => Err(AttemptError::NotReached),
            Err(SendError::Unanswered) => Err(AttemptError::Unanswered),
        }
    }

    /// Waits while an instance does not answer, until it answers again or others serve its channels.
    async fn admit(&self, health: &PeerHealth) -> Result<(), AttemptError> {
        tokio::select! {
            biased;
            admitted = health.admit(self.peers.health.hold()) => admitted.map_err(|withheld| match withheld {
                Withheld::Silent => AttemptError::Silent,
                Withheld::Ended => AttemptError::Ended,
            }),
            () = self.peers.stopping.notified() => Err(AttemptError::DrainingUnsent),
        }
    }

    fn is_draining(&self) -> bool {
        self.peers.stopping.notified().now_or_never().is_some()
    }

    /// Sends a request on a connection. If this is dropped, the connection is closed with a reset: the client has left.
    async fn until_interrupted(
        &self,
        interrupted: &mut Interrupted,
        mut connection: PeerConnection,
        request: hyper::Request<OneChunk>,
    ) -> Result<Result<(PeerConnection, hyper::Response<Incoming>), SendError>, AttemptError> {
        let response = {
            let sending = std::pin::pin!(connection.send(request));
            tokio::select! {
                biased;
                response = sending => response,
                () = interrupted.as_mut() => {
                    return Err(if self.is_draining() { AttemptError::Draining } else { AttemptError::Unanswered });
                }
            }
        };
        Ok(response.map(|response| (connection, response)))
    }

    /// The response to pass on. `None` if the instance is not the owner.
    fn take(
        &self,
        owner: &Instance,
        connection: PeerConnection,
        response: hyper::Response<Incoming>,
        kept_in: Option<Rc<ClientConnections>>,
        interrupted: Interrupted,
    ) -> Result<Option<HttpResponse>, AttemptError> {
        match response.status() {
            hyper::StatusCode::MISDIRECTED_REQUEST => return Ok(None),
            hyper::StatusCode::FORBIDDEN if !response.headers().contains_key(REQUEST_ID) => {
                return Err(AttemptError::NotTrusted);
            }
            _ => {}
        }
        let (connection, instance, clock) = (Some(connection), owner.id.0, self.peers.clock);
        let connection = ResponseConnection { connection, instance, kept_in, clock };
        Ok(Some(passed_on(response, connection, interrupted)))
    }

    /// The request as another instance gets it. `is_shared` says that the client has other requests at the same time.
    fn request_to(&self, owner: &Instance, request: &HttpRequest, is_shared: bool) -> Option<hyper::Request<OneChunk>> {
        let method = request.method().as_str();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let forwarded = ForwardedRequest {
            channel: self.channel.to_string(),
            client: self.state.client(request),
            origin: self.state.public_origin(request),
            id: self.id.hyphenated().to_string(),
            is_shared,
            is_part: self.part_of.is_some(),
        };
        let (from, at_ms) = (self.peers.this.0, self.peers.clock.now().at_ms);
        let statement = Statement { to: owner.id.0, from, at_ms, forwarded: Some(forwarded) };
        let mut building = hyper::Request::builder().method(method).uri(target);
        if let Some(host) = host_of(request.head()) {
            building = building.header(hyper::header::HOST, host);
        }
        for (name, value) in headers::forwarded(request.headers()) {
            building = building.header(name.as_str(), value.as_bytes());
        }
        let proof = proof::sign(&self.peers.signer, &statement, method, target);
        building.header(PROOF.as_str(), proof).body(OneChunk(self.body.clone())).ok()
    }
}

fn failed(refusal: Refusal) -> Outcome {
    Outcome::Failed { refusal, silent: None }
}

/// Nothing was done: each instance that was asked says that another owns the channel.
fn moving() -> Refusal {
    Refusal::new(Code::Overloaded, "the channel is moving between hubs; nothing was done")
        .hint("repeat the request in a second")
        .retry_after_ms(1000)
}

/// Nothing was done: the owner cannot be reached.
pub(super) fn unreachable_owner() -> Refusal {
    Refusal::new(Code::Overloaded, "the hub that serves this channel cannot be reached; nothing was done")
        .hint("repeat the request in a few seconds")
        .retry_after_ms(2000)
}

/// The owner has the request, and does not respond.
pub(crate) fn unanswered() -> Refusal {
    Refusal::new(Code::Overloaded, "the hub that serves this channel does not answer; the outcome is unknown")
        .hint(Hint::RepeatWithIdempotencyKey)
        .retry_after_ms(2000)
        .detail(RefusalDetail::OutcomeUnknown)
}

fn draining() -> Refusal {
    Refusal::new(Code::Overloaded, "the hub is shutting down; the outcome is unknown")
        .hint(Hint::RepeatWithIdempotencyKey)
        .retry_after_ms(1000)
        .detail(RefusalDetail::OutcomeUnknown)
}

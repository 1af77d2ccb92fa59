//! The parts of a batch whose messages concern channels of several instances: each is forwarded to the owner of its channel,
//! and the response of the client is composed of what they answer.
//!
//! An owner has written its answer long before the client gets it. So it holds what it delivers until the client has taken the
//! whole response and another call says so, on the connection of the part. If that ends before, the messages are due again with a higher
//! `attempt`, because the client may have them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::to_bytes_limited;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpMessage as _, HttpRequest};
use rogerrat_actors::{ChannelLocation, HubError, Instance, InstanceId};
use rogerrat_domain::{ChannelId, Refusal};

use super::connection::ClientConnections;
use super::exchange::{Exchange, Outcome, unanswered, unreachable_owner};
use super::{Arrived, Peers, Presented, id_of};
use crate::transport::share_on_connection;
use crate::web::delivery_body::{OnBatchTaken, PendingDelivery};
use crate::web::state::AppState;

/// Where a confirmation is sent.
pub(super) const CONFIRMATIONS: &str = "/confirmations";
/// The longest answer to a part, in bytes.
const ANSWER_BYTES: usize = 64 << 20;

/// What an owner has delivered with the parts on one connection, and is not confirmed.
#[derive(Default)]
pub(crate) struct HeldDeliveries(RefCell<Vec<PendingDelivery>>);

impl HeldDeliveries {
    /// Those of the connection of a request. `None` over HTTP/2, which other instances do not use.
    pub(super) fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        share_on_connection(request, Self::default)
    }

    /// Holds a delivery until it is confirmed.
    pub(crate) fn hold(&self, delivery: PendingDelivery) {
        self.0.borrow_mut().push(delivery);
    }

    pub(super) fn confirm(&self) {
        self.0.take().into_iter().for_each(PendingDelivery::complete);
    }
}

impl Drop for HeldDeliveries {
    /// The client may have the response, although nobody has said so.
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(PendingDelivery::remain_unproven);
    }
}

/// What holds the deliveries of a request, if it is a part of a batch.
pub(crate) fn held_deliveries(request: &HttpRequest) -> Option<Rc<HeldDeliveries>> {
    let is_part = request.extensions().get::<Arrived>().is_some_and(|arrived| arrived.is_part);
    if is_part { HeldDeliveries::of(request) } else { None }
}

/// What became of a part.
pub(crate) enum PartOutcome {
    /// Its owner has responded.
    Answered {
        status: StatusCode,
        body: Bytes,
    },
    /// This instance is to respond: the channel is here now.
    Here,
    Failed(Refusal),
}

/// The parts of one batch.
pub(crate) struct Parts<'a> {
    peers: &'a Arc<Peers>,
    state: &'a AppState,
    request: &'a HttpRequest,
    connections: Rc<ClientConnections>,
    /// Instances that did not answer: they are not waited for again.
    silent: Vec<InstanceId>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(peers: &'a Arc<Peers>, state: &'a AppState, request: &'a HttpRequest) -> Self {
        Self { peers, state, request, connections: ClientConnections::of_batch(), silent: Vec::new() }
    }

    /// The instance that owns a channel; none if this one is to respond.
    ///
    /// # Errors
    /// When the log cannot be read; `rate_limited`.
    pub(crate) async fn owner(&self, channel: &ChannelId, presented: &Presented) -> Result<Option<Instance>, HubError> {
        match self.peers.locate_for(self.state, self.request, channel, presented).await? {
            ChannelLocation::Elsewhere(owner) => Ok(Some(owner)),
            ChannelLocation::Here | ChannelLocation::Free => Ok(None),
        }
    }

    /// Forwards a part, first to `owner`.
    pub(crate) async fn forward(
        &mut self,
        owner: Instance,
        (channel, presented): (&ChannelId, &Presented),
        body: &Bytes,
    ) -> PartOutcome {
        if self.silent.contains(&owner.id) {
            return PartOutcome::Failed(unreachable_owner());
        }
        let (peers, state, id, part_of) = (self.peers, self.state, id_of(self.request), Some(&self.connections));
        let exchange = Exchange { peers, state, channel, presented, body, id, part_of };
        match exchange.run(self.request, owner).await {
            Outcome::Response(response) => {
                let status = response.status();
                match to_bytes_limited(response.into_body(), ANSWER_BYTES).await {
                    Ok(Ok(body)) => PartOutcome::Answered { status, body },
                    _ => PartOutcome::Failed(unanswered()),
                }
            }
            Outcome::Here => PartOutcome::Here,
            Outcome::Failed { refusal, silent } => {
                self.silent.extend(silent);
                PartOutcome::Failed(refusal)
            }
        }
    }

    /// Tells the owners that the client has taken the response. Dropped instead, it ends their connections.
    pub(crate) fn confirmation(self) -> OnBatchTaken {
        let (peers, kept_in) = (self.peers.clone(), ClientConnections::of(self.request));
        Box::new(move || {
            for (instance, connection) in self.connections.take_all() {
                let (peers, kept_in) = (peers.clone(), kept_in.clone());
                actix_web::rt::spawn(async move {
                    let confirmed = peers.call_on(connection, InstanceId(instance), "POST", CONFIRMATIONS).await;
                    match (confirmed, kept_in) {
                        (Some(connection), Some(kept_in)) => {
                            kept_in.put(instance, connection, peers.clock.uptime_ms());
                        }
                        (Some(_), None) => {}
                        (None, _) => log::debug!(instance; "another instance did not take a confirmation"),
                    }
                });
            }
        })
    }
}

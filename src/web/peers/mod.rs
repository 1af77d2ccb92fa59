//! Forwarding between hubs that share a log: a request for a channel that another instance owns is passed to it whole, and
//! its response is passed back (ADR 50).
//!
//! Requests are forwarded once. Bodies are never decoded, and responses are not buffered. This module knows no route:
//! the interfaces say which channel a path or a body names.

mod accept;
mod answer;
mod call;
mod connection;
mod exchange;
mod headers;
mod health;
mod locate;
mod parts;
mod path;
mod proof;
mod reports;
mod response;
mod take;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use actix_server::GracefulShutdownSignal;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::future::{Either, LocalBoxFuture};
use rogerrat_actors::{ChannelLocation, Clock, InstanceId};
use rogerrat_domain::{ChannelId, Signer, limits};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::body;
use super::problem::Problem;
use super::state::{AppState, SharedState};
pub(crate) use accept::accept;
pub(crate) use call::Calls;
use call::{Answers, NOTICES_AT_ONCE, NoticeHandler};
#[cfg(test)]
pub(crate) use connection::OneChunk;
pub(crate) use exchange::unanswered;
use exchange::{Exchange, Outcome};
use health::HealthTable;
pub(crate) use locate::ChannelLocator;
pub(crate) use parts::{HeldDeliveries, PartOutcome, Parts, held_deliveries};
pub(crate) use path::{channel_after, decoded};
#[cfg(test)]
pub(crate) use proof::{ForwardedRequest, Statement, sign};
use reports::LatestStats;
pub(crate) use reports::{ChannelsReport, InstancesReport, StatsReport};
pub(crate) use take::Presented;

/// What the key of the proofs is derived for.
pub(crate) const PURPOSE: &str = "requests between instances";

/// The channel that a path names, if any.
pub(crate) type ChannelOfPath = Arc<dyn Fn(&str) -> Option<ChannelId> + Send + Sync>;

/// What the interfaces know of requests.
pub(crate) struct RequestRules {
    pub(crate) channel_of_path: ChannelOfPath,
    /// Texts in a request of which one may be the token of its channel.
    pub(crate) tokens_of: fn(&HttpRequest) -> Vec<String>,
    /// Whether a GET request to a path delivers messages, which the next one does not deliver again.
    pub(crate) delivers: fn(&str) -> bool,
}

/// Extension of a request that another instance has forwarded.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// The address of the client.
    pub(crate) client: IpAddr,
    /// The base URL under which the client reaches the hub.
    pub(crate) origin: String,
    /// Whether it is a part of a batch.
    is_part: bool,
}

/// Extension of a request that came in here: its id.
#[derive(Clone, Copy, Debug)]
struct RequestId(Uuid);

/// Requests that were forwarded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ForwardedTotals {
    /// The other instance has responded.
    pub(crate) answered: u64,
    /// No instance has responded.
    pub(crate) failed: u64,
}

/// Extension of a response that came from another instance, which has counted it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CountedElsewhere;

/// The other instances of a hub.
pub(crate) struct Peers {
    locator: Arc<dyn ChannelLocator>,
    signer: Signer,
    clock: Clock,
    rules: RequestRules,
    health: HealthTable,
    stopping: GracefulShutdownSignal,
    notices: OnceLock<NoticeHandler>,
    sending_notices: Semaphore,
    latest_stats: LatestStats,
    answered: AtomicU64,
    failed: AtomicU64,
    /// The number of this instance.
    this: InstanceId,
}

impl Peers {
    /// Forwards what `locator` finds elsewhere, until the hub drains. `signer` proves requests and is the same on all
    /// instances. None if the hub shares its log with no other.
    pub(crate) fn new(
        locator: Arc<dyn ChannelLocator>,
        signer: Signer,
        clock: Clock,
        rules: RequestRules,
        stopping: GracefulShutdownSignal,
    ) -> Option<Arc<Self>> {
        let (this, health) = (locator.instance()?, HealthTable::default());
        let (notices, answered, failed) = (OnceLock::new(), AtomicU64::new(0), AtomicU64::new(0));
        Some(Arc::new(Self {
            locator,
            signer,
            clock,
            rules,
            health,
            stopping,
            notices,
            sending_notices: Semaphore::new(NOTICES_AT_ONCE),
            latest_stats: LatestStats::default(),
            answered,
            failed,
            this,
        }))
    }

    /// Responds to a request of a client: by `next`, unless its path names a channel that another instance owns. `id` is
    /// the id of the request.
    pub(super) fn route(
        self: &Arc<Self>,
        state: &SharedState,
        mut request: ServiceRequest,
        next: Next<BoxBody>,
        id: Uuid,
    ) -> LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>> {
        let Some(channel) = (self.rules.channel_of_path)(request.path()) else {
            // Its body may name a channel.
            request.extensions_mut().insert(RequestId(id));
            return next.call(request);
        };
        let known = match self.locator.locate(&channel) {
            Either::Left(known) => Some(known.into_inner()),
            Either::Right(_) => None,
        };
        if let Some(Ok(ChannelLocation::Here)) = known {
            return next.call(request);
        }
        let (peers, state) = (self.clone(), state.clone());
        Box::pin(async move {
            let presented = peers.presented(&state, request.request());
            let located = match known {
                Some(known) => known,
                None => peers.locate_for(&state, request.request(), &channel, &presented).await,
            };
            let owner = match located {
                Ok(ChannelLocation::Here | ChannelLocation::Free) => return next.call(request).await,
                Ok(ChannelLocation::Elsewhere(owner)) => owner,
                Err(error) => return Ok(request.error_response(Problem::from(error))),
            };
            let payload = request.extract::<web::Payload>().await?;
            let body = match body::read(request.request(), payload, limits::BODY_SEND_BYTES).await {
                Ok(body) => body,
                Err(problem) => return Ok(request.error_response(problem)),
            };
            let (peers, state, presented) = (&peers, &state, &presented);
            let exchange = Exchange { peers, state, channel: &channel, presented, body: &body, id, part_of: None };
            match exchange.run(request.request(), owner).await {
                Outcome::Response(response) => Ok(request.into_response(response)),
                Outcome::Failed { refusal, .. } => Ok(request.error_response(Problem(refusal))),
                Outcome::Here => {
                    request.set_payload(Payload::from(body));
                    next.call(request).await
                }
            }
        })
    }

    /// Forwards a request of a client whose channel only its body names, with what it presents for that. `None` if this
    /// instance is to respond.
    pub(crate) async fn forward(
        self: &Arc<Self>,
        state: &AppState,
        request: &HttpRequest,
        (channel, presented): (&ChannelId, &Presented),
        body: &Bytes,
    ) -> Option<Result<HttpResponse, Problem>> {
        let owner = match self.locate_for(state, request, channel, presented).await {
            Ok(ChannelLocation::Here | ChannelLocation::Free) => return None,
            Ok(ChannelLocation::Elsewhere(owner)) => owner,
            Err(error) => return Some(Err(error.into())),
        };
        let exchange = Exchange { peers: self, state, channel, presented, body, id: id_of(request), part_of: None };
        match exchange.run(request, owner).await {
            Outcome::Response(response) => Some(Ok(response)),
            Outcome::Failed { refusal, .. } => Some(Err(Problem(refusal))),
            Outcome::Here => None,
        }
    }

    /// How many requests were forwarded.
    pub(crate) fn forwarded(&self) -> ForwardedTotals {
        ForwardedTotals { answered: self.answered.load(Relaxed), failed: self.failed.load(Relaxed) }
    }
}

/// The id of a request that came in here.
fn id_of(request: &HttpRequest) -> Uuid {
    request.extensions().get::<RequestId>().map_or_else(Uuid::now_v7, |id| id.0)
}

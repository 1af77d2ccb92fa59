//! The port for other instances: admits their requests, and no others. Host, origin and bans were checked where a request
//! came in; a channel that no instance serves is taken only if the token of the request admits to it.

use std::future::ready;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpResponse};
use futures_util::future::{Either, LocalBoxFuture};
use rogerrat_actors::ChannelLocation;
use rogerrat_domain::ChannelId;
use uuid::Uuid;

use super::Arrived;
use super::answer::answer;
use super::proof::{self, ForwardedRequest, PROOF};
use crate::transport::SeveralClients;
use crate::web::middleware;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

type Response = LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>>;

/// Responds to a request on the port for other instances. One without a proof gets a response that reveals nothing, and one
/// for a channel that is elsewhere a 421: it is not forwarded again.
pub(crate) fn accept(state: &SharedState, mut request: ServiceRequest, next: Next<BoxBody>) -> Response {
    let Some(peers) = &state.peers else { return empty(request, StatusCode::FORBIDDEN) };
    let Some(statement) = proof::verify(&peers.signer, &request, peers.clock.now().at_ms) else {
        return empty(request, StatusCode::FORBIDDEN);
    };
    if statement.to != peers.this.0 {
        return empty(request, StatusCode::MISDIRECTED_REQUEST);
    }
    let Some(ForwardedRequest { channel, client, origin, id, is_shared, is_part }) = statement.forwarded else {
        return Box::pin(answer(state.clone(), request));
    };
    let id = Uuid::try_parse(&id).unwrap_or_else(|_| Uuid::now_v7());
    request.headers_mut().remove(&PROOF);
    request.extensions_mut().insert(Arrived { client, origin, is_part });
    if is_shared {
        request.extensions_mut().insert(SeveralClients);
    }
    let Ok(channel) = ChannelId::parse(&channel) else { return empty(request, StatusCode::FORBIDDEN) };
    let known = match peers.locator.locate(&channel) {
        Either::Left(known) => Some(known.into_inner()),
        Either::Right(_) => None,
    };
    if let Some(Ok(ChannelLocation::Here)) = known {
        return Box::pin(middleware::handle_arrived(state, request, &next, id));
    }
    let (state, peers) = (state.clone(), peers.clone());
    Box::pin(async move {
        let names_channel = (peers.rules.channel_of_path)(request.path()).is_some();
        let located = match known {
            Some(known) => known,
            None if names_channel => {
                let presented = peers.presented(&state, request.request());
                peers.locate_for(&state, request.request(), &channel, &presented).await
            }
            None => peers.locator.locate(&channel).await,
        };
        match located {
            // The instance that has read the body decides whether it takes the channel.
            Ok(ChannelLocation::Free) => empty(request, StatusCode::MISDIRECTED_REQUEST).await,
            Ok(ChannelLocation::Here) => middleware::handle_arrived(&state, request, &next, id).await,
            Ok(ChannelLocation::Elsewhere(_)) => empty(request, StatusCode::MISDIRECTED_REQUEST).await,
            Err(error) => Ok(request.error_response(Problem::from(error))),
        }
    })
}

fn empty(request: ServiceRequest, status: StatusCode) -> Response {
    Box::pin(ready(Ok(request.into_response(HttpResponse::build(status).finish()))))
}

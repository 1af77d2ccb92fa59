//! Answers calls of other instances that belong to no request of a client.

use actix_web::HttpResponse;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use rogerrat_actors::{HubError, Lanes};
use rogerrat_domain::ChannelId;

use super::call::{LANES, NOTICES, QUESTIONS};
use super::parts::{CONFIRMATIONS, HeldDeliveries};
use super::reports::{CHANNELS, ChannelsReport, STATS, StatsReport};
use crate::web::state::SharedState;

/// Answers a call. One that this version does not know, and a check whether it is alive, has an empty answer.
pub(super) async fn answer(state: SharedState, request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    let response = match (request.method(), request.path()) {
        (&Method::POST, LANES) => wake(&state, field(&request, "lanes")).await,
        (&Method::POST, QUESTIONS) => question(&state, field(&request, "channel"), field(&request, "question")).await,
        (&Method::POST, NOTICES) => {
            if let (Some(peers), Some(text)) = (&state.peers, field(&request, "text")) {
                peers.noticed(&text);
            }
            empty(StatusCode::NO_CONTENT)
        }
        (&Method::POST, CONFIRMATIONS) => {
            if let Some(held) = HeldDeliveries::of(request.request()) {
                held.confirm();
            }
            empty(StatusCode::NO_CONTENT)
        }
        (&Method::GET, STATS) => HttpResponse::Ok().json(StatsReport::of(&state.hub.totals())),
        (&Method::GET, CHANNELS) => {
            let limit = field(&request, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(0);
            HttpResponse::Ok().json(ChannelsReport::of(&state.hub, limit).await)
        }
        _ => empty(StatusCode::NO_CONTENT),
    };
    Ok(request.into_response(response))
}

fn field(request: &ServiceRequest, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn wake(state: &SharedState, lanes: Option<String>) -> HttpResponse {
    let Some(lanes) = lanes.and_then(|lanes| lanes.parse().ok()) else { return empty(StatusCode::BAD_REQUEST) };
    let drives = state.hub.wake_lanes(Lanes::from_bits(lanes)).await;
    empty(if drives { StatusCode::NO_CONTENT } else { StatusCode::MISDIRECTED_REQUEST })
}

async fn question(state: &SharedState, channel: Option<String>, question: Option<String>) -> HttpResponse {
    let channel = channel.and_then(|channel| ChannelId::parse(&channel).ok());
    let (Some(channel), Some(question)) = (channel, question) else { return empty(StatusCode::BAD_REQUEST) };
    match state.hub.answer_peer(&channel, &question).await {
        Ok(answer) => HttpResponse::Ok().body(answer),
        Err(HubError::Moved) => empty(StatusCode::MISDIRECTED_REQUEST),
        Err(HubError::Refused(_)) => empty(StatusCode::NOT_FOUND),
        Err(_) => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn empty(status: StatusCode) -> HttpResponse {
    HttpResponse::build(status).finish()
}

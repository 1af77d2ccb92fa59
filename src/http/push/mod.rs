//! Web push: subscriptions of members and of accounts. Both have the same routes.

pub(super) mod account;
pub(super) mod channel;
mod replies;

use actix_web::web::{self, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::limits;
use rogerrat_domain::push::{PushInput, SubscribedMember, push_is_off};
use rogerrat_domain::webhook::HookOwner;
use utoipa::IntoParams;

use super::{Done, Paths, read};
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

use replies::{PushCreated, PushInfo, PushSubscriptions, PushTestReply, PushView};

/// Registers the routes of a member's subscriptions.
pub(super) fn in_channel_routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get_and("POST", "/push", read().to(channel::list), web::post().to(channel::subscribe)))
        .service(at.get_and("DELETE", "/push/{push}", read().to(channel::get), web::delete().to(channel::remove)))
        .service(at.post("/push/{push}/test", web::post().to(channel::test)));
}

/// Registers the other routes of this module.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    let (list, subscribe) = (read().to(account::list), web::post().to(account::subscribe));
    let (get, remove) = (read().to(account::get), web::delete().to(account::remove));
    config
        .service(at.get("/api/push", read().to(info)))
        .service(at.get_and("POST", "/api/account/push", list, subscribe))
        .service(at.get_and("DELETE", "/api/account/push/{push}", get, remove))
        .service(at.post("/api/account/push/{push}/test", web::post().to(account::test)));
}

/// The path parameter of a route of one subscription.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct PushPath {
    /// The subscription's id.
    #[param(pattern = "^ps_[0-9a-f]{32}$")]
    push: String,
}

/// Whose subscriptions a request is about.
struct Subscriber {
    owner: HookOwner,
    member: Option<SubscribedMember>,
}

/// Get the public key with which browsers subscribe, or why this hub sends no push messages.
#[utoipa::path(
    get,
    path = "/api/push",
    operation_id = "get_push",
    tag = "Web push",
    responses((status = 200, body = PushInfo, description = "The key, or the reason.")),
)]
pub(super) async fn info(state: SharedState, request: HttpRequest) -> impl Responder {
    Json(PushInfo::of(state.push_key(&request)))
}

fn id_of(request: &HttpRequest) -> &str {
    request.match_info().get("push").unwrap_or_default()
}

async fn subscribe(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
    who: Subscriber,
) -> Result<Json<PushCreated>, Problem> {
    state.push_key(&request).map_err(|why| push_is_off(&why))?;
    state.rate_limits.pushes.count(|| state.client(&request))?;
    let input: PushInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let origin = state.public_origin(&request);
    let hook = state.hub.subscribe_push(who.owner, who.member, input, &origin).await?;
    Ok(Json(PushCreated { id: hook.id.to_string() }))
}

async fn list(state: &SharedState, who: &Subscriber) -> Result<Json<PushSubscriptions>, Problem> {
    let subscriptions = state.hub.pushes_of(&who.owner, who.member).await?;
    Ok(Json(PushSubscriptions { subscriptions: subscriptions.into_iter().map(PushView::of).collect() }))
}

async fn get(state: &SharedState, request: &HttpRequest, who: &Subscriber) -> Result<Json<PushView>, Problem> {
    let status = state.hub.push_of(&who.owner, who.member, id_of(request)).await?;
    Ok(Json(PushView::of(status)))
}

async fn remove(state: &SharedState, request: &HttpRequest, who: Subscriber) -> Result<Json<Done>, Problem> {
    state.hub.unsubscribe_push(who.owner, who.member, id_of(request)).await?;
    Ok(Json(Done::default()))
}

async fn test(state: &SharedState, request: &HttpRequest, who: &Subscriber) -> Result<Json<PushTestReply>, Problem> {
    body::announced(request, limits::BODY_BYTES)?;
    state.rate_limits.pushes.count(|| state.client(request))?;
    Ok(Json(state.hub.test_push(&who.owner, who.member, id_of(request)).await?.into()))
}

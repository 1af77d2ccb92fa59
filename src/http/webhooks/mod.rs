//! Webhooks of channels and of accounts. Both have the same routes.

pub(super) mod account;
pub(super) mod channel;
mod replies;

use actix_web::HttpRequest;
use actix_web::web::{self, Json, Payload, ServiceConfig};
use rogerrat_domain::webhook::{HookOwner, ReplayInput, SubscribeInput};
use rogerrat_domain::{Code, Refusal, limits};
use utoipa::IntoParams;

use super::{Done, Paths, read};
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::state::SharedState;
use crate::web::webhook_view::SubscribedReply;

use replies::{DeliveriesReply, DeliveryView, ReplayReply, TestReply, WebhookView, WebhooksReply};

/// Registers the routes of a channel's webhooks.
pub(super) fn in_channel_routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get_and("POST", "/webhooks", read().to(channel::list), web::post().to(channel::subscribe)))
        .service(at.only("DELETE", "/webhooks/{hook}", web::delete().to(channel::remove)))
        .service(at.post("/webhooks/{hook}/test", web::post().to(channel::test)))
        .service(at.get("/webhooks/{hook}/deliveries", read().to(channel::deliveries)))
        .service(at.post("/webhooks/{hook}/replay", web::post().to(channel::replay)))
        .service(at.post("/webhooks/{hook}/rotate-secret", web::post().to(channel::rotate)));
}

/// Registers the routes of an account's webhooks.
pub(super) fn account_routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    let (list, subscribe) = (read().to(account::list), web::post().to(account::subscribe));
    config
        .service(at.get_and("POST", "/api/account/webhooks", list, subscribe))
        .service(at.only("DELETE", "/api/account/webhooks/{hook}", web::delete().to(account::remove)))
        .service(at.post("/api/account/webhooks/{hook}/test", web::post().to(account::test)))
        .service(at.get("/api/account/webhooks/{hook}/deliveries", read().to(account::deliveries)))
        .service(at.post("/api/account/webhooks/{hook}/replay", web::post().to(account::replay)))
        .service(at.post("/api/account/webhooks/{hook}/rotate-secret", web::post().to(account::rotate)));
}

/// The path parameter of a route of one webhook.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct WebhookPath {
    /// The webhook's id.
    #[param(pattern = "^wh_[0-9a-f]{32}$")]
    hook: String,
}

/// Admits a request to a channel's webhooks, which needs the channel token. A band has no webhooks: everyone would
/// control them.
async fn channel_owner(state: &SharedState, request: &HttpRequest) -> Result<HookOwner, Problem> {
    let at = state.admit(request).await?;
    if at.settings().is_band {
        return Err(Refusal::new(Code::Forbidden, "a public band has no webhooks").into());
    }
    Ok(HookOwner::Channel(at.id().clone()))
}

async fn account_owner(state: &SharedState, request: &HttpRequest) -> Result<HookOwner, Problem> {
    Ok(HookOwner::Account(state.admit_owner(request).await?.id().clone()))
}

fn hook_of(request: &HttpRequest) -> &str {
    request.match_info().get("hook").unwrap_or_default()
}

async fn subscribe(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
    owner: HookOwner,
) -> Result<Json<SubscribedReply>, Problem> {
    state.rate_limits.creates.count(|| state.client(&request))?;
    let input: SubscribeInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(state.hub.subscribe(owner, input).await?.into()))
}

fn list(state: &SharedState, owner: &HookOwner) -> Json<WebhooksReply> {
    Json(WebhooksReply { webhooks: state.hub.webhooks_of(owner).into_iter().map(WebhookView::from).collect() })
}

async fn remove(state: SharedState, request: &HttpRequest, owner: HookOwner) -> Result<Json<Done>, Problem> {
    state.hub.unsubscribe(owner, hook_of(request)).await?;
    Ok(Json(Done::default()))
}

async fn test(state: SharedState, request: HttpRequest, owner: HookOwner) -> Result<Json<TestReply>, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    state.rate_limits.sends.count(|| state.client(&request))?;
    let delivery_id = state.hub.test_webhook(&owner, hook_of(&request)).await?.to_string();
    Ok(Json(TestReply { ok: true, delivery_id }))
}

async fn deliveries(
    state: SharedState,
    request: &HttpRequest,
    owner: &HookOwner,
) -> Result<Json<DeliveriesReply>, Problem> {
    let deliveries = state.hub.deliveries(owner, hook_of(request)).await?;
    Ok(Json(DeliveriesReply { deliveries: deliveries.into_iter().map(DeliveryView::from).collect() }))
}

async fn replay(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
    owner: HookOwner,
) -> Result<Json<ReplayReply>, Problem> {
    state.rate_limits.sends.count(|| state.client(&request))?;
    let input: ReplayInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let replayed = state.hub.replay(&owner, hook_of(&request), input).await?;
    let ids = |ids: Vec<rogerrat_domain::webhook::DeliveryId>| ids.iter().map(ToString::to_string).collect();
    Ok(Json(ReplayReply { replayed: ids(replayed.replayed), gone: ids(replayed.gone) }))
}

async fn rotate(state: SharedState, request: HttpRequest, owner: HookOwner) -> Result<Json<SubscribedReply>, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.rotate_webhook(owner, hook_of(&request)).await?.into()))
}

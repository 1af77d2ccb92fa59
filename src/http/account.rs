//! Accounts, their identities, and the channels they own.

use actix_web::web::{self, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::account::{
    AccountOpened, AccountRecovered, AccountReply, IdentitiesReply, IdentityInput, IdentityReply, OwnedReply,
    RecoverInput, TokenReply,
};
use rogerrat_domain::{Refusal, limits};

use super::openapi::{CloseQuery, InChannel, OfIdentity};
use super::problem::Problem;
use super::query::Query;
use super::state::{SharedState, channel_of};
use super::{Done, Paths, body, read};

/// The routes of accounts.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.all("/api/account", read().to(look), web::post().to(open), web::delete().to(close)))
        .service(at.post("/api/account/recover", web::post().to(recover)))
        .service(at.get_and("POST", "/api/account/identities", read().to(identities), web::post().to(add_identity)))
        .service(at.post("/api/account/identities/{callsign}/rotate-key", web::post().to(rotate_key)))
        .service(at.only("DELETE", "/api/account/identities/{callsign}", web::delete().to(remove_identity)))
        .service(at.get("/api/account/channels", read().to(channels)))
        .service(at.only("DELETE", "/api/account/channels/{id}", web::delete().to(delete_channel)))
        .service(at.post("/api/account/channels/{id}/rotate-token", web::post().to(rotate_token)));
}

/// Opens an account. It asks for no name and no address: whoever has its tokens is its owner.
#[utoipa::path(
    post,
    path = "/api/account",
    operation_id = "create_account",
    tag = "Accounts",
    responses((status = 200, body = AccountOpened, description = "The account. Its tokens are shown only here.")),
    security(("server_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "too_large", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn open(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    state.admit_opener(request.headers())?;
    state.rate_limits.accounts.count(|| state.client(&request))?;
    Ok(Json(state.hub.open_account().await?))
}

/// Gives another session to who has the recovery token. The sessions before stay good until nobody used them for 30 days.
#[utoipa::path(
    post,
    path = "/api/account/recover",
    operation_id = "recover_account",
    tag = "Accounts",
    request_body = RecoverInput,
    responses((status = 200, body = AccountRecovered, description = "The account, and its new session.")),
    extensions(("x-error-codes" = json!(["invalid", "invalid_json", "unauthorized", "too_large", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn recover(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    state.rate_limits.accounts.count(|| state.client(&request))?;
    let input: RecoverInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(state.hub.recover_account(input.recovery_token.trim()).await?))
}

/// Tells what an account is, what it has, and what it may have.
#[utoipa::path(
    get,
    path = "/api/account",
    operation_id = "get_account",
    tag = "Accounts",
    responses((status = 200, body = AccountReply, description = "The account.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn look(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.account(&owner).await?))
}

/// Deletes an account with its identities, whose sessions end. Its channels stay, as nobody's, unless `channels=delete` is
/// said.
#[utoipa::path(
    delete,
    path = "/api/account",
    operation_id = "delete_account",
    tag = "Accounts",
    params(CloseQuery),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn close(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    let with_channels = match Query::of(request.query_string()).get("channels") {
        None => false,
        Some("delete") => true,
        Some(_) => return Err(Refusal::invalid("channels can be `delete`; leave it out to keep them").into()),
    };
    state.hub.close_account(&owner, with_channels).await?;
    Ok(Json(Done::default()))
}

/// Makes an identity: a callsign that is the account's on every channel, and the key that proves it.
#[utoipa::path(
    post,
    path = "/api/account/identities",
    operation_id = "create_identity",
    tag = "Accounts",
    request_body(content = IdentityInput, description = "An empty body means all defaults: the hub makes a callsign up."),
    responses((status = 200, body = IdentityReply, description = "The identity. Its key is shown only here.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "invalid_json", "unauthorized", "callsign_taken", "limit_reached", "too_large", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn add_identity(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    let input: IdentityInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(state.hub.add_identity(&owner, input.callsign.as_deref()).await?))
}

/// Lists the identities of an account, without their keys.
#[utoipa::path(
    get,
    path = "/api/account/identities",
    operation_id = "list_identities",
    tag = "Accounts",
    responses((status = 200, body = IdentitiesReply, description = "The identities.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn identities(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(IdentitiesReply { identities: state.hub.identities(&owner).await? }))
}

/// Gives an identity another key. The old one is good no more, and sessions that joined with it end.
#[utoipa::path(
    post,
    path = "/api/account/identities/{callsign}/rotate-key",
    operation_id = "rotate_identity_key",
    tag = "Accounts",
    params(OfIdentity),
    responses((status = 200, body = IdentityReply, description = "The new key. It is shown only here.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "not_found", "too_large", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn rotate_key(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.rotate_key(&owner, callsign_of(&request)).await?))
}

/// Deletes an identity. Its sessions end, and its callsign is anybody's.
#[utoipa::path(
    delete,
    path = "/api/account/identities/{callsign}",
    operation_id = "delete_identity",
    tag = "Accounts",
    params(OfIdentity),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn remove_identity(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    state.hub.remove_identity(&owner, callsign_of(&request)).await?;
    Ok(Json(Done::default()))
}

/// Lists the channels of an account, oldest first.
#[utoipa::path(
    get,
    path = "/api/account/channels",
    operation_id = "list_owned_channels",
    tag = "Accounts",
    responses((status = 200, body = OwnedReply, description = "The channels.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn channels(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(OwnedReply { channels: state.hub.owned(&owner).await? }))
}

/// Deletes a channel of the account with everything that was said on it. Sessions and streams end.
#[utoipa::path(
    delete,
    path = "/api/account/channels/{id}",
    operation_id = "delete_owned_channel",
    tag = "Accounts",
    params(InChannel),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn delete_channel(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    let at = state.hub.find_owned(&owner, channel_of(&request)).await?;
    state.hub.delete(&at).await?;
    Ok(Json(Done::default()))
}

/// Gives a channel of the account another token. The old one admits nobody any more; who is there stays.
#[utoipa::path(
    post,
    path = "/api/account/channels/{id}/rotate-token",
    operation_id = "rotate_channel_token",
    tag = "Accounts",
    params(InChannel),
    responses((status = 200, body = TokenReply, description = "The new token. It is shown only here.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "not_found", "too_large", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn rotate_token(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    let owner = state.admit_owner(&request).await?;
    let at = state.hub.find_owned(&owner, channel_of(&request)).await?;
    Ok(Json(state.hub.rotate_token(&at).await?))
}

/// The callsign in a request's path.
fn callsign_of(request: &HttpRequest) -> &str {
    request.match_info().get("callsign").unwrap_or_default()
}

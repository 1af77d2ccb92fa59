//! Accounts, their identities, and the channels they own.

use actix_web::web::{self, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::account::{
    AccountReply, CreateAccountReply, IdentitiesReply, IdentityInput, IdentityReply, OwnedChannelReply,
    OwnedChannelsReply, RecoverAccountReply, RecoverInput, TokenReply,
};
use rogerrat_domain::account_session::CreateAccountInput;
use rogerrat_domain::{Code, Refusal, limits};
use utoipa::IntoParams;

use super::error_codes::{ACCOUNT, BODY, codes};
use super::parameters::ChannelPath;
use super::query::QueryParams;
use super::{Done, EndSessionReply, Paths, read};
use crate::web::device_label::session_label;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, channel_of};
use crate::web::{body, hints};

/// Registers the routes of accounts.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    let (show, delete) = (read().to(channel), web::delete().to(delete_channel));
    config
        .service(at.all("/api/account", read().to(get), web::post().to(open), web::delete().to(close)))
        .service(at.post("/api/account/recover", web::post().to(recover)))
        .service(at.get_and("POST", "/api/account/identities", read().to(identities), web::post().to(add_identity)))
        .service(at.post("/api/account/identities/{callsign}/rotate-key", web::post().to(rotate_key)))
        .service(at.only("DELETE", "/api/account/identities/{callsign}", web::delete().to(remove_identity)))
        .service(at.get("/api/account/channels", read().to(channels)))
        .service(at.get_and("DELETE", "/api/account/channels/{id}", show, delete))
        .service(at.only("DELETE", "/api/account/channels/{id}/sessions/{callsign}", web::delete().to(end_member)))
        .service(at.post("/api/account/channels/{id}/rotate-token", web::post().to(rotate_token)));
}

/// The path parameter of a route of one identity.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct IdentityPath {
    /// The identity's callsign.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,31}$")]
    callsign: String,
}

/// The query parameter of deleting an account.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct CloseQuery {
    /// `delete` also deletes the account's channels. Without it they remain, without an owner.
    #[param(pattern = "^delete$")]
    channels: Option<String>,
}

/// Create an account.
///
/// It has no name and no email address: holding its tokens proves ownership.
#[utoipa::path(
    post,
    path = "/api/account",
    operation_id = "create_account",
    tag = "Accounts",
    request_body(content = CreateAccountInput, description = "An empty body means defaults."),
    responses((status = 200, body = CreateAccountReply, description = "The account. Its tokens are returned only once.")),
    security(("server_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, BODY, &[Code::RateLimited]])))),
)]
pub(crate) async fn open(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    state.admit_account_creation(request.headers())?;
    state.rate_limits.accounts.count(|| state.client(&request))?;
    let input: CreateAccountInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let label = session_label(input.label.as_deref(), request.headers())?;
    let mut reply = state.hub.open_account(label).await?;
    reply.hint = hints::ACCOUNT_CREATED;
    Ok(Json(reply))
}

/// Create another session token from the recovery token.
///
/// Earlier session tokens stay valid. Each expires after 30 days without use.
#[utoipa::path(
    post,
    path = "/api/account/recover",
    operation_id = "recover_account",
    tag = "Accounts",
    request_body = RecoverInput,
    responses((status = 200, body = RecoverAccountReply, description = "The account and its new session token.")),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, BODY, &[Code::RateLimited]])))),
)]
pub(crate) async fn recover(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    state.rate_limits.accounts.count(|| state.client(&request))?;
    let input: RecoverInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let label = session_label(input.label.as_deref(), request.headers())?;
    Ok(Json(state.hub.recover_account(input.recovery_token.trim(), label).await?))
}

/// Get the account, what it owns, and its limits.
#[utoipa::path(
    get,
    path = "/api/account",
    operation_id = "get_account",
    tag = "Accounts",
    responses((status = 200, body = AccountReply, description = "The account.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT])))),
)]
pub(crate) async fn get(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.account(&owner).await?))
}

/// Delete the account and its identities.
///
/// Sessions that joined with its identities are closed. Its channels remain, without an owner, unless
/// `channels=delete`.
#[utoipa::path(
    delete,
    path = "/api/account",
    operation_id = "delete_account",
    tag = "Accounts",
    params(CloseQuery),
    responses((status = 200, body = Done, description = "Deleted.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::Invalid]])))),
)]
pub(crate) async fn close(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    let with_channels = match QueryParams::of(request.query_string()).get("channels") {
        None => false,
        Some("delete") => true,
        Some(_) => return Err(Refusal::invalid("channels must be `delete`; omit it to keep the channels").into()),
    };
    state.hub.close_account(&owner, with_channels).await?;
    Ok(Json(Done::default()))
}

/// Create an identity: a callsign reserved for the account on every channel, and the key that proves it.
#[utoipa::path(
    post,
    path = "/api/account/identities",
    operation_id = "create_identity",
    tag = "Accounts",
    request_body(content = IdentityInput, description = "An empty body means defaults: the hub picks a callsign."),
    responses((status = 200, body = IdentityReply, description = "The identity. Its key is returned only once.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, BODY, &[Code::CallsignTaken, Code::LimitReached]])))),
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

/// List the account's identities, without their keys.
#[utoipa::path(
    get,
    path = "/api/account/identities",
    operation_id = "list_identities",
    tag = "Accounts",
    responses((status = 200, body = IdentitiesReply, description = "The identities.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT])))),
)]
pub(crate) async fn identities(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(IdentitiesReply { identities: state.hub.identities(&owner).await? }))
}

/// Rotate an identity's key.
///
/// The old key is revoked and its sessions are closed.
#[utoipa::path(
    post,
    path = "/api/account/identities/{callsign}/rotate-key",
    operation_id = "rotate_identity_key",
    tag = "Accounts",
    params(IdentityPath),
    responses((status = 200, body = IdentityReply, description = "The new key. It is returned only once.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound, Code::TooLarge]])))),
)]
pub(crate) async fn rotate_key(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.rotate_key(&owner, callsign_of(&request)).await?))
}

/// Delete an identity.
///
/// Its sessions are closed and its callsign becomes available.
#[utoipa::path(
    delete,
    path = "/api/account/identities/{callsign}",
    operation_id = "delete_identity",
    tag = "Accounts",
    params(IdentityPath),
    responses((status = 200, body = Done, description = "Deleted.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn remove_identity(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    state.hub.remove_identity(&owner, callsign_of(&request)).await?;
    Ok(Json(Done::default()))
}

/// List the account's channels, oldest first.
#[utoipa::path(
    get,
    path = "/api/account/channels",
    operation_id = "list_owned_channels",
    tag = "Accounts",
    responses((status = 200, body = OwnedChannelsReply, description = "The channels.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT])))),
)]
pub(crate) async fn channels(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(OwnedChannelsReply { channels: state.hub.owned(&owner).await? }))
}

/// Get a channel of the account, with its members.
///
/// The channel is loaded into memory if necessary. The reply has no messages.
#[utoipa::path(
    get,
    path = "/api/account/channels/{id}",
    operation_id = "get_owned_channel",
    tag = "Accounts",
    params(ChannelPath),
    responses((status = 200, body = OwnedChannelReply, description = "The channel and its members.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn channel(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.owned_channel(&owner, channel_of(&request)).await?))
}

/// Close the session of a callsign on a channel of the account.
///
/// Its poll and its streams end, and later requests with the session are 410. The member may join again: to prevent that,
/// rotate the channel's token first.
#[utoipa::path(
    delete,
    path = "/api/account/channels/{id}/sessions/{callsign}",
    operation_id = "end_owned_channel_session",
    tag = "Accounts",
    params(ChannelPath, ("callsign" = String, Path, description = "The callsign whose session to close.")),
    responses((status = 200, body = EndSessionReply, description = "Closed, or there was no session.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::Invalid, Code::NotFound]])))),
)]
pub(crate) async fn end_member(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    let at = state.hub.find_owned(&owner, channel_of(&request)).await?;
    let ended = state.hub.evict(&at, callsign_of(&request)).await?;
    Ok(Json(EndSessionReply { ok: true, ended }))
}

/// Delete a channel of the account with all its messages.
///
/// Its sessions and streams are closed.
#[utoipa::path(
    delete,
    path = "/api/account/channels/{id}",
    operation_id = "delete_owned_channel",
    tag = "Accounts",
    params(ChannelPath),
    responses((status = 200, body = Done, description = "Deleted.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn delete_channel(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    let at = state.hub.find_owned(&owner, channel_of(&request)).await?;
    state.hub.delete(&at).await?;
    Ok(Json(Done::default()))
}

/// Rotate the join token of a channel of the account.
///
/// The old token is revoked. Members and webhooks stay, but REST requests need the new token.
#[utoipa::path(
    post,
    path = "/api/account/channels/{id}/rotate-token",
    operation_id = "rotate_channel_token",
    tag = "Accounts",
    params(ChannelPath),
    responses((status = 200, body = TokenReply, description = "The new token. It is returned only once.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound, Code::TooLarge]])))),
)]
pub(crate) async fn rotate_token(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    let owner = state.admit_owner(&request).await?;
    let at = state.hub.find_owned(&owner, channel_of(&request)).await?;
    Ok(Json(state.hub.rotate_token(&at).await?))
}

/// The callsign in the path of a request.
fn callsign_of(request: &HttpRequest) -> &str {
    request.match_info().get("callsign").unwrap_or_default()
}

//! The sessions of an account, and its recovery token.

use actix_web::web::{self, Json, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::account_session::{AccountSessionsReply, RotateRecoveryReply};
use rogerrat_domain::{Code, limits};

use super::error_codes::{ACCOUNT, codes};
use super::{Done, Paths, read};
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

/// Registers the routes of an account's sessions.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get("/api/account/sessions", read().to(sessions)))
        .service(at.only("DELETE", "/api/account/sessions/{sid}", web::delete().to(end_session)))
        .service(at.post("/api/account/logout", web::post().to(logout)))
        .service(at.post("/api/account/rotate-recovery", web::post().to(rotate_recovery)));
}

/// List the account's sessions, most recently used first.
///
/// Their tokens are not included.
#[utoipa::path(
    get,
    path = "/api/account/sessions",
    operation_id = "list_account_sessions",
    tag = "Accounts",
    responses((status = 200, body = AccountSessionsReply, description = "The sessions.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT])))),
)]
pub(crate) async fn sessions(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.account_sessions(&owner).await?))
}

/// End a session of the account.
///
/// Its token is revoked at once. Channel sessions that joined with an identity key continue: rotate that key to end them.
#[utoipa::path(
    delete,
    path = "/api/account/sessions/{sid}",
    operation_id = "end_account_session",
    tag = "Accounts",
    params(("sid" = String, Path, pattern = "^sess_[0-9a-f]{16}$", description = "The session's id, from the list.")),
    responses((status = 200, body = Done, description = "The session has ended.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn end_session(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    state.hub.end_account_session(&owner, request.match_info().get("sid").unwrap_or_default()).await?;
    Ok(Json(Done::default()))
}

/// End the session that this request uses.
///
/// The recovery token starts another one.
#[utoipa::path(
    post,
    path = "/api/account/logout",
    operation_id = "log_out_of_account",
    tag = "Accounts",
    responses((status = 200, body = Done, description = "The session has ended.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound, Code::TooLarge]])))),
)]
pub(crate) async fn logout(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    let owner = state.admit_owner(&request).await?;
    state.hub.end_own_session(&owner).await?;
    Ok(Json(Done::default()))
}

/// Rotate the account's recovery token.
///
/// The old token is revoked at once. Sessions stay: end those you do not recognize.
#[utoipa::path(
    post,
    path = "/api/account/rotate-recovery",
    operation_id = "rotate_recovery_token",
    tag = "Accounts",
    responses((status = 200, body = RotateRecoveryReply, description = "The new token. It is returned only once.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::TooLarge]])))),
)]
pub(crate) async fn rotate_recovery(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    body::announced(&request, limits::BODY_BYTES)?;
    let owner = state.admit_owner(&request).await?;
    Ok(Json(state.hub.rotate_recovery(&owner).await?))
}

//! The e-mail address of an account, and recovering accounts by e-mail.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::email::{
    AttachEmailReply, ConfirmRecoveryInput, ConfirmRecoveryReply, EmailInput, VerificationInput, VerifyEmailInput,
    VerifyEmailReply,
};
use rogerrat_domain::{Code, limits};

use super::error_codes::{ACCOUNT, BODY, HUB, codes};
use super::{Done, Paths};
use crate::web::body;
use crate::web::device_label::session_label;
use crate::web::language::mail_language;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

/// Registers the routes of e-mail.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.post_and_delete("/api/account/email", web::post().to(attach), web::delete().to(remove)))
        .service(at.post("/api/account/email/verify", web::post().to(verify)))
        .service(at.post("/api/account/recover/email", web::post().to(request)))
        .service(at.post("/api/account/recover/email/confirm", web::post().to(confirm)));
}

/// Attach an e-mail address that recovers the account.
///
/// A code is sent to it. Until the code is entered, an earlier address stays. The reply does not depend on who else uses
/// the address.
#[utoipa::path(
    post,
    path = "/api/account/email",
    operation_id = "attach_email",
    tag = "Accounts",
    request_body = EmailInput,
    responses((status = 202, body = AttachEmailReply, description = "The address waits for its code.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, BODY, &[Code::NotFound, Code::RateLimited]])))),
)]
pub(crate) async fn attach(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    state.hub.require_mail()?;
    state.rate_limits.emails.count(|| state.client(&request))?;
    let input: EmailInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let attached = state.hub.attach_email(&owner, &input.email, mail_language(request.headers())).await?;
    Ok((Json(attached), StatusCode::ACCEPTED))
}

/// Verify an e-mail address with its code.
///
/// The code of six digits needs a session of the account; five wrong ones void it. The secret of the link needs none.
#[utoipa::path(
    post,
    path = "/api/account/email/verify",
    operation_id = "verify_email",
    tag = "Accounts",
    request_body = VerifyEmailInput,
    responses((status = 200, body = VerifyEmailReply, description = "The address recovers the account from now on.")),
    security(("account_session" = []), ()),
    extensions(("x-error-codes" = json!(codes(&[
        ACCOUNT, BODY, &[Code::NotFound, Code::LimitReached, Code::RateLimited],
    ])))),
)]
pub(crate) async fn verify(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    state.hub.require_mail()?;
    state.rate_limits.accounts.count(|| state.client(&request))?;
    let input: VerifyEmailInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(match input.proof() {
        VerificationInput::Link(link) => state.hub.verify_email_by_link(link).await?,
        VerificationInput::Code(code) => state.hub.verify_email(&state.admit_owner(&request).await?, code).await?,
    }))
}

/// Remove the e-mail address of the account, and one that waits for its code.
///
/// A verified address gets an e-mail about it.
#[utoipa::path(
    delete,
    path = "/api/account/email",
    operation_id = "remove_email",
    tag = "Accounts",
    responses((status = 200, body = Done, description = "Removed.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn remove(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = state.admit_owner(&request).await?;
    state.hub.remove_email(&owner).await?;
    Ok(Json(Done::default()))
}

/// Send links to an e-mail address that recover its accounts.
///
/// The reply is always the same, whether the address recovers an account or not, and also beyond a limit, when nothing is
/// sent.
#[utoipa::path(
    post,
    path = "/api/account/recover/email",
    operation_id = "request_email_recovery",
    tag = "Accounts",
    request_body = EmailInput,
    responses((status = 202, body = Done, description = "If the address recovers accounts, it gets a link for each.")),
    extensions(("x-error-codes" = json!(codes(&[BODY, &[Code::NotFound]])))),
)]
pub(crate) async fn request(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    state.hub.require_mail()?;
    let may_send = state.rate_limits.emails.count(|| state.client(&request)).is_ok();
    let input: EmailInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    state.hub.request_recovery(&input.email, may_send)?;
    Ok((Json(Done::default()), StatusCode::ACCEPTED))
}

/// Recover an account with the link of an e-mail.
///
/// It replaces the recovery token and creates a session. Other sessions stay: end those you do not recognize. The link
/// cannot be used again.
#[utoipa::path(
    post,
    path = "/api/account/recover/email/confirm",
    operation_id = "confirm_email_recovery",
    tag = "Accounts",
    request_body = ConfirmRecoveryInput,
    responses((status = 200, body = ConfirmRecoveryReply, description = "The account and its new tokens.")),
    extensions(("x-error-codes" = json!(codes(&[
        HUB, BODY, &[Code::Unauthorized, Code::NotFound, Code::RateLimited],
    ])))),
)]
pub(crate) async fn confirm(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    state.hub.require_mail()?;
    state.rate_limits.accounts.count(|| state.client(&request))?;
    let input: ConfirmRecoveryInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let label = session_label(input.label.as_deref(), request.headers())?;
    Ok(Json(state.hub.confirm_recovery(input.token.trim(), label).await?))
}

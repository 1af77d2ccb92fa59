//! Remote control of an agent from a phone, and QR codes for links.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use rogerrat_domain::account::IdentityReply;
use rogerrat_domain::remote::{QrInput, RemoteInput, RemoteLinkInput};
use rogerrat_domain::{AccountId, ChannelId, Code, Refusal, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::error_codes::{ACCOUNT, BODY, CHANNEL, codes};
use super::parameters::ChannelPath;
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::qr::{Qr, QrRows};
use crate::web::remote::{AddedPhone, OpenedRemote, PhoneLinks, PhoneRequest, QrForms, RemoteCommands};
use crate::web::state::{SharedState, bearer};

/// A remote control. Its secrets are returned only once.
#[derive(Serialize, ToSchema)]
pub(super) struct RemoteControlReply {
    /// What the agent does next.
    read_me_first: String,
    /// The channel id.
    channel_id: ChannelId,
    /// The bearer token of the channel.
    channel_token: String,
    /// The owner password: a PIN of 6 digits.
    owner_password: String,
    /// The identity of the agent.
    agent: IdentityReply,
    /// The identity of the person.
    phone: IdentityReply,
    #[serde(flatten)]
    links: PhoneLinks,
    /// The account that owns the channel and the identities.
    account_id: AccountId,
    /// Returns another session token of the account, if the account was created with the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    recovery_token: Option<String>,
    /// The session token of the account, if the account was created with the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session_token: Option<String>,
    /// How long a session on the channel lasts without activity, in seconds.
    session_ttl_seconds: u64,
    /// When agent and phone are signed out if they do nothing, in seconds. A link works until the channel or its identity is
    /// deleted, and signs in again.
    expires_in_seconds: u64,
    /// How the agent's client is woken by a message.
    your_harness: String,
    /// Stores the secrets in a file that only its user can read, and joins. The other commands need it once. All commands
    /// use `rogerrat` if it is installed, else the script `/rr`.
    setup_command: String,
    /// Keeps running, and appends each message to a file as one line of JSON.
    receiver_command_template: String,
    /// Ends when a message arrives, and prints it.
    waiter_command_template: String,
    /// Sends the text between its first and its last line to the phone.
    reply_command_template: String,
    /// Joins again, shows a status on the channel, and lists the members.
    selftest_command_template: String,
}

/// A phone that was added to a channel. Its secrets are returned only once.
#[derive(Serialize, ToSchema)]
pub(super) struct RemoteLinkReply {
    /// The channel id.
    channel_id: ChannelId,
    /// The owner password: a PIN of 6 digits, if the channel had no owner password.
    #[schema(required)]
    owner_password: Option<String>,
    /// Whether the channel had an owner password. The page asks for it.
    owner_password_existing: bool,
    /// The identity of the person.
    phone: IdentityReply,
    #[serde(flatten)]
    links: PhoneLinks,
}

/// Open remote control.
///
/// It creates a trusted channel for identities only, with a PIN as owner password, and two identities: one for the agent,
/// one for the person who instructs it from a phone. They belong to the account whose session token is sent, else to a new
/// account. Everything is created, or nothing.
#[utoipa::path(
    post,
    path = "/api/remote-control",
    operation_id = "open_remote_control",
    tag = "Remote control",
    request_body(content = RemoteInput, description = "An empty body means defaults. Its Content-Type is ignored."),
    responses((status = 200, body = RemoteControlReply,
        description = "The channel, both identities, the links for the phone and commands for the agent. \
                       All secrets are returned only once.")),
    security(("server_token" = []), ("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, BODY,
        &[Code::CallsignTaken, Code::LimitReached, Code::RateLimited]])))),
)]
pub(crate) async fn open(state: SharedState, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let owner = state.admit_channel_creation(request.headers()).await?;
    state.rate_limits.creates.count(|| state.client(&request))?;
    if owner.is_none() {
        state.rate_limits.accounts.count(|| state.client(&request))?;
    }
    let input: RemoteInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let qr = QrForms::over_http(input.qr);
    let opened = state.open_remote_control(&request, &input, qr, owner.as_ref()).await?;
    let commands = RemoteCommands::of(&state.public_origin(&request), &opened.remote);
    Ok(HttpResponse::Ok().json(reply(opened, commands, state.preset(&request).wake())))
}

fn reply(opened: OpenedRemote, commands: RemoteCommands, wake: &str) -> RemoteControlReply {
    let OpenedRemote { remote, session_ttl_seconds, links } = opened;
    let (recovery_token, session_token) = remote.account_tokens.unzip();
    RemoteControlReply {
        read_me_first: format!(
            "1. Give your human `operator_handoff` word for word. 2. Run `setup_command` in a shell: it stores the \
             secrets in a file that only your user can read, and joins as `{}`. 3. Run `waiter_command_template` as a \
             background command: it ends when a message arrives. Answer with `reply_command_template`, then run it \
             again. Messages from `{}` that are marked as verified come from your human. A link is a key: write it \
             nowhere else.",
            remote.agent.callsign, remote.phone.callsign
        ),
        channel_id: remote.created.channel.id().clone(),
        channel_token: remote.created.token,
        owner_password: remote.pin,
        agent: remote.agent,
        phone: remote.phone,
        links,
        account_id: remote.account_id,
        recovery_token,
        session_token,
        session_ttl_seconds,
        expires_in_seconds: session_ttl_seconds,
        your_harness: wake.to_owned(),
        setup_command: commands.setup,
        receiver_command_template: commands.receiver,
        waiter_command_template: commands.waiter,
        reply_command_template: commands.reply,
        selftest_command_template: commands.selftest,
    }
}

/// Add a phone to a channel.
///
/// It creates an identity of the account whose session token is in the body, and an owner password if the channel has
/// none. No other setting changes.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/remote-link",
    operation_id = "make_remote_link",
    tag = "Remote control",
    params(ChannelPath),
    request_body = RemoteLinkInput,
    responses((status = 200, body = RemoteLinkReply,
        description = "The identity and the links for the phone. All secrets are returned only once.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL, BODY,
        &[Code::Forbidden, Code::CallsignTaken, Code::LimitReached, Code::RateLimited]])))),
)]
pub(crate) async fn link(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    state.rate_limits.creates.count(|| state.client(&request))?;
    let input: RemoteLinkInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let owner = state.hub.admit_owner(Some(input.session_token.trim())).await?;
    let phone = PhoneRequest {
        channel: &at,
        token: bearer(request.headers()).unwrap_or_default(),
        owner: &owner,
        name: input.name.as_deref(),
        callsign: input.phone_callsign.as_deref(),
    };
    let AddedPhone { phone, pin, links } = state.add_phone(&request, &phone, QrForms::over_http(input.qr)).await?;
    Ok(Json(RemoteLinkReply {
        channel_id: at.id().clone(),
        owner_password_existing: pin.is_none(),
        owner_password: pin,
        phone,
        links,
    }))
}

/// Encode a text as a QR code.
///
/// The text is not stored.
#[utoipa::path(
    post,
    path = "/api/qr",
    operation_id = "encode_qr",
    tag = "Remote control",
    request_body = QrInput,
    responses((status = 200, body = QrRows, description = "The modules of the QR code.")),
    extensions(("x-error-codes" = json!(codes(&[BODY, &[Code::RateLimited]])))),
)]
pub(crate) async fn qr(state: SharedState, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    state.rate_limits.qr_codes.count(|| state.client(&request))?;
    let input: QrInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let code = Qr::of(input.checked()?).ok_or_else(|| Refusal::invalid("`text` does not fit into a QR code"))?;
    Ok(Json(code.rows()))
}

//! Messages: send, history, receipts, acknowledgements and consumers.

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use rogerrat_domain::op::{
    AckInput, AckReply, Consumers, ConsumersReply, Draft, History, HistoryReply, Receipts, ReceiptsOfMany,
    ReceiptsOfManyReply, ReceiptsReply, RemoveConsumer, Send, SendInput, SendReply,
};
use rogerrat_domain::{AttachmentForm, Code, ConsumerName, Refusal, limits};
use utoipa::IntoParams;
use utoipa::openapi::schema::Schema;

use super::Done;
use super::error_codes::{BODY, CHANNEL, MEMBER, codes};
use super::parameters::{AttachmentsParam, BoundParam, ChannelPath, OptionalSessionHeader, SessionHeader, count};
use super::query::{QueryParams, message_id};
use crate::web::body;
use crate::web::delivery_body::SizedBody;
use crate::web::problem::{Problem, insert_quota};
use crate::web::state::{SharedState, presented_session};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The Content-Type of every reply to a send. A static value spares formatting it for every reply.
static JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Send a message to one member or to all.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/send",
    operation_id = "send_message",
    tag = "Messages",
    params(
        ChannelPath,
        SessionHeader,
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,128}$",
            description = "Makes the send safe to repeat. Overrides `client_msg_id`."),
    ),
    request_body(content = SendInput, description = "The message."),
    responses((status = 200, body = SendReply, description = "Sent.", headers(
        ("X-RateLimit-Limit" = Option<u64>, description = "Sends allowed per minute, if sends are limited."),
        ("X-RateLimit-Remaining" = Option<u64>, description = "Sends left in the current minute."),
        ("X-RateLimit-Reset" = Option<u64>,
            description = "When the oldest send leaves the window, in seconds since the epoch."),
    ))),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        MEMBER,
        BODY,
        &[
            Code::UnknownRecipient,
            Code::MailboxFull,
            Code::LimitReached,
            Code::IdempotencyConflict,
            Code::Forbidden,
            Code::TaskTaken,
            Code::TaskClosed,
            Code::FenceStale,
            Code::RateLimited,
        ],
    ])))),
)]
pub(crate) async fn send(state: SharedState, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let input: SendInput = body::json(&request, payload, limits::BODY_SEND_BYTES).await?;
    let draft = Draft::check(input, idempotency_key(&request)?)?;
    state.rate_limits.sends.count(|| state.client(&request))?;
    let reply = state.hub.send(&at, Send { session, draft }).await?;
    let quota = reply.quota;
    let mut response = HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON.clone())).json(reply);
    if let Some(quota) = quota {
        insert_quota(response.headers_mut(), quota);
    }
    Ok(response)
}

pub(super) fn idempotency_key(request: &HttpRequest) -> Result<Option<&str>, Refusal> {
    let Some(value) = request.headers().get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::invalid("Idempotency-Key must be visible ASCII"));
    text.map(Some)
}

/// The query parameters of the history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct HistoryQuery {
    #[param(schema_with = n, required = false)]
    n: Option<f64>,
    /// Return only messages of this thread.
    thread: Option<String>,
    /// Return only messages with a smaller id: `before` of the previous page. On a durable channel these pages continue
    /// in the backlog. The id need not be that of a message.
    #[param(minimum = 1)]
    before: Option<u64>,
}

fn n() -> Schema {
    count(
        100,
        "The maximum number of messages. Defaults to 20, clamped to 1 … 100, fractions are cut off. A value that is \
         not a number means 100.",
    )
}

/// Get the last messages, oldest first.
///
/// It acknowledges nothing. With `X-Session-Id` it refreshes the session. Older messages are read page by page with
/// `before`.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/history",
    operation_id = "get_history",
    tag = "Messages",
    params(ChannelPath, OptionalSessionHeader, HistoryQuery, BoundParam, AttachmentsParam),
    responses((status = 200, body = HistoryReply, description = "The messages.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL])))),
)]
pub(crate) async fn history(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    let query = QueryParams::of(request.query_string());
    let thread = query.get("thread").map(|name| name.trim().to_owned());
    let format = query.answer_format()?;
    let history = History { session, n: query.history_n(), thread, before: query.before()? };
    let mut reply = state.hub.history(&at, history).await?;
    if let Some(bound) = format.bound(false) {
        reply.keep_newest(bound);
    }
    let body = BoxBody::new(SizedBody::of_pieces(history_pieces(&reply, format.attachments)));
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON.clone())).body(body))
}

/// The body of a history. The messages are not copied.
fn history_pieces(reply: &HistoryReply, attachments: AttachmentForm) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(reply.history.len() * 2 + 2);
    pieces.push(Bytes::from_static(br#"{"history":["#));
    for (i, message) in reply.history.iter().enumerate() {
        if i > 0 {
            pieces.push(Bytes::from_static(b","));
        }
        pieces.push(message.json_in(attachments));
    }
    pieces.push(match (reply.more, reply.before) {
        (0, None) => Bytes::from_static(b"]}"),
        (0, Some(before)) => format!(r#"],"before":{before}}}"#).into(),
        (more, None) => format!(r#"],"more":{more}}}"#).into(),
        (more, Some(before)) => format!(r#"],"more":{more},"before":{before}}}"#).into(),
    });
    pieces
}

/// Acknowledge all messages up to an id, for one consumer.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/ack",
    operation_id = "acknowledge",
    tag = "Reading",
    params(ChannelPath, SessionHeader),
    request_body(content = AckInput, description = "Highest message id to acknowledge."),
    responses((status = 200, body = AckReply, description = "The position of the consumer.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, BODY])))),
)]
pub(crate) async fn ack(state: SharedState, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let input: AckInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(state.hub.ask(&at, input.check(session)?).await?))
}

/// List your consumers, the default one first.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/consumers",
    operation_id = "list_consumers",
    tag = "Reading",
    params(ChannelPath, SessionHeader),
    responses((status = 200, body = ConsumersReply, description = "The consumers.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER])))),
)]
pub(crate) async fn consumers(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    Ok(Json(state.hub.query(&at, Consumers { session }).await?))
}

/// Remove a named consumer.
///
/// Its poll and its stream end. The default consumer cannot be removed.
#[utoipa::path(
    delete,
    path = "/api/channels/{id}/consumers/{name}",
    operation_id = "remove_consumer",
    tag = "Reading",
    params(
        ChannelPath,
        SessionHeader,
        ("name" = String, Path, pattern = "^[a-z0-9_-]{1,32}$", description = "The consumer's name."),
    ),
    responses((status = 200, body = Done, description = "Removed.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER])))),
)]
pub(crate) async fn remove_consumer(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let name = ConsumerName::parse(request.match_info().get("name").unwrap_or_default())?;
    state.hub.ask(&at, RemoveConsumer { session, name }).await?;
    Ok(Json(Done::default()))
}

/// The query parameter of the receipts of several messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct ReceiptsQuery {
    /// The ids of the messages, separated by commas; at most 50.
    #[param(pattern = "^ *[0-9]{1,16} *(, *[0-9]{1,16} *){0,49}$")]
    ids: String,
}

/// Get the delivery status of several messages you sent.
///
/// Messages of others, and those that are not among the last 256 of the channel, are left out.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/receipts",
    operation_id = "get_receipts_of_many",
    tag = "Messages",
    params(ChannelPath, SessionHeader, ReceiptsQuery),
    responses((status = 200, body = ReceiptsOfManyReply, description = "The receipts of each message.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER])))),
)]
pub(crate) async fn receipts_of_many(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let ids = QueryParams::of(request.query_string()).receipt_ids()?;
    Ok(Json(state.hub.query(&at, ReceiptsOfMany { session, ids }).await?))
}

/// Get the delivery status of a message you sent.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/messages/{message}/receipts",
    operation_id = "get_receipts",
    tag = "Messages",
    params(
        ChannelPath,
        SessionHeader,
        ("message" = u64, Path, maximum = 18_446_744_073_709_551_615u64, description = "The message id."),
    ),
    responses((status = 200, body = ReceiptsReply, description = "One receipt per recipient.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::Forbidden]])))),
)]
pub(crate) async fn receipts(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let id = message_id(request.match_info().get("message").unwrap_or_default())?;
    Ok(Json(state.hub.query(&at, Receipts { session, id }).await?))
}

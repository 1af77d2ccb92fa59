//! Tasks: asking, looking at one, the board, and taking work.

use std::future::Future;

use actix_web::body::BoxBody;
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use rogerrat_actors::{DeliveryGuard, HubError, TakenWork, TaskLook};
use rogerrat_domain::op::{AskReply, Board, BoardFilter, BoardReply, Draft, LookUntil, Send, SendInput, Take};
use rogerrat_domain::{
    AnswersFormat, Code, MessageId, MessageSchema, Refusal, TaskRow, TaskState, WaiterId, Wants, limits,
    saturating_u64, whole_number,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error_codes::{BODY, MEMBER, codes};
use super::messages::idempotency_key;
use super::parameters::{AttachmentsParam, BoundParam, ChannelPath, SessionHeader};
use super::poll::recallable;
use super::query::{QueryParams, message_id};
use crate::transport::ConnectionState;
use crate::web::answer_format::AnswerFormat;
use crate::web::body;
use crate::web::delivery_body::{DeliveryBody, SizedBody};
use crate::web::problem::Problem;
use crate::web::state::SharedState;

static JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A question, and how long to wait for its answers.
#[derive(Deserialize, ToSchema)]
pub(super) struct AskInput {
    /// Seconds to wait for the answers, clamped to 0 to 300; fractions are allowed. Defaults to 60.
    #[serde(default)]
    timeout: Option<f64>,
    /// The id of a question that you asked: this call continues to wait for its answers. Then the other fields are ignored.
    #[serde(default, deserialize_with = "whole_number")]
    #[schema(maximum = 18_446_744_073_709_551_615u64)]
    ask_id: Option<u64>,
    #[serde(flatten)]
    send: SendInput,
}

/// Which task to take.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct TakeInput {
    /// The length of the lease in seconds, clamped to 10 to 3,600. Defaults to 900.
    #[serde(default)]
    lease_seconds: Option<f64>,
    /// Seconds to wait for work, clamped to 0 to 300; fractions are allowed. Defaults to 0. Only without a task in the path.
    #[serde(default)]
    wait: Option<f64>,
    /// Only work of this thread. Only without a task in the path.
    #[serde(default)]
    thread: Option<String>,
    /// The fence of a task that you have taken: its lease begins anew. Without it, taking it again gives a new fence. Only with
    /// a task in the path.
    #[serde(default, deserialize_with = "whole_number")]
    #[schema(maximum = 4_294_967_295u64)]
    fence: Option<u64>,
}

/// A task that you have taken, or null.
#[derive(Serialize, ToSchema)]
pub(super) struct TakeReply {
    /// The task; null if there is nothing to take.
    #[schema(required)]
    task: Option<TaskRow>,
    /// The message that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MessageSchema>, nullable = false)]
    message: Option<Box<serde_json::value::RawValue>>,
    /// The number of this taking: give it with every `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fence: Option<u32>,
    /// When the lease ends, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lease_until: Option<u64>,
    /// True if there was nothing to take.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    timed_out: bool,
}

impl TakeReply {
    fn new(taken: Option<TakenWork>) -> (Self, Option<DeliveryGuard>) {
        let Some(TakenWork { task, message, fence, lease_until, guard }) = taken else {
            return (Self { task: None, message: None, fence: None, lease_until: None, timed_out: true }, None);
        };
        let message = message.and_then(|message| serde_json::from_slice(&message.json()).ok());
        let (fence, lease_until) = (Some(fence), Some(lease_until));
        (Self { task: Some(task), message, fence, lease_until, timed_out: false }, Some(guard))
    }
}

/// Ask, and wait for the answer.
///
/// Sends a question and waits until it is answered. The same words to the same member are one question while it is open, so
/// a repeated call waits for the same answer. No answer in time is no error: continue with `ask_id`.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/ask",
    operation_id = "ask",
    tag = "Tasks",
    params(
        ChannelPath,
        SessionHeader,
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,128}$",
            description = "Makes the question safe to repeat. Overrides `client_msg_id`."),
    ),
    request_body(content = AskInput, description = "The question."),
    responses((status = 200, body = AskReply, description = "The answers so far.")),
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
            Code::RateLimited,
        ],
    ])))),
)]
pub(crate) async fn ask(state: SharedState, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let AskInput { timeout, ask_id, send } = body::json(&request, payload, limits::BODY_SEND_BYTES).await?;
    let timeout_ms = milliseconds(timeout, limits::ASK_DEFAULT_MS, 0..=limits::TASK_WAIT_MAX_MS);
    let whole = AnswersFormat::default();
    let answer = match ask_id {
        Some(id) => connected(&request, state.hub.continue_question(&at, session, id, whole, timeout_ms)).await?,
        None => {
            let draft = Draft::check_ask(send, idempotency_key(&request)?)?;
            state.rate_limits.sends.count(|| state.client(&request))?;
            connected(&request, state.hub.question(&at, Send { session, draft }, whole, timeout_ms)).await?
        }
    };
    Ok(answer.map_or_else(gone, |(reply, read, guard)| delivered(&request, &reply, Some((read, guard)))))
}

/// The query parameters of one task.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct TaskQuery {
    /// Seconds to wait for a change, clamped to 0 to 300. Defaults to 0.
    wait: Option<f64>,
    /// `updated_at` of the task as you know it: the request waits until it is another one. Omit it to get the task at once.
    #[param(minimum = 1)]
    seen: Option<u64>,
}

/// The bytes of a task beside its answers, at their longest.
const ROW_BYTES: usize = 1_800;

/// How a reply that is formatted like this shows the answers of a task.
fn answers_format(format: AnswerFormat) -> AnswersFormat {
    let max_bytes = format.max_bytes.map(|max_bytes| max_bytes.saturating_sub(ROW_BYTES));
    AnswersFormat { attachments: format.attachments, bound: AnswerFormat { max_bytes, ..format }.bound(false) }
}

/// Get a task, at once or when it has changed.
///
/// Its poster thereby reads its answers.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/tasks/{task}",
    operation_id = "get_task",
    tag = "Tasks",
    params(
        ChannelPath,
        SessionHeader,
        ("task" = u64, Path, maximum = 18_446_744_073_709_551_615u64, description = "The task id."),
        TaskQuery,
        BoundParam,
        AttachmentsParam,
    ),
    responses((status = 200, body = TaskRow, description = "The task.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::LimitReached]])))),
)]
pub(crate) async fn task(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let id = message_id(request.match_info().get("task").unwrap_or_default())?;
    let query = QueryParams::of(request.query_string());
    let wait_ms = milliseconds(query.number("wait")?, 0, 0..=limits::TASK_WAIT_MAX_MS);
    let until = match query.whole_number("seen")?.filter(|_| wait_ms > 0) {
        Some(seen) => LookUntil::Changed { seen },
        None => LookUntil::Now,
    };
    let look = TaskLook { id, until, format: answers_format(query.answer_format()?), timeout_ms: wait_ms };
    let look = connected(&request, state.hub.look_at_task(&at, session, look)).await?;
    Ok(look.map_or_else(gone, |look| delivered(&request, &look.task, Some((look.delivered, look.guard)))))
}

/// The query parameters of the board.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct BoardQuery {
    /// Only tasks in this state: `open`, `held`, `input`, `done`, `failed`, `rejected`, `cancelled` or `expired`.
    #[param(pattern = "^(open|held|input|done|failed|rejected|cancelled|expired)?$")]
    state: Option<String>,
    /// Only tasks that want this: `answer` or `work`.
    #[param(pattern = "^(answer|work)?$")]
    wants: Option<String>,
    /// Only tasks that you posted, have taken, or that are for you by name.
    mine: Option<bool>,
    /// Only tasks of this thread.
    thread: Option<String>,
    /// How many at most, clamped to 1 to 200. Defaults to 50.
    #[param(minimum = 1)]
    limit: Option<u64>,
    /// Only tasks that changed last before this time: `before` of the previous page.
    #[param(minimum = 1)]
    before: Option<u64>,
}

/// List the tasks of a channel, the newest change first.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/tasks",
    operation_id = "list_tasks",
    tag = "Tasks",
    params(ChannelPath, SessionHeader, BoardQuery),
    responses((status = 200, body = BoardReply, description = "The tasks that you may see.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER])))),
)]
pub(crate) async fn board(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let query = QueryParams::of(request.query_string());
    let filter = BoardFilter {
        state: choice(&query, "state", TaskState::NAMES)?,
        wants: choice(&query, "wants", Wants::NAMES)?,
        mine: query.flag("mine")?,
        thread: query.get("thread").map(|name| name.trim().to_owned()),
        limit: query.whole_number("limit")?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        before: query.whole_number("before")?,
    };
    Ok(Json(state.hub.query(&at, Board { session, filter }).await?))
}

fn choice<T: serde::de::DeserializeOwned>(
    query: &QueryParams<'_>,
    name: &'static str,
    values: &[&str],
) -> Result<Option<T>, Refusal> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value)
        .map(Some)
        .map_err(|_| Refusal::invalid(format!("{name} must be one of {}", values.join(", "))))
}

/// Take the next work.
///
/// Takes the oldest open work that you can take, what is for you by name first, or waits for some. Nobody else works on it
/// until the lease ends. If you do not receive the reply, it is open again.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/tasks/take",
    operation_id = "take_next_task",
    tag = "Tasks",
    params(ChannelPath, SessionHeader),
    request_body(content = TakeInput, description = "How long to wait, and the lease. An empty body means defaults."),
    responses((status = 200, body = TakeReply, description = "The task, or null.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, BODY, &[Code::LimitReached]])))),
)]
pub(crate) async fn take_next(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    take_with(&state, &request, payload, None).await
}

/// Take a task, or renew its lease.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/tasks/{task}/take",
    operation_id = "take_task",
    tag = "Tasks",
    params(
        ChannelPath,
        SessionHeader,
        ("task" = u64, Path, maximum = 18_446_744_073_709_551_615u64, description = "The task id."),
    ),
    request_body(content = TakeInput, description = "The lease, and the fence of a task that you have. An empty body means defaults."),
    responses((status = 200, body = TakeReply, description = "The task.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        MEMBER,
        BODY,
        &[Code::Forbidden, Code::TaskTaken, Code::TaskClosed, Code::FenceStale],
    ])))),
)]
pub(crate) async fn take(state: SharedState, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let id = message_id(request.match_info().get("task").unwrap_or_default())?;
    take_with(&state, &request, payload, Some(id)).await
}

async fn take_with(
    state: &SharedState,
    request: &HttpRequest,
    payload: Payload,
    id: Option<u64>,
) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(request).await?;
    let TakeInput { lease_seconds, wait, thread, fence } = body::json(request, payload, limits::BODY_BYTES).await?;
    let fence = fence.map(u32::try_from).transpose();
    let fence = fence.map_err(|_| Refusal::invalid("no task has such a `fence`"))?.filter(|_| id.is_some());
    let bounds = limits::TASK_LEASE_MIN_MS..=limits::TASK_LEASE_MAX_MS;
    let take = Take {
        session,
        id,
        fence,
        lease_ms: milliseconds(lease_seconds, limits::TASK_LEASE_DEFAULT_MS, bounds),
        thread: thread.map(|name| name.trim().into()),
        timeout_ms: milliseconds(wait.filter(|_| id.is_none()), 0, 0..=limits::TASK_WAIT_MAX_MS),
        waiter: WaiterId(0),
    };
    let Some(taken) = connected(request, state.hub.take(&at, take)).await? else { return Ok(gone()) };
    let (reply, guard) = TakeReply::new(taken);
    let taken = reply.task.iter().map(|task| task.id).collect();
    Ok(delivered(request, &reply, guard.map(|guard| (taken, guard))))
}

/// A time in seconds as milliseconds, clamped.
fn milliseconds(seconds: Option<f64>, default_ms: u64, bounds: std::ops::RangeInclusive<u64>) -> u64 {
    seconds.map_or(default_ms, |seconds| saturating_u64(seconds * 1000.0)).clamp(*bounds.start(), *bounds.end())
}

/// Waits for a result as long as the client is connected; none if it is gone.
async fn connected<T>(
    request: &HttpRequest,
    result: impl Future<Output = Result<T, HubError>>,
) -> Result<Option<T>, Problem> {
    // Over HTTP/1, the handler is dropped with its connection.
    let Some(disconnected) = ConnectionState::of(request).map(ConnectionState::disconnected) else {
        return Ok(Some(result.await?));
    };
    tokio::select! {
        biased;
        () = disconnected => Ok(None),
        result = Box::pin(result) => Ok(Some(result?)),
    }
}

/// The response to a client that has gone.
fn gone() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// A response that delivers something when it was written: messages that are read by it, or a task that is taken. If the
/// connection shows within a second that its client has not read it, they are taken back.
fn delivered(
    request: &HttpRequest,
    reply: &impl Serialize,
    guard: Option<(Box<[MessageId]>, DeliveryGuard)>,
) -> HttpResponse {
    let json = match serde_json::to_vec(reply) {
        Ok(json) => Bytes::from(json),
        Err(_) => return HttpResponse::InternalServerError().finish(),
    };
    let delivery = guard.map(|(messages, guard)| recallable(request, messages, guard));
    let completes_late = request.version() == Version::HTTP_2;
    let body = BoxBody::new(SizedBody::new(DeliveryBody::new(vec![json], delivery, completes_late)));
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON.clone())).body(body)
}

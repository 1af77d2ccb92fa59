//! `listen` and `wait`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{OpenTasks, ReadQuery};
use rogerrat_domain::{ByteBound, Refusal, limits, saturating_u64};
use serde::Deserialize;

use super::{ToolArguments, client_key};
use crate::mcp::answer_size::{self, FRAME_BYTES, SizeArgs};
use crate::mcp::context::{RequestContext, refresh};
use crate::mcp::rpc::{Meta, Params, RpcId};
use crate::mcp::unproven::{ReadCall, Reader, is_relayed};
use crate::mcp::waiting::{CallEnd, PendingCall, WaitingCall};
use crate::web::answer_format::AnswerFormat;

/// How the two tools differ.
struct ReadKind {
    tool: &'static str,
    default_ms: u64,
    max_ms: u64,
    wants_roster: bool,
}

const LISTEN: ReadKind = ReadKind {
    tool: "listen",
    default_ms: limits::LISTEN_DEFAULT_MS,
    max_ms: limits::LISTEN_MAX_MS,
    wants_roster: false,
};
const WAIT: ReadKind =
    ReadKind { tool: "wait", default_ms: limits::WAIT_MCP_DEFAULT_MS, max_ms: limits::WAIT_MAX_MS, wants_roster: true };

/// Reads messages, and waits for a short time if there are none.
pub(super) async fn listen(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    arguments: &ToolArguments<'_>,
    params: &Params<'_>,
) -> Result<WaitingCall, Refusal> {
    read(context, id, arguments, params, &LISTEN).await
}

/// Reads messages, and waits for a long time if there are none.
pub(super) async fn wait(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    arguments: &ToolArguments<'_>,
    params: &Params<'_>,
) -> Result<WaitingCall, Refusal> {
    read(context, id, arguments, params, &WAIT).await
}

#[derive(Default, Deserialize)]
struct TimeoutArgs {
    timeout_seconds: Option<f64>,
}

async fn read(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    arguments: &ToolArguments<'_>,
    params: &Params<'_>,
    kind: &ReadKind,
) -> Result<WaitingCall, Refusal> {
    let ReadKind { tool, default_ms, max_ms, wants_roster } = *kind;
    let at = context.channel_session(&arguments.membership).await?;
    let mut input = arguments.parse::<ReadQuery<'static>>()?.check()?;
    let format = arguments.parse::<SizeArgs>()?.format()?;
    input.bound = Some(messages_of(format, wants_roster, id));
    let TimeoutArgs { timeout_seconds } = arguments.parse()?;
    let timeout_ms = timeout_seconds.map_or(default_ms, |seconds| saturating_u64(seconds * 1000.0));
    let max_ms = if context.is_in_batch { limits::POLL_MIN_MS } else { max_ms };
    let timeout_ms = timeout_ms.clamp(limits::POLL_MIN_MS, max_ms);
    // Before anything is awaited, so that a cancellation finds the call.
    let session = context.mcp_session.as_ref();
    let cancellation = session.map(|session| context.mcp.in_flight.register(session.nonce, id.as_json()));
    let is_of_default_consumer = input.consumer.is_none();
    let tracked_read = context.mcp.unproven.begin_read(ReadCall {
        client: client_key(context, &at),
        reader: Reader {
            channel: at.channel.id().clone(),
            session: at.session.clone(),
            consumer: input.consumer.clone(),
        },
        request_id: id.as_json().into(),
        arrival: context.arrival(),
        has_upto: input.since.max(input.ack_upto),
        closes_to_cancel: context.version.is_modern(),
        is_relayed: is_relayed(context.request.headers()),
    });
    let tracked_read = tracked_read.await;
    let state = context.state.clone();
    let read: PendingCall = Box::pin(async move {
        let messages = state.hub.read(&at.channel, at.session.clone(), input, timeout_ms, wants_roster).await;
        let messages = messages.map_err(HubError::into_refusal)?;
        let counts = refresh(&state, &at).await.ok();
        let wanting = messages.messages.iter().filter(|one| one.message.wants.is_some() && !one.own);
        let ids: Vec<_> = wanting.map(|one| one.message.id).collect();
        // Some may be closed, or another member's, by now.
        let open = match ids.is_empty() {
            true => ids,
            false => state.hub.query(&at.channel, OpenTasks { session: at.session, ids }).await.unwrap_or_default(),
        };
        Ok(CallEnd::Messages(messages, counts, open))
    });
    let waiting = WaitingCall::new(context.request, id, context.version, tool, timeout_ms, read).formatted(format);
    let token = params.meta().ok().flatten().and_then(|meta: Meta<'_>| meta.progress_token());
    let waiting = waiting.with_progress(token).cancelled_by(cancellation);
    Ok(waiting.recorded_by(tracked_read, context.state.clock).counting(is_of_default_consumer))
}

/// The bound on the messages of an answer: what its other parts leave.
fn messages_of(format: AnswerFormat, has_roster: bool, id: RpcId<'_>) -> ByteBound {
    let others = FRAME_BYTES + id.as_json().len() + format.reserved_for_roster(has_roster);
    answer_size::bound(format.max_bytes.unwrap_or(limits::ANSWER_MCP_BYTES).saturating_sub(others))
}

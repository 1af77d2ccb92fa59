//! `ask`, `take`, `finish` and `tasks`.

use rogerrat_actors::{DeliveryGuard, HubError, TakenWork, TaskLook};
use rogerrat_domain::op::{AskReply, AttachmentInput, Board, BoardFilter, BoardReply, Draft, Send, SendInput, Take};
use rogerrat_domain::text::{clock, member_state};
use rogerrat_domain::{Refusal, TaskRow, TaskState, TaskStep, WaiterId, Wants, limits, message_line, saturating_u64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ToolArguments;
use crate::mcp::answer_size::{FRAME_BYTES, SizeArgs, answers_format, escaped_bytes, json_bytes};
use crate::mcp::context::{Counts, RequestContext, refresh};
use crate::mcp::response::{ToolResult, WithCounts};
use crate::mcp::rpc::{Meta, Params, RpcId};
use crate::mcp::waiting::{CallEnd, PendingCall, WaitingCall};

#[derive(Deserialize)]
struct AskArgs {
    ask_id: Option<u64>,
    timeout_seconds: Option<f64>,
}

/// Asks, or continues to wait for an answer.
pub(super) async fn ask(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    arguments: &ToolArguments<'_>,
    params: &Params<'_>,
) -> Result<WaitingCall, Refusal> {
    let at = arguments.channel_session(context).await?;
    let AskArgs { ask_id, timeout_seconds } = arguments.parse()?;
    let format = answers_format(arguments.parse::<SizeArgs>()?.max_bytes()?);
    let timeout_ms = wait_ms(context, timeout_seconds, limits::ASK_MCP_DEFAULT_MS);
    let draft = match ask_id {
        Some(_) => None,
        None => Some(Draft::check_ask(arguments.parse::<SendInput>()?, None)?),
    };
    if draft.is_some() {
        context.state.rate_limits.sends.count(|| context.state.client(context.request))?;
    }
    let state = context.state.clone();
    let call: PendingCall = Box::pin(async move {
        let (hub, session) = (&state.hub, at.session);
        let answer = match (draft, ask_id) {
            (Some(draft), _) => hub.question(&at.channel, Send { session, draft }, format, timeout_ms).await,
            (None, id) => hub.continue_question(&at.channel, session, id.unwrap_or_default(), format, timeout_ms).await,
        };
        let (reply, _, guard) = answer.map_err(HubError::into_refusal)?;
        let text = ask_text(&reply, state.clock.now().at_ms);
        Ok(CallEnd::Tool(ToolResult::new(&reply, text), Some(guard)))
    });
    Ok(waiting(context, id, params, "ask", timeout_ms, call))
}

fn ask_text(reply: &AskReply, now_ms: u64) -> String {
    let AskReply {
        ask_id,
        to,
        state,
        answers,
        more,
        interrupted,
        interrupted_by,
        delivered,
        recipient,
        unread,
        tasks,
        ..
    } = reply;
    let mut lines: Vec<String> = answers.iter().map(|answer| message_line(answer.get().as_bytes(), 1)).collect();
    let go_on = format!("call ask with ask_id={ask_id} to go on. Do not ask again");
    let next = match state {
        _ if *interrupted => {
            let by = interrupted_by.as_deref().unwrap_or("another member");
            Some(format!(
                "({by} needs something from you first: call listen, answer, then call ask with ask_id={ask_id})"
            ))
        }
        TaskState::Input => {
            Some(format!("({to} needs something from you: call listen, reply with reply_to={ask_id}, then {go_on})"))
        }
        TaskState::Open | TaskState::Held => {
            let given = if *delivered { "it was delivered" } else { "it was not delivered yet" };
            let says = recipient
                .as_ref()
                .and_then(|asked| Some(member_state(asked.state?.as_str(), None, asked.until, now_ms)));
            let says = says.map_or_else(String::new, |says| format!("; {to} says: {says}"));
            Some(format!("(no answer from {to} yet; {given}{says}: {go_on})"))
        }
        TaskState::Done if !answers.is_empty() => None,
        closed => Some(format!("(the question is closed: {})", closed.as_str())),
    };
    lines.extend(more_answers(*more));
    lines.extend(next);
    lines.join("\n") + &Counts { unread: *unread, tasks: *tasks }.lines()
}

/// What to say of answers that did not fit. Those that its poster has not read are unread messages.
fn more_answers(more: usize) -> Option<String> {
    let text =
        |more| format!("({more} more answers did not fit: call listen, or tasks with task_id and a larger max_bytes)");
    Some(more).filter(|more| *more > 0).map(text)
}

#[derive(Deserialize)]
struct TakeArgs {
    task_id: Option<u64>,
    fence: Option<u64>,
    lease_seconds: Option<f64>,
    wait_seconds: Option<f64>,
    thread: Option<String>,
}

/// Takes a task, the next or a certain one, or renews its lease.
pub(super) async fn take(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    arguments: &ToolArguments<'_>,
    params: &Params<'_>,
) -> Result<WaitingCall, Refusal> {
    let at = arguments.channel_session(context).await?;
    let TakeArgs { task_id, fence, lease_seconds, wait_seconds, thread } = arguments.parse()?;
    let fence = fence.filter(|_| task_id.is_some()).map(u32::try_from).transpose();
    let fence = fence.map_err(|_| Refusal::invalid("no task has such a `fence`"))?;
    let lease_ms = lease_seconds.map_or(limits::TASK_LEASE_DEFAULT_MS, |seconds| saturating_u64(seconds * 1000.0));
    let take = Take {
        session: at.session.clone(),
        id: task_id,
        fence,
        lease_ms: lease_ms.clamp(limits::TASK_LEASE_MIN_MS, limits::TASK_LEASE_MAX_MS),
        thread: thread.map(|name| name.trim().into()),
        timeout_ms: if task_id.is_some() { 0 } else { wait_ms(context, wait_seconds, 0) },
        waiter: WaiterId(0),
    };
    let (state, timeout_ms) = (context.state.clone(), take.timeout_ms);
    let call: PendingCall = Box::pin(async move {
        let taken = state.hub.take(&at.channel, take).await.map_err(HubError::into_refusal)?;
        let counts = refresh(&state, &at).await.unwrap_or_default();
        let (result, guard) = taken_result(taken, counts);
        Ok(CallEnd::Tool(result, guard))
    });
    Ok(waiting(context, id, params, "take", timeout_ms, call))
}

fn taken_result(taken: Option<TakenWork>, counts: Counts) -> (ToolResult, Option<DeliveryGuard>) {
    let Some(TakenWork { task, message, fence, lease_until, guard }) = taken else {
        let text = format!("(nothing to take: call take with wait_seconds to wait for work){}", counts.lines());
        let reply = json!({"task": null, "timed_out": true});
        return (ToolResult::new(&WithCounts { reply, counts }, text), None);
    };
    let json = message.map(|message| message.json_by_reference());
    let id = task.id;
    let mut lines: Vec<_> = json.iter().map(|json| message_line(json, 1)).collect();
    lines.push(format!(
        "You have #{id} until {} (fence {fence}). Finish with finish(task_id={id}, state, fence={fence}); state working \
         renews it. No other member works on it until then.",
        clock(lease_until)
    ));
    let message: Option<Value> = json.and_then(|json| serde_json::from_slice(&json).ok());
    let mut reply = json!({"task": task, "fence": fence, "lease_until": lease_until, "timed_out": false});
    if let Some(message) = message {
        reply["message"] = message;
    }
    let text = lines.join("\n") + &counts.lines();
    (ToolResult::new(&WithCounts { reply, counts }, text), Some(guard))
}

#[derive(Deserialize)]
struct FinishArgs {
    task_id: u64,
    state: TaskStep,
    fence: Option<u64>,
    result: Option<String>,
    message: Option<String>,
    text: Option<String>,
    data: Option<Value>,
    to: Option<String>,
    attachments: Option<Vec<AttachmentInput>>,
    client_msg_id: Option<String>,
}

/// Replies to a task with what became of it.
pub(super) async fn finish(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let FinishArgs { task_id, state, fence, result, message, text, data, to, attachments, client_msg_id } =
        arguments.parse()?;
    let input = SendInput {
        reply_to: Some(task_id),
        state: Some(state.into()),
        message: Some(result.or(message).or(text).unwrap_or_default()),
        fence,
        data,
        to,
        attachments,
        client_msg_id,
        ..SendInput::default()
    };
    let draft = Draft::check(input, None)?;
    context.state.rate_limits.sends.count(|| context.state.client(context.request))?;
    let reply = context.state.hub.send(&at.channel, Send { session: at.session, draft }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let now = reply.task.as_ref().map_or(state.as_str(), |task| task.state.as_str());
    let text = format!(
        "#{task_id} is {now}; {} was informed{}",
        reply.to,
        Counts { unread: reply.unread, tasks: reply.tasks }.lines()
    );
    Ok(ToolResult::new(&reply, text))
}

#[derive(Deserialize)]
struct TasksArgs {
    task_id: Option<u64>,
    state: Option<TaskState>,
    wants: Option<Wants>,
    mine: Option<bool>,
    thread: Option<String>,
    before: Option<f64>,
}

/// Lists tasks, or returns one with its answers.
pub(super) async fn tasks(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let TasksArgs { task_id, state, wants, mine, thread, before } = arguments.parse()?;
    let max_bytes = arguments.parse::<SizeArgs>()?.max_bytes()?;
    let hub = &context.state.hub;
    let mut next_page = None;
    let (rows, lines, for_you) = match task_id {
        Some(id) => {
            let look = TaskLook { format: answers_format(max_bytes), ..TaskLook::now(id) };
            let look = hub.look_at_task(&at.channel, at.session.clone(), look).await;
            let mut look = look.map_err(HubError::into_refusal)?;
            // It is answered at once, so no client has given it up.
            look.guard.complete();
            let mut lines = vec![task_line(&look.task)];
            lines.extend(look.task.answers.iter().map(|answer| message_line(answer.get().as_bytes(), 1)));
            lines.extend(more_answers(look.task.more));
            (vec![look.task], lines, None)
        }
        None => {
            let filter = BoardFilter {
                state,
                wants,
                mine: mine.unwrap_or(false),
                thread: thread.map(|name| name.trim().to_owned()),
                limit: None,
                before: before.map(saturating_u64),
            };
            let board = hub.query(&at.channel, Board { session: at.session.clone(), filter }).await;
            let mut board = board.map_err(HubError::into_refusal)?;
            let lines = keep_what_fits(&mut board, max_bytes.saturating_sub(FRAME_BYTES));
            next_page = board.before;
            (board.tasks, lines, Some(board.for_you))
        }
    };
    let counts = refresh(context.state, &at).await?;
    let mut lines: Vec<String> = lines;
    if lines.is_empty() {
        lines.push("(no tasks)".to_owned());
    }
    if let Some(before) = next_page {
        lines.push(format!("(there are more: call tasks with before={before})"));
    }
    if let Some(n) = for_you.filter(|n| *n > 0) {
        lines.push(format!(
            "({n} for you: take work with take, answer a question with send to its sender and reply_to)"
        ));
    }
    let mut reply = json!({"tasks": rows, "unread": counts.unread});
    if let Some(n) = for_you {
        reply["for_you"] = n.into();
    }
    if let Some(before) = next_page {
        reply["before"] = before.into();
    }
    // `tasks` are the tasks themselves here, and `for_you` says how many of them are for the caller.
    let counts = Counts { tasks: None, ..counts };
    Ok(ToolResult::new(&reply, lines.join("\n") + &counts.lines()))
}

/// Leaves out the tasks that do not fit, at most all but one, so that the next page begins with them. Returns the lines of
/// the others.
fn keep_what_fits(board: &mut BoardReply, max_bytes: usize) -> Vec<String> {
    let mut left_bytes = max_bytes;
    let mut lines = Vec::with_capacity(board.tasks.len());
    for task in &board.tasks {
        let line = task_line(task);
        // A comma, and a line break in a JSON string.
        let bytes = json_bytes(task) + escaped_bytes(&line) + 3;
        if bytes > left_bytes && !lines.is_empty() {
            break;
        }
        left_bytes = left_bytes.saturating_sub(bytes);
        lines.push(line);
    }
    if lines.len() < board.tasks.len() {
        board.tasks.truncate(lines.len());
        board.before = board.tasks.last().map(|task| task.updated_at);
    }
    lines
}

/// A task on one line.
fn task_line(row: &TaskRow) -> String {
    let TaskRow { id, from, to, wants, state, holder, fence, lease_until, text, attempts, .. } = row;
    let holder = holder.as_ref().map_or_else(String::new, |holder| format!(" by {holder}"));
    let fence = fence.map_or_else(String::new, |fence| format!(", fence {fence}"));
    let until = lease_until.map_or_else(String::new, |until| format!(", until {}", clock(until)));
    let lost = if *attempts > 0 { format!(", {attempts} lost") } else { String::new() };
    let (wants, state) = (wants.as_str(), state.as_str());
    let text = rogerrat_domain::text::one_line(text);
    format!("#{id} {from} → {to} [{wants}; {state}{holder}{fence}{until}{lost}]: {text}")
}

/// How long a call waits. In a batch it does not.
fn wait_ms(context: &RequestContext<'_>, seconds: Option<f64>, default_ms: u64) -> u64 {
    let most_ms = if context.is_in_batch { 0 } else { limits::TASK_WAIT_MAX_MS };
    seconds.map_or(default_ms, |seconds| saturating_u64(seconds * 1000.0)).min(most_ms)
}

fn waiting(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    params: &Params<'_>,
    tool: &'static str,
    timeout_ms: u64,
    call: PendingCall,
) -> WaitingCall {
    let session = context.mcp_session.as_ref();
    let cancellation = session.map(|session| context.mcp.in_flight.register(session.nonce, id.as_json()));
    let token = params.meta().ok().flatten().and_then(|meta: Meta<'_>| meta.progress_token());
    let waiting = WaitingCall::new(context.request, id, context.version, tool, timeout_ms, call);
    waiting.with_progress(token).cancelled_by(cancellation)
}

//! The fields of a send that concern tasks, what a status states of its sender, and data.

use serde::Serialize as _;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::SendInput;
use crate::limits;
use crate::message::Kind;
use crate::message::state::{MemberState, MessageState};
use crate::message::task::{TaskStep, Wants};
use crate::refusal::Refusal;

/// What a send opens: its deadline is relative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewTask {
    pub(crate) wants: Wants,
    pub(crate) deadline_ms: u64,
    pub(crate) answers: u32,
    pub(crate) quiet: bool,
}

/// What a status states of its sender: the time is relative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewState {
    pub(crate) state: MemberState,
    pub(crate) until_ms: Option<u64>,
}

/// The validated part of a send that concerns tasks or states, and its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskDraft {
    /// The task that it opens.
    pub(crate) opens: Option<NewTask>,
    /// What it does to the task that it replies to.
    pub(crate) step: Option<TaskStep>,
    pub(crate) fence: Option<u32>,
    /// Whether the same question is not sent twice while the first is open.
    pub(crate) is_ask: bool,
    /// What the status states of its sender.
    pub(crate) states: Option<NewState>,
    /// The data, as JSON on one line.
    data: Option<String>,
}

/// The fields as they were sent.
pub(crate) struct TaskInput {
    wants: Option<Wants>,
    deadline_seconds: Option<u64>,
    answers: Option<u64>,
    quiet: bool,
    state: Option<MessageState>,
    until_seconds: Option<u64>,
    fence: Option<u64>,
    data: Option<Value>,
}

impl TaskInput {
    pub(crate) fn take(input: &mut SendInput) -> Self {
        let SendInput { wants, deadline_seconds, answers, quiet, state, until_seconds, fence, .. } = *input;
        let quiet = quiet.unwrap_or(false);
        Self { wants, deadline_seconds, answers, quiet, state, until_seconds, fence, data: input.data.take() }
    }

    /// Validates the fields; none if the send has none of them.
    pub(crate) fn check(self, send: &SendInput) -> Result<Option<Box<TaskDraft>>, Refusal> {
        if send.kind == Some(Kind::Status) {
            return self.check_status(send);
        }
        let Self { wants, deadline_seconds, answers, quiet, state, until_seconds, fence, data } = self;
        if until_seconds.is_some() {
            return Err(Refusal::invalid("`until_seconds` needs `kind: status` and `state`").field("until_seconds"));
        }
        if wants.is_none() && state.is_none() && data.is_none() {
            return match (deadline_seconds, answers, quiet, fence) {
                (None, None, false, None) => Ok(None),
                (None, None, false, Some(_)) => Err(Refusal::invalid("`fence` needs `state`")),
                _ => Err(Refusal::invalid("`deadline_seconds`, `answers` and `quiet` need `wants`")),
            };
        }
        if state.is_some() && (wants.is_some() || send.reply_to.is_none()) {
            return Err(Refusal::invalid("`state` needs `reply_to`, the id of a task, and excludes `wants`"));
        }
        if fence.is_some() && state.is_none() {
            return Err(Refusal::invalid("`fence` needs `state`"));
        }
        let step = state.map(step_of).transpose()?;
        let fence = fence.map(|fence| u32::try_from(fence).map_err(|_| Refusal::invalid("no task has such a `fence`")));
        let is_for_all = is_for_all(send);
        let opens = wants.map(|wants| new_task(wants, deadline_seconds, answers, quiet, is_for_all)).transpose()?;
        if opens.is_none() && (deadline_seconds.is_some() || answers.is_some() || quiet) {
            return Err(Refusal::invalid("`deadline_seconds`, `answers` and `quiet` need `wants`"));
        }
        let data = data.as_ref().map(data_text).transpose()?;
        let fence = fence.transpose()?;
        Ok(Some(Box::new(TaskDraft { opens, step, fence, is_ask: false, states: None, data })))
    }

    /// Validates the fields of a status; none if it states nothing of its sender.
    fn check_status(self, send: &SendInput) -> Result<Option<Box<TaskDraft>>, Refusal> {
        let Self { wants, deadline_seconds, answers, quiet, state, until_seconds, fence, data } = self;
        if wants.is_some() || deadline_seconds.is_some() || answers.is_some() || quiet || fence.is_some() {
            return Err(Refusal::invalid("a status is no task").hint("omit `kind`"));
        }
        if data.is_some() {
            return Err(Refusal::invalid("a status has no `data`").hint("omit `kind`"));
        }
        let Some(state) = state else {
            return match until_seconds {
                Some(_) => Err(Refusal::invalid("`until_seconds` needs `state`").field("until_seconds")),
                None => Ok(None),
            };
        };
        let state = state.of_member().ok_or_else(|| {
            Refusal::invalid("the `state` of a status is working, idle, blocked, quota or away")
                .hint("to reply to a task, omit `kind`")
                .field("state")
        })?;
        if !is_for_all(send) {
            return Err(Refusal::invalid("a status with `state` is for all").hint("omit `to`").field("to"));
        }
        let until_ms = until_seconds.map(|seconds| seconds.saturating_mul(1000));
        if until_ms.is_some_and(|until_ms| !(1..=limits::STATE_UNTIL_MAX_MS).contains(&until_ms)) {
            let most = limits::STATE_UNTIL_MAX_MS / 1000;
            return Err(Refusal::invalid(format!("until_seconds must be 1 to {most}")).field("until_seconds"));
        }
        let states = Some(NewState { state, until_ms });
        Ok(Some(Box::new(TaskDraft { states, ..TaskDraft::default() })))
    }
}

/// What a reply with this state does to a task.
fn step_of(state: MessageState) -> Result<TaskStep, Refusal> {
    state.step().ok_or_else(|| {
        Refusal::invalid("the `state` of a reply is working, input, done, failed, rejected, open or cancelled")
            .hint("to say what you are doing, send it with `kind: status`")
            .field("state")
    })
}

fn is_for_all(send: &SendInput) -> bool {
    matches!(send.to.as_deref().map_or("", str::trim).to_lowercase().as_str(), "" | "all")
}

fn new_task(
    wants: Wants,
    deadline_seconds: Option<u64>,
    answers: Option<u64>,
    quiet: bool,
    is_for_all: bool,
) -> Result<NewTask, Refusal> {
    let default_ms = match wants {
        Wants::Answer => limits::TASK_DEADLINE_ANSWER_MS,
        Wants::Work => limits::TASK_DEADLINE_WORK_MS,
    };
    let deadline_ms = deadline_seconds.map_or(default_ms, |seconds| seconds.saturating_mul(1000));
    if !(1..=limits::TASK_DEADLINE_MAX_MS).contains(&deadline_ms) {
        let most = limits::TASK_DEADLINE_MAX_MS / 1000;
        return Err(Refusal::invalid(format!("deadline_seconds must be 1 to {most}")));
    }
    if quiet && !(wants == Wants::Work && is_for_all) {
        return Err(Refusal::invalid("`quiet` needs `wants: work`, to `all`"));
    }
    let answers = answers.unwrap_or(1);
    let answers = u32::try_from(answers).ok().filter(|n| (1..=limits::TASK_ANSWERS).contains(n));
    let answers = answers.ok_or_else(|| Refusal::invalid(format!("answers must be 1 to {}", limits::TASK_ANSWERS)))?;
    if answers > 1 && !(wants == Wants::Answer && is_for_all) {
        return Err(Refusal::invalid("more than one of `answers` needs `wants: answer`, to `all`"));
    }
    Ok(NewTask { wants, deadline_ms, answers, quiet })
}

/// The data on one line. Numbers, names and strings are those that every reader of JSON understands.
fn data_text(data: &Value) -> Result<String, Refusal> {
    if !(data.is_object() || data.is_array()) {
        return Err(Refusal::invalid("`data` must be an object or an array"));
    }
    if levels(data) > limits::DATA_LEVELS {
        return Err(Refusal::invalid(format!("`data` has more than {} levels", limits::DATA_LEVELS)));
    }
    let text = data.to_string();
    if text.len() > limits::DATA_BYTES {
        return Err(Refusal::invalid(format!("`data` is longer than {} bytes", limits::DATA_BYTES))
            .hint("nothing was sent: send it as an attachment"));
    }
    Ok(text)
}

/// How deep it is nested. A parser admits no more than 128 levels, so the recursion is bounded.
fn levels(data: &Value) -> usize {
    match data {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

impl TaskDraft {
    /// Whether there is data beside the text.
    pub(crate) fn has_data(&self) -> bool {
        self.data.is_some()
    }

    /// Whether the send may do without a text.
    pub(super) fn may_lack_text(&self) -> bool {
        self.data.is_some() || self.step.is_some() || self.states.is_some()
    }

    /// The data, as it is stored.
    pub(super) fn data(&self) -> Option<&RawValue> {
        serde_json::from_str(self.data.as_deref()?).ok()
    }

    /// The data, as text.
    pub(crate) fn data_text(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// Adds the fields to the hash of the send's body.
    pub(super) fn add_to(&self, hasher: &mut Sha256) {
        let opens = self.opens.map(|new| (new.wants, new.deadline_ms, new.answers, new.quiet));
        let parts = (opens, self.step, self.fence, &self.data);
        let mut canonical = Vec::new();
        #[expect(clippy::expect_used, reason = "strings and numbers into a vector cannot fail")]
        parts
            .serialize(&mut serde_json::Serializer::new(&mut canonical))
            .expect("strings and numbers always serialise");
        hasher.update(&canonical);
        if let Some(NewState { state, until_ms }) = self.states {
            hasher.update(state.as_str());
            hasher.update(until_ms.unwrap_or(0).to_le_bytes());
        }
    }
}

//! What a message says of a state: what a reply does to a task, or what the sender of a status is doing.

use serde::Serialize;
use utoipa::ToSchema;

use super::task::TaskStep;
use crate::str_enum::str_enum;

/// What a member says it is doing. The hub shows it to the others, and decides nothing by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// It works on something.
    Working,
    /// It has nothing to do.
    Idle,
    /// It cannot go on without somebody or something else.
    Blocked,
    /// It has used up what its model or account may use.
    Quota,
    /// It does not read for a while.
    Away,
}

/// The `state` of a message: that of a reply to a task, or that of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// A reply: the lease of the task begins anew. A status: its sender works on something.
    Working,
    /// A reply: something is needed from the poster of the task.
    Input,
    /// A reply: the task is done, or answered.
    Done,
    /// A reply: the task failed.
    Failed,
    /// A reply: the task is declined.
    Rejected,
    /// A reply: the task is given back.
    Open,
    /// A reply: the task is withdrawn by its poster.
    Cancelled,
    /// A status: its sender has nothing to do.
    Idle,
    /// A status: its sender cannot go on.
    Blocked,
    /// A status: its sender has used up what it may use.
    Quota,
    /// A status: its sender does not read for a while.
    Away,
}

str_enum!(
    MemberState: "working" => Working, "idle" => Idle, "blocked" => Blocked, "quota" => Quota, "away" => Away
);
str_enum!(
    MessageState: "working" => Working, "input" => Input, "done" => Done, "failed" => Failed, "rejected" => Rejected,
    "open" => Open, "cancelled" => Cancelled, "idle" => Idle, "blocked" => Blocked, "quota" => Quota, "away" => Away
);

impl MemberState {
    /// The name as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Idle => "idle",
            Self::Blocked => "blocked",
            Self::Quota => "quota",
            Self::Away => "away",
        }
    }
}

impl MessageState {
    /// What a reply with it does to a task; none if it is not a state of a reply.
    #[must_use]
    pub fn step(self) -> Option<TaskStep> {
        Some(match self {
            Self::Working => TaskStep::Working,
            Self::Input => TaskStep::Input,
            Self::Done => TaskStep::Done,
            Self::Failed => TaskStep::Failed,
            Self::Rejected => TaskStep::Rejected,
            Self::Open => TaskStep::Open,
            Self::Cancelled => TaskStep::Cancelled,
            Self::Idle | Self::Blocked | Self::Quota | Self::Away => return None,
        })
    }

    /// What the sender of a status with it is doing; none if it is not a state of a status.
    #[must_use]
    pub fn of_member(self) -> Option<MemberState> {
        Some(match self {
            Self::Working => MemberState::Working,
            Self::Idle => MemberState::Idle,
            Self::Blocked => MemberState::Blocked,
            Self::Quota => MemberState::Quota,
            Self::Away => MemberState::Away,
            _ => return None,
        })
    }
}

impl From<TaskStep> for MessageState {
    fn from(step: TaskStep) -> Self {
        match step {
            TaskStep::Working => Self::Working,
            TaskStep::Input => Self::Input,
            TaskStep::Done => Self::Done,
            TaskStep::Failed => Self::Failed,
            TaskStep::Rejected => Self::Rejected,
            TaskStep::Open => Self::Open,
            TaskStep::Cancelled => Self::Cancelled,
        }
    }
}

impl From<MemberState> for MessageState {
    fn from(state: MemberState) -> Self {
        match state {
            MemberState::Working => Self::Working,
            MemberState::Idle => Self::Idle,
            MemberState::Blocked => Self::Blocked,
            MemberState::Quota => Self::Quota,
            MemberState::Away => Self::Away,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_every_state_is_that_of_a_reply_or_of_a_status() {
        for name in
            ["working", "input", "done", "failed", "rejected", "open", "cancelled", "idle", "blocked", "quota", "away"]
        {
            let state: MessageState = serde_json::from_value(name.into()).unwrap();
            let (step, member) = (state.step(), state.of_member());
            assert!(step.is_some() || member.is_some(), "{name}");
            assert!(step.is_none_or(|step| MessageState::from(step) == state && step.as_str() == name));
            assert!(member.is_none_or(|member| MessageState::from(member) == state && member.as_str() == name));
        }
    }
}

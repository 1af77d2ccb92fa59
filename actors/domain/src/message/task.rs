//! What a message wants back, and what a reply does to the task that such a message is.

use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::MessageId;
use crate::str_enum::str_enum;

/// What a message wants back. A message that wants something is a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wants {
    /// An answer, from whom it was sent to.
    Answer,
    /// Work, which one member takes and finishes.
    Work,
}

/// What a reply does to the task that it replies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskStep {
    /// Its holder goes on: the lease begins anew.
    Working,
    /// Something is needed from the poster, whose next reply continues the task.
    Input,
    /// It is done, or answered.
    Done,
    /// It failed.
    Failed,
    /// It is declined.
    Rejected,
    /// Its holder gives it back.
    Open,
    /// Its poster withdraws it.
    Cancelled,
}

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Nobody has taken or answered it.
    Open,
    /// A member has taken it.
    Held,
    /// It waits for its poster.
    Input,
    /// Closed: it was done.
    Done,
    /// Closed: it failed, or was given up after too many leases that ended.
    Failed,
    /// Closed: it was declined.
    Rejected,
    /// Closed: its poster withdrew it, or is gone.
    Cancelled,
    /// Closed: its deadline passed.
    Expired,
}

str_enum!(Wants: "answer" => Answer, "work" => Work);
str_enum!(
    TaskStep: "working" => Working, "input" => Input, "done" => Done, "failed" => Failed, "rejected" => Rejected,
    "open" => Open, "cancelled" => Cancelled
);
str_enum!(
    TaskState: "open" => Open, "held" => Held, "input" => Input, "done" => Done, "failed" => Failed,
    "rejected" => Rejected, "cancelled" => Cancelled, "expired" => Expired
);

impl Wants {
    /// The name as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Work => "work",
        }
    }
}

impl TaskStep {
    /// The name as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Input => "input",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Open => "open",
            Self::Cancelled => "cancelled",
        }
    }
}

impl TaskState {
    /// The name as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::Input => "input",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub fn is_closed(self) -> bool {
        !matches!(self, Self::Open | Self::Held | Self::Input)
    }
}

/// The task that a send opened or replied to, in the reply to the send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaskReference {
    /// The id of the task: the id of the message that opened it.
    #[schema(value_type = u64)]
    pub id: MessageId,
    /// Its state after the send.
    pub state: TaskState,
    /// Its current fence, if it was ever taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fence: Option<u32>,
    /// When it ends by itself, in milliseconds since the epoch.
    pub deadline: u64,
}

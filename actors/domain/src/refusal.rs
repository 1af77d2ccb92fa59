//! Refusals: why a request was not performed, independent of any protocol.
//!
//! Each interface maps a [`Code`] to its own status, and words each [`Hint`] for its callers.

use std::borrow::Cow;

use crate::callsign::Callsign;
use crate::hint::Hint;
use crate::message::task::TaskState;

/// A stable error code. A code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A field, parameter or header is invalid.
    Invalid,
    /// The body is not JSON.
    InvalidJson,
    /// The recipient is not a member.
    UnknownRecipient,
    /// The session has not joined the channel.
    NotJoined,
    /// A token, password or key is missing or wrong.
    Unauthorized,
    /// The caller is known, but not allowed to do this.
    Forbidden,
    /// The callsign, identity or address of the caller is banned.
    Banned,
    /// The object does not exist.
    NotFound,
    /// The path does not support the method.
    MethodNotAllowed,
    /// The callsign belongs to another member or identity.
    CallsignTaken,
    /// The recipient has too many undelivered DMs.
    MailboxFull,
    /// A limit is reached.
    LimitReached,
    /// The idempotency key was used with another body.
    IdempotencyConflict,
    /// Another member has taken the task.
    TaskTaken,
    /// The task is closed.
    TaskClosed,
    /// The task was taken again since, or given back.
    FenceStale,
    /// The session has ended.
    SessionExpired,
    /// A body or its attachments are too large.
    TooLarge,
    /// The request's host name is not one of this hub's.
    Misdirected,
    /// Too many requests per minute.
    RateLimited,
    /// An internal error.
    Internal,
    /// The hub is too busy or shutting down. Retry later.
    Overloaded,
    /// The log could not be written.
    StorageFailed,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 23] = [
        Self::Invalid,
        Self::InvalidJson,
        Self::UnknownRecipient,
        Self::NotJoined,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Banned,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::CallsignTaken,
        Self::MailboxFull,
        Self::LimitReached,
        Self::IdempotencyConflict,
        Self::TaskTaken,
        Self::TaskClosed,
        Self::FenceStale,
        Self::SessionExpired,
        Self::TooLarge,
        Self::Misdirected,
        Self::RateLimited,
        Self::Internal,
        Self::Overloaded,
        Self::StorageFailed,
    ];

    /// The code as it appears in replies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::InvalidJson => "invalid_json",
            Self::UnknownRecipient => "unknown_recipient",
            Self::NotJoined => "not_joined",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Banned => "banned",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::CallsignTaken => "callsign_taken",
            Self::MailboxFull => "mailbox_full",
            Self::LimitReached => "limit_reached",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::TaskTaken => "task_taken",
            Self::TaskClosed => "task_closed",
            Self::FenceStale => "fence_stale",
            Self::SessionExpired => "session_expired",
            Self::TooLarge => "too_large",
            Self::Misdirected => "misdirected",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Overloaded => "overloaded",
            Self::StorageFailed => "storage_failed",
        }
    }
}

/// The state of a session's rate window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Sends allowed in the window.
    pub limit: u32,
    /// Sends left in the window.
    pub remaining: u32,
    /// When the oldest send leaves the window, in milliseconds since the epoch.
    pub reset_at_ms: u64,
}

/// A fact about a refusal that programs act on, beside its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalDetail {
    /// The field of the request that is wrong or missing.
    Field(&'static str),
    /// A callsign that is free, for a caller whose wish is taken.
    FreeCallsign(Callsign),
    /// Whether the request was performed is unknown.
    OutcomeUnknown,
    /// The hub is shutting down.
    Draining,
    /// The task that stands in the way, as it is.
    Task(Box<TaskConflict>),
}

/// The state of a task that refuses a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskConflict {
    /// Its state.
    pub state: TaskState,
    /// Who has it, if somebody has.
    pub holder: Option<Callsign>,
    /// Its current fence, if it was ever taken.
    pub fence: Option<u32>,
    /// When the lease of its holder ends, in milliseconds since the epoch; none if no lease runs.
    pub lease_until_ms: Option<u64>,
}

/// A refusal: a code, a message for the caller, and a hint. A refused request has changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What is wrong. It repeats at most 64 characters of the input.
    pub text: Cow<'static, str>,
    /// What the caller can do about it.
    pub hint: Option<Hint>,
    /// When to retry, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The rate window, if it was checked before the refusal.
    pub quota: Option<Quota>,
    /// What programs need to know beside the code.
    pub detail: Option<RefusalDetail>,
}

impl Refusal {
    /// A refusal with a code and a message.
    #[must_use]
    pub fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), hint: None, retry_after_ms: None, quota: None, detail: None }
    }

    /// `invalid`: the request is wrong.
    #[must_use]
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, text)
    }

    /// `not_found` for a channel.
    #[must_use]
    pub fn channel_not_found() -> Self {
        Self::new(Code::NotFound, "channel not found").hint(Hint::CheckChannelId)
    }

    /// `forbidden`: the channel is for identities only, and the caller has proved none.
    #[must_use]
    pub fn identity_required() -> Self {
        Self::new(Code::Forbidden, "only identities may join this channel")
            .hint(Hint::CreateIdentity)
            .field("identity_key")
    }

    /// `not_joined`: the session has not joined the channel.
    #[must_use]
    pub fn not_joined() -> Self {
        Self::new(Code::NotJoined, "this session has not joined the channel").hint(Hint::JoinFirst)
    }

    /// `session_expired`: the session has ended.
    #[must_use]
    pub fn session_expired() -> Self {
        Self::new(Code::SessionExpired, "this session has ended").hint(Hint::JoinAgain)
    }

    /// `unauthorized`: the account was deleted meanwhile.
    #[must_use]
    pub fn account_deleted() -> Self {
        Self::new(Code::Unauthorized, "this account has been deleted")
    }

    /// `limit_reached`: a limit is reached.
    #[must_use]
    pub fn limit_reached(limit: &'static str, bound: usize) -> Self {
        Self::new(Code::LimitReached, format!("limit reached: {limit} ({bound})"))
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the field of the request that is wrong or missing.
    #[must_use]
    pub fn field(self, name: &'static str) -> Self {
        self.detail(RefusalDetail::Field(name))
    }

    /// Adds what programs need to know beside the code.
    #[must_use]
    pub fn detail(mut self, detail: RefusalDetail) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Adds when to retry.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

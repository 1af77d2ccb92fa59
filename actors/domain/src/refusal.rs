//! Why an operation was refused. It knows no protocol: each interface has one table from [`Code`] to its own status, and
//! words each [`Hint`] for its own callers.

use std::borrow::Cow;

use crate::hint::Hint;

/// A stable error code. A code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A field, parameter or header is not what it must be.
    Invalid,
    /// The body is not JSON.
    InvalidJson,
    /// The recipient is not a member.
    UnknownRecipient,
    /// The session was never on this channel.
    NotJoined,
    /// A token, password or key is missing or wrong.
    Unauthorized,
    /// Known, and not allowed.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed,
    /// The callsign belongs to somebody else.
    CallsignTaken,
    /// The recipient's held DMs are at their bound.
    MailboxFull,
    /// A count is used up.
    LimitReached,
    /// The idempotency key was used with another body.
    IdempotencyConflict,
    /// The session was here and ended.
    SessionExpired,
    /// A body or its attachments are too large.
    TooLarge,
    /// The request's Host is not one of this hub's.
    Misdirected,
    /// Too many requests in a minute.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// Too busy, or going down: ask again.
    Overloaded,
    /// The log could not keep it.
    StorageFailed,
}

impl Code {
    /// Every code there is.
    pub const ALL: [Self; 19] = [
        Self::Invalid,
        Self::InvalidJson,
        Self::UnknownRecipient,
        Self::NotJoined,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::CallsignTaken,
        Self::MailboxFull,
        Self::LimitReached,
        Self::IdempotencyConflict,
        Self::SessionExpired,
        Self::TooLarge,
        Self::Misdirected,
        Self::RateLimited,
        Self::Internal,
        Self::Overloaded,
        Self::StorageFailed,
    ];

    /// The code as callers read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::InvalidJson => "invalid_json",
            Self::UnknownRecipient => "unknown_recipient",
            Self::NotJoined => "not_joined",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::CallsignTaken => "callsign_taken",
            Self::MailboxFull => "mailbox_full",
            Self::LimitReached => "limit_reached",
            Self::IdempotencyConflict => "idempotency_conflict",
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

/// How much of a session's send window is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Sends allowed in the window.
    pub limit: u32,
    /// Sends left in it.
    pub remaining: u32,
    /// Milliseconds since the epoch at which the oldest send leaves it.
    pub reset_at_ms: u64,
}

/// A refusal: a code, a sentence for the caller, and what to do next. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What is wrong, without more than 64 characters of input.
    pub text: Cow<'static, str>,
    /// What the caller can do about it.
    pub hint: Option<Hint>,
    /// When to ask again, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The send window, when the refusal came after it was looked at.
    pub quota: Option<Quota>,
}

impl Refusal {
    /// A refusal with a code and a sentence.
    #[must_use]
    pub fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), hint: None, retry_after_ms: None, quota: None }
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

    /// `not_joined`: the session was never on this channel.
    #[must_use]
    pub fn not_joined() -> Self {
        Self::new(Code::NotJoined, "this session has not joined the channel").hint(Hint::JoinFirst)
    }

    /// `session_expired`: the session was here and ended.
    #[must_use]
    pub fn session_expired() -> Self {
        Self::new(Code::SessionExpired, "this session has ended").hint(Hint::JoinAgain)
    }

    /// `limit_reached`: a count is used up.
    #[must_use]
    pub fn limit_reached(limit: &'static str, bound: usize) -> Self {
        Self::new(Code::LimitReached, format!("limit reached: {limit} ({bound})"))
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds when to ask again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

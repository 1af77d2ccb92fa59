//! What a caller can do about a refusal, without the words of any interface.

use std::borrow::Cow;

/// The next step for a caller whose request was refused.
///
/// Advice that depends on how the caller talks to the hub has a variant of its own: HTTP, MCP and the command line each
/// word it for their callers. Advice that reads the same everywhere is [`Text`](Self::Text); it may use field names such
/// as `identity_key`, and never a method, header or path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Check the channel id, or create a channel.
    CheckChannelId,
    /// Present the channel's token.
    PresentChannelToken,
    /// Join the channel first, and present the session id that the join returns.
    JoinFirst,
    /// Join again with the same callsign and token. Messages sent meanwhile are still there.
    JoinAgain,
    /// Remove a consumer before adding another one.
    RemoveConsumer,
    /// Repeat a send only with an idempotency key; otherwise look at the history first.
    RepeatWithIdempotencyKey,
    /// Present a session token of the account, or recover the account to get a new one.
    PresentAccountSession,
    /// Create an identity, and join with its key.
    CreateIdentity,
    /// List the identities of the account.
    ListIdentities,
    /// List the sessions of the account.
    ListAccountSessions,
    /// List the webhooks of the channel or account.
    ListWebhooks,
    /// Advice that reads the same over every interface.
    Text(Cow<'static, str>),
}

impl From<&'static str> for Hint {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl Hint {
    /// The text of advice that reads the same over every interface; none for advice that an interface words itself.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

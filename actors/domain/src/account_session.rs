//! The sessions of an account: their ids and labels, and the replies that list them.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::ids::AccountId;
use crate::limits;
use crate::refusal::{Code, Refusal};
use crate::text::visible_chars;
use crate::token::TokenHash;

/// The id of an account's session. It identifies the session to its owner and grants no access: it is a hash of the
/// stored hash of the session's token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^sess_[0-9a-f]{16}$")]
pub struct AccountSessionId(String);

impl AccountSessionId {
    /// The id of the session with this token.
    #[must_use]
    pub fn of(token: &TokenHash) -> Self {
        let digest = Sha256::new().chain_update(b"the id of an account session").chain_update(token.bytes()).finalize();
        let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sess_{hex}"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A short text by which the owner of an account recognizes one of its sessions. It has no characters that cannot be
/// seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 64)]
pub struct SessionLabel(String);

impl SessionLabel {
    /// Validates a label that a caller chose. White space around it is dropped.
    ///
    /// # Errors
    /// `invalid` if it is empty, too long, or has characters that cannot be seen.
    pub fn parse(label: &str) -> Result<Self, Refusal> {
        let label = label.trim();
        let chars = label.chars().take(limits::SESSION_LABEL_CHARS + 1).count();
        if chars == 0 || chars > limits::SESSION_LABEL_CHARS || visible_chars(label).any(|c| c.must_be_escaped) {
            return Err(Refusal::invalid(format!(
                "label must be 1 to {} visible characters",
                limits::SESSION_LABEL_CHARS
            ))
            .hint("omit it, and the hub chooses one"));
        }
        Ok(Self(label.to_owned()))
    }

    /// Makes a label of a text that no person chose: characters that cannot be seen are dropped, and the end is cut off.
    /// None if nothing remains.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let seen: String = visible_chars(text).filter(|c| !c.must_be_escaped).map(|c| c.c).collect();
        let cut: String = seen.trim().chars().take(limits::SESSION_LABEL_CHARS).collect();
        // Dropping a character can turn the ones around it into an invisible sequence.
        Self::parse(&cut).ok()
    }

    /// A label that was stored.
    #[must_use]
    pub fn of_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for SessionLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The body of a request to create an account.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct CreateAccountInput {
    /// A name for the session, such as `phone`, by which you recognize it in the list of sessions. Taken from the
    /// `User-Agent` if omitted.
    #[schema(min_length = 1, max_length = 64)]
    pub label: Option<String>,
}

/// A session of an account. Its token is not included.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountSessionRow {
    /// The session's id. It is not a credential.
    pub sid: AccountSessionId,
    /// A name for the session. Null if it has none.
    #[schema(required, value_type = Option<String>, max_length = 64)]
    pub label: Option<SessionLabel>,
    /// When it was created, in milliseconds since the epoch. Null if it is not known, because an earlier version of the
    /// hub created it.
    #[schema(required)]
    pub created_at: Option<u64>,
    /// When it was last used, in milliseconds since the epoch, to within an hour.
    pub last_used_at: u64,
    /// Whether the request itself used it.
    pub current: bool,
}

/// The sessions of an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountSessionsReply {
    /// The sessions, most recently used first.
    #[schema(max_items = 100)]
    pub sessions: Vec<AccountSessionRow>,
}

/// The new recovery token of an account. It is returned only once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RotateRecoveryReply {
    /// The account's id.
    pub account_id: AccountId,
    /// The new recovery token. The previous one is no longer accepted; sessions stay.
    pub recovery_token: String,
}

/// The refusal for a session that the account does not have.
#[must_use]
pub fn session_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "session not found").hint(crate::hint::Hint::ListAccountSessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_short_and_no_part_of_the_stored_hash() {
        let token = TokenHash::of("rr_sess_secret");
        let sid = AccountSessionId::of(&token);
        assert_eq!(sid, AccountSessionId::of(&token));
        assert_ne!(sid, AccountSessionId::of(&TokenHash::of("rr_sess_other")));
        let hex = sid.as_str().strip_prefix("sess_").unwrap();
        assert!(hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{sid:?}");
        let stored: String = token.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!stored.contains(hex));
    }

    #[test]
    fn d27_a_label_has_no_characters_that_cannot_be_seen() {
        let longest = "é".repeat(64);
        for (given, kept) in [(" phone ", "phone"), ("Zoë's 📱", "Zoë's 📱"), (longest.as_str(), longest.as_str())]
        {
            assert_eq!(SessionLabel::parse(given).unwrap().to_string(), kept);
        }
        for bad in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}", "a\u{2028}b", "\u{7f}x", &"x".repeat(65)] {
            assert_eq!(SessionLabel::parse(bad).unwrap_err().code, Code::Invalid, "{bad:?}");
        }
    }

    #[test]
    fn d27_a_label_made_of_a_text_is_cleaned_and_cut() {
        let label = |text: &str| SessionLabel::of_text(text).map(|label| label.to_string());
        assert_eq!(label("curl/8.5.0"), Some("curl/8.5.0".to_owned()));
        assert_eq!(label(" a\u{202e}b\r\nc\u{200b} "), Some("abc".to_owned()));
        assert_eq!(label(&"x".repeat(500)), Some("x".repeat(64)));
        assert_eq!((label(""), label(" \u{200b}\t")), (None, None));
    }
}

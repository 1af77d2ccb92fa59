//! Callsigns: the names of members on a channel.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::limits::CALLSIGN_CHARS;
use crate::refusal::Refusal;

/// A callsign, trimmed and lower-cased, that fits `^[a-z0-9][a-z0-9_-]{0,31}$` and is not `all`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9][a-z0-9_-]{0,31}$", description = "The name of a member on a channel.")]
pub struct Callsign(Arc<str>);

/// The recipient of broadcasts, which cannot be a callsign.
pub const ALL: &str = "all";

impl Callsign {
    /// Normalises and validates a callsign.
    ///
    /// # Errors
    /// `invalid` if it is blank, reserved, or does not match the pattern.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = text.trim().to_lowercase();
        if name.is_empty() {
            return Err(Refusal::invalid("callsign is blank")
                .hint("omit the field and the hub picks a free callsign")
                .field("callsign"));
        }
        if name == ALL {
            return Err(Refusal::invalid("the callsign `all` is reserved for broadcasts").field("callsign"));
        }
        if !is_valid(&name) {
            return Err(Refusal::invalid(
                "callsign must be 1 to 32 of a-z, 0-9, _ and -, starting with a letter or a digit",
            )
            .field("callsign"));
        }
        Ok(Self(name.into()))
    }

    /// The callsign as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_valid(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= CALLSIGN_CHARS
        && name.bytes().enumerate().all(|(i, b)| plain(b) || (i > 0 && (b == b'_' || b == b'-')))
}

impl TryFrom<String> for Callsign {
    type Error = Refusal;

    fn try_from(name: String) -> Result<Self, Refusal> {
        Self::parse(&name)
    }
}

impl Borrow<str> for Callsign {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Callsign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callsign_is_normalised() {
        assert_eq!(Callsign::parse(" Bob_1 ").unwrap().as_str(), "bob_1");
    }

    #[test]
    fn an_invalid_callsign_is_refused() {
        for text in ["", "  ", "all", "ALL", "-a", "_a", "a b", "ä", "a/b", &"a".repeat(33)] {
            assert!(Callsign::parse(text).is_err(), "{text:?}");
        }
    }
}

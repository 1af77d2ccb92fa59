//! The ids of channels, sessions, members, messages, waiting clients and consumers. A value of these types is always valid.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::refusal::Refusal;
use crate::{digest, limits};

/// A message's id: milliseconds since the epoch, strictly increasing on its channel.
pub type MessageId = u64;
/// The number of a member: N for the N-th agent that joined the channel.
pub type MemberNo = u32;

/// The id of a parked poll or an open stream. It is unique on its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u64);

/// A channel's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9-]{1,64}$")]
pub struct ChannelId(Arc<str>);

impl ChannelId {
    /// Parses an id: 1 to 64 of `a-z`, `0-9` and `-`.
    ///
    /// # Errors
    /// `not_found` if it cannot be the id of a channel.
    pub fn parse(id: &str) -> Result<Self, Refusal> {
        let fits = (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(id.into())) } else { Err(Refusal::channel_not_found()) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ChannelId {
    type Error = Refusal;

    fn try_from(id: String) -> Result<Self, Refusal> {
        Self::parse(&id)
    }
}

impl Borrow<str> for ChannelId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account's id. It is not secret, because it grants no access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^acct_[0-9a-f]{16}$")]
pub struct AccountId(Arc<str>);

impl AccountId {
    const PREFIX: &'static str = "acct_";

    /// The id of a new account, from a random number.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        Self(format!("{}{random:016x}", Self::PREFIX).into())
    }

    /// Parses an id: `acct_` and 16 hexadecimal digits.
    ///
    /// # Errors
    /// `invalid` if it cannot be the id of an account.
    pub fn parse(id: &str) -> Result<Self, Refusal> {
        let digits = id.strip_prefix(Self::PREFIX).unwrap_or_default();
        let fits = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if fits { Ok(Self(id.into())) } else { Err(Refusal::invalid("invalid account id")) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = Refusal;

    fn try_from(id: String) -> Result<Self, Refusal> {
        Self::parse(&id)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A session id, which is the caller's credential. It is identified by its SHA-256: `Debug` does not print the id, and only
/// the hash is serialized. It is small, because every request carries one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Arc<SessionIdInner>);

/// The hash of a session id, and the id itself if it is known.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SessionIdInner {
    #[serde(with = "digest")]
    hash: [u8; 32],
    /// The id, if a caller presented it or the hub minted it.
    #[serde(skip)]
    text: Option<Box<str>>,
}

impl SessionId {
    /// Reads the session id a caller presents. Shorter than 8 characters counts as absent.
    ///
    /// # Errors
    /// `invalid` if it is longer than 128 characters or contains anything but visible ASCII.
    pub fn present(header: Option<&str>) -> Result<Option<Self>, Refusal> {
        let Some(id) = header.map(str::trim) else { return Ok(None) };
        if id.len() > limits::SESSION_ID_MAX_CHARS || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::invalid("a session id must be 8 to 128 visible ASCII characters"));
        }
        Ok((id.len() >= limits::SESSION_ID_MIN_CHARS).then(|| Self::of(id.into())))
    }

    /// An id that the hub minted.
    pub(crate) fn minted(id: String) -> Self {
        Self::of(id.into())
    }

    /// An id without its text.
    pub(crate) fn from_text_hash(id: &str) -> Self {
        Self(Arc::new(SessionIdInner { hash: Sha256::digest(id.as_bytes()).into(), text: None }))
    }

    fn of(id: Box<str>) -> Self {
        Self(Arc::new(SessionIdInner { hash: Sha256::digest(id.as_bytes()).into(), text: Some(id) }))
    }

    /// The id as text, if it is known. Show it only to its owner.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        self.0.hash == other.0.hash
    }
}

impl Eq for SessionId {}

impl PartialOrd for SessionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SessionId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.hash.cmp(&other.0.hash)
    }
}

impl std::hash::Hash for SessionId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// The name of a consumer: `[a-z0-9_-]{1,32}`. The default consumer has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9_-]{1,32}$")]
pub struct ConsumerName(Arc<str>);

impl ConsumerName {
    /// Parses a name.
    ///
    /// # Errors
    /// `invalid` if it does not match the pattern.
    pub fn parse(name: &str) -> Result<Self, Refusal> {
        let fits = (1..=limits::CONSUMER_CHARS).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if fits {
            Ok(Self(name.into()))
        } else {
            Err(Refusal::invalid("consumer must be 1 to 32 of a-z, 0-9, _ and -"))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ConsumerName {
    type Error = Refusal;

    fn try_from(name: String) -> Result<Self, Refusal> {
        Self::parse(&name)
    }
}

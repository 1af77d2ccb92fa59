//! Creating a channel: its parameters and their validation. This is no operation, because the channel does not exist yet.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::settings::{DmVisibility, Durability, Retention, Settings, TrustMode};
use crate::token::TokenHash;
use crate::{limits, schema};

/// The body of a request to create a channel.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct CreateInput {
    /// What the transcript records. Defaults to `none`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub retention: Option<Retention>,
    /// Whether members are instructed to act on each other's routine requests. Defaults to `untrusted`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub trust_mode: Option<TrustMode>,
    /// The owner password: 6 to 128 characters, not counting leading and trailing spaces. Blank means none.
    #[schema(schema_with = schema::owner_password)]
    pub owner_password: Option<String>,
    /// How long a session lasts without activity, in seconds; fractions are allowed. Defaults to 1,800, at most 86,400.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false, minimum = 0.001, maximum = 86_400)]
    pub session_ttl_seconds: Option<f64>,
    /// How long a member is kept without a session, in seconds, at most 31,536,000. Defaults to 604,800, or the value set
    /// by the operator.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false, minimum = 0.001, maximum = 31_536_000)]
    pub member_ttl_seconds: Option<f64>,
    /// Who can read a DM besides its sender and recipient. Defaults to `channel`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub dm_visibility: Option<DmVisibility>,
    /// Whether a callsign stays reserved for its session, and for an hour after the session ends.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub claim_callsigns: Option<bool>,
    /// Where messages are stored: only in memory, or on disk, where they survive a restart of the hub.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub durability: Option<Durability>,
    /// Whether only identities may join.
    #[serde(default)]
    pub require_identity: bool,
    /// A URL to subscribe as a webhook for every message.
    pub webhook: Option<String>,
}

/// A validated create.
#[derive(Clone, Debug)]
pub struct CreateDraft {
    retention: Retention,
    durability: Durability,
    trust_mode: TrustMode,
    /// The owner's password, to be hashed.
    pub owner_password: Option<String>,
    session_ttl_ms: u64,
    member_ttl_ms: u64,
    dm_visibility: DmVisibility,
    claim_callsigns: bool,
    require_identity: bool,
}

impl CreateDraft {
    /// Validates the parameters. `member_ttl_ms` is the hub's default.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn check(input: CreateInput, member_ttl_ms: u64) -> Result<Self, Refusal> {
        let trust_mode = input.trust_mode.unwrap_or_default();
        let owner_password = password(input.owner_password)?;
        if trust_mode == TrustMode::Trusted && owner_password.is_none() && !input.require_identity {
            return Err(Refusal::invalid("trust_mode `trusted` requires require_identity or an owner_password"));
        }
        let retention = input.retention.unwrap_or_default();
        let durability = durability(input.durability, retention)?;
        let dm_visibility = input.dm_visibility.unwrap_or_default();
        let private = dm_visibility == DmVisibility::Private;
        if private && input.claim_callsigns == Some(false) {
            return Err(Refusal::invalid(
                "dm_visibility `private` requires claim_callsigns: omit it or set it to true",
            ));
        }
        let ttl = |field, seconds: Option<f64>, default_ms, max_ms| match seconds {
            None => Ok(default_ms),
            Some(seconds) => ttl_ms(field, seconds, max_ms),
        };
        Ok(Self {
            retention,
            durability,
            trust_mode,
            owner_password,
            session_ttl_ms: ttl(
                "session_ttl_seconds",
                input.session_ttl_seconds,
                limits::SESSION_TTL_MS,
                limits::SESSION_TTL_MAX_MS,
            )?,
            member_ttl_ms: ttl(
                "member_ttl_seconds",
                input.member_ttl_seconds,
                member_ttl_ms,
                limits::MEMBER_TTL_MAX_MS,
            )?,
            dm_visibility,
            claim_callsigns: input.claim_callsigns.unwrap_or(private),
            require_identity: input.require_identity,
        })
    }

    /// The settings of the new channel.
    #[must_use]
    pub fn settings(
        &self,
        token: &str,
        owner_password: Option<Arc<str>>,
        creator_account_id: Option<AccountId>,
        created_at_ms: u64,
    ) -> Settings {
        Settings {
            token: Some(TokenHash::of(token)),
            owner_password,
            has_pin: false,
            retention: self.retention,
            durability: self.durability,
            trust_mode: self.trust_mode,
            dm_visibility: self.dm_visibility,
            claim_callsigns: self.claim_callsigns,
            require_identity: self.require_identity,
            creator_account_id,
            session_ttl_ms: self.session_ttl_ms,
            member_ttl_ms: self.member_ttl_ms,
            is_band: false,
            created_at_ms,
        }
    }
}

/// A channel whose transcript contains text is durable, because that text is on disk in any case (A3).
fn durability(input: Option<Durability>, retention: Retention) -> Result<Durability, Refusal> {
    let keeps_text = matches!(retention, Retention::Prompts | Retention::Full);
    match input {
        Some(Durability::Memory) if keeps_text => Err(Refusal::invalid(
            "durability `memory` cannot store a transcript with texts: omit it, or use the retention `none` or `metadata`",
        )),
        Some(durability) => Ok(durability),
        None if keeps_text => Ok(Durability::Disk),
        None => Ok(Durability::Memory),
    }
}

fn password(input: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(password) = input.map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()) else { return Ok(None) };
    match password.chars().count() {
        n if n < limits::PASSWORD_MIN_CHARS => Err(Refusal::invalid("owner_password must have at least 6 characters")),
        n if n > limits::PASSWORD_MAX_CHARS => Err(Refusal::invalid("owner_password must have at most 128 characters")),
        _ => Ok(Some(password)),
    }
}

fn ttl_ms(field: &str, seconds: f64, max_ms: u64) -> Result<u64, Refusal> {
    let ms = (seconds * 1000.0).floor();
    #[expect(clippy::cast_precision_loss, reason = "a year in milliseconds is exact in a double")]
    let fits = (1.0..=max_ms as f64).contains(&ms);
    if !fits {
        let max = max_ms / 1000;
        return Err(Refusal::invalid(format!("{field} must be a positive number of seconds, at most {max}")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(ms as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<CreateDraft, Refusal> {
        CreateDraft::check(serde_json::from_str(json).unwrap(), limits::MEMBER_TTL_MS)
    }

    #[test]
    fn an_empty_body_means_the_defaults() {
        let settings = check("{}").unwrap().settings("t", None, None, 5);
        assert_eq!((settings.session_ttl_ms, settings.retention), (1_800_000, Retention::None));
        assert!(!settings.claim_callsigns && settings.admits(Some("t")) && !settings.admits(None));
    }

    #[test]
    fn d21_private_dms_imply_claimed_callsigns() {
        assert!(check(r#"{"dm_visibility":"private"}"#).unwrap().claim_callsigns);
        assert!(check(r#"{"dm_visibility":"private","claim_callsigns":false}"#).is_err());
    }

    #[test]
    fn a03_a_channel_is_durable_if_requested_or_if_its_transcript_has_text() {
        let of = |json| check(json).unwrap().settings("t", None, None, 5).durability;
        assert_eq!(of(r#"{"durability":"disk"}"#), Durability::Disk);
        assert_eq!(of(r#"{"retention":"full"}"#), Durability::Disk);
        assert_eq!(of(r#"{"retention":"prompts"}"#), Durability::Disk);
        assert_eq!(of(r#"{"retention":"metadata"}"#), Durability::Memory);
        assert_eq!(of(r#"{"retention":"metadata","durability":"disk"}"#), Durability::Disk);
        assert_eq!(of("{}"), Durability::Memory);
    }

    #[test]
    fn invalid_parameters_are_refused() {
        for json in [
            r#"{"trust_mode":"trusted"}"#,
            r#"{"owner_password":"short"}"#,
            r#"{"session_ttl_seconds":0}"#,
            r#"{"session_ttl_seconds":-1}"#,
            r#"{"session_ttl_seconds":86401}"#,
            r#"{"durability":"memory","retention":"full"}"#,
            r#"{"durability":"memory","retention":"prompts"}"#,
        ] {
            assert!(check(json).is_err(), "{json}");
        }
        assert_eq!(check(r#"{"session_ttl_seconds":1.5}"#).unwrap().session_ttl_ms, 1500);
        assert!(
            check(r#"{"trust_mode":"trusted","owner_password":" secret "}"#).unwrap().owner_password.unwrap()
                == "secret"
        );
    }
}

//! Remote control: what a request for it says. A channel is created with two identities, one for the agent and one for the
//! person who controls it from a phone.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::limits;
use crate::op::CreateInput;
use crate::refusal::Refusal;
use crate::settings::{Durability, Retention, TrustMode};
use crate::str_enum::str_enum;

/// The form of a QR code in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum QrForm {
    /// Lines of block characters.
    Ascii,
    /// A PNG image as a data URL.
    Png,
    /// No QR code.
    None,
}

str_enum!(QrForm: "ascii" => Ascii, "png" => Png, "none" => None);

/// The body of a request to open remote control.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct RemoteInput {
    /// The person's name on the phone, at most 64 characters.
    #[schema(max_length = 64)]
    pub name: Option<String>,
    /// The agent's callsign. If omitted, the hub picks one.
    #[schema(pattern = r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}[ \t\n\r]*$")]
    pub agent_callsign: Option<String>,
    /// The phone's callsign. If omitted, the hub picks one.
    #[schema(pattern = r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}[ \t\n\r]*$")]
    pub phone_callsign: Option<String>,
    /// How long a session lasts without activity, in seconds, at most 86,400, the default.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false, minimum = 0.001, maximum = 86_400)]
    pub session_ttl_seconds: Option<f64>,
    /// What the transcript records. Defaults to `metadata`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub retention: Option<Retention>,
    /// Where messages are stored: only in memory, or on disk, where they survive a restart of the hub.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub durability: Option<Durability>,
    /// The form of the QR code. All forms if omitted.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub qr: Option<QrForm>,
}

/// The body of a request to add a phone to a channel.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RemoteLinkInput {
    /// The session token of the account that will own the phone's identity.
    pub session_token: String,
    /// The person's name on the phone, at most 64 characters.
    #[schema(max_length = 64)]
    pub name: Option<String>,
    /// The phone's callsign. If omitted, the hub picks one.
    #[schema(pattern = r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}[ \t\n\r]*$")]
    pub phone_callsign: Option<String>,
    /// The form of the QR code. All forms if omitted.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub qr: Option<QrForm>,
}

/// The body of a request to encode a text as a QR code.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct QrInput {
    /// The text: 1 to 1,024 bytes in UTF-8.
    #[schema(min_length = 1, max_length = 1024)]
    pub text: String,
}

impl RemoteInput {
    /// The settings of the channel, with this owner password.
    #[must_use]
    pub fn channel(&self, owner_password: String) -> CreateInput {
        CreateInput {
            retention: Some(self.retention.unwrap_or(Retention::Metadata)),
            trust_mode: Some(TrustMode::Trusted),
            owner_password: Some(owner_password),
            session_ttl_seconds: Some(self.session_ttl_seconds.unwrap_or(REMOTE_TTL_SECONDS)),
            durability: self.durability,
            require_identity: true,
            ..CreateInput::default()
        }
    }
}

/// How long a session on the channel of a remote control lasts without activity, unless the request says otherwise.
const REMOTE_TTL_SECONDS: f64 = 86_400.0;

impl QrInput {
    /// The text, if it has a valid length.
    ///
    /// # Errors
    /// `invalid`.
    pub fn checked(&self) -> Result<&str, Refusal> {
        match self.text.len() {
            0 => Err(Refusal::invalid("`text` is empty")),
            bytes if bytes > limits::QR_TEXT_BYTES => {
                Err(Refusal::invalid(format!("`text` must have at most {} bytes in UTF-8", limits::QR_TEXT_BYTES)))
            }
            _ => Ok(&self.text),
        }
    }
}

/// The name of a person, trimmed; none if it is blank.
///
/// # Errors
/// `invalid` if it is too long.
pub fn display_name(name: Option<&str>) -> Result<Option<&str>, Refusal> {
    if name.is_some_and(|name| name.chars().count() > limits::DISPLAY_CHARS) {
        return Err(Refusal::invalid(format!("`name` must have at most {} characters", limits::DISPLAY_CHARS)));
    }
    Ok(name.map(str::trim).filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_is_trusted_and_for_identities_only() {
        let input: RemoteInput = serde_json::from_str(r#"{"qr":"none","retention":"full"}"#).unwrap();
        let channel = input.channel("123456".into());
        assert!(channel.require_identity && channel.trust_mode == Some(TrustMode::Trusted));
        assert_eq!((channel.retention, channel.session_ttl_seconds), (Some(Retention::Full), Some(86_400.0)));
        let retention = RemoteInput::default().channel(String::new()).retention;
        assert_eq!((input.qr, retention), (Some(QrForm::None), Some(Retention::Metadata)));
    }

    #[test]
    fn names_and_texts_have_bounds() {
        assert_eq!(display_name(Some("  ")).unwrap(), None);
        assert_eq!(display_name(Some(" Ann ")).unwrap(), Some("Ann"));
        assert!(display_name(Some(&"é".repeat(64))).is_ok() && display_name(Some(&"é".repeat(65))).is_err());
        let text = |text: String| QrInput { text }.checked().is_ok();
        assert!(text("é".repeat(512)) && !text("é".repeat(513)) && !text(String::new()));
    }
}

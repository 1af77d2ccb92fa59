//! Which channel of which hub, and as which member.

use std::fmt;

use serde_json::Value;

use crate::error::ClientError;
use crate::hub_address::HubAddress;

/// A channel of a hub, and how a client joins and reads it.
///
/// To join, a member needs the channel's token (bands need none) and a callsign or an identity's key; without a
/// callsign the hub picks one. With a `session` from an earlier join, no join is needed until it expires.
#[derive(Clone)]
pub struct ChannelTarget {
    /// The hub.
    pub hub: HubAddress,
    /// Id of the channel.
    pub channel: String,
    /// Token of the channel. A band has none.
    pub token: Option<String>,
    /// Session id from a join.
    pub session: Option<String>,
    /// Callsign to join with.
    pub callsign: Option<String>,
    /// Name of the read cursor. `None` is the session's own cursor. Readers with different names each receive all
    /// messages.
    pub consumer: Option<String>,
    /// Key of the identity to join as.
    pub identity_key: Option<String>,
    /// Whether the session belongs to an identity. Then joining again needs its key.
    pub is_identity: bool,
    /// Password of the channel's owner.
    pub owner_password: Option<String>,
}

impl ChannelTarget {
    /// Creates a target with all optional fields empty.
    pub fn new(hub: HubAddress, channel: impl Into<String>) -> Self {
        Self {
            hub,
            channel: channel.into(),
            token: None,
            session: None,
            callsign: None,
            consumer: None,
            identity_key: None,
            is_identity: false,
            owner_password: None,
        }
    }

    /// Builds a request for a resource of the channel: `path` is relative to `/api/channels/{id}/`, empty for the channel.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Vec<u8>, ClientError> {
        self.check().map_err(ClientError::InvalidTarget)?;
        let Self { hub, channel, token, session, .. } = self;
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        let path = format!("/api/channels/{channel}{path}");
        Ok(hub.request(method, &path, token.as_deref(), session.as_deref(), body))
    }

    /// Checks that channel, consumer, token and session can be part of a request.
    ///
    /// # Errors
    ///
    /// Fails with a message that names the invalid field.
    pub fn check(&self) -> Result<(), String> {
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        for (what, value, is_valid) in [
            ("channel", Some(&self.channel), &is_name as &dyn Fn(&str) -> bool),
            ("consumer", self.consumer.as_ref(), &is_name),
            ("token", self.token.as_ref(), &is_header_value),
            ("session", self.session.as_ref(), &is_header_value),
        ] {
            if value.is_some_and(|value| !is_valid(value)) {
                return Err(format!("the {what} contains invalid characters"));
            }
        }
        Ok(())
    }
}

/// Omits the secrets.
impl fmt::Debug for ChannelTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelTarget")
            .field("hub", &self.hub.origin())
            .field("channel", &self.channel)
            .field("callsign", &self.callsign)
            .field("consumer", &self.consumer)
            .finish_non_exhaustive()
    }
}

/// Whether a value can stand in a header without changing the request.
pub(crate) fn is_header_value(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub_address::DEFAULT_ORIGIN;

    fn target() -> ChannelTarget {
        ChannelTarget {
            token: Some("t".into()),
            callsign: Some("bob".into()),
            ..ChannelTarget::new(HubAddress::parse(DEFAULT_ORIGIN, None).unwrap(), "quiet-lab-1")
        }
    }

    #[test]
    fn debug_output_has_no_secrets() {
        let target = ChannelTarget { token: Some("s3cret".into()), session: Some("s3ssion".into()), ..target() };
        let output = format!("{target:?}");
        assert!(output.contains("quiet-lab-1") && !output.contains("s3"), "{output}");
    }

    #[test]
    fn rejects_values_that_would_change_a_request() {
        assert!(target().check().is_ok());
        assert!(ChannelTarget { channel: "a/../b".into(), ..target() }.check().is_err());
        assert!(ChannelTarget { token: Some("a\r\nX-Evil: 1".into()), ..target() }.check().is_err());
        assert!(ChannelTarget { session: Some("a b".into()), ..target() }.check().is_err());
        assert!(ChannelTarget { consumer: Some("a&max=1".into()), ..target() }.check().is_err());
    }
}

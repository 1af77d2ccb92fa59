//! Which channel of which hub, and as whom.

use crate::hub_address::HubAddress;

/// A channel of a hub, and how its client joins and reads it.
#[derive(Clone, Debug)]
pub struct ChannelTarget {
    pub hub: HubAddress,
    pub channel: String,
    pub token: Option<String>,
    pub session: Option<String>,
    pub callsign: Option<String>,
    pub consumer: Option<String>,
    pub identity_key: Option<String>,
    /// It was joined with the key of an identity.
    pub is_identity: bool,
    pub owner_password: Option<String>,
}

impl ChannelTarget {
    /// Fails where a value could not stand in a request.
    pub fn check(&self) -> Result<(), String> {
        let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let is_word = |word: &String| word.bytes().all(|b| b.is_ascii_graphic());
        for (what, value, is_good) in [
            ("channel", Some(&self.channel), &is_name as &dyn Fn(&String) -> bool),
            ("consumer", self.consumer.as_ref(), &is_name),
            ("token", self.token.as_ref(), &is_word),
            ("session", self.session.as_ref(), &is_word),
        ] {
            if value.is_some_and(|value| !is_good(value)) {
                return Err(format!("the {what} has characters that no {what} has"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub_address::DEFAULT_ORIGIN;

    fn target() -> ChannelTarget {
        ChannelTarget {
            hub: HubAddress::parse(DEFAULT_ORIGIN, None).unwrap(),
            channel: "quiet-lab-1".into(),
            token: Some("t".into()),
            session: None,
            callsign: Some("bob".into()),
            consumer: None,
            identity_key: None,
            is_identity: false,
            owner_password: None,
        }
    }

    #[test]
    fn nothing_can_be_put_into_a_request() {
        assert!(target().check().is_ok());
        assert!(ChannelTarget { channel: "a/../b".into(), ..target() }.check().is_err());
        assert!(ChannelTarget { token: Some("a\r\nX-Evil: 1".into()), ..target() }.check().is_err());
        assert!(ChannelTarget { session: Some("a b".into()), ..target() }.check().is_err());
        assert!(ChannelTarget { consumer: Some("a&max=1".into()), ..target() }.check().is_err());
    }
}

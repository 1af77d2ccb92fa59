//! Reads the channel in a path as the router does: percent-decoded.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rogerrat_domain::ChannelId;

/// A path without percent-encoding, in which the router looks for routes.
pub(crate) fn decoded(path: &str) -> Cow<'_, str> {
    match path.contains('%') {
        true => percent_decode_str(path).decode_utf8_lossy(),
        false => path.into(),
    }
}

/// The channel in the segment of a decoded path after a prefix, which ends with a slash. None if there is no valid id: no
/// channel has another.
pub(crate) fn channel_after(path: &str, prefix: &str) -> Option<ChannelId> {
    let segment = path.strip_prefix(prefix)?.split('/').next()?;
    ChannelId::parse(segment).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c10_a_channel_is_found_in_an_encoded_path() {
        let channel = |path: &str| channel_after(&decoded(path), "/api/channels/").map(|id| id.to_string());
        for path in
            ["/api/channels/quiet-otter", "/api/channels/quiet-otter/send", "/api/channels/%71uiet%2Dotter/send"]
        {
            assert_eq!(channel(path).as_deref(), Some("quiet-otter"), "{path}");
        }
        assert_eq!(channel("/%61pi/channels/quiet-otter/wait").as_deref(), Some("quiet-otter"));
        for path in ["/api/channels", "/api/channels/", "/api/channels/../x", "/api/channels/%ff/send", "/api/bands"] {
            assert_eq!(channel(path), None, "{path}");
        }
    }
}

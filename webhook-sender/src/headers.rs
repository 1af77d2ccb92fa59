//! Headers that the owner of a webhook adds to its requests: which names and values may be sent.
//!
//! The hub's own headers, those that frame the request or concern one connection (RFC 9110, section 7.6.1), and those with
//! which proxies tell where a request comes from cannot be set.

use awc::http::header::{HeaderName, HeaderValue};
use rogerrat_domain::Refusal;
use rogerrat_domain::webhook::HookHeaders;

/// Names that are refused.
const RESERVED: [&str; 29] = [
    "cf-connecting-ip",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];
/// Beginnings of names that are refused.
const RESERVED_PREFIXES: [&str; 4] = ["webhook-", "x-forwarded-", "x-rogerrat-", "x-rogerthat-"];

/// Checks the names and values of headers.
///
/// # Errors
/// `invalid`. It repeats neither a value nor a name that is not reserved.
pub(super) fn check(headers: &HookHeaders) -> Result<(), Refusal> {
    for (name, value) in headers.iter() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            let hint = "a name has letters, digits and hyphens";
            return Err(Refusal::invalid("`headers` has a name that is not valid").hint(hint));
        }
        if let Some(reserved) = RESERVED.iter().find(|reserved| **reserved == name) {
            return Err(Refusal::invalid(format!("`headers` must not have `{reserved}`"))
                .hint("it belongs to the hub or to the connection"));
        }
        if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) {
            let hint = "such headers belong to the hub or to proxies";
            return Err(
                Refusal::invalid(format!("`headers` must not have a name that begins with `{prefix}`")).hint(hint)
            );
        }
        let is_visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_visible || value.trim_ascii() != value {
            let hint = "a value has printable ASCII characters, without spaces at its ends";
            return Err(Refusal::invalid("`headers` has a value that is not valid").hint(hint));
        }
        if value.contains("{{") {
            return Err(Refusal::invalid("`headers` has a placeholder").hint("placeholders are filled in `body` only"));
        }
        if name == "content-type" && !is_json(value) {
            let hint = "example: application/json; charset=utf-8";
            return Err(Refusal::invalid("`content-type` in `headers` must be a type of JSON").hint(hint));
        }
    }
    Ok(())
}

/// Whether a media type is that of JSON: `application/json`, or one with the suffix `+json`.
fn is_json(value: &str) -> bool {
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((_, subtype)) = media_type.split_once('/') else { return false };
    media_type == "application/json" || subtype.ends_with("+json")
}

/// The headers as the client takes them. Marked as sensitive, they are not printed.
pub(super) fn values(headers: &HookHeaders) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> Result<(), Refusal> {
        let json = serde_json::json!({name: value}).to_string();
        check(&HookHeaders::from_input(&serde_json::from_str(&json).unwrap()).unwrap())
    }

    #[test]
    fn headers_of_receivers_are_allowed() {
        for (name, value) in [
            ("Authorization", "Bearer sk-ant-oat01-x"),
            ("anthropic-version", "2023-06-01"),
            ("X-Api-Key", "a b~!"),
            ("User-Agent", "us"),
            ("Cookie", "a=b; c=\"d\""),
            ("Content-Type", "application/json; charset=utf-8"),
            ("content-type", "application/cloudevents+json"),
            ("Title", "{braces}"),
        ] {
            assert!(checked(name, value).is_ok(), "{name}");
        }
    }

    #[test]
    fn headers_of_the_hub_and_of_the_connection_are_refused() {
        let prefixed = RESERVED_PREFIXES.map(|prefix| format!("{prefix}secret"));
        for name in RESERVED.iter().copied().chain(prefixed.iter().map(String::as_str)) {
            for name in [name.to_owned(), name.to_ascii_uppercase()] {
                let refusal = checked(&name, "hunter2").unwrap_err();
                assert!(!format!("{refusal:?}").contains("hunter2"), "{refusal:?}");
                assert!(!format!("{refusal:?}").contains("secret"), "{refusal:?}");
            }
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "json", "application/jsonx", ";"] {
            assert!(checked("content-type", content_type).is_err(), "{content_type}");
        }
    }

    #[test]
    fn invalid_syntax_is_refused_without_repeating_it() {
        for name in ["x secret", "x:secret", "x\r\nsecret", "secr\u{e9}t", "(secret)", "\u{0}"] {
            let refusal = checked(name, "v").unwrap_err();
            assert!(!format!("{refusal:?}").contains("secr"), "{refusal:?}");
        }
        for value in [
            "a\r\nx-b: hunter2",
            "hunter2\n",
            "\u{0}",
            "hunt\u{e9}r2",
            " hunter2",
            "hunter2 ",
            "\u{7f}",
            "a\tb",
            "{{text}}",
        ] {
            let refusal = checked("x-a", value).unwrap_err();
            assert!(!format!("{refusal:?}").contains("hunt"), "{refusal:?}");
        }
    }
}

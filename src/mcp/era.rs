//! Which version of MCP a message is in, and whether its headers say what its body says.
//!
//! Two eras live on one endpoint. A legacy message belongs to a session that `initialize` began; a modern one carries its
//! version in `_meta` and belongs to nothing. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::rpc::{Call, Fault, Meta, Params, Wrong, text};

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl Version {
    /// Every version we speak, the newest first.
    pub(super) const ALL: [Self; 4] = [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26];
    /// What a session gets that asked for a version we do not know.
    pub(super) const LATEST_LEGACY: Self = Self::V2025_11_25;
    /// What a session speaks that says nothing: the version before the header was invented.
    pub(super) const UNSAID: Self = Self::V2025_03_26;

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    pub(super) fn parse(said: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == said)
    }

    /// Whether messages stand alone, without a session.
    pub(super) fn is_modern(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Whether several messages may come in one body.
    pub(super) fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }
}

/// A header as far as it can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Line<'a> {
    #[default]
    Missing,
    Said(&'a str),
    /// Said twice, or not in letters: whoever reads the first and whoever reads the last would disagree.
    Unclear,
}

impl Line<'_> {
    fn is(self, what: &str) -> bool {
        self == Line::Said(what)
    }
}

/// The headers that say what the body says too.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Headers<'a> {
    pub(super) version: Line<'a>,
    pub(super) method: Line<'a>,
    pub(super) name: Line<'a>,
}

/// What the headers alone say of the version: enough for what has no body, and for batches.
///
/// None when they say nothing: the session knows.
pub(super) fn of_headers(headers: &Headers<'_>) -> Result<Option<Version>, Fault> {
    match headers.version {
        Line::Missing => Ok(None),
        Line::Said(said) => Version::parse(said).map(Some).ok_or_else(|| unsupported(said)),
        Line::Unclear => Err(unsupported("")),
    }
}

/// Which version a message is in; none for a legacy one that does not say.
pub(super) fn of_message(
    headers: &Headers<'_>,
    call: &Call<'_>,
    params: &Params<'_>,
) -> Result<Option<Version>, Fault> {
    let meta = params.meta()?;
    if is_modern(headers, call, meta.as_ref()) {
        let said = if call.id.is_some() { modern(headers, call, params, meta) } else { of_headers(headers) };
        return said.map_err(|fault| Fault { is_modern: true, ..fault });
    }
    // The first message of a session names its version in its body.
    if call.method == "initialize" { Ok(None) } else { of_headers(headers) }
}

fn is_modern(headers: &Headers<'_>, call: &Call<'_>, meta: Option<&Meta<'_>>) -> bool {
    let newer = |said: &str| is_date(said) && said >= Version::V2026_07_28.as_str();
    meta.is_some_and(|meta| meta.version.is_some())
        || matches!(headers.version, Line::Said(said) if newer(said))
        || call.method == "server/discover"
}

fn is_date(said: &str) -> bool {
    said.len() == 10
        && said.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
}

/// The checks of a message that stands alone, in the order the protocol gives them.
fn modern(
    headers: &Headers<'_>,
    call: &Call<'_>,
    params: &Params<'_>,
    meta: Option<Meta<'_>>,
) -> Result<Option<Version>, Fault> {
    let meta = meta.unwrap_or_default();
    let (Some(version), Some(capabilities)) = (meta.version, meta.capabilities) else {
        let message = "`_meta` must have io.modelcontextprotocol/protocolVersion and …/clientCapabilities";
        return Err(Fault::new(Wrong::Params, message));
    };
    let Some(version) = text(version) else {
        return Err(Fault::new(Wrong::Params, "io.modelcontextprotocol/protocolVersion must be a string"));
    };
    if !capabilities.get().starts_with('{') {
        return Err(Fault::new(Wrong::Params, "io.modelcontextprotocol/clientCapabilities must be an object"));
    }
    if !headers.version.is(&version) {
        return Err(mismatch("the MCP-Protocol-Version header does not say the version of `_meta`"));
    }
    if !headers.method.is(&call.method) {
        return Err(mismatch("the Mcp-Method header does not say the method of the body"));
    }
    let name = match &*call.method {
        "tools/call" | "prompts/get" => params.name,
        "resources/read" => params.uri,
        _ => None,
    };
    if let Some(name) = name.and_then(text)
        && !says(headers.name, &name)
    {
        return Err(mismatch("the Mcp-Name header does not say the name or uri of the body"));
    }
    match Version::parse(&version) {
        Some(version) if version.is_modern() => Ok(Some(version)),
        _ => Err(unsupported(&version)),
    }
}

/// Whether a header says this, plainly or in base64.
fn says(header: Line<'_>, what: &str) -> bool {
    let Line::Said(said) = header else { return false };
    match said.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => said == what,
        Some(packed) => STANDARD.decode(packed).is_ok_and(|bytes| bytes == what.as_bytes()),
    }
}

fn mismatch(message: &'static str) -> Fault {
    Fault::new(Wrong::Headers, message)
}

fn unsupported(said: &str) -> Fault {
    let supported = Version::ALL.map(Version::as_str);
    let requested: String = said.chars().take(rogerrat_domain::limits::ECHO_CHARS).collect();
    Fault::new(Wrong::Version, format!("unsupported protocol version: this hub speaks {}", supported.join(", ")))
        .data(json!({"supported": supported, "requested": requested}))
}

#[cfg(test)]
mod tests {
    use super::super::rpc::{Body, Said, read};
    use super::*;

    const META: &str =
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

    fn judge(headers: &Headers<'_>, body: &str) -> Result<Option<Version>, Wrong> {
        let Ok(Body::One(Said::Call(call))) = read(body.as_bytes()) else { panic!("{body}") };
        let params = Params::of(&call).unwrap();
        of_message(headers, &call, &params).map_err(|fault| fault.wrong)
    }

    fn message(method: &str, params: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
    }

    fn headers<'a>(version: &'a str, method: &'a str, name: &'a str) -> Headers<'a> {
        let line = |said: &'a str| if said.is_empty() { Line::Missing } else { Line::Said(said) };
        Headers { version: line(version), method: line(method), name: line(name) }
    }

    #[test]
    fn a_legacy_message_may_say_its_version_in_a_header() {
        let list = message("tools/list", "");
        assert_eq!(judge(&headers("", "", ""), &list), Ok(None));
        for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
            assert_eq!(judge(&headers(version, "", ""), &list), Ok(Version::parse(version)));
        }
        for version in ["2024-11-05", "banana", "2025-11-2", "99999999-9", "v999.0.0"] {
            assert_eq!(judge(&headers(version, "", ""), &list), Err(Wrong::Version), "{version}");
        }
        let twice = Headers { version: Line::Unclear, ..Headers::default() };
        assert_eq!(judge(&twice, &list), Err(Wrong::Version));
        assert_eq!(judge(&headers("2025-11-25", "", ""), &message("initialize", "")), Ok(None));
    }

    #[test]
    fn a_modern_message_is_known_by_meta_header_or_discovery() {
        let meta = format!(r#""_meta":{{{META}}}"#);
        let ok = headers("2026-07-28", "tools/list", "");
        assert_eq!(judge(&ok, &message("tools/list", &meta)), Ok(Some(Version::V2026_07_28)));
        assert_eq!(judge(&headers("", "", ""), &message("tools/list", &meta)), Err(Wrong::Headers));
        assert_eq!(judge(&ok, &message("tools/list", "")), Err(Wrong::Params));
        assert_eq!(judge(&headers("", "", ""), &message("server/discover", "")), Err(Wrong::Params));
        let modern_initialize = headers("2026-07-28", "initialize", "");
        assert_eq!(judge(&modern_initialize, &message("initialize", &meta)), Ok(Some(Version::V2026_07_28)));
    }

    #[test]
    fn meta_must_be_whole() {
        let ok = headers("2026-07-28", "tools/list", "");
        for meta in [
            r#""_meta":{}"#,
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
            r#""_meta":{"io.modelcontextprotocol/clientCapabilities":{}}"#,
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":7,"io.modelcontextprotocol/clientCapabilities":{}}"#,
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}"#,
        ] {
            assert_eq!(judge(&ok, &message("tools/list", meta)), Err(Wrong::Params), "{meta}");
        }
    }

    #[test]
    fn headers_must_say_what_the_body_says() {
        let call = message("tools/call", &format!(r#""name":"größe","_meta":{{{META}}}"#));
        let with = |method, name| judge(&headers("2026-07-28", method, name), &call);
        assert!(with("tools/call", "=?base64?Z3LDtsOfZQ==?=").is_ok());
        for (method, name) in [
            ("", "=?base64?Z3LDtsOfZQ==?="),
            ("TOOLS/CALL", "=?base64?Z3LDtsOfZQ==?="),
            ("tools/list", "=?base64?Z3LDtsOfZQ==?="),
            ("tools/call", ""),
            ("tools/call", "send"),
            ("tools/call", "=?base64?Z3L?="),
        ] {
            assert_eq!(with(method, name), Err(Wrong::Headers), "{method} {name}");
        }
        let read = message("resources/read", &format!(r#""uri":"rogerrat://x","_meta":{{{META}}}"#));
        assert!(judge(&headers("2026-07-28", "resources/read", "rogerrat://x"), &read).is_ok());
        assert_eq!(judge(&headers("2026-07-28", "resources/read", "rogerrat://y"), &read), Err(Wrong::Headers));
    }

    #[test]
    fn an_unknown_modern_version_is_told_what_there_is() {
        for version in ["v999.0.0", "2027-01-01", "2025-11-25"] {
            let meta = META.replace("2026-07-28", version);
            let body = message("tools/list", &format!(r#""_meta":{{{meta}}}"#));
            assert_eq!(judge(&headers(version, "tools/list", ""), &body), Err(Wrong::Version), "{version}");
        }
        let fault = unsupported("2027-01-01");
        assert_eq!(fault.data.unwrap()["requested"], "2027-01-01");
    }

    #[test]
    fn a_modern_notification_needs_no_meta() {
        let body = r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
        assert_eq!(judge(&headers("2026-07-28", "", ""), body), Ok(Some(Version::V2026_07_28)));
        assert_eq!(judge(&headers("2026-08-01", "", ""), body), Err(Wrong::Version));
    }
}

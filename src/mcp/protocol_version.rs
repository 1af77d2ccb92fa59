//! The protocol version of a message, and the check that its headers match its body.
//!
//! One endpoint serves two kinds of versions. A legacy message belongs to a session that `initialize` started; a modern
//! message is stateless and carries its version in `_meta`. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::rpc::{ErrorCode, Meta, Params, RpcCall, RpcError, string};

/// A version of MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ProtocolVersion {
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl ProtocolVersion {
    /// All supported versions, newest first. Session ids hold an index into this list.
    pub(super) const ALL: [Self; 4] = [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26];
    /// The version of a session that requested an unsupported one.
    pub(super) const LATEST_LEGACY: Self = Self::V2025_11_25;
    /// The version of a message without a version header: the last one before the header was introduced.
    pub(super) const WITHOUT_HEADER: Self = Self::V2025_03_26;

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// Whether messages are stateless; messages of all other versions belong to a session.
    pub(super) fn is_modern(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Whether one body may hold several messages.
    pub(super) fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }
}

/// The value of a header that must be unambiguous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum HeaderField<'a> {
    #[default]
    Missing,
    Text(&'a str),
    /// Repeated, or not text. Implementations would disagree on the value: some take the first, some the last.
    Ambiguous,
}

impl HeaderField<'_> {
    fn is(self, text: &str) -> bool {
        self == HeaderField::Text(text)
    }
}

/// The headers that repeat a part of the body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct McpHeaders<'a> {
    pub(super) version: HeaderField<'a>,
    pub(super) method: HeaderField<'a>,
    pub(super) name: HeaderField<'a>,
}

/// Returns the version that the headers name, for requests without a body and for batches.
///
/// None when there is no version header: then the version is that of the session.
pub(super) fn of_headers(headers: &McpHeaders<'_>) -> Result<Option<ProtocolVersion>, RpcError> {
    match headers.version {
        HeaderField::Missing => Ok(None),
        HeaderField::Text(text) => ProtocolVersion::parse(text).map(Some).ok_or_else(|| unsupported(text)),
        HeaderField::Ambiguous => Err(unsupported("")),
    }
}

/// Returns the version of a message; none for a legacy message that names none.
pub(super) fn of_message(
    headers: &McpHeaders<'_>,
    call: &RpcCall<'_>,
    params: &Params<'_>,
) -> Result<Option<ProtocolVersion>, RpcError> {
    let meta = params.meta()?;
    if is_modern(headers, call, meta.as_ref()) {
        let version = if call.id.is_some() { check_modern(headers, call, params, meta) } else { of_headers(headers) };
        return version.map_err(|error| RpcError { is_modern: true, ..error });
    }
    // The first message of a session names its version in its body.
    if call.method == "initialize" { Ok(None) } else { of_headers(headers) }
}

fn is_modern(headers: &McpHeaders<'_>, call: &RpcCall<'_>, meta: Option<&Meta<'_>>) -> bool {
    let is_recent = |version: &str| is_date(version) && version >= ProtocolVersion::V2026_07_28.as_str();
    meta.is_some_and(|meta| meta.version.is_some())
        || matches!(headers.version, HeaderField::Text(version) if is_recent(version))
        || call.method == "server/discover"
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
}

/// The checks of a stateless message, in the order of the protocol.
fn check_modern(
    headers: &McpHeaders<'_>,
    call: &RpcCall<'_>,
    params: &Params<'_>,
    meta: Option<Meta<'_>>,
) -> Result<Option<ProtocolVersion>, RpcError> {
    let meta = meta.unwrap_or_default();
    let (Some(version), Some(capabilities)) = (meta.version, meta.capabilities) else {
        let message = "`_meta` must have io.modelcontextprotocol/protocolVersion and …/clientCapabilities";
        return Err(RpcError::new(ErrorCode::InvalidParams, message));
    };
    let Some(version) = string(version) else {
        let message = "io.modelcontextprotocol/protocolVersion must be a string";
        return Err(RpcError::new(ErrorCode::InvalidParams, message));
    };
    if !capabilities.get().starts_with('{') {
        let message = "io.modelcontextprotocol/clientCapabilities must be an object";
        return Err(RpcError::new(ErrorCode::InvalidParams, message));
    }
    if !headers.version.is(&version) {
        return Err(mismatch("the MCP-Protocol-Version header does not match the version in `_meta`"));
    }
    if !headers.method.is(&call.method) {
        return Err(mismatch("the Mcp-Method header does not match the method of the body"));
    }
    let name = match &*call.method {
        "tools/call" | "prompts/get" => params.name,
        "resources/read" => params.uri,
        _ => None,
    };
    if let Some(name) = name.and_then(string)
        && !matches_name(headers.name, &name)
    {
        return Err(mismatch("the Mcp-Name header does not match the name or uri of the body"));
    }
    match ProtocolVersion::parse(&version) {
        Some(version) if version.is_modern() => Ok(Some(version)),
        _ => Err(unsupported(&version)),
    }
}

/// Whether a header holds this name, as plain text or in base64.
fn matches_name(header: HeaderField<'_>, name: &str) -> bool {
    let HeaderField::Text(value) = header else { return false };
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => value == name,
        Some(base64) => STANDARD.decode(base64).is_ok_and(|bytes| bytes == name.as_bytes()),
    }
}

fn mismatch(message: &'static str) -> RpcError {
    RpcError::new(ErrorCode::HeaderMismatch, message)
}

fn unsupported(requested: &str) -> RpcError {
    let supported = ProtocolVersion::ALL.map(ProtocolVersion::as_str);
    let requested: String = requested.chars().take(rogerrat_domain::limits::ECHO_CHARS).collect();
    let message = format!("unsupported protocol version: this hub supports {}", supported.join(", "));
    RpcError::new(ErrorCode::UnsupportedVersion, message)
        .with_data(json!({"supported": supported, "requested": requested}))
}

#[cfg(test)]
mod tests {
    use super::super::rpc::{RpcBody, RpcMessage, parse};
    use super::*;

    const META: &str =
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

    fn version_of(headers: &McpHeaders<'_>, body: &str) -> Result<Option<ProtocolVersion>, ErrorCode> {
        let Ok(RpcBody::One(RpcMessage::Call(call))) = parse(body.as_bytes()) else { panic!("{body}") };
        let params = Params::parse(&call).unwrap();
        of_message(headers, &call, &params).map_err(|error| error.code)
    }

    fn message(method: &str, params: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
    }

    fn headers<'a>(version: &'a str, method: &'a str, name: &'a str) -> McpHeaders<'a> {
        let field = |text: &'a str| if text.is_empty() { HeaderField::Missing } else { HeaderField::Text(text) };
        McpHeaders { version: field(version), method: field(method), name: field(name) }
    }

    #[test]
    fn a_legacy_message_may_name_its_version_in_a_header() {
        let list = message("tools/list", "");
        assert_eq!(version_of(&headers("", "", ""), &list), Ok(None));
        for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
            assert_eq!(version_of(&headers(version, "", ""), &list), Ok(ProtocolVersion::parse(version)));
        }
        for version in ["2024-11-05", "banana", "2025-11-2", "99999999-9", "v999.0.0"] {
            assert_eq!(version_of(&headers(version, "", ""), &list), Err(ErrorCode::UnsupportedVersion), "{version}");
        }
        let twice = McpHeaders { version: HeaderField::Ambiguous, ..McpHeaders::default() };
        assert_eq!(version_of(&twice, &list), Err(ErrorCode::UnsupportedVersion));
        assert_eq!(version_of(&headers("2025-11-25", "", ""), &message("initialize", "")), Ok(None));
    }

    #[test]
    fn a_modern_message_is_recognized_by_meta_header_or_discovery() {
        let meta = format!(r#""_meta":{{{META}}}"#);
        let ok = headers("2026-07-28", "tools/list", "");
        assert_eq!(version_of(&ok, &message("tools/list", &meta)), Ok(Some(ProtocolVersion::V2026_07_28)));
        assert_eq!(version_of(&headers("", "", ""), &message("tools/list", &meta)), Err(ErrorCode::HeaderMismatch));
        assert_eq!(version_of(&ok, &message("tools/list", "")), Err(ErrorCode::InvalidParams));
        assert_eq!(version_of(&headers("", "", ""), &message("server/discover", "")), Err(ErrorCode::InvalidParams));
        let modern_initialize = headers("2026-07-28", "initialize", "");
        assert_eq!(
            version_of(&modern_initialize, &message("initialize", &meta)),
            Ok(Some(ProtocolVersion::V2026_07_28))
        );
    }

    #[test]
    fn meta_must_be_complete() {
        let ok = headers("2026-07-28", "tools/list", "");
        for meta in [
            r#""_meta":{}"#,
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
            r#""_meta":{"io.modelcontextprotocol/clientCapabilities":{}}"#,
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":7,"io.modelcontextprotocol/clientCapabilities":{}}"#,
            &format!(r#""_meta":{{{}}}"#, META.replace("{}", "[]")),
        ] {
            assert_eq!(version_of(&ok, &message("tools/list", meta)), Err(ErrorCode::InvalidParams), "{meta}");
        }
    }

    #[test]
    fn headers_must_match_the_body() {
        let call = message("tools/call", &format!(r#""name":"größe","_meta":{{{META}}}"#));
        let with = |method, name| version_of(&headers("2026-07-28", method, name), &call);
        assert!(with("tools/call", "=?base64?Z3LDtsOfZQ==?=").is_ok());
        for (method, name) in [
            ("", "=?base64?Z3LDtsOfZQ==?="),
            ("TOOLS/CALL", "=?base64?Z3LDtsOfZQ==?="),
            ("tools/list", "=?base64?Z3LDtsOfZQ==?="),
            ("tools/call", ""),
            ("tools/call", "send"),
            ("tools/call", "=?base64?Z3L?="),
        ] {
            assert_eq!(with(method, name), Err(ErrorCode::HeaderMismatch), "{method} {name}");
        }
        let read = message("resources/read", &format!(r#""uri":"rogerrat://x","_meta":{{{META}}}"#));
        assert!(version_of(&headers("2026-07-28", "resources/read", "rogerrat://x"), &read).is_ok());
        assert_eq!(
            version_of(&headers("2026-07-28", "resources/read", "rogerrat://y"), &read),
            Err(ErrorCode::HeaderMismatch)
        );
    }

    #[test]
    fn the_error_for_an_unknown_version_lists_the_supported_ones() {
        for version in ["v999.0.0", "2027-01-01", "2025-11-25"] {
            let meta = META.replace("2026-07-28", version);
            let body = message("tools/list", &format!(r#""_meta":{{{meta}}}"#));
            assert_eq!(
                version_of(&headers(version, "tools/list", ""), &body),
                Err(ErrorCode::UnsupportedVersion),
                "{version}"
            );
        }
        let error = unsupported("2027-01-01");
        assert_eq!(error.data.unwrap()["requested"], "2027-01-01");
    }

    #[test]
    fn a_modern_notification_needs_no_meta() {
        let body = r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
        assert_eq!(version_of(&headers("2026-07-28", "", ""), body), Ok(Some(ProtocolVersion::V2026_07_28)));
        assert_eq!(version_of(&headers("2026-08-01", "", ""), body), Err(ErrorCode::UnsupportedVersion));
    }
}

//! Parses JSON bodies, with errors that name the field. Free of side effects, so that it can be fuzzed.

use rogerrat_domain::text::clip;
use rogerrat_domain::{Code, Refusal};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::Path;

/// Parses a body as a JSON object.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let text = decode(without_bom(body)).map_err(|error| Refusal::new(Code::InvalidJson, error))?;
    let text = match text.trim_ascii() {
        "" => "{}",
        text => text,
    };
    // serde also accepts an array as the fields of a struct in order.
    if text.starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    Err(explain::<T>(text))
}

/// A body without the UTF-8 byte order mark that some programs write first.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// A body as text.
///
/// # Errors
/// What is wrong with its encoding.
pub(crate) fn decode(body: &[u8]) -> Result<&str, &'static str> {
    // JSON begins with an ASCII character, which has a zero byte in UTF-16 and UTF-32.
    let is_wide = |body: &[u8]| {
        let has_mark = body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff");
        has_mark || body.iter().take(4).any(|byte| *byte == 0)
    };
    match std::str::from_utf8(body) {
        _ if is_wide(body) => Err("the body is encoded as UTF-16 or UTF-32: encode it as UTF-8"),
        Ok(text) => Ok(text),
        Err(_) => Err("the body is not encoded as UTF-8: encode it as UTF-8"),
    }
}

/// Explains why a body could not be parsed. It parses the body again, so it runs only after a failure.
fn explain<T: DeserializeOwned>(text: &str) -> Refusal {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let (line, column) = (error.line(), error.column());
        return Refusal::new(Code::InvalidJson, format!("the body is not valid JSON (line {line}, column {column})"));
    }
    if !text.starts_with('{') {
        return Refusal::invalid("the body must be a JSON object");
    }
    match serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_str(text)) {
        Err(error) if error.inner().classify() == Category::Data => wrong_field(error.path(), error.inner()),
        _ => Refusal::new(Code::InvalidJson, "the body is not valid JSON"),
    }
}

/// The refusal of a field that does not fit, without its value.
pub(crate) fn wrong_field(path: &Path, error: &serde_json::Error) -> Refusal {
    Refusal::invalid(field_error(&path.to_string(), &error.to_string()))
}

fn field_error(path: &str, error: &str) -> String {
    let message = error.split(" at line ").next().unwrap_or_default();
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("`{}` must be {}", clip(path), clip(json_type(expected))),
        // The path of the body itself.
        None if path == "." => clip(message),
        None => format!("`{}`: {}", clip(path), clip(message)),
    }
}

/// What serde expected, without the names of Rust types.
fn json_type(expected: &str) -> &str {
    match expected {
        "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => "a whole number",
        "a sequence" => "an array",
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rogerrat_domain::op::{CreateInput, JoinInput, SendInput};

    fn refusal(json: &str) -> Refusal {
        parse::<SendInput>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn d11_an_empty_body_means_defaults() {
        assert!(parse::<JoinInput>(b"  \n").unwrap().callsign.is_none());
    }

    #[test]
    fn d11_malformed_json_has_its_own_code() {
        for json in ["{", "{\"a\":}", "nope", "{\"message\":\"\\ud800\"}", "{\"to\":5, \"message\": 7, x}", "\u{1}"] {
            assert_eq!(refusal(json).code, Code::InvalidJson, "{json}");
        }
        assert_eq!(parse::<SendInput>(b"{\"message\":\"\xff\"}").unwrap_err().code, Code::InvalidJson);
    }

    #[test]
    fn d11_a_byte_order_mark_is_skipped_and_another_encoding_is_named() {
        let json = "{\"message\":\"caf\u{e9}\"}";
        let with_bom = [b"\xef\xbb\xbf", json.as_bytes()].concat();
        assert!(parse::<SendInput>(&with_bom).unwrap().message.unwrap().contains('\u{e9}'));
        assert!(parse::<JoinInput>(b"\xef\xbb\xbf").unwrap().callsign.is_none(), "an empty body");
        assert_eq!(parse::<SendInput>(b"\xef\xbb\xbf{").unwrap_err().code, Code::InvalidJson);
        let latin_1: Vec<u8> = json.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let little: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let utf_32: Vec<u8> = json.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let marked = |bom: &[u8], body: &[u8]| [bom, body].concat();
        let others = [marked(b"\xff\xfe", &little), marked(b"\xfe\xff", &big), little, big, utf_32, latin_1];
        for body in others {
            let refusal = parse::<SendInput>(&body).unwrap_err();
            assert_eq!(refusal.code, Code::InvalidJson, "{body:?}");
            assert!(refusal.text.ends_with("encode it as UTF-8"), "{}", refusal.text);
        }
    }

    #[test]
    fn d11_a_wrong_type_names_its_field() {
        for (json, field) in [
            (r#"{"message":5}"#, "`message`"),
            (r#"{"priority":null}"#, "`priority`"),
            (r#"{"priority":"loud"}"#, "`priority`"),
            (r#"{"attachments":[{"mime":"image/png"}]}"#, "`attachments[0]`"),
            (r#"{"reply_to":1.5}"#, "`reply_to`"),
            (r#"{"to":true}"#, "`to`"),
            (r#"[1]"#, "object"),
            (r#""text""#, "object"),
        ] {
            let refusal = refusal(json);
            assert_eq!(refusal.code, Code::Invalid, "{json}");
            assert!(refusal.text.contains(field), "{json}: {}", refusal.text);
        }
        assert!(parse::<CreateInput>(br#"{"session_ttl_seconds":null}"#).is_err());
    }

    #[test]
    fn d11_errors_name_json_types() {
        let text = |json: &[u8]| parse::<CreateInput>(json).unwrap_err().text.into_owned();
        assert_eq!(text(br#"{"session_ttl_seconds":"1"}"#), "`session_ttl_seconds` must be a number");
        assert_eq!(text(br#"{"durability":"tape"}"#), "`durability` must be one of memory, disk");
        assert_eq!(refusal(r#"{"attachments":5}"#).text, "`attachments` must be an array");
        assert_eq!(refusal(r#"{"attachments":[5]}"#).text, "`attachments[0]` must be an object");
    }

    #[test]
    fn d11_to_may_be_an_index() {
        for index in ["2", "2.0", "0.2e1"] {
            let body = format!(r#"{{"to":{index},"reply_to":{index}}}"#);
            let input = parse::<SendInput>(body.as_bytes()).unwrap();
            assert_eq!((input.to.as_deref(), input.reply_to), (Some("#2"), Some(2)), "{index}");
        }
        for index in ["-1", "1.5", "18446744073709551616", "1e400", "true"] {
            assert!(parse::<SendInput>(format!(r#"{{"to":{index}}}"#).as_bytes()).is_err(), "{index}");
            assert!(parse::<SendInput>(format!(r#"{{"reply_to":{index}}}"#).as_bytes()).is_err(), "{index}");
        }
        assert!(parse::<SendInput>(br#"{"to":null,"reply_to":null}"#).unwrap().reply_to.is_none());
    }

    #[test]
    fn d12_no_error_repeats_the_input() {
        let long = "secret".repeat(50);
        for json in [
            format!(r#"{{"priority":"{long}"}}"#),
            format!(r#"{{"reply_to":"{long}"}}"#),
            format!(r#"{{"attachments":"{long}"}}"#),
            format!(r#"{{"{long}":1,"{long}":{long}}}"#),
        ] {
            let text = refusal(&json).text;
            assert!(!text.contains("secretsecretsecret"), "{text}");
        }
    }
}

//! Log output on stderr: text for people, JSON for machines. Each record is exactly one line, whatever it contains.
//!
//! The configuration sets level and format; no environment variable is read here. Records are not searched for secrets:
//! callers must not log message bodies or tokens.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;

use env_logger::{Builder, WriteStyle};
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use log::{LevelFilter, Record};
use rogerrat_domain::text::one_line;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::config::{LogFormat, LogSettings};

/// Initializes logging. A logger that is already set, as in tests, is kept.
pub(crate) fn init(log: &LogSettings) {
    let line = match log.format {
        LogFormat::Text => text_line,
        LogFormat::Json => json_line,
    };
    let mut builder = Builder::new();
    // It logs an error for each invalid request, which any client can send, and for each response of a webhook receiver
    // that is too long. Both are answered and counted. A rule in `log.level` that names the module still enables it.
    builder.filter_module("actix_http::h1", LevelFilter::Off);
    builder.parse_filters(&log.level).write_style(WriteStyle::Never);
    builder.format(move |buf, record| {
        let at = buf.timestamp_millis().to_string();
        writeln!(buf, "{}", line(&at, record))
    });
    let _ = builder.try_init();
}

/// `at LEVEL target message key=value …`
fn text_line(at: &str, record: &Record<'_>) -> String {
    let message = record.args().to_string();
    let mut line = format!("{at} {} {} {}", record.level(), one_line(record.target()), one_line(&message));
    for (key, value) in fields_of(record) {
        // Writing to a String cannot fail.
        let _ = write!(line, " {}={}", one_line(&key), format_value(&value));
    }
    line
}

/// Formats a field's value, quoted when it could be mistaken for several fields.
fn format_value(value: &Json) -> Cow<'_, str> {
    let Json::String(text) = value else {
        return Cow::Owned(value.to_string());
    };
    let text = one_line(text);
    if text.is_empty() || text.contains([' ', '"', '=']) {
        return Cow::Owned(format!("\"{}\"", text.replace('"', "\\\"")));
    }
    text
}

#[derive(Serialize)]
struct JsonLine<'r> {
    at: &'r str,
    level: &'r str,
    target: &'r str,
    message: String,
    #[serde(flatten)]
    fields: Map<String, Json>,
}

/// Formats a record as one JSON object. A field with the name of a fixed one gets an underscore appended.
fn json_line(at: &str, record: &Record<'_>) -> String {
    let fields = fields_of(record)
        .into_iter()
        .map(|(key, value)| if is_fixed(&key) { (key + "_", value) } else { (key, value) })
        .collect();
    let (level, target) = (record.level().as_str(), record.target());
    let line = JsonLine { at, level, target, message: record.args().to_string(), fields };
    escape_controls(&serde_json::to_string(&line).unwrap_or_default())
}

fn is_fixed(key: &str) -> bool {
    matches!(key, "at" | "level" | "target" | "message")
}

/// Escapes the control characters that serde_json leaves (all but C0): they could break a line or control a terminal.
fn escape_controls(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line
}

fn fields_of(record: &Record<'_>) -> Vec<(String, Json)> {
    let mut fields = Fields(Vec::new());
    // The visitor below never returns an error.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

/// The fields of a record, in their original order.
struct Fields(Vec<(String, Json)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut field = Field(Json::Null);
        value.visit(&mut field)?;
        self.0.push((key.as_str().to_owned(), field.0));
        Ok(())
    }
}

/// One value as JSON: numbers and booleans keep their type, everything else becomes text.
struct Field(Json);

impl<'v> VisitValue<'v> for &mut Field {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.0 = Json::String(value.to_string());
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.0 = Json::Null;
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.0 = Json::Bool(value);
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        self.0 = value.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    const AT: &str = "2026-11-20T12:00:00.123Z";

    /// Formats a record with one field of each type.
    fn line(format: fn(&str, &Record<'_>) -> String, message: &str, text: &str) -> String {
        let fields: [(&str, Value<'_>); 5] = [
            ("op", Value::from("send")),
            ("duration_ms", Value::from(12_u64)),
            ("durable", Value::from(true)),
            ("load", Value::from(0.5)),
            ("text", Value::from(text)),
        ];
        format(
            AT,
            &Record::builder()
                .level(Level::Info)
                .target("rogerrat::http")
                .args(format_args!("{message}"))
                .key_values(&fields)
                .build(),
        )
    }

    #[test]
    fn a_text_line_has_time_level_target_message_and_fields() {
        assert_eq!(
            line(text_line, "Answered", "plain"),
            "2026-11-20T12:00:00.123Z INFO rogerrat::http Answered op=send duration_ms=12 durable=true load=0.5 \
             text=plain"
        );
    }

    #[test]
    fn a_json_line_keeps_order_and_types() {
        let json = line(json_line, "Answered", "plain");
        assert!(
            json.starts_with(
                r#"{"at":"2026-11-20T12:00:00.123Z","level":"INFO","target":"rogerrat::http","message":"Answered","#
            ),
            "{json}"
        );
        let fields: Json = serde_json::from_str(&json).unwrap();
        assert_eq!((&fields["duration_ms"], &fields["durable"]), (&Json::from(12), &Json::from(true)));
        assert_eq!((&fields["load"], &fields["text"]), (&Json::from(0.5), &Json::from("plain")));
    }

    #[test]
    fn d27_a_record_cannot_forge_a_line_or_control_the_terminal() {
        let forged = "hi\nERROR\r\u{85}\u{2028}\u{2029}\u{1b}[2J\u{9b}1m";
        for format in [text_line, json_line] {
            let line = line(format, forged, forged);
            let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            assert!(!line.contains(breaks), "{line:?}");
        }
        assert!(line(text_line, forged, "").contains("hi\\nERROR\\r\\u{85}\\u{2028}\\u{2029}\\u{1b}[2J\\u{9b}1m"));
        let read: Json = serde_json::from_str(&line(json_line, forged, forged)).unwrap();
        assert_eq!((&read["message"], &read["text"]), (&Json::from(forged), &Json::from(forged)));
    }

    #[test]
    fn a_value_cannot_forge_another_field() {
        let line = line(text_line, "Joined", "x\" level=off");
        assert!(line.ends_with(r#" text="x\" level=off""#), "{line}");
    }

    #[test]
    fn a_field_never_replaces_a_fixed_one() {
        let fields = [("message", "mine")];
        let record = Record::builder().args(format_args!("ours")).key_values(&fields).build();
        let read: Json = serde_json::from_str(&json_line(AT, &record)).unwrap();
        assert_eq!((&read["message"], &read["message_"]), (&Json::from("ours"), &Json::from("mine")));
    }
}

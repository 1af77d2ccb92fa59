//! Reads a value as the type that its argument has, where the value can be read in one way only.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::rpc::string;
use super::{for_each_field, is_nothing};

/// The characters that may separate the entries of a list written as text. Such a text can be read in several ways.
const SEPARATORS: [char; 10] = [',', ';', '|', '\n', '[', ']', '{', '}', '"', '\''];

/// The type of an argument.
#[derive(Debug)]
pub(super) enum Shape {
    Text {
        /// The permitted values, if there is a choice.
        choices: Vec<String>,
        /// Whether a number has a meaning of its own.
        or_number: bool,
    },
    Number,
    Boolean,
    List(Box<Shape>),
    Object(Vec<(String, Shape)>),
}

/// How a value was read; none when the argument counts as absent. A value that does not fit is returned as it is, so
/// that the parser of the argument's type reports it.
type Reading<'a> = Option<Cow<'a, RawValue>>;

impl Shape {
    pub(super) fn text() -> Self {
        Self::Text { choices: Vec::new(), or_number: false }
    }

    /// The type in a schema, which may be one of several alternatives.
    pub(super) fn of(schema: &Value) -> Self {
        let alternatives = schema["oneOf"].as_array().into_iter().flatten();
        let types: Vec<_> = alternatives.chain([schema]).flat_map(types).collect();
        let has = |name| types.contains(&name);
        let is_number = has("number") || has("integer");
        if has("array") {
            return Self::List(Box::new(Self::of(&schema["items"])));
        }
        if has("object") {
            let fields = schema["properties"].as_object().into_iter().flatten();
            return Self::Object(fields.map(|(name, field)| (name.clone(), Self::of(field))).collect());
        }
        if has("boolean") {
            return Self::Boolean;
        }
        if is_number && !has("string") {
            return Self::Number;
        }
        let choices = schema["enum"].as_array().into_iter().flatten();
        let choices = choices.filter_map(Value::as_str).map(str::to_owned).collect();
        Self::Text { choices, or_number: is_number }
    }

    /// Reads a value.
    pub(super) fn read<'a>(&self, value: &'a RawValue) -> Reading<'a> {
        match value.get().as_bytes().first() {
            Some(b'n') => None,
            Some(b'"') => self.read_text(value),
            Some(b'[') => self.read_list(value),
            Some(b'{') => self.read_object(value),
            _ => Some(self.read_literal(value)),
        }
    }

    fn read_text<'a>(&self, value: &'a RawValue) -> Reading<'a> {
        if is_blank(value.get()) {
            return None;
        }
        if matches!(self, Self::Text { choices, .. } if choices.is_empty()) {
            return Some(Cow::Borrowed(value));
        }
        let Some(text) = string(value) else { return Some(Cow::Borrowed(value)) };
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let choice = match self {
            Self::Text { choices, .. } => choices.iter().find(|choice| **choice == lower),
            _ => None,
        };
        if choice.is_none() && matches!(&*lower, "null" | "none" | "undefined") {
            return None;
        }
        let converted = match self {
            Self::Text { .. } if choice.is_some_and(|choice| choice == value.get().trim_matches('"')) => None,
            Self::Text { .. } => choice.map(|choice| quoted(choice)),
            // An id is written as `#7` in the texts of the hub.
            Self::Number => {
                Some(text.strip_prefix('#').unwrap_or(text)).filter(|text| is_number(text)).map(str::to_owned)
            }
            Self::Boolean => boolean(&lower).map(str::to_owned),
            Self::List(_) | Self::Object(_) if text.starts_with(['[', '{']) => {
                let parsed = serde_json::from_str::<&RawValue>(text).ok();
                match parsed.map(|inner| self.read(inner)) {
                    Some(read) => return Some(Cow::Owned(read?.into_owned())),
                    None => None,
                }
            }
            Self::List(entry) => {
                let is_one_text = matches!(**entry, Self::Text { .. }) && !text.contains(SEPARATORS);
                is_one_text.then(|| format!("[{}]", value.get()))
            }
            Self::Object(_) => None,
        };
        Some(converted.map_or(Cow::Borrowed(value), owned))
    }

    fn read_list<'a>(&self, value: &'a RawValue) -> Reading<'a> {
        let Ok(entries) = serde_json::from_str::<Vec<&'a RawValue>>(value.get()) else {
            return Some(Cow::Borrowed(value));
        };
        let Self::List(entry) = self else {
            // A list with a single entry stands for that entry.
            return match entries[..] {
                [] => None,
                [one] if !one.get().starts_with('[') => self.read(one),
                _ => Some(Cow::Borrowed(value)),
            };
        };
        let read: Vec<_> = entries.iter().map(|value| entry.read(value)).collect();
        if read.iter().all(|read| matches!(read, Some(Cow::Borrowed(_)))) {
            return Some(Cow::Borrowed(value));
        }
        let entries: Vec<_> = read.iter().flatten().map(|value| value.get()).collect();
        Some(owned(format!("[{}]", entries.join(","))))
    }

    fn read_object<'a>(&self, value: &'a RawValue) -> Reading<'a> {
        match self {
            Self::Object(known) => Some(read_fields(known, value)),
            _ if is_nothing(value.get()) => None,
            Self::List(entry) if matches!(**entry, Self::Object(_)) => {
                entry.read(value).map(|entry| owned(format!("[{}]", entry.get())))
            }
            _ => Some(Cow::Borrowed(value)),
        }
    }

    /// Reads a number or a boolean.
    fn read_literal<'a>(&self, value: &'a RawValue) -> Cow<'a, RawValue> {
        let literal = value.get();
        let converted = match self {
            Self::Text { choices, or_number: false } if choices.is_empty() => Some(quoted(literal)),
            Self::Boolean if matches!(literal, "0" | "1") => boolean(literal).map(str::to_owned),
            Self::List(entry) if !matches!(**entry, Self::Object(_)) => {
                Some(format!("[{}]", entry.read_literal(value).get()))
            }
            _ => None,
        };
        converted.map_or(Cow::Borrowed(value), owned)
    }
}

/// Reads the known fields of an object.
fn read_fields<'a>(known: &[(String, Shape)], value: &'a RawValue) -> Cow<'a, RawValue> {
    let mut fields = Vec::new();
    for_each_field(value.get(), |name, field| {
        let known = known.iter().find(|(known, _)| *known == name);
        fields.extend(known.map(|(name, shape)| (name, shape.read(field))));
    });
    if fields.iter().all(|(_, read)| matches!(read, Some(Cow::Borrowed(_)))) {
        return Cow::Borrowed(value);
    }
    let fields = fields.iter().filter_map(|(name, read)| Some(format!("{}:{}", quoted(name), read.as_ref()?.get())));
    owned(format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn boolean(text: &str) -> Option<&'static str> {
    match text {
        "true" | "1" => Some("true"),
        "false" | "0" => Some("false"),
        _ => None,
    }
}

/// Whether a text is a number as JSON writes it.
fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// A JSON string of a text that needs no escaping: a literal, a choice or a name of a schema.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn owned<'a>(json: String) -> Cow<'a, RawValue> {
    #[expect(clippy::expect_used, reason = "it consists of values that were parsed")]
    Cow::Owned(RawValue::from_string(json).expect("values that were parsed are JSON"))
}

/// Whether a JSON string is blank. It reads only as far as the first visible character.
fn is_blank(json: &str) -> bool {
    let mut rest = json.get(1..json.len().saturating_sub(1)).unwrap_or_default().chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => match rest.next() {
                Some('n' | 'r' | 't' | 'f' | 'b') => ' ',
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    // A half of a surrogate pair is visible.
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or('x')
                }
                _ => return false,
            },
            c => c,
        };
        if !c.is_whitespace() {
            return false;
        }
    }
    true
}

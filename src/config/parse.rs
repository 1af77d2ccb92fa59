//! Parses raw values into typed ones, or returns a message with what was expected.
//!
//! Messages repeat the beginning of the rejected value, so tokens and passwords are never parsed here.

use std::fmt::Display;
use std::ops::RangeInclusive;

use rogerrat_domain::text::clip;

use super::raw::Value;

/// Parses a whole number within `range`.
pub(super) fn number<T>(value: &Value, range: &RangeInclusive<T>) -> Result<T, String>
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    let number = match value {
        Value::Text(text) => text.trim().parse::<i64>().ok(),
        Value::Typed(typed) => typed.as_integer(),
    };
    number
        .and_then(|number| T::try_from(number).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| expected(&format!("a whole number from {} to {}", range.start(), range.end()), value))
}

/// Parses `true` or `false`.
pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Text(text) => text.trim().parse().ok(),
        Value::Typed(typed) => typed.as_bool(),
    }
    .ok_or_else(|| expected("true or false", value))
}

/// Whether a secret is set, in place of the secret.
pub(super) fn mask(secret: &Option<String>) -> String {
    if secret.is_some() { "(set)" } else { "(none)" }.to_owned()
}

/// Returns text, trimmed.
pub(super) fn text<'v>(value: &'v Value, description: &str) -> Result<&'v str, String> {
    as_text(value).map(str::trim).ok_or_else(|| expected(description, value))
}

/// Parses a list, each item with `parse_item`. A list given as text is separated by commas.
pub(super) fn list<T>(
    value: &Value,
    description: &str,
    parse_item: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let not_a_list = || expected(&format!("a list of {description}"), value);
    let items = match value {
        Value::Text(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>(),
        Value::Typed(toml::Value::Array(items)) => {
            items.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>().ok_or_else(not_a_list)?
        }
        Value::Typed(_) => return Err(not_a_list()),
    };
    items
        .into_iter()
        .map(|item| {
            parse_item(item).ok_or_else(|| format!("expected a list of {description}, got the item \"{}\"", clip(item)))
        })
        .collect()
}

/// The text of a value, if it is text.
pub(super) fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Typed(typed) => typed.as_str(),
    }
}

/// The error message for a rejected value, with the beginning of that value.
pub(super) fn expected(description: &str, value: &Value) -> String {
    match (as_text(value), value) {
        (None, Value::Typed(typed)) => format!("expected {description}, got {}", clip(&typed.to_string())),
        (text, _) => format!("expected {description}, got \"{}\"", clip(text.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_env(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn numbers_have_a_range_and_a_type() {
        let port = 0..=u16::MAX;
        assert_eq!(number(&from_env(" 7424 "), &port), Ok(7424));
        assert_eq!(number(&Value::Typed(80.into()), &port), Ok(80));
        let out_of_range = number(&from_env("65536"), &port).unwrap_err();
        assert_eq!(out_of_range, "expected a whole number from 0 to 65535, got \"65536\"");
        let wrong_type = number(&Value::Typed(toml::Value::Float(1.5)), &port).unwrap_err();
        assert_eq!(wrong_type, "expected a whole number from 0 to 65535, got 1.5");
        assert!(number(&Value::Typed("80".into()), &port).is_err(), "a file must write numbers unquoted");
        assert!(number(&from_env(""), &port).is_err() && number(&from_env("-1"), &port).is_err());
    }

    #[test]
    fn lists_are_arrays_or_separated_by_commas() {
        let parse_item = |item: &str| (item != "bad").then(|| item.to_owned());
        assert_eq!(list(&from_env("a, b,,"), "names", parse_item), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(list(&from_env(""), "names", parse_item), Ok(vec![]));
        assert_eq!(list(&Value::Typed(vec!["a"].into()), "names", parse_item), Ok(vec!["a".to_owned()]));
        assert!(list(&Value::Typed(vec![1].into()), "names", parse_item).is_err());
        assert_eq!(
            list(&from_env("a,bad"), "names", parse_item).unwrap_err(),
            "expected a list of names, got the item \"bad\""
        );
    }

    #[test]
    fn a_message_repeats_only_the_beginning_and_stays_on_one_line() {
        let message = boolean(&from_env(&"x\n".repeat(500))).unwrap_err();
        assert!(message.chars().count() < 110 && !message.contains('\n'), "{message}");
    }
}

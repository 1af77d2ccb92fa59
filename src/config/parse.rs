//! From a value as it was said to a value of its type, or a sentence that says what was expected.
//!
//! It knows no key and no origin, and never sees the token: what it refuses it may repeat.

use std::fmt::Display;
use std::ops::RangeInclusive;

use rogerrat_domain::text::clip;

use super::raw::Value;

/// A whole number within `range`.
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

/// `true` or `false`.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match value {
        Value::Text(text) => text.trim().parse().ok(),
        Value::Typed(typed) => typed.as_bool(),
    }
    .ok_or_else(|| expected("true or false", value))
}

/// Text, without the blanks around it.
pub(super) fn text<'v>(value: &'v Value, what: &str) -> Result<&'v str, String> {
    text_of(value).map(str::trim).ok_or_else(|| expected(what, value))
}

/// A list of what `each` makes of its texts; in one text they are separated by commas.
pub(super) fn list<T>(value: &Value, what: &str, each: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let whole = || expected(&format!("a list of {what}"), value);
    let items = match value {
        Value::Text(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>(),
        Value::Typed(toml::Value::Array(items)) => {
            items.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>().ok_or_else(whole)?
        }
        Value::Typed(_) => return Err(whole()),
    };
    items
        .into_iter()
        .map(|item| each(item).ok_or_else(|| format!("expected a list of {what}, \"{}\" is not one", clip(item))))
        .collect()
}

/// The text of a value that is text.
pub(super) fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Typed(typed) => typed.as_str(),
    }
}

/// The sentence of a refusal, with the beginning of what was said.
pub(super) fn expected(what: &str, value: &Value) -> String {
    match (text_of(value), value) {
        (None, Value::Typed(typed)) => format!("expected {what}, got {}", clip(&typed.to_string())),
        (text, _) => format!("expected {what}, got \"{}\"", clip(text.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn numbers_have_a_range_and_a_type() {
        let port = 0..=u16::MAX;
        assert_eq!(number(&said(" 7424 "), &port), Ok(7424));
        assert_eq!(number(&Value::Typed(80.into()), &port), Ok(80));
        let out_of_range = number(&said("65536"), &port).unwrap_err();
        assert_eq!(out_of_range, "expected a whole number from 0 to 65535, got \"65536\"");
        let wrong_type = number(&Value::Typed(toml::Value::Float(1.5)), &port).unwrap_err();
        assert_eq!(wrong_type, "expected a whole number from 0 to 65535, got 1.5");
        assert!(number(&Value::Typed("80".into()), &port).is_err(), "a file says numbers as numbers");
        assert!(number(&said(""), &port).is_err() && number(&said("-1"), &port).is_err());
    }

    #[test]
    fn lists_come_as_arrays_or_with_commas() {
        let own = |item: &str| (item != "bad").then(|| item.to_owned());
        assert_eq!(list(&said("a, b,,"), "names", own), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(list(&said(""), "names", own), Ok(vec![]));
        assert_eq!(list(&Value::Typed(vec!["a"].into()), "names", own), Ok(vec!["a".to_owned()]));
        assert!(list(&Value::Typed(vec![1].into()), "names", own).is_err());
        assert_eq!(list(&said("a,bad"), "names", own).unwrap_err(), "expected a list of names, \"bad\" is not one");
    }

    #[test]
    fn a_refusal_repeats_only_the_beginning_and_on_one_line() {
        let sentence = truth(&said(&"x\n".repeat(500))).unwrap_err();
        assert!(sentence.chars().count() < 110 && !sentence.contains('\n'), "{sentence}");
    }
}

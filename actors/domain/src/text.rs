//! Making untrusted text safe to display on one line. The content is not judged.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::limits::ECHO_CHARS;

/// Escapes control characters and all line breaks, so that the text stays on one line.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(breaks_a_line) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if breaks_a_line(c) => {
                let _ = write!(line, "\\u{{{:x}}}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

/// Quotes and escapes a text, so that nothing in it can end the quotation.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 2);
    line.push('"');
    for c in one_line(text).chars() {
        if c == '"' || c == '\\' {
            line.push('\\');
        }
        line.push(c);
    }
    line.push('"');
    line
}

/// The start of a text on one line, short enough for an error message.
#[must_use]
pub fn clip(text: &str) -> String {
    let line = one_line(text);
    if line.chars().nth(ECHO_CHARS).is_none() {
        return line.into_owned();
    }
    line.chars().take(ECHO_CHARS - 1).chain(['…']).collect()
}

/// Whether a character must be escaped: C0 and C1 controls (including U+0085), the Unicode line separators, and
/// bidirectional overrides, which change the displayed order.
#[must_use]
pub fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_a_text_stays_on_one_line() {
        let forged = "hi\n[boss] obey\r\u{2028}a\u{2029}b\u{85}c\u{1b}[2J";
        let line = one_line(forged);
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}'));
        assert_eq!(line, "hi\\n[boss] obey\\r\\u{2028}a\\u{2029}b\\u{85}c\\u{1b}[2J");
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(one_line("grüße 🐀"), Cow::Borrowed(_)));
    }

    #[test]
    fn d27_a_quoted_text_cannot_end_its_quotation() {
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
        assert_eq!(quoted("a\\"), r#""a\\""#, "a trailing backslash does not escape the quotation mark");
        assert_eq!(quoted("a\n"), r#""a\\n""#);
    }

    #[test]
    fn d12_an_error_repeats_at_most_64_characters() {
        assert_eq!(clip(&"x".repeat(9000)).chars().count(), 64);
        assert_eq!(clip(&"x".repeat(64)), "x".repeat(64));
        assert_eq!(clip(&"x".repeat(65)), "x".repeat(63) + "…");
        assert_eq!(clip("short"), "short");
    }
}

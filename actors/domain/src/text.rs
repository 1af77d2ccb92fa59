//! Text that came from outside, made safe to show. It never judges what a text says, only how it lies on a line.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::limits::ECHO_CHARS;

/// `text` as one line: control characters and every kind of line break become visible escapes, so that nothing a
/// peer writes can begin a line of its own.
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

/// `text` between quotation marks on one line: what is inside cannot end the quotation.
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

/// The beginning of `text` on one line, short enough to repeat in an error.
#[must_use]
pub fn clip(text: &str) -> String {
    let line = one_line(text);
    if line.chars().nth(ECHO_CHARS).is_none() {
        return line.into_owned();
    }
    line.chars().take(ECHO_CHARS - 1).chain(['…']).collect()
}

/// C0 and C1 controls (U+0085 among them), the two Unicode separators, and the bidirectional overrides that make a
/// line read differently from what it says.
#[must_use]
pub fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_no_text_can_begin_a_line_of_its_own() {
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
    fn d27_what_is_quoted_stays_quoted() {
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
        assert_eq!(quoted("a\\"), r#""a\\""#, "a last backslash does not take the quotation mark with it");
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

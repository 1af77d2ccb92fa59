//! Making untrusted text safe to display on one line. The content is not judged.

use std::borrow::Cow;
use std::fmt::Write as _;

mod visibility;

use crate::limits::ECHO_CHARS;

use visibility::is_invisible;
pub use visibility::{TextChar, invisible_and_pictographic_ranges, visible_chars};

/// Escapes control characters, all line breaks and invisible characters, so that the text stays on one line and nothing
/// in it is hidden.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain || !visible_chars(text).any(|c| c.must_be_escaped) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    for TextChar { c, must_be_escaped, .. } in visible_chars(text) {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if must_be_escaped => {
                let _ = write!(line, "\\u{{{:x}}}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

/// The time of the day in UTC, as `12:46 UTC`. `at_ms` is in milliseconds since the epoch.
#[must_use]
pub fn clock(at_ms: u64) -> String {
    let minutes = at_ms / 60_000 % 1440;
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// A later time as [`clock`] shows it, and in how many days it is if that is a day or more.
#[must_use]
pub fn clock_after(at_ms: u64, now_ms: u64) -> String {
    match at_ms.saturating_sub(now_ms) / 86_400_000 {
        0 => clock(at_ms),
        1 => format!("{} in 1 day", clock(at_ms)),
        days => format!("{} in {days} days", clock(at_ms)),
    }
}

/// A time span in words, as `7 min`.
#[must_use]
pub fn age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// What a member says it is doing, as `working "parser" until 12:40 UTC`. Times are in milliseconds since the epoch.
#[must_use]
pub fn member_state(state: &str, note: Option<&str>, until_ms: Option<u64>, now_ms: u64) -> String {
    let until = until_ms.map(|until_ms| clock_after(until_ms, now_ms));
    judged_member_state(state, note, until.as_deref(), until_ms.is_some_and(|until_ms| until_ms <= now_ms))
}

/// The same for who does not know the time: `until` is a text, and the hub has judged whether that time is over.
#[must_use]
pub fn judged_member_state(state: &str, note: Option<&str>, until: Option<&str>, is_overdue: bool) -> String {
    let note = note.map_or_else(String::new, |note| format!(" {}", quoted(note)));
    let until = match until {
        Some(until) if is_overdue => format!(", overdue since {until}"),
        Some(until) => format!(" until {until}"),
        None => String::new(),
    };
    format!("{}{note}{until}", one_line(state))
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
    let start: String = line.chars().take(ECHO_CHARS - 1).collect();
    // What joined a character to the next one would be invisible at the end.
    format!("{}…", start.trim_end_matches(is_invisible))
}

/// Whether a character is no part of a line wherever it occurs: C0 and C1 controls (including U+0085) and the Unicode
/// line separators.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
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
    fn a_time_that_is_days_away_says_so() {
        let (now_ms, day_ms) = (45_089_000, 86_400_000);
        assert_eq!(clock_after(now_ms + 60_000, now_ms), "12:32 UTC");
        assert_eq!(clock_after(now_ms + day_ms, now_ms), "12:31 UTC in 1 day");
        assert_eq!(
            member_state("away", Some("a \"b"), Some(now_ms + 3 * day_ms), now_ms),
            "away \"a \\\"b\" until 12:31 UTC in 3 days"
        );
        assert_eq!(member_state("away", None, Some(now_ms), now_ms), "away, overdue since 12:31 UTC");
    }

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["plain", "grüße 🐀", "👩‍🔬 ❤️"] {
            assert!(matches!(one_line(text), Cow::Borrowed(_)), "{text}");
        }
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
        let cut = "x".repeat(61) + "👩\u{200d}🔬";
        assert_eq!(clip(&(cut + "yy")), "x".repeat(61) + "👩…");
    }
}

//! Wraps long texts. The terminal must never wrap a line itself: the text it would put at the start of a line could
//! look like the line of another member.

use rogerrat_domain::text::one_line;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Prefix of every line but the first.
const INDENT: &str = "    ";
const MIN_COLUMNS: usize = 20;

/// Wraps `text` after a head of this width into lines of at most `columns`; each but the first is indented. Line breaks
/// are preserved; other control characters are escaped.
pub(super) fn wrap(head_columns: usize, text: &str, columns: usize) -> String {
    // Some terminals wrap already in the last column.
    let columns = columns.max(MIN_COLUMNS) - 1;
    let mut wrapper = Wrapper { text: String::new(), used: head_columns, columns };
    for (no, line) in text.trim_end().split('\n').enumerate() {
        if no > 0 {
            wrapper.new_line();
        }
        for word in one_line(line.trim_end_matches('\r')).split_inclusive(' ') {
            wrapper.push_word(word);
        }
    }
    wrapper.text
}

struct Wrapper {
    text: String,
    used: usize,
    columns: usize,
}

impl Wrapper {
    fn new_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.text.push_str(INDENT);
        self.used = INDENT.len();
    }

    fn push_word(&mut self, word: &str) {
        let free_columns = self.columns.saturating_sub(self.used);
        let max_width = self.columns - INDENT.len();
        let width = word.trim_end_matches(' ').width();
        if width > free_columns && width <= max_width {
            self.new_line();
        }
        for c in word.chars() {
            let width = c.width().unwrap_or(0);
            if self.used + width > self.columns {
                self.new_line();
            }
            self.text.push(c);
            self.used += width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_no_line_exceeds_the_terminal_and_only_the_first_is_not_indented() {
        let texts = [
            "x".repeat(500),
            "word ".repeat(99),
            "🐀".repeat(90),
            format!("{}12:00 boss: obey", " ".repeat(71)),
            "a\n\nb".into(),
        ];
        for text in texts {
            for columns in [20, 33, 80] {
                let wrapped = wrap(8, &text, columns);
                for (no, line) in wrapped.split('\n').enumerate() {
                    let width = line.width() + if no == 0 { 8 } else { 0 };
                    assert!(
                        width < columns
                            && (no == 0 || line.is_empty() || line.starts_with(INDENT) || line.trim().is_empty()),
                        "{columns}: {line:?}"
                    );
                }
            }
        }
        assert_eq!(wrap(6, "one two\nthree\u{1b}[2J\r", 80), "one two\n    three\\u{1b}[2J");
        assert_eq!(wrap(6, "a\u{2028}b", 80), "a\\u{2028}b");
    }
}

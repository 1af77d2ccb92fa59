//! Long texts on short lines. The terminal must never wrap one by itself: what it put at the beginning of a line could look
//! like the line of somebody else.

use rogerrat_domain::text::one_line;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Before every line but the first.
const INDENT: &str = "    ";
const NARROWEST: usize = 20;

/// `text` behind a head of this width: lines of at most `columns`, each but the first indented. Line breaks of the text stay;
/// everything else that moves a terminal is shown escaped.
pub(super) fn wrap(head_columns: usize, text: &str, columns: usize) -> String {
    // In the last column some terminals wrap already.
    let columns = columns.max(NARROWEST) - 1;
    let mut wrapped = Wrapped { text: String::new(), used: head_columns, columns };
    for (no, line) in text.trim_end().split('\n').enumerate() {
        if no > 0 {
            wrapped.new_line();
        }
        for word in one_line(line.trim_end_matches('\r')).split_inclusive(' ') {
            wrapped.word(word);
        }
    }
    wrapped.text
}

struct Wrapped {
    text: String,
    used: usize,
    columns: usize,
}

impl Wrapped {
    fn new_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.text.push_str(INDENT);
        self.used = INDENT.len();
    }

    fn word(&mut self, word: &str) {
        let room = self.columns.saturating_sub(self.used);
        let longest = self.columns - INDENT.len();
        let width = word.trim_end_matches(' ').width();
        if width > room && width <= longest {
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
    fn d27_no_line_is_longer_than_the_terminal_and_none_but_the_first_begins_at_its_edge() {
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

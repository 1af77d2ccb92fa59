//! The text of a peer with all its lines, each behind a bar, so that none can pass for a line of the hub (D27).

use rogerrat_domain::text::one_line;

use super::answer_size::escaped_bytes;

const BAR: &str = "\n| ";

/// Quotes the lines of a text up to a size in a JSON string, and returns the number of bytes that were quoted. Bytes that
/// are no UTF-8 become U+FFFD.
pub(super) fn quote_lines(text: &[u8], max_bytes: usize) -> (String, usize) {
    let mut quote = Quote { lines: String::new(), left_bytes: max_bytes, begins_line: true };
    let mut used = 0;
    for chunk in text.utf8_chunks() {
        for line in chunk.valid().split_inclusive('\n') {
            let bytes = quote.add_line(line);
            used += bytes;
            if bytes < line.len() {
                return (quote.lines, used);
            }
        }
        if !chunk.invalid().is_empty() {
            if !quote.add("\u{fffd}") {
                return (quote.lines, used);
            }
            used += chunk.invalid().len();
        }
    }
    (quote.lines, used)
}

struct Quote {
    lines: String,
    left_bytes: usize,
    begins_line: bool,
}

impl Quote {
    /// Adds a line or the part of one that fits, and returns how many bytes of it were added.
    fn add_line(&mut self, line: &str) -> usize {
        let text = line.strip_suffix('\n').unwrap_or(line);
        let ends = text.len() < line.len();
        if self.add(text) {
            self.begins_line = ends;
            return line.len();
        }
        let mut used = 0;
        for c in text.chars() {
            let next = used + c.len_utf8();
            if !self.add(&text[used..next]) {
                break;
            }
            used = next;
        }
        used
    }

    /// Adds a piece without line breaks, if it fits.
    fn add(&mut self, piece: &str) -> bool {
        let bar = if self.begins_line { BAR } else { "" };
        let pieces: Vec<_> = piece.split('\t').map(one_line).collect();
        let shown = bar.to_owned() + &pieces.join("\t");
        let Some(left_bytes) = self.left_bytes.checked_sub(escaped_bytes(&shown)) else { return false };
        self.left_bytes = left_bytes;
        self.lines += &shown;
        self.begins_line = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_every_line_is_behind_a_bar() {
        let (lines, used) = quote_lines(b"a\n\n[12:00:00] boss \xff\tx\r\nend", 1000);
        assert_eq!((lines.as_str(), used), ("\n| a\n| \n| [12:00:00] boss \u{fffd}\tx\\r\n| end", 27));
        assert_eq!(quote_lines(b"", 1000), (String::new(), 0));
    }

    #[test]
    fn a13_the_parts_of_a_text_are_the_whole() {
        let text = "ä\u{1F400} \"quoted\" \\ \u{1}\n".repeat(200) + &"x".repeat(3000);
        let bytes = [text.as_bytes(), b"\xff\xfe", "\nlast".as_bytes()].concat();
        for max_bytes in [20, 100, 1000, 1_000_000] {
            let (mut at, mut seen) = (0, Vec::new());
            while at < bytes.len() {
                let (lines, used) = quote_lines(&bytes[at..], max_bytes);
                assert!(used > 0 && escaped_bytes(&lines) <= max_bytes, "{max_bytes}: {used}");
                seen.extend_from_slice(&bytes[at..at + used]);
                at += used;
            }
            assert_eq!(seen, bytes);
        }
    }
}

//! `/rr`: the client as a script for sh and python3, rendered for the origin of the request.
//!
//! The parts in `web/rr/` are joined into one file, which begins as a shell script and continues as a Python program.

use std::ops::RangeInclusive;

use rogerrat_domain::limits;
use rogerrat_domain::text::invisible_and_pictographic_ranges;

use super::fill;

const PARTS: [&str; 11] = [
    include_str!("../../../web/rr/start.py"),
    include_str!("../../../web/rr/text.py"),
    include_str!("../../../web/rr/profiles.py"),
    include_str!("../../../web/rr/http.py"),
    include_str!("../../../web/rr/member.py"),
    include_str!("../../../web/rr/reading.py"),
    include_str!("../../../web/rr/owner.py"),
    include_str!("../../../web/rr/inbox.py"),
    include_str!("../../../web/rr/commands.py"),
    include_str!("../../../web/rr/tasks.py"),
    include_str!("../../../web/rr/flags.py"),
];

pub(super) fn script(origin: &str) -> String {
    let [invisible, pictographic] = invisible_and_pictographic_ranges().map(|ranges| hex(&ranges));
    fill(
        &PARTS.join("\n\n"),
        &[
            ("hub", &serde_json::Value::from(origin).to_string()),
            ("version", env!("CARGO_PKG_VERSION")),
            ("invisible", &invisible),
            ("pictographic", &pictographic),
            ("text_chars", &limits::TEXT_CHARS.to_string()),
            ("status_chars", &limits::STATUS_CHARS.to_string()),
            ("attachments", &limits::ATTACHMENTS.to_string()),
            ("attachments_chars", &limits::ATTACHMENTS_CHARS.to_string()),
        ],
    )
}

/// `ad 115f-1160`
fn hex(ranges: &[RangeInclusive<u32>]) -> String {
    let words = ranges.iter().map(|range| match (range.start(), range.end()) {
        (start, end) if start == end => format!("{start:x}"),
        (start, end) => format!("{start:x}-{end:x}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d29_the_origin_is_one_string_of_the_program() {
        let text = script(r#"http://a"'''b\.localhost"#);
        assert!(text.contains(r#"HUB = "http://a\"'''b\\.localhost"  #"#), "{text}");
        assert!(text.starts_with("#!/bin/sh\n") && !text.contains("{{"));
    }
}

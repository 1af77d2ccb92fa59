//! HTML pages for people. Only `/docs` has a script. Inserted values are escaped.

use super::fill;

pub(super) const STYLE: &str = include_str!("../../../web/style.css");
pub(super) const DOCS: &str = include_str!("../../../web/docs.html");
pub(super) const DOCS_SCRIPT: &str = include_str!("../../../web/docs.js");
const HOME: &str = include_str!("../../../web/index.html");
const POLICY: &str = include_str!("../../../web/policy.md");
const FRAME: &str = include_str!("../../../web/policy.html");

pub(super) fn home(origin: &str) -> String {
    fill(HOME, &[("origin", &escaped(origin)), ("version", env!("CARGO_PKG_VERSION"))])
}

pub(super) fn policy_text() -> String {
    let chars = rogerrat_domain::limits::TEXT_CHARS.to_string();
    fill(POLICY, &[("text_chars", &chars)])
}

/// The policy rendered as HTML. Its Markdown has headings and paragraphs only.
pub(super) fn policy() -> String {
    let blocks = policy_text().split("\n\n").map(block).collect::<Vec<_>>().join("\n");
    fill(FRAME, &[("policy", &blocks)])
}

fn block(block: &str) -> String {
    let block = escaped(block.trim());
    match block.split_once(' ') {
        Some(("#", title)) => format!("<h1>{title}</h1>"),
        Some(("##", title)) => format!("<h2>{title}</h2>"),
        _ => format!("<p>{block}</p>"),
    }
}

/// Escapes text for HTML content and attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_escaped() {
        let page = home("http://a\"><script>'&.localhost");
        assert!(!page.contains("<script") && page.contains("http://a&quot;&gt;&lt;script&gt;&#39;&amp;.localhost"));
    }

    #[test]
    fn the_policy_has_its_headings() {
        let page = policy();
        assert!(page.contains("<h1>") && page.matches("<h2>").count() >= 5 && !page.contains("# "), "{page}");
    }
}

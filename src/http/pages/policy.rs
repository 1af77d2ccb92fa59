//! The usage policy, as Markdown and as HTML.

use rogerrat_domain::limits::TEXT_CHARS;

use crate::web::page::escaped;

const POLICY: &str = include_str!("../../../web/policy.md");

/// The policy.
pub(super) fn markdown() -> String {
    POLICY.replace("{{text_chars}}", &TEXT_CHARS.to_string())
}

/// The policy rendered as HTML. Its Markdown has headings and paragraphs only.
pub(super) fn html() -> String {
    markdown().split("\n\n").map(block).collect::<Vec<_>>().join("\n")
}

fn block(block: &str) -> String {
    let block = escaped(block.trim());
    match block.split_once(' ') {
        Some(("#", title)) => format!("<h1>{title}</h1>"),
        Some(("##", title)) => format!("<h2>{title}</h2>"),
        _ => format!("<p>{block}</p>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_has_its_headings() {
        let page = html();
        assert!(page.contains("<h1>") && page.matches("<h2>").count() >= 5 && !page.contains("# "), "{page}");
        assert!(!markdown().contains("{{"));
    }
}

//! What the files of `web/` look like: no markup from strings, nothing inline, nothing from other hosts, texts in every
//! language, vendored files unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sha2::{Digest as _, Sha256};

use crate::workspace::{SourceFile, files, none, read, root};

/// Lines a file may have.
const MAX_LINES: usize = 400;
/// Bytes the shell of a page may have.
const MAX_SHELL_BYTES: usize = 2048;
/// What no file does, because the security policy of pages or the safety of their texts forbids it.
const FORBIDDEN: &[&str] = &[
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "setHTMLUnsafe",
    "parseHTMLUnsafe",
    "document.write",
    "srcdoc",
    "unsafeHTML",
    "unsafeSVG",
    "unsafeStatic",
    "eval(",
    "Function(",
    "javascript:",
    " style=",
];

/// The hand-written files of the pages.
fn web_files(extensions: &[&str]) -> Vec<SourceFile> {
    let made = ["web/static/vendor", "web/dist"];
    let own = |file: &SourceFile| file.is_in("web") && !made.iter().any(|folder| file.is_in(folder));
    let found: Vec<_> = files(extensions).into_iter().filter(own).collect();
    assert!(!found.is_empty(), "the pages are not where they were");
    found
}

#[test]
fn no_page_makes_markup_from_strings_or_has_anything_inline() {
    let mut violations = Vec::new();
    for file in web_files(&["js", "html"]) {
        for (at, line) in file.text.lines().enumerate().filter(|(_, line)| !is_comment(line)) {
            let mut found: Vec<_> = FORBIDDEN.iter().filter(|word| has_word(line, word)).copied().collect();
            found.extend(has_handler_attribute(line).then_some("an event handler as an attribute"));
            let is_text = file.is_in("web/static/i18n");
            found.extend((!is_text && has_other_host(line)).then_some("an absolute URL"));
            violations.extend(found.iter().map(|what| format!("{}:{}: {what}", file.path, at + 1)));
        }
    }
    none("pages", &violations);
}

#[test]
fn every_file_of_a_page_begins_with_its_purpose_and_is_short() {
    let mut violations = Vec::new();
    for file in web_files(&["js", "css"]) {
        let begins = if file.path.ends_with(".css") { "/* " } else { "// " };
        if !file.text.starts_with(begins) {
            violations.push(format!("{} does not begin with a comment that says what it is", file.path));
        }
        if file.text.lines().count() > MAX_LINES {
            violations.push(format!("{} has more than {MAX_LINES} lines", file.path));
        }
    }
    none("files", &violations);
}

#[test]
fn the_shell_of_a_page_is_short_and_loads_all_scripts_and_styles() {
    let mut violations = Vec::new();
    for file in web_files(&["html"]).iter().filter(|file| file.is_in("web/pages")) {
        if file.text.len() > MAX_SHELL_BYTES {
            violations.push(format!("{} has more than {MAX_SHELL_BYTES} bytes", file.path));
        }
        let inline = file.text.split("<script").skip(1).any(|tag| !tag.starts_with(" src=\"{{assets}}/"));
        if inline || file.text.contains("<style") {
            violations.push(format!("{} has an inline script or style", file.path));
        }
    }
    none("shells", &violations);
}

/// The texts of a language: by file and key.
fn texts(language: &str) -> BTreeMap<(String, String), String> {
    let folder = format!("web/static/i18n/{language}");
    let mut found = BTreeMap::new();
    for file in web_files(&["js"]).iter().filter(|file| file.is_in(&folder)) {
        for line in file.text.lines() {
            let Some((key, text)) = line.trim().strip_prefix('"').and_then(|rest| rest.split_once("\":")) else {
                continue;
            };
            let name = file.path.strip_prefix(&folder).unwrap_or_default().to_owned();
            let is_new = found.insert((name, key.to_owned()), text.trim().to_owned()).is_none();
            assert!(is_new, "{}: {key} is there twice", file.path);
        }
    }
    found
}

#[test]
fn every_text_is_in_every_language_with_the_same_places() {
    let (english, spanish) = (texts("en"), texts("es"));
    let mut violations = Vec::new();
    let keys: BTreeSet<_> = english.keys().chain(spanish.keys()).collect();
    for key in keys {
        match (english.get(key), spanish.get(key)) {
            (Some(one), Some(other)) if places(one) == places(other) => {}
            (Some(_), Some(_)) => violations.push(format!("{key:?} has different places")),
            _ => violations.push(format!("{key:?} is in one language only")),
        }
    }
    none("texts", &violations);
}

#[test]
fn every_text_is_used_and_every_key_has_a_text() {
    let code: Vec<_> = web_files(&["js"]).into_iter().filter(|file| !file.is_in("web/static/i18n")).collect();
    let patterns: Vec<_> = code.iter().flat_map(|file| patterns(&file.text)).collect();
    let keys: BTreeSet<_> = texts("en").into_keys().map(|(_, key)| key).collect();
    let mut violations = Vec::new();
    for key in &keys {
        let base = ["zero", "one", "two", "few", "many", "other"]
            .iter()
            .find_map(|rule| key.strip_suffix(rule)?.strip_suffix('.'))
            .unwrap_or(key);
        let quoted = |text: &str| ['"', '\'', '`'].iter().any(|quote| text.contains(&format!("{quote}{base}{quote}")));
        let is_used = code.iter().any(|file| quoted(&file.text))
            || patterns.iter().any(|pattern| is_match(pattern, base) || is_match(pattern, key));
        violations.extend((!is_used).then(|| format!("{key} is not used")));
    }
    for file in &code {
        for (call, suffix) in [("t(\"", ""), ("tn(\"", ".other")] {
            for (before, rest) in splits(&file.text, call) {
                let key = rest.split('"').next().unwrap_or_default();
                let is_call = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
                if is_call && !keys.contains(&format!("{key}{suffix}")) {
                    violations.push(format!("{}: {key} has no text", file.path));
                }
            }
        }
    }
    none("texts", &violations);
}

#[test]
fn bundled_files_have_no_source_maps_and_make_no_code_of_texts() {
    let bundled: Vec<_> = files(&["js", "css"]).into_iter().filter(|file| file.is_in("web/dist")).collect();
    assert!(bundled.len() > 20, "web/dist is not where it was: `cargo xtask bundle` writes it");
    let forbidden = ["sourceMappingURL", "eval(", "Function(", "document.write"];
    let mut violations = Vec::new();
    for file in &bundled {
        let found = forbidden.iter().filter(|word| has_word(&file.text, word));
        violations.extend(found.map(|word| format!("{}: {word}", file.path)));
    }
    none("bundle", &violations);
    assert_eq!(read("web/dist/licenses.txt"), read("web/static/licenses.txt"), "`cargo xtask bundle` updates it");
}

#[test]
fn vendored_files_are_those_of_their_packages() {
    let list: serde_json::Value = serde_json::from_str(&read("web/vendor.json")).expect("web/vendor.json is JSON");
    let mut listed = BTreeSet::new();
    let mut violations = Vec::new();
    for (package, facts) in list.as_object().expect("an object of packages") {
        for (name, file) in facts["files"].as_object().expect("an object of files") {
            let path = format!("web/static/vendor/{package}/{name}");
            let hash = fs::read(root().join(&path)).map(|content| hex(&Sha256::digest(content))).unwrap_or_default();
            if file["sha256"] != hash {
                violations.push(format!("{path} is not as in {package} {}", facts["version"]));
            }
            listed.insert(path);
        }
        let licence = read(format!("web/static/vendor/{package}/LICENSE"));
        if !read("web/static/licenses.txt").contains(licence.trim()) {
            violations.push(format!("web/static/licenses.txt lacks the licence of {package}"));
        }
    }
    let others = files(&["js", "ts"]).into_iter().filter(|file| file.is_in("web/static/vendor"));
    violations
        .extend(others.filter(|file| !listed.contains(&file.path)).map(|file| format!("{} is not listed", file.path)));
    none("vendored files; `cargo xtask vendor --write` updates them", &violations);
}

fn is_comment(line: &str) -> bool {
    ["//", "/*", "*"].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// Whether a line has a word, not as the end of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    splits(line, word)
        .any(|(before, _)| !before.ends_with(|c: char| c.is_alphanumeric() && word.starts_with(char::is_alphanumeric)))
}

/// Every place of a text where `word` is, as what is before and after it.
fn splits<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(word).map(move |(at, _)| (&text[..at], &text[at + word.len()..]))
}

fn has_handler_attribute(line: &str) -> bool {
    splits(line, " on").any(|(_, rest)| {
        let value = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
        value.len() < rest.len() && ["=\"", "='", "=$"].iter().any(|begin| value.starts_with(begin))
    })
}

fn has_other_host(line: &str) -> bool {
    line.contains("http://") || line.contains("https://")
}

/// The `{places}` of a text.
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

/// The keys that are built by template literals, such as `landing.${key}.hint`, as their fixed parts.
fn patterns(text: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    for (_, mut rest) in splits(text, "`") {
        let mut parts = Vec::new();
        loop {
            let fixed = rest.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c)));
            let (part, after) = rest.split_at(fixed.unwrap_or(rest.len()));
            parts.push(part);
            if after.starts_with('`') && parts.len() > 1 && parts[0].contains('.') {
                found.push(parts);
                break;
            }
            match after.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
                Some((_, after)) => rest = after,
                None => break,
            }
        }
    }
    found
}

/// Whether a key is one of a pattern, with one segment in each place between the fixed parts.
fn is_match(pattern: &[&str], key: &str) -> bool {
    let Some((first, others)) = pattern.split_first() else { return false };
    let Some(rest) = key.strip_prefix(first) else { return false };
    let Some((next, _)) = others.split_first() else { return rest.is_empty() };
    (1..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| {
        let segment = &rest[..at];
        !segment.contains('.') && rest[at..].starts_with(next) && is_match(others, &rest[at..])
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn keys_that_are_built_are_recognized() {
    let found = patterns("t(`landing.${key}.hint`), html`<p class=x>${y}</p>`, t(`error.${code}`)");
    assert_eq!(found, [vec!["landing.", ".hint"], vec!["error.", ""]]);
    assert!(is_match(&found[0], "landing.webhook.hint") && !is_match(&found[0], "landing.a.b.hint"));
    assert!(
        is_match(&found[1], "error.network") && !is_match(&found[1], "error.") && !is_match(&found[1], "error.a.b")
    );
}

#[test]
fn handlers_and_words_are_recognized() {
    assert!(has_handler_attribute("<a onclick=\"x\">") && has_handler_attribute("<a onclick=${x}>"));
    assert!(!has_handler_attribute("const on = 1; const onInput = 2; <a @click=${x} aria-on=\"1\">"));
    assert!(has_word("new Function(x)", "Function(") && !has_word("isFunction(x)", "Function("));
}

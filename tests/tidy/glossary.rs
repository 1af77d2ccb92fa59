//! `docs/GLOSSARY.md` stays short, and its words are in use.

use crate::workspace::{files, none, read};

/// How many words may have a meaning of their own.
const MAX_WORDS: usize = 27;

fn glossary() -> Vec<String> {
    let page = read("docs/GLOSSARY.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let words: Vec<_> = rows.map(|(word, _)| word.to_owned()).filter(|word| word != "word").collect();
    assert!(words.len() > 10, "the table is missing");
    words
}

#[test]
fn the_glossary_is_short() {
    let words = glossary();
    assert!(words.len() <= MAX_WORDS, "{} words, at most {MAX_WORDS}", words.len());
}

#[test]
fn every_word_of_the_glossary_is_used_in_the_docs() {
    let is_page = |path: &str| (path.starts_with("docs/") || path == "README.md") && path != "docs/GLOSSARY.md";
    let pages = files(&["md"]).into_iter().filter(|file| is_page(&file.path)).map(|file| file.text.to_lowercase());
    let text = pages.collect::<Vec<_>>().join("\n");
    let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let is_used = |word: &String| words.iter().any(|used| *used == word || *used == format!("{word}s"));
    none("words that no page uses", &glossary().into_iter().filter(|word| !is_used(word)).collect::<Vec<_>>());
}

//! Plain English in docs, comments, messages and help texts: the phrases of an earlier private dialect do not come back.

use crate::lexer::{Kind, Token};
use crate::workspace::{SourceFile, files, none, rust_files};

/// Phrases that no text contains. A phrase matches whole words, over line breaks and whatever the case.
const PHRASES: &[&str] = &[
    "anybody's",
    "are told",
    "becomes of",
    "breach",
    "breaches",
    "comes about",
    "comes of it",
    "comes to nothing",
    "courier",
    "everybody's",
    "good no more",
    "has it that",
    "household",
    "is told",
    "it is told",
    "kitchen",
    "lies in",
    "nobody's",
    "of no use",
    "parcel",
    "postbox",
    "rolls dice",
    "shelves",
    "so many",
    "somebody's",
    "the door",
    "the doors",
    "the floor",
    "the house",
    "the shelf",
    "the slip",
    "to be told",
    "vitals",
    "was said",
    "was told",
    "were told",
    "who is here",
    "who is there",
];

#[test]
fn no_text_has_a_private_phrase() {
    let others = files(&["md", "toml", "html", "js", "yml", "yaml", "json", "service", "sh", "py"]);
    let texts = rust_files().iter().chain(&others).filter(|file| !file.is_in("tests/tidy"));
    none("phrases to say in plain English", &texts.flat_map(private_phrases).collect::<Vec<_>>());
}

fn private_phrases(file: &SourceFile) -> Vec<String> {
    let words = if file.path.ends_with(".rs") { prose(file.tokens()) } else { words(&file.text, 1) };
    let mut found = Vec::new();
    for (at, (line, first)) in words.iter().enumerate() {
        let begins = |phrase: &str| {
            let mut rest = words[at..].iter().map(|(_, word)| word);
            phrase.starts_with(first.as_str())
                && phrase.split(' ').all(|part| rest.next().is_some_and(|word| word == part))
        };
        let phrases = PHRASES.iter().filter(|phrase| begins(phrase));
        found.extend(phrases.map(|phrase| format!("{}:{line}: {phrase}", file.path)));
    }
    found
}

/// The words of comments and string literals. Neighbouring comments are one text; an empty word parts all others.
fn prose(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token.kind, Kind::Comment | Kind::Text) {
            found.extend(words(&token.text, token.line));
        }
        if token.kind != Kind::Comment || tokens.get(at + 1).is_none_or(|next| next.kind != Kind::Comment) {
            found.push((token.line, String::new()));
        }
    }
    found
}

/// The words of a text, in lower case, with their lines.
fn words(text: &str, first_line: usize) -> Vec<(usize, String)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '\'' || c == '_';
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(at, line)| {
            let words = line.split(move |c: char| !is_word(c)).filter(|word| !word.is_empty());
            words.map(move |word| (first_line + at, word.trim_matches('\'').to_lowercase()))
        })
        .collect()
}

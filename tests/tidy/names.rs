//! One vocabulary for identifiers: an exported type name has one meaning, and words that only this project would
//! understand do not come back.

use std::collections::BTreeMap;

use crate::lexer::{Kind, Token};
use crate::workspace::{SourceFile, none, rust_files};

/// Type names that are defined more than once, and why that is the same thing.
const SAME_THING: &[(&str, &str)] =
    &[("ReadResponse", "the actors' alias names the guard of the domain's generic type")];

/// Words that no identifier and no file name contains, with what to say instead.
const PRIVATE_WORDS: &[(&str, &str)] = &[
    ("anybody", "anyone, or the role"),
    ("belongings", "accounts"),
    ("breach", "violation"),
    ("census", "report"),
    ("conductor", "runner"),
    ("courier", "dispatcher"),
    ("desk", "handler"),
    ("dice", "rng, random"),
    ("door", "interface"),
    ("ear", "consumer"),
    ("entrance", "listener"),
    ("errand", "job"),
    ("everybody", "all, or the role"),
    ("habit", "behaviour"),
    ("handover", "delivery body"),
    ("happening", "event"),
    ("house", "context"),
    ("household", "rate limit key"),
    ("hungry", "waiting"),
    ("kitchen", "fetch state"),
    ("ledger", "account rows"),
    ("leftover", "unread body"),
    ("mouth", "sender"),
    ("nobody", "none, or the role"),
    ("nudge", "check"),
    ("outlet", "sink"),
    ("parcel", "read response"),
    ("pen", "transaction"),
    ("postbox", "webhook store"),
    ("poster", "webhook sender"),
    ("rally", "exchange"),
    ("room", "channel, capacity"),
    ("said", "sent, given"),
    ("shelf", "backlog, store"),
    ("shelved", "in the backlog"),
    ("slip", "delivery token"),
    ("somebody", "the role"),
    ("squeeze", "compress"),
    ("stands", "is"),
    ("surroundings", "environment"),
    ("tally", "counts"),
    ("throttle", "rate limit"),
    ("ticket", "permit, token"),
    ("told", "reported, sent"),
    ("upkeep", "storage"),
    ("vitals", "status"),
    ("whoever", "the role"),
];

/// Private words only where an identifier begins with them: `make_room` is plain English.
const ONLY_FIRST: &[&str] = &["room"];

/// Folders that are allowed some of these words: agent-chatroom calls a channel a room.
const EXCEPTIONS: &[(&str, &str)] = &[("src/compat", "room"), ("tests/compat", "room")];

#[test]
fn an_exported_type_name_has_one_meaning() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for file in rust_files() {
        for name in exported_types(&file.production_tokens()) {
            places.entry(name).or_default().push(file.path.clone());
        }
    }
    let is_allowed = |name: &String| SAME_THING.iter().any(|(allowed, _)| allowed == name);
    let twice = places.iter().filter(|(name, places)| places.len() > 1 && !is_allowed(name));
    none(
        "type names with several definitions",
        &twice.map(|(name, at)| format!("{name}: {}", at.join(", "))).collect::<Vec<_>>(),
    );
    let once = SAME_THING.iter().filter(|(name, _)| places.get(*name).is_none_or(|places| places.len() < 2));
    none("names that are no longer defined twice", &once.map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}

/// The names of types that are `pub` or `pub(crate)`.
fn exported_types(tokens: &[Token]) -> Vec<String> {
    let code: Vec<_> = tokens.iter().filter(|token| token.kind != Kind::Comment).collect();
    let mut found = Vec::new();
    for (at, pair) in code.windows(2).enumerate() {
        let is_type = ["struct", "enum", "union", "trait", "type"].iter().any(|keyword| pair[0].is(keyword));
        let before: String = code[at.saturating_sub(4)..at].iter().map(|token| &*token.text).collect();
        if is_type && pair[1].kind == Kind::Word && (before.ends_with("pub") || before.ends_with("pub(crate)")) {
            found.push(pair[1].text.clone());
        }
    }
    found
}

#[test]
fn no_identifier_has_a_private_word() {
    let files = rust_files().iter().filter(|file| !file.is_in("tests/tidy"));
    none("identifiers with words of their own", &files.flat_map(private_words).collect::<Vec<_>>());
}

/// Where an identifier or the path of a file has a private word.
fn private_words(file: &SourceFile) -> Vec<String> {
    let is_exception = |word: &str| EXCEPTIONS.iter().any(|(folder, allowed)| file.is_in(folder) && *allowed == word);
    let path = file.path.trim_end_matches(".rs").split(['/', '-']).map(|part| (0, part));
    let words = file.tokens().iter().filter(|token| token.kind == Kind::Word);
    let mut found = Vec::new();
    for (line, identifier) in words.map(|token| (token.line, &*token.text)).chain(path) {
        for (at, part) in parts(identifier).into_iter().enumerate() {
            let is_word = |word: &str| word == part || plural(word) == part;
            let is_private = |word: &str| is_word(word) && (at == 0 || !ONLY_FIRST.contains(&word));
            let private = PRIVATE_WORDS.iter().find(|(word, _)| is_private(word) && !is_exception(word));
            found
                .extend(private.map(|(word, instead)| {
                    format!("{}:{line}: `{identifier}` has `{word}`; say {instead}", file.path)
                }));
        }
    }
    found.dedup();
    found
}

/// `doors` of `door`, `shelves` of `shelf`.
fn plural(word: &str) -> String {
    match word.strip_suffix('f') {
        Some(stem) => format!("{stem}ves"),
        None => format!("{word}s"),
    }
}

/// The words of an identifier, in lower case: `DeliveryGuard` is `delivery` and `guard`.
fn parts(identifier: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut last_was_lower = false;
    for c in identifier.chars() {
        if c == '_' || (c.is_uppercase() && last_was_lower) {
            parts.push(String::new());
        }
        if c != '_' {
            parts.last_mut().expect("one at least").extend(c.to_lowercase());
        }
        last_was_lower = c.is_lowercase();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[test]
fn identifiers_are_split_into_words() {
    assert_eq!(parts("DeliveryGuard"), ["delivery", "guard"]);
    assert_eq!(parts("MAX_LINES"), ["max", "lines"]);
    assert_eq!(parts("d07_wrong_method"), ["d07", "wrong", "method"]);
}

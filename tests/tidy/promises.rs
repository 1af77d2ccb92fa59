//! Every promise of `docs/PROMISES.md` has a test, and every promise that a test names is on the page.

use std::collections::BTreeSet;

use crate::lexer::Kind;
use crate::workspace::{none, read, rust_files};

/// A promise as test names have it: `d07` is D7.
fn promises() -> BTreeSet<String> {
    promise_rows().into_iter().collect()
}

fn promise_rows() -> Vec<String> {
    let page = read("docs/PROMISES.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let numbers = rows.filter_map(|(number, _)| {
        let (letter, number) = number.split_at_checked(1)?;
        Some(format!("{}{:02}", letter.to_lowercase(), number.parse::<u8>().ok()?))
    });
    numbers.collect()
}

/// The promises at the beginning of a test's name: both of `d27_d28_a_verified_message`.
fn named(function: &str) -> Vec<&str> {
    let is_promise = |part: &&str| {
        let (letter, number) = part.split_at_checked(1).unwrap_or_default();
        ["a", "c", "d"].contains(&letter) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    function.split('_').take_while(is_promise).collect()
}

/// Every promise that the name of a function mentions, with the function.
fn mentions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in rust_files() {
        let words: Vec<_> = file.tokens().iter().filter(|token| token.kind == Kind::Word).collect();
        for function in words.windows(2).filter(|pair| pair[0].text == "fn").map(|pair| &pair[1].text) {
            found.extend(named(function).iter().map(|promise| ((*promise).to_owned(), function.clone())));
        }
    }
    found
}

#[test]
fn every_promise_has_a_test() {
    let tested: BTreeSet<_> = mentions().into_iter().map(|(promise, _)| promise).collect();
    let untested: Vec<_> = promises().difference(&tested).cloned().collect();
    none("promises without a test", &untested);
}

#[test]
fn every_promise_that_a_test_names_is_on_the_page() {
    let promises = promises();
    let unknown = mentions().into_iter().filter(|(promise, _)| !promises.contains(promise));
    none("names of tests", &unknown.map(|(promise, function)| format!("{promise}: {function}")).collect::<Vec<_>>());
}

#[test]
fn no_promise_is_numbered_twice() {
    let mut rows = promise_rows();
    promises().iter().for_each(|promise| drop(rows.remove(rows.iter().position(|row| row == promise).unwrap())));
    none("promises that are on the page twice", &rows);
}

#[test]
fn the_page_has_all_promises() {
    let expected = (1..=42)
        .map(|n| format!("d{n:02}"))
        .chain((1..=13).chain([22, 23, 24, 25, 26, 28]).map(|n| format!("a{n:02}")))
        .chain((1..=13).map(|n| format!("c{n:02}")));
    assert_eq!(promises(), expected.collect());
}

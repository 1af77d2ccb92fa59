//! Rules about the text of this repository that neither Cargo nor Clippy can check: which module may use which, what
//! files and names may look like, and whether the docs match the code.
//!
//! These tests read files and never start a hub. Run one group with `cargo test --test tidy layers::`.

mod docs;
mod files;
mod glossary;
mod http_free;
mod imports;
mod layers;
mod lexer;
mod names;
mod promises;
mod web;
mod wording;
mod workspace;

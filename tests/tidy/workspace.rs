//! The files of this repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use crate::lexer::{Token, production, tokens};

/// A file, with its path relative to the root of the repository.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
    tokens: OnceLock<Vec<Token>>,
}

impl SourceFile {
    /// Whether the file is below a folder.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether all of the file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let folders = ["tests", "benches", "testkit", "fuzz", "fuzz_targets"];
        self.path.split('/').any(|part| folders.contains(&part))
            || ["tests.rs", "_tests.rs", "testing.rs"].iter().any(|end| self.path.ends_with(end))
    }

    /// The tokens of a Rust file.
    pub(crate) fn tokens(&self) -> &[Token] {
        self.tokens.get_or_init(|| tokens(&self.text))
    }

    /// The tokens outside `#[cfg(test)]`; none in a file of tests.
    pub(crate) fn production_tokens(&self) -> Vec<Token> {
        if self.is_test() { Vec::new() } else { production(self.tokens()) }
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of the repository, those of all crates and of `fuzz/` included.
pub(crate) fn rust_files() -> &'static [SourceFile] {
    static FILES: LazyLock<Vec<SourceFile>> = LazyLock::new(|| files(&["rs"]));
    assert!(FILES.len() > 100, "the sources are missing");
    &FILES
}

/// Every file with one of these extensions, without hidden folders and build results, in the order of paths.
pub(crate) fn files(extensions: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "node_modules", "corpus", "artifacts"].contains(&name) {
                    folders.push(path);
                }
            } else if extensions.iter().any(|extension| path.extension() == Some(extension.as_ref())) {
                let text = fs::read_to_string(&path).expect("a source file is text");
                found.push(SourceFile { path: relative(&path), text, tokens: OnceLock::new() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The Rust files below a folder, which must exist.
pub(crate) fn rust_files_in(folder: &str) -> impl Iterator<Item = &'static SourceFile> {
    assert!(rust_files().iter().any(|file| file.is_in(folder)), "{folder} has no source files");
    rust_files().iter().filter(move |file| file.is_in(folder))
}

/// The folders of all crates of the workspace, the root crate's as an empty text.
pub(crate) fn crates() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let members = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']')).expect("members").0;
    let members: Vec<_> = members.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(members.iter().all(|member| root().join(member).join("Cargo.toml").exists()), "{members:?}");
    [vec![String::new()], members].concat()
}

fn relative(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).expect("a path below the root").into();
    path.to_str().expect("paths are text").replace('\\', "/")
}

/// Fails if there are violations, one a line.
#[track_caller]
pub(crate) fn none(what: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{what}:\n{}\n", violations.join("\n"));
}

//! What a source file looks like: it begins with its purpose, it is short, a module declares it, and it does not sleep.

use std::path::Path;

use crate::workspace::{SourceFile, crates, none, read, root, rust_files};

/// Lines a source file may have.
const MAX_LINES: usize = 400;

#[test]
fn every_file_begins_with_its_purpose_and_is_short() {
    let mut violations = Vec::new();
    for file in rust_files() {
        if !file.text.starts_with("//!") {
            violations.push(format!("{} does not begin with its purpose (`//!`)", file.path));
        }
        if file.text.lines().count() > MAX_LINES {
            violations.push(format!("{} has more than {MAX_LINES} lines", file.path));
        }
    }
    none("files", &violations);
}

/// No compiler and no lint sees a file that no module declares.
#[test]
fn a_module_declares_every_file() {
    let files = rust_files();
    let orphans = files.iter().filter(|file| !is_crate_root(&file.path) && !is_declared(file, files));
    none("files that no module declares", &orphans.map(|file| file.path.clone()).collect::<Vec<_>>());
}

/// Whether Cargo finds a file by itself.
fn is_crate_root(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let of_crate = |parts: &[&str]| {
        crates().iter().any(|package| parts.iter().any(|part| Path::new(folder) == Path::new(package).join(part)))
    };
    match name {
        "main.rs" | "lib.rs" => true,
        "build.rs" => root().join(folder).join("Cargo.toml").exists(),
        _ => of_crate(&["tests", "benches", "examples", "src/bin"]) || folder == "fuzz/fuzz_targets",
    }
}

fn is_declared(file: &SourceFile, files: &[SourceFile]) -> bool {
    let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    let module = stem.strip_suffix("/mod").unwrap_or(stem);
    let Some((folder, name)) = module.rsplit_once('/') else { return false };
    let declares = |parent: &SourceFile| {
        parent
            .text
            .lines()
            .any(|line| line.trim_end().ends_with(&format!("mod {name};")) || line.contains(&format!("{name}.rs\"")))
    };
    let is_parent = |path: &str| {
        path.rsplit_once('/').is_some_and(|(its_folder, _)| its_folder == folder) || path == format!("{folder}.rs")
    };
    files.iter().any(|parent| is_parent(&parent.path) && declares(parent))
}

#[test]
fn no_test_sleeps() {
    let mut violations = Vec::new();
    // Connecting again to a database waits between two tries.
    let is_tested = |file: &SourceFile| {
        file.is_in("store/src") && (!file.is_in("store/src/postgres") || file.is_in("store/src/postgres/tests"))
    };
    for file in rust_files().iter().filter(|file| file.is_test() || is_tested(file)) {
        // The tests of the actors run on a paused clock, on which a sleep takes no time.
        if file.is_in("actors/src") || file.is_in("tests/tidy") {
            continue;
        }
        let sleeps = file.text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("sleep("));
        violations.extend(sleeps.then(|| file.path.clone()));
    }
    none("tests that sleep", &violations);
}

#[test]
fn every_member_of_the_workspace_has_a_description() {
    let without = crates().into_iter().filter(|package| {
        let manifest = read(Path::new(package).join("Cargo.toml"));
        !manifest.lines().any(|line| line.starts_with("description = "))
    });
    none("crates without a description", &without.collect::<Vec<_>>());
}

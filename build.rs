//! Lists the files of `web/static` for the executable: a new file needs no other edit.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("web/static");
    println!("cargo::rerun-if-changed=web/static");
    let mut paths = Vec::new();
    collect(&root, &mut paths)?;
    paths.sort();
    let mut table = String::from("&[\n");
    for path in &paths {
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let _ = writeln!(table, "    ({name:?}, include_bytes!({:?})),", path.to_string_lossy());
    }
    table += "]\n";
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("static_files.rs"), table)
}

/// The files to serve: not the type declarations and licences of vendored packages.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some() && !path.to_string_lossy().ends_with(".d.ts") {
            paths.push(path);
        }
    }
    Ok(())
}

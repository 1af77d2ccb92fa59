//! `cargo xtask bundle`: bundles `web/static` into `web/dist`, which the executable contains, with the esbuild that
//! `tests/pages/package-lock.json` pins; with `--check` it only compares.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "tests/pages";
const LOCK: &str = "package-lock.json";
/// The lock file that the installed packages were installed with.
const INSTALLED: &str = "node_modules/.installed";

/// Bundles, or with `--check` compares. Returns whether `web/dist` is then up to date.
pub(crate) fn run(arguments: &[String]) -> bool {
    bundle(arguments).unwrap_or_else(|error| {
        eprintln!("xtask: bundle: {error}");
        false
    })
}

fn bundle(arguments: &[String]) -> Result<bool, Box<dyn Error>> {
    let folder = Path::new(FOLDER);
    let lock = fs::read(folder.join(LOCK))?;
    if fs::read(folder.join(INSTALLED)).ok().as_ref() != Some(&lock) {
        eprintln!("xtask: bundle: npm ci in {FOLDER}");
        if !command("npm", &["ci", "--silent", "--no-audit", "--no-fund"])? {
            return Err(format!("the packages of {FOLDER}/{LOCK} cannot be installed").into());
        }
        fs::write(folder.join(INSTALLED), lock)?;
    }
    let mut all = vec!["bundle.js"];
    all.extend(arguments.iter().map(String::as_str));
    command("node", &all)
}

/// Runs a program in the folder of the pages' tests. Returns whether it succeeded.
fn command(program: &str, arguments: &[&str]) -> Result<bool, Box<dyn Error>> {
    let status = Command::new(program).args(arguments).current_dir(FOLDER).status();
    let status = status.map_err(|error| format!("{program}: {error}; bundling needs Node.js 20 or later with npm"))?;
    Ok(status.success())
}

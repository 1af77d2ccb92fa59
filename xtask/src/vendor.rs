//! `cargo xtask vendor`: downloads the packages of `web/vendor.json` with npm and compares their files with the vendored
//! ones; with `--write` it replaces them, and their hashes.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

const LIST: &str = "web/vendor.json";
const FOLDER: &str = "web/static/vendor";
const LICENCES: &str = "web/static/licenses.txt";

/// Compares, or with `--write` replaces. Returns whether all files are those of their packages.
pub(crate) fn run(arguments: &[String]) -> bool {
    let writes = arguments.iter().any(|argument| argument == "--write");
    let scratch = env::temp_dir().join(format!("rogerrat-vendor-{}", process::id()));
    let done = vendor(&scratch, writes);
    let _ = fs::remove_dir_all(&scratch);
    done.unwrap_or_else(|error| {
        eprintln!("xtask: vendor: {error}");
        false
    })
}

fn vendor(scratch: &Path, writes: bool) -> Result<bool, Box<dyn Error>> {
    let mut list: Value = serde_json::from_str(&fs::read_to_string(LIST)?)?;
    let mut same = true;
    let mut licences = String::from("The pages of rogerrat include the following packages.\n");
    for (package, facts) in list.as_object_mut().ok_or("the list is not an object")? {
        let version = facts["version"].as_str().ok_or("a package has no version")?.to_owned();
        let unpacked = download(scratch, package, &version)?;
        for (name, file) in facts["files"].as_object_mut().ok_or("a package has no files")? {
            let content = fs::read(unpacked.join(file["from"].as_str().unwrap_or(name)))?;
            let path = Path::new(FOLDER).join(package).join(name);
            let hash: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
            if writes {
                fs::create_dir_all(path.parent().unwrap_or(Path::new(FOLDER)))?;
                fs::write(&path, content)?;
                file["sha256"] = hash.into();
            } else if fs::read(&path).ok().as_ref() != Some(&content) || file["sha256"] != hash {
                eprintln!("xtask: vendor: {} is not as in {package} {version}", path.display());
                same = false;
            }
        }
        licences += &format!("\n== {package} {version} ==\n\n{}", fs::read_to_string(unpacked.join("LICENSE"))?);
    }
    if writes {
        fs::write(LIST, serde_json::to_string_pretty(&list)? + "\n")?;
        fs::write(LICENCES, licences)?;
    } else if fs::read_to_string(LICENCES)? != licences {
        eprintln!("xtask: vendor: {LICENCES} does not have the licences of the packages");
        same = false;
    }
    Ok(same)
}

/// Downloads a package and returns the folder of its files.
fn download(scratch: &Path, package: &str, version: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = scratch.join(package);
    fs::create_dir_all(&folder)?;
    let pack = Command::new("npm")
        .args(["pack", "--silent", &format!("{package}@{version}")])
        .current_dir(&folder)
        .output()?;
    let archive = String::from_utf8_lossy(&pack.stdout).trim().to_owned();
    let unpacked = Command::new("tar").args(["-xzf", &archive]).current_dir(&folder).status()?;
    if !pack.status.success() || !unpacked.success() {
        return Err(format!("{package}@{version} cannot be downloaded").into());
    }
    Ok(folder.join("package"))
}

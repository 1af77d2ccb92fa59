//! Values from flags, files and environment variables.
//!
//! Every user of a machine can read the arguments of a process, so a secret can also be given in a file or a variable.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum bytes of a file that holds one secret.
const MAX_SECRET_BYTES: usize = 4096;

/// The trimmed value of a flag, unless it is empty.
pub(super) fn non_empty(flag: Option<&String>) -> Option<String> {
    flag.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The trimmed value of an environment variable, unless it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    non_empty(env::var(name).ok().as_ref())
}

/// A secret from a flag, or from a file that another flag names.
pub(crate) fn secret(what: &str, flag: Option<&String>, file: Option<&PathBuf>) -> Result<Option<String>, String> {
    match file {
        Some(file) => read_secret(what, file).map(Some),
        None => Ok(non_empty(flag)),
    }
}

fn read_secret(what: &str, file: &Path) -> Result<String, String> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read the {what} from {shown}: {error}"))?;
    let text = text.trim();
    match text.is_empty() || text.len() > MAX_SECRET_BYTES {
        true => Err(format!("{shown} contains no {what}")),
        false => Ok(text.to_owned()),
    }
}

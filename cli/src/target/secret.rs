//! A secret, from a flag, from a file, or from a variable: in a list of processes everybody can read the flags.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Bytes of a file that holds one secret.
const LONGEST: usize = 4096;

/// What was said in a flag: trimmed, and not empty.
pub(super) fn said(flag: Option<&String>) -> Option<String> {
    flag.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// What a variable says: trimmed, and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    said(env::var(name).ok().as_ref())
}

/// A secret that may stand in a flag, or in a file that another flag names.
pub(crate) fn secret(what: &str, flag: Option<&String>, file: Option<&PathBuf>) -> Result<Option<String>, String> {
    match file {
        Some(file) => of_file(what, file).map(Some),
        None => Ok(said(flag)),
    }
}

fn of_file(what: &str, file: &Path) -> Result<String, String> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("the {what} cannot be read from {shown}: {error}"))?;
    let text = text.trim();
    match text.is_empty() || text.len() > LONGEST {
        true => Err(format!("{shown} holds no {what}")),
        false => Ok(text.to_owned()),
    }
}

//! Files to go with a message. What the hub would refuse is told before anything is read.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_domain::limits;
use serde_json::{Value, json};

/// The kinds of files a hub takes, by what their names end with.
const KINDS: [(&str, &str); 6] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("pdf", "application/pdf"),
];

pub(crate) fn attachments(files: &[PathBuf]) -> Result<Vec<Value>, String> {
    if files.len() > limits::ATTACHMENTS {
        return Err(format!("a message has at most {} attachments", limits::ATTACHMENTS));
    }
    let mut chars = 0;
    let mut kinds = Vec::new();
    for file in files {
        kinds.push(kind(file)?);
        chars += encoded_chars(file)?;
    }
    if chars > limits::ATTACHMENTS_CHARS {
        return Err(format!(
            "the attachments are too large: {} KiB of files are the most, encoded they are {chars} of {} characters",
            limits::ATTACHMENTS_CHARS / 4 * 3 / 1024,
            limits::ATTACHMENTS_CHARS
        ));
    }
    files.iter().zip(kinds).map(|(file, mime)| attachment(file, mime)).collect()
}

fn kind(file: &Path) -> Result<&'static str, String> {
    let end = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let found = KINDS.iter().find(|(known, _)| *known == end);
    let ends = || KINDS.map(|(known, _)| known).join(", ");
    found.map(|(_, mime)| *mime).ok_or_else(|| format!("{}: only {} can be attached", file.display(), ends()))
}

/// How many characters of base64 a file comes to.
fn encoded_chars(file: &Path) -> Result<usize, String> {
    let shown = file.display();
    let found = fs::metadata(file).map_err(|error| format!("{shown} cannot be attached: {error}"))?;
    match found.is_file() && found.len() > 0 {
        true => Ok(usize::try_from(found.len()).unwrap_or(usize::MAX / 4).div_ceil(3).saturating_mul(4)),
        false => Err(format!("{shown} cannot be attached: it is no file with anything in it")),
    }
}

fn attachment(file: &Path, mime: &str) -> Result<Value, String> {
    let bytes = fs::read(file).map_err(|error| format!("{} cannot be attached: {error}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(json!({"mime": mime, "data_base64": STANDARD.encode(bytes), "filename": name}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_hub_takes_is_attached() {
        assert_eq!(kind(Path::new("a b.PNG")), Ok("image/png"));
        assert!(kind(Path::new("a.exe")).unwrap_err().contains("pdf"));
        let files = vec![PathBuf::from("a.png"); 5];
        assert!(attachments(&files).unwrap_err().contains("at most 4"));
        assert!(attachments(&files[..1]).unwrap_err().contains("cannot be attached"));
        let folder = std::env::temp_dir().join(format!("rogerrat-attach-{}.png", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(attachments(std::slice::from_ref(&folder)).unwrap_err().contains("it is no file"));
        fs::remove_dir(folder).unwrap();
    }
}

//! Reads files to send with a message. What the hub would refuse is reported before any file is read.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_client::OutgoingAttachment;
use rogerrat_domain::limits;

/// File extensions and their media types that a hub accepts.
const MEDIA_TYPES: [(&str, &str); 12] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("diff", "text/x-diff"),
    ("patch", "text/x-diff"),
    ("json", "application/json"),
];

pub(crate) fn attachments(files: &[PathBuf]) -> Result<Vec<OutgoingAttachment>, String> {
    if files.len() > limits::ATTACHMENTS {
        return Err(format!("a message has at most {} attachments", limits::ATTACHMENTS));
    }
    let mut chars = 0;
    let mut media_types = Vec::new();
    for file in files {
        media_types.push(media_type(file)?);
        chars += base64_chars(file)?;
    }
    if chars > limits::ATTACHMENTS_CHARS {
        return Err(format!(
            "the attachments are too large: the limit is {} KiB of files, in base64 they are {chars} of {} characters",
            limits::ATTACHMENTS_CHARS / 4 * 3 / 1024,
            limits::ATTACHMENTS_CHARS
        ));
    }
    files.iter().zip(media_types).map(|(file, media_type)| attachment(file, media_type)).collect()
}

fn media_type(file: &Path) -> Result<&'static str, String> {
    let extension = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let found = MEDIA_TYPES.iter().find(|(known, _)| *known == extension);
    let extensions = || MEDIA_TYPES.map(|(known, _)| known).join(", ");
    found
        .map(|(_, media_type)| *media_type)
        .ok_or_else(|| format!("{}: only these files can be attached: {}", file.display(), extensions()))
}

/// Characters of a file in base64.
fn base64_chars(file: &Path) -> Result<usize, String> {
    let shown = file.display();
    let metadata = fs::metadata(file).map_err(|error| format!("cannot attach {shown}: {error}"))?;
    match metadata.is_file() && metadata.len() > 0 {
        true => Ok(usize::try_from(metadata.len()).unwrap_or(usize::MAX / 4).div_ceil(3).saturating_mul(4)),
        false => Err(format!("cannot attach {shown}: it is empty or not a regular file")),
    }
}

fn attachment(file: &Path, media_type: &str) -> Result<OutgoingAttachment, String> {
    let bytes = fs::read(file).map_err(|error| format!("cannot attach {}: {error}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(OutgoingAttachment {
        mime: media_type.to_owned(),
        data_base64: STANDARD.encode(bytes),
        filename: Some(name.into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_a_hub_would_refuse() {
        assert_eq!(media_type(Path::new("a b.PNG")), Ok("image/png"));
        assert_eq!(media_type(Path::new("b.patch")), Ok("text/x-diff"));
        assert!(media_type(Path::new("a.exe")).unwrap_err().contains("pdf"));
        let files = vec![PathBuf::from("a.png"); 5];
        assert!(attachments(&files).unwrap_err().contains("at most 4"));
        assert!(attachments(&files[..1]).unwrap_err().contains("cannot attach"));
        let folder = std::env::temp_dir().join(format!("rogerrat-attach-{}.png", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(attachments(std::slice::from_ref(&folder)).unwrap_err().contains("not a regular file"));
        fs::remove_dir(folder).unwrap();
    }
}

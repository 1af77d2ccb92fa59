//! Saves the attachments of a message beside the inbox. The name a peer gave a file is only the end of its file name.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_domain::MessageView;
use rogerrat_domain::text::{TextChar, visible_chars};

const MAX_NAME_CHARS: usize = 96;
/// With the prefix it stays below the limit of file systems.
const MAX_NAME_BYTES: usize = 200;

/// Saves the attachments and returns their paths. Saving the same message again writes the same files.
pub(super) fn save(inbox: &Path, id: u64, json: &str) -> io::Result<Vec<String>> {
    let message: MessageView<'_> = serde_json::from_str(json)?;
    if message.attachments.is_empty() {
        return Ok(Vec::new());
    }
    let folder = folder(inbox);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let mut paths = Vec::new();
    for (no, attachment) in message.attachments.iter().enumerate() {
        let path = folder.join(format!("{id}-{no}-{}", name(attachment.filename.as_deref(), no)));
        // Invalid base64 is saved unchanged.
        let bytes =
            STANDARD.decode(&*attachment.data_base64).unwrap_or_else(|_| attachment.data_base64.as_bytes().into());
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        paths.push(path.to_string_lossy().into_owned());
    }
    Ok(paths)
}

/// `<inbox without its extension>-attachments`
fn folder(inbox: &Path) -> PathBuf {
    let mut name = inbox.file_stem().unwrap_or_default().to_owned();
    name.push("-attachments");
    inbox.with_file_name(name)
}

fn name(given: Option<&str>, no: usize) -> String {
    let Some(given) = given else { return format!("att-{no}") };
    let safe = |c: TextChar| if "/\\".contains(c.c) || c.must_be_escaped { '_' } else { c.c };
    let mut name: String = visible_chars(given.trim_start_matches('.')).map(safe).take(MAX_NAME_CHARS).collect();
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    match name.is_empty() {
        true => "attachment".into(),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_the_folder() {
        assert_eq!(name(Some("../../etc/pass\u{0}wd\n"), 0), "_.._etc_pass_wd_");
        assert_eq!(name(Some("..."), 0), "attachment");
        assert_eq!(name(None, 3), "att-3");
        assert_eq!(name(Some(&"🐀".repeat(128)), 0).len(), 200);
        assert_eq!(folder(Path::new("/a/in.box.log")), Path::new("/a/in.box-attachments"));
    }
}

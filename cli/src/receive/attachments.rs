//! Saving a message's attachments beside the inbox. A name of a peer is only the end of a name of ours.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_domain::MessageView;

const LONGEST_NAME: usize = 96;
/// With our own beginning it stays below what a file name may have.
const LONGEST_NAME_BYTES: usize = 200;

/// Saves what is attached and gives the paths. The same message is saved to the same files again.
pub(super) fn save(inbox: &Path, id: u64, json: &str) -> io::Result<Vec<String>> {
    let told: MessageView<'_> = serde_json::from_str(json)?;
    if told.attachments.is_empty() {
        return Ok(Vec::new());
    }
    let folder = folder(inbox);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let mut paths = Vec::new();
    for (no, attachment) in told.attachments.iter().enumerate() {
        let path = folder.join(format!("{id}-{no}-{}", name(attachment.filename.as_deref(), no)));
        // What is no base64 is kept as it came.
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

fn name(told: Option<&str>, no: usize) -> String {
    let Some(told) = told else { return format!("att-{no}") };
    let safe = |c: char| if "/\\".contains(c) || rogerrat_domain::text::breaks_a_line(c) { '_' } else { c };
    let mut name: String = told.trim_start_matches('.').chars().map(safe).take(LONGEST_NAME).collect();
    while name.len() > LONGEST_NAME_BYTES {
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
    fn a_name_leads_nowhere() {
        assert_eq!(name(Some("../../etc/pass\u{0}wd\n"), 0), "_.._etc_pass_wd_");
        assert_eq!(name(Some("..."), 0), "attachment");
        assert_eq!(name(None, 3), "att-3");
        assert_eq!(name(Some(&"🐀".repeat(128)), 0).len(), 200);
        assert_eq!(folder(Path::new("/a/in.box.log")), Path::new("/a/in.box-attachments"));
    }
}

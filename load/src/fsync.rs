//! Measures how many syncs per second the disk does: an upper bound for a durable hub, which has one writer.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::stopwatch::elapsed_ns;

const WINDOW: Duration = Duration::from_secs(2);
const BLOCK: [u8; 4096] = [b'.'; 4096];

/// Appends a block and syncs it repeatedly for two seconds; returns the syncs per second.
pub(super) fn rate(folder: &Path) -> io::Result<f64> {
    rate_over(folder, WINDOW)
}

fn rate_over(folder: &Path, window: Duration) -> io::Result<f64> {
    let file = TempFile(folder.join(format!("rogerrat-load-{}.sync", std::process::id())));
    let mut open = OpenOptions::new().create_new(true).append(true).open(&file.0)?;
    let (start_ns, mut syncs) = (elapsed_ns(), 0_u32);
    loop {
        open.write_all(&BLOCK)?;
        open.sync_data()?;
        syncs += 1;
        let passed_ns = elapsed_ns() - start_ns;
        if u128::from(passed_ns) >= window.as_nanos() {
            return Ok(f64::from(syncs) * 1e9 / passed_ns as f64);
        }
    }
}

/// A file that is removed on drop.
struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        // An error cannot be reported from here.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncs_are_counted_and_no_file_is_left() {
        let folder = std::env::temp_dir().join(format!("rogerrat-fsync-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        assert!(rate_over(&folder, Duration::from_millis(1)).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
        assert!(rate_over(&folder, WINDOW).is_err(), "there is no such folder");
    }
}

//! How often a second the disk can be asked to keep something: what no durable hub with one writer can beat.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::stopwatch::elapsed_ns;

const WINDOW: Duration = Duration::from_secs(2);
const BLOCK: [u8; 4096] = [b'.'; 4096];

/// Appends a block and syncs it, again and again for two seconds; gives the syncs of a second.
pub(super) fn rate(folder: &Path) -> io::Result<f64> {
    rate_over(folder, WINDOW)
}

fn rate_over(folder: &Path, window: Duration) -> io::Result<f64> {
    let file = Scratch(folder.join(format!("rogerrat-load-{}.sync", std::process::id())));
    let mut open = OpenOptions::new().create_new(true).append(true).open(&file.0)?;
    let (start_ns, mut syncs) = (elapsed_ns(), 0_u32);
    loop {
        open.write_all(&BLOCK)?;
        open.sync_data()?;
        syncs += 1;
        let taken_ns = elapsed_ns() - start_ns;
        if u128::from(taken_ns) >= window.as_nanos() {
            return Ok(f64::from(syncs) * 1e9 / taken_ns as f64);
        }
    }
}

/// A file that goes with us.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_and_leaves_nothing_behind() {
        let folder = std::env::temp_dir().join(format!("rogerrat-fsync-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        assert!(rate_over(&folder, Duration::from_millis(1)).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
        assert!(rate_over(&folder, WINDOW).is_err(), "there is no such folder");
    }
}

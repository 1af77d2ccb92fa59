//! Resource limits and resource usage of the process: open files and memory.

use std::{fs, io};

use rlimit::Resource;

/// The limit of open files, and so of connections, before and after it was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenFilesLimit {
    /// Before it was raised.
    pub before: u64,
    /// The limit that applies now.
    pub now: u64,
}

/// Raises the soft limit of open files to the hard limit.
pub(crate) fn raise_open_files() -> io::Result<OpenFilesLimit> {
    let before = Resource::NOFILE.get_soft()?;
    let now = rlimit::increase_nofile_limit(u64::MAX)?;
    Ok(OpenFilesLimit { before, now })
}

/// Resource usage of the process; a value that the system does not provide is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResourceUsage {
    /// Maximum number of open files.
    pub open_files_limit: Option<u64>,
    /// Number of open files.
    pub open_files: Option<u64>,
    /// Resident memory.
    pub resident_bytes: Option<u64>,
}

/// Returns the current resource usage. Cheap enough for every scrape of the metrics.
pub(crate) fn usage() -> ResourceUsage {
    ResourceUsage {
        open_files_limit: Resource::NOFILE.get_soft().ok(),
        open_files: open_files(),
        resident_bytes: resident_bytes(),
    }
}

/// Since Linux 6.2 the size of the directory is the number of open files; on older kernels its entries are counted.
fn open_files() -> Option<u64> {
    let directory = "/proc/self/fd";
    match fs::metadata(directory).ok()?.len() {
        0 => fs::read_dir(directory).ok().map(|files| files.count() as u64),
        files => Some(files),
    }
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_the_limit_of_open_files_never_lowers_it() {
        let files = raise_open_files().unwrap();
        assert!(files.now >= files.before);
        assert_eq!(raise_open_files().unwrap().before, files.now);
    }
}

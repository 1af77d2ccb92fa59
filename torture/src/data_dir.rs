//! The data directory of a run: a temporary one that is removed, or a given one that is kept.

use std::path::{Path, PathBuf};
use std::{fs, io};

pub(super) struct DataDir {
    path: PathBuf,
    is_kept: bool,
}

impl DataDir {
    /// A given directory must be new or empty, so that the data of a real hub is never used.
    pub(super) fn open(given: Option<&Path>) -> io::Result<Self> {
        let Some(path) = given else {
            let name = format!("rogerrat-torture-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path)?;
            return Ok(Self { path, is_kept: false });
        };
        fs::create_dir_all(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::other(format!("{} is not empty", path.display())));
        }
        Ok(Self { path: path.to_owned(), is_kept: true })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if !self.is_kept {
            // An error cannot be reported from here.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_directory_is_removed_and_a_full_one_is_refused() {
        let temporary = DataDir::open(None).unwrap();
        let path = temporary.path().to_owned();
        fs::write(path.join("data"), "x").unwrap();
        assert!(DataDir::open(Some(&path)).is_err(), "it is not empty");
        let given = path.join("new");
        drop(DataDir::open(Some(&given)).unwrap());
        assert!(given.exists(), "it is kept");
        drop(temporary);
        assert!(!path.exists());
    }
}

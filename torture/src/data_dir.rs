//! Where the hub of a run keeps its data: a folder of ours that goes with us, or one that stays.

use std::path::{Path, PathBuf};
use std::{fs, io};

pub(super) struct Folder {
    path: PathBuf,
    stays: bool,
}

impl Folder {
    /// A folder that was asked for must be empty or new: a hub's real data is never tortured.
    pub(super) fn open(wanted: Option<&Path>) -> io::Result<Self> {
        let Some(path) = wanted else {
            let name = format!("rogerrat-torture-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path)?;
            return Ok(Self { path, stays: false });
        };
        fs::create_dir_all(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::other(format!("{} is not empty", path.display())));
        }
        Ok(Self { path: path.to_owned(), stays: true })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.stays {
            // Nobody is left to tell.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_folder_goes_and_one_with_something_in_it_is_refused() {
        let ours = Folder::open(None).unwrap();
        let path = ours.path().to_owned();
        fs::write(path.join("data"), "x").unwrap();
        assert!(Folder::open(Some(&path)).is_err(), "it is not empty");
        let wanted = path.join("new");
        drop(Folder::open(Some(&wanted)).unwrap());
        assert!(wanted.exists(), "it stays");
        drop(ours);
        assert!(!path.exists());
    }
}

//! The data directory: its files and their permissions, its lock, and the hub's key.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rogerrat_actors::random_key;
use rogerrat_domain::HubKey;

use super::error::StoreError;

/// The key's length in bytes.
pub(super) const KEY_BYTES: usize = 32;

/// A data directory and the paths of its files.
#[derive(Clone, Debug)]
pub(super) struct DataDir {
    pub(super) path: PathBuf,
}

/// The content of the lock file while a hub needs the WAL. A closed store leaves the file empty.
const WAL_IN_USE: &[u8] = b"wal\n";

/// The exclusive lock on a data directory. The system releases it when the process ends, even after a crash.
#[derive(Debug)]
pub(super) struct DirLock(File);

impl DirLock {
    /// Notes in the lock file whether the database needs its WAL, so that a start after a crash can detect that the WAL
    /// was removed. On a full disk the note is missing, and with it only that check.
    pub(super) fn note_wal(&self, is_in_use: bool) {
        let note = if is_in_use { WAL_IN_USE } else { &[] };
        let length = note.len() as u64;
        if let Err(error) = self.0.write_all_at(note, 0).and_then(|()| self.0.set_len(length)) {
            log::debug!(error:display; "the lock file could not be written");
        }
    }
}

impl Drop for DirLock {
    /// Closing the file is not enough: a process that is being started has a copy of its descriptor until it executes its
    /// program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl DataDir {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("hub.db")
    }

    /// A database that is being created or restored. It gets its real name once it is complete.
    pub(super) fn new_database(&self) -> PathBuf {
        self.path.join("hub.db.new")
    }

    pub(super) fn wal(&self) -> PathBuf {
        self.path.join("hub.db-wal")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.path.join("hub.key")
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Creates the directory if it is missing, and checks that only its owner can write to it.
    pub(super) fn create(&self) -> Result<(), StoreError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        let metadata = match created.and_then(|()| fs::metadata(&self.path)) {
            Ok(metadata) => metadata,
            Err(_) if self.path.exists() && !self.path.is_dir() => {
                return Err(StoreError::WrongFileType { path: self.path.clone(), expected: "directory" });
            }
            Err(error) => return Err(StoreError::io(&self.path, "created")(error)),
        };
        check_owner(&self.path, &metadata)?;
        if metadata.mode() & 0o022 != 0 {
            return Err(StoreError::WritableByOthers { path: self.path.clone() });
        }
        Ok(())
    }

    /// Checks that the existing files are regular files, belong to the user and can be written.
    pub(super) fn check_files(&self) -> Result<(), StoreError> {
        for path in [self.database(), self.wal(), self.path.join("hub.db-shm"), self.key(), self.lock_file()] {
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(StoreError::io(&path, "read")(error)),
            };
            if !metadata.is_file() {
                return Err(StoreError::WrongFileType { path, expected: "file" });
            }
            check_owner(&path, &metadata)?;
            OpenOptions::new().read(true).write(true).open(&path).map_err(StoreError::io(&path, "written"))?;
        }
        Ok(())
    }

    /// Locks the directory for this process.
    pub(super) fn lock(&self) -> Result<DirLock, StoreError> {
        let path = self.lock_file();
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(StoreError::io(&path, "opened"))?;
        match file.try_lock() {
            Ok(()) => Ok(DirLock(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&path, "locked")(error)),
        }
    }

    /// Checks that the WAL exists if the hub that had the directory last has not merged it into the database.
    pub(super) fn check_wal(&self) -> Result<(), StoreError> {
        let (path, lock) = (self.wal(), self.lock_file());
        let is_in_use = fs::read(&lock).map_err(StoreError::io(&lock, "read"))? == WAL_IN_USE;
        if is_in_use && self.database().exists() && !path.exists() {
            return Err(StoreError::MissingWal { path, lock });
        }
        Ok(())
    }

    /// Whether a hub runs on the directory.
    pub(super) fn is_locked(&self) -> bool {
        let Ok(file) = File::open(self.lock_file()) else { return false };
        let is_locked = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        let _ = file.unlock();
        is_locked
    }

    /// The hub's key; `None` if the file is missing.
    pub(super) fn read_key(&self) -> Result<Option<[u8; KEY_BYTES]>, StoreError> {
        let path = self.key();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(&path, "opened")(error)),
        };
        let bytes = file.metadata().map_err(StoreError::io(&path, "read"))?.len();
        if bytes != KEY_BYTES as u64 {
            return Err(StoreError::InvalidKey { path, bytes });
        }
        let mut key = [0; KEY_BYTES];
        file.read_exact(&mut key).map_err(StoreError::io(&path, "read"))?;
        Ok(Some(key))
    }

    /// Creates a random key and stores it.
    pub(super) fn create_key(&self) -> Result<[u8; KEY_BYTES], StoreError> {
        let key = random_key();
        self.write_file("hub.key", &key)?;
        Ok(key)
    }

    /// Creates a random key unless another hub has created one at the same time.
    fn create_shared_key(&self) -> Result<(), StoreError> {
        let mut number = [0; 8];
        number.copy_from_slice(&random_key()[..8]);
        // Not by the process: in containers that share a volume, all have the same number.
        let (path, new) = (self.key(), self.path.join(format!("hub.key.{:016x}", u64::from_le_bytes(number))));
        let write = || -> io::Result<()> {
            let mut file = create_private_file(&new)?;
            file.write_all(&random_key())?;
            file.sync_all()?;
            let linked = fs::hard_link(&new, &path);
            fs::remove_file(&new)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => sync_dir(&self.path),
            }
        };
        write().map_err(StoreError::io(&path, "written"))
    }

    /// Renames a complete database to its real name. After a crash it is there completely or not at all.
    pub(super) fn install_database(&self, new: &Path) -> Result<(), StoreError> {
        let path = self.database();
        let install = || -> io::Result<()> {
            File::open(new)?.sync_all()?;
            fs::rename(new, &path)?;
            sync_dir(&self.path)
        };
        install().map_err(StoreError::io(&path, "created"))
    }

    /// Writes a small file atomically: after a crash it is there completely or not at all.
    pub(super) fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let write = || -> io::Result<()> {
            let mut file = create_private_file(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_dir(&self.path)
        };
        write().map_err(StoreError::io(&path, "written"))
    }
}

/// The key in a data directory; none if there is none. Changes nothing.
///
/// # Errors
/// If the key cannot be read.
pub fn existing_hub_key(data_dir: &Path) -> Result<Option<HubKey>, StoreError> {
    Ok(DataDir::new(data_dir).read_key()?.map(HubKey::new))
}

/// The key in a data directory, for a hub whose data is in another database. Creates the directory and the key if they are missing.
///
/// # Errors
/// If the directory or the key cannot be used.
pub fn hub_key(data_dir: &Path) -> Result<HubKey, StoreError> {
    let dir = DataDir::new(data_dir);
    dir.create()?;
    dir.check_files()?;
    if dir.read_key()?.is_none() {
        dir.create_shared_key()?;
    }
    let key = dir.read_key()?.ok_or_else(|| StoreError::NotFound { path: dir.key() })?;
    make_private(&dir.key())?;
    if dir.database().exists() {
        log::warn!(database:display = dir.database().display(); "the data directory has a database, which is not used: \
             database.url names another one");
    }
    Ok(HubKey::new(key))
}

/// Creates an empty file that only its owner can read, replacing an existing one.
pub(super) fn create_private_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)
}

/// Makes a file readable and writable by its owner only.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(StoreError::io(path, "read"))?;
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(StoreError::io(path, "made private"))?;
    }
    Ok(())
}

/// Syncs a directory, so that its new and renamed files survive a crash.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn check_owner(path: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner == user { Ok(()) } else { Err(StoreError::WrongOwner { path: path.to_owned(), owner, user }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_process_does_not_keep_the_lock() {
        let path = std::env::temp_dir().join(format!("rogerrat-lock-{}", std::process::id()));
        let dir = DataDir::new(&path);
        dir.create().unwrap();
        let lock = dir.lock().unwrap();
        // What a process has that is being started.
        let inherited = lock.0.try_clone().unwrap();
        assert!(matches!(dir.lock(), Err(StoreError::InUse { .. })) && dir.is_locked());
        drop(lock);
        assert!(!dir.is_locked() && dir.lock().is_ok());
        drop(inherited);
        fs::remove_dir_all(&path).unwrap();
    }
}

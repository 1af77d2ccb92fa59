//! The data directory: who may use it, the lock, and the hub's key.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rogerrat_actors::random_key;

use super::error::StoreError;

/// The key's length in bytes.
pub(super) const KEY_BYTES: usize = 32;

/// The files of a hub.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

/// Whoever holds it is the only hub on the folder. The system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("hub.db")
    }

    /// A database that is being made or brought back; only complete ones get the real name.
    pub(super) fn draft(&self) -> PathBuf {
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

    /// Makes the folder if it is missing, and sees that it is ours alone.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        let metadata = match made.and_then(|()| fs::metadata(&self.path)) {
            Ok(metadata) => metadata,
            Err(_) if self.path.exists() && !self.path.is_dir() => {
                return Err(StoreError::Misplaced { path: self.path.clone(), expected: "folder" });
            }
            Err(error) => return Err(StoreError::io(&self.path, "made")(error)),
        };
        check_owner(&self.path, &metadata)?;
        if metadata.mode() & 0o022 != 0 {
            return Err(StoreError::OpenToOthers { path: self.path.clone() });
        }
        Ok(())
    }

    /// Sees that our files, as far as they are there, are files, are ours and can be written.
    pub(super) fn check_files(&self) -> Result<(), StoreError> {
        for path in [self.database(), self.wal(), self.path.join("hub.db-shm"), self.key(), self.lock_file()] {
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(StoreError::io(&path, "read")(error)),
            };
            if !metadata.is_file() {
                return Err(StoreError::Misplaced { path, expected: "file" });
            }
            check_owner(&path, &metadata)?;
            OpenOptions::new().read(true).write(true).open(&path).map_err(StoreError::io(&path, "written"))?;
        }
        Ok(())
    }

    /// Takes the folder for this process.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.lock_file();
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(StoreError::io(&path, "opened"))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Taken { path: self.path.clone() }),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&path, "locked")(error)),
        }
    }

    /// Whether a hub runs on the folder.
    pub(super) fn is_taken(&self) -> bool {
        let file = File::open(self.lock_file());
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// The hub's key; none where there is none yet.
    pub(super) fn read_key(&self) -> Result<Option<[u8; KEY_BYTES]>, StoreError> {
        let path = self.key();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(&path, "opened")(error)),
        };
        let bytes = file.metadata().map_err(StoreError::io(&path, "read"))?.len();
        if bytes != KEY_BYTES as u64 {
            return Err(StoreError::BadKey { path, bytes });
        }
        let mut key = [0; KEY_BYTES];
        file.read_exact(&mut key).map_err(StoreError::io(&path, "read"))?;
        Ok(Some(key))
    }

    /// Rolls the hub's key and keeps it.
    pub(super) fn make_key(&self) -> Result<[u8; KEY_BYTES], StoreError> {
        let key = random_key();
        self.put("hub.key", &key)?;
        Ok(key)
    }

    /// Gives a finished database its name. After a crash it is there as a whole or not at all.
    pub(super) fn adopt(&self, draft: &Path) -> Result<(), StoreError> {
        let path = self.database();
        let adopt = || -> io::Result<()> {
            File::open(draft)?.sync_all()?;
            fs::rename(draft, &path)?;
            sync_folder(&self.path)
        };
        adopt().map_err(StoreError::io(&path, "made"))
    }

    /// Writes a small file: after a crash it is there as a whole or not at all.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (path, draft) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let write = || -> io::Result<()> {
            let mut file = private_file(&draft)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            sync_folder(&self.path)
        };
        write().map_err(StoreError::io(&path, "written"))
    }
}

/// A new, empty file that only its owner may read; one of that name is replaced.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)
}

/// Takes from others the right to read a file, if they have it.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(StoreError::io(path, "read"))?;
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(StoreError::io(path, "made private"))?;
    }
    Ok(())
}

/// Sees that new and renamed files of a folder are on disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn check_owner(path: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner == us { Ok(()) } else { Err(StoreError::NotOurs { path: path.to_owned(), owner, us }) }
}

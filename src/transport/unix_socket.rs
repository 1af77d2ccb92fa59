//! The Unix socket that the hub listens on, for clients in a sandbox without a network.
//!
//! It is created with its permissions, and removed when the hub stops. A socket that a killed hub has left is replaced;
//! one that another process listens on is not.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
#[cfg(target_os = "linux")]
use rustix::fs::OFlags;
use rustix::process::umask;
use tokio::net::UnixStream;

/// The address of a client on the socket, for limits and bans: that of this machine. No TCP client has port 0.
pub(crate) const SOCKET_PEER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// The file of a socket. It is removed when this is dropped, unless another process has replaced it.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device_and_inode: (u64, u64),
    /// While it is open, no other file gets the inode number.
    #[cfg(target_os = "linux")]
    _file: rustix::fd::OwnedFd,
}

/// Creates a socket and listens on it. Must be called within a tokio runtime.
///
/// # Errors
/// When another process listens on it, something else has its path, or it cannot be created.
pub(crate) async fn bind_socket(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    remove_stale(path).await?;
    // Nobody else may connect before the permissions are set.
    let before = umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    umask(before);
    let listener = listener?;
    let found = fs::symlink_metadata(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        device_and_inode: (found.dev(), found.ino()),
        #[cfg(target_os = "linux")]
        _file: rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?,
    };
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok((listener, file))
}

/// Removes a socket on which no process listens.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "the file exists and is not a socket")),
        Err(error) => return Err(error),
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens on it")),
        Err(error) => Err(error),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_own = |found: fs::Metadata| (found.dev(), found.ino()) == self.device_and_inode;
        if fs::symlink_metadata(&self.path).is_ok_and(is_own) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("rr-socket-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[actix_web::test]
    async fn a_stale_socket_is_replaced_and_one_in_use_is_not() {
        let folder = Folder::new("stale");
        let path = folder.0.join("hub.sock");
        let (listener, file) = bind_socket(&path, 0o660).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        let error = bind_socket(&path, 0o600).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let (_listener, newer) = bind_socket(&path, 0o600).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert!(path.exists(), "it belongs to the newer hub");
        drop(newer);
        assert!(!path.exists());
    }

    #[actix_web::test]
    async fn a_file_is_not_replaced() {
        let folder = Folder::new("file");
        let path = folder.0.join("hub.db");
        fs::write(&path, "data").unwrap();
        assert_eq!(bind_socket(&path, 0o600).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"data");
    }
}

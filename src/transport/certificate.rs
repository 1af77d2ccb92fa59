//! The TLS certificate: loaded from two PEM files, and reloaded when they change.
//!
//! Open connections keep the certificate they started with; new ones get the latest. When a changed file cannot be
//! loaded, the previous certificate stays in use and an error is logged.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// How often the files are checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Paths of the certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PemFiles {
    /// The certificate chain, leaf first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// A file cannot be read or contains no such PEM item.
    #[error("{}: cannot read a PEM {what}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// The expected PEM item.
        what: &'static str,
        /// The cause.
        source: pem::Error,
    },
    /// They do not match, or their kind is not supported.
    #[error("certificate and key cannot be used together")]
    Pair(#[from] rustls::Error),
}

/// The certificate that new connections get.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: PemFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// The state of the files before they were first read.
    initial: Option<[FileStamp; 2]>,
}

impl Certificate {
    /// Loads the files.
    ///
    /// # Errors
    /// When they do not contain a certificate and its matching private key.
    pub(crate) fn load(files: PemFiles) -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let initial = files.stamps().ok();
        let current = RwLock::new(Arc::new(files.read(&provider)?));
        Ok(Arc::new(Self { files, provider, current, initial }))
    }

    /// Builds the server configuration: TLS 1.2 and 1.3, ALPN prefers HTTP/2 over HTTP/1.1.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Checks the files periodically and reloads them when they change. Never returns while the runtime lives.
    pub(crate) async fn reload_on_change(self: Arc<Self>) {
        let mut watcher = Watcher { seen: self.initial.clone(), reload: ReloadState::Succeeded };
        let mut every = tokio::time::interval(CHECK_INTERVAL);
        loop {
            every.tick().await;
            let certificate = self.clone();
            // File access blocks, so it runs outside the server's threads.
            let check = tokio::task::spawn_blocking(move || {
                watcher.check(&certificate);
                watcher
            });
            let Ok(returned) = check.await else { return };
            watcher = returned;
        }
    }

    fn reload(&self) -> Result<(), CertificateError> {
        let fresh = Arc::new(self.files.read(&self.provider)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl PemFiles {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
        let pem_error = |path: &Path, what| {
            let path = path.to_owned();
            move |source| CertificateError::Pem { path, what, source }
        };
        let chain = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) })
            .map_err(pem_error(&self.cert, "certificate"))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(pem_error(&self.key, "private key"))?;
        Ok(CertifiedKey::from_der(chain, key, provider)?)
    }

    fn stamps(&self) -> io::Result<[FileStamp; 2]> {
        Ok([FileStamp::of(&self.cert)?, FileStamp::of(&self.key)?])
    }
}

/// Metadata that differs when a file was changed or replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    modified: SystemTime,
    bytes: u64,
    inode: u64,
}

impl FileStamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { modified: metadata.modified()?, bytes: metadata.len(), inode: metadata.ino() })
    }
}

/// The state of the files at the last reload, and its result.
struct Watcher {
    seen: Option<[FileStamp; 2]>,
    reload: ReloadState,
}

#[derive(PartialEq, Eq)]
enum ReloadState {
    Succeeded,
    /// Retried at the next check.
    FailedOnce,
    /// Failed again and was logged.
    Failed,
}

impl Watcher {
    /// Reloads the files when they have changed. The two files are not replaced atomically, so a failure is logged only
    /// when the next check fails as well, and then once.
    fn check(&mut self, certificate: &Certificate) {
        let now = certificate.files.stamps().ok();
        let has_changed = now != self.seen;
        if !has_changed && self.reload != ReloadState::FailedOnce {
            return;
        }
        self.seen = now;
        self.reload = match certificate.reload() {
            Ok(()) => {
                log::info!(file:display = certificate.files.cert.display(); "certificate reloaded");
                ReloadState::Succeeded
            }
            Err(_) if has_changed => ReloadState::FailedOnce,
            Err(error) => {
                let error = crate::chain(&error);
                log::error!(error:display; "cannot load the new certificate; still serving the previous one");
                ReloadState::Failed
            }
        };
    }
}

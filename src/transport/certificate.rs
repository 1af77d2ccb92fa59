//! The certificate of the port: read from two PEM files, and read again when they change.
//!
//! Connections that are open keep what they have; new ones see what came last. A file that is not understood changes
//! nothing but the log.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PemFiles {
    /// The certificate and those that vouch for it, its own first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// A file cannot be read, or has nothing in it.
    #[error("{} is not a PEM file of a {what}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// They do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used together")]
    Pair(#[from] rustls::Error),
}

/// The certificate that new connections see.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: PemFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// What the files looked like before they were first read.
    read_as: Option<[Stamp; 2]>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they hold no certificate and key that belong together.
    pub(crate) fn load(files: PemFiles) -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let read_as = files.stamps().ok();
        let current = RwLock::new(Arc::new(files.read(&provider)?));
        Ok(Arc::new(Self { files, provider, current, read_as }))
    }

    /// TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Looks at the files now and then, for ever, away from the server's threads.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        let mut watch = Watch { seen: self.read_as.clone(), trouble: Trouble::None };
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            let certificate = self.clone();
            let looked = tokio::task::spawn_blocking(move || {
                watch.look(&certificate);
                watch
            });
            let Ok(back) = looked.await else { return };
            watch = back;
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
        let no = |path: &Path, what| {
            let path = path.to_owned();
            move |source| CertificateError::Pem { path, what, source }
        };
        let chain = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) })
            .map_err(no(&self.cert, "certificate"))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(no(&self.key, "private key"))?;
        Ok(CertifiedKey::from_der(chain, key, provider)?)
    }

    fn stamps(&self) -> io::Result<[Stamp; 2]> {
        Ok([Stamp::of(&self.cert)?, Stamp::of(&self.key)?])
    }
}

/// What changes when a file does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { modified: metadata.modified()?, bytes: metadata.len(), inode: metadata.ino() })
    }
}

/// What the files looked like when they were last read, and whether that went well.
struct Watch {
    seen: Option<[Stamp; 2]>,
    trouble: Trouble,
}

#[derive(PartialEq, Eq)]
enum Trouble {
    None,
    New,
    Told,
}

impl Watch {
    /// Reads the files when they have changed. The two are not replaced in one instant, so what is wrong is told only
    /// when it is still wrong at the next look, and then once.
    fn look(&mut self, certificate: &Certificate) {
        let now = certificate.files.stamps().ok();
        let has_changed = now != self.seen;
        if !has_changed && self.trouble != Trouble::New {
            return;
        }
        self.seen = now;
        self.trouble = match certificate.reload() {
            Ok(()) => {
                log::info!(file:display = certificate.files.cert.display(); "the certificate was read again");
                Trouble::None
            }
            Err(_) if has_changed => Trouble::New,
            Err(error) => {
                log::error!(error:display = crate::chain(&error); "the new certificate is of no use, the old one stays");
                Trouble::Told
            }
        };
    }
}

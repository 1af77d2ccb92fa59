//! Owner passwords: hashed with Argon2id on a thread pool, a few at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::HubError;

/// Hashes computed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Hashes and checks owner passwords.
#[derive(Clone, Debug)]
pub(crate) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// The hash of a password, in PHC form.
    pub(crate) async fn hash(&self, password: String) -> Result<Arc<str>, HubError> {
        self.off_thread(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|h| h.to_string().into()).map_err(|_| HubError::Gone)
        })
        .await?
    }

    /// Whether a password is the one that was hashed.
    pub(crate) async fn admits(&self, hash: Arc<str>, password: String) -> Result<bool, HubError> {
        self.off_thread(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HubError> {
        let _permit = self.0.acquire().await.map_err(|_| HubError::Gone)?;
        spawn_blocking(work).await.map_err(|_| HubError::Gone)
    }
}

//! Encryption of what the database holds of a channel, with a key of the channel that is itself encrypted with the hub's key.
//!
//! Deleting the row of a channel deletes its key. Copies of its other rows that are still on a disk (old versions of rows, the
//! WAL, replicas) cannot be read then.

use rogerrat_actors::LogError;
use rogerrat_domain::{ChannelId, Encryptor, HubKey};

/// Creates and opens the keys of channels.
#[derive(Clone)]
pub(super) struct BodyKeys(Encryptor);

/// Encrypts the rows of one channel.
pub(super) struct BodyCipher(Encryptor);

/// What a row is, so that none can be put in the place of another.
#[derive(Clone, Copy)]
pub(super) enum RowKind {
    Record,
    Message,
    Line,
    Snapshot,
}

impl RowKind {
    fn context(self, number: u64) -> String {
        let name = match self {
            Self::Record => "record",
            Self::Message => "message",
            Self::Line => "line",
            Self::Snapshot => "snapshot",
        };
        format!("{name} {number}")
    }
}

impl BodyKeys {
    pub(super) fn new(key: &HubKey) -> Self {
        Self(Encryptor::new(key, "body keys"))
    }

    /// A new key for a channel, encrypted.
    pub(super) fn create(&self, channel: &ChannelId) -> Vec<u8> {
        let key: [u8; 32] = rand::random();
        self.0.encrypt(&key, channel.as_str(), rand::random())
    }

    /// Opens the key of a channel.
    pub(super) fn open(&self, channel: &ChannelId, encrypted: &[u8]) -> Result<BodyCipher, LogError> {
        let key = self.0.decrypt(encrypted, channel.as_str()).and_then(|key| key.try_into().ok());
        let key = key.ok_or_else(|| LogError::Damaged(format!("the key of channel {channel}")))?;
        Ok(BodyCipher(Encryptor::new(&HubKey::new(key), "bodies")))
    }
}

impl BodyCipher {
    pub(super) fn encrypt(&self, kind: RowKind, number: u64, body: &[u8]) -> Vec<u8> {
        self.0.encrypt(body, &kind.context(number), rand::random())
    }

    pub(super) fn decrypt(&self, kind: RowKind, number: u64, encrypted: &[u8]) -> Result<Vec<u8>, LogError> {
        let context = kind.context(number);
        self.0.decrypt(encrypted, &context).ok_or_else(|| LogError::Damaged(format!("{context} cannot be decrypted")))
    }
}

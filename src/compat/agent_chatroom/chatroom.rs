//! The room at the root, for `serve --chatroom`: a channel of its own, stored on disk.
//!
//! The channel's token is derived from the password and the hub's key. So a weak password can be guessed only here,
//! where wrong ones are counted, and not as a channel token.

use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use actix_web::web::Data;
use rogerrat_actors::{Admitted, Attempts, Hub, HubError};
use rogerrat_domain::limits::PASSWORD_ATTEMPTS;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{ChannelId, Code, Durability, Now, Refusal, TokenHash};
use sha2::{Digest as _, Sha256};

/// The kind of its row in the hub's log.
const KIND: &str = "chatroom";
const ROOT: &str = "root";

/// The room at the root.
pub(crate) struct Chatroom {
    password: TokenHash,
    token: String,
    channel: RwLock<ChannelId>,
    attempts: Attempts<()>,
    /// Wrong passwords by the first bytes of their digest: repeating the same one is not another guess.
    guessed: Attempts<[u8; 8]>,
}

impl Chatroom {
    /// Opens the room with this password, or creates it.
    ///
    /// # Errors
    /// If it cannot be read or created.
    pub(crate) async fn open(hub: &Hub, password: &str) -> Result<Data<Self>, HubError> {
        let token = hub.seal(KIND).sign(b"", password);
        let rows = hub.rows(KIND).await.map_err(|_| HubError::StorageFailed)?;
        let stored = rows.into_iter().find(|(name, _)| name == ROOT).map(|(_, channel)| channel);
        let known = match stored {
            Some(channel) => match hub.admit(&channel, Some(&token)).await {
                // The channel was deleted, or the password changed.
                Err(HubError::Refused(_)) => None,
                known => Some(known?),
            },
            None => None,
        };
        let channel = match known {
            Some(known) => known.id().clone(),
            None => create(hub, &token).await?.id().clone(),
        };
        Ok(Data::new(Self {
            password: TokenHash::of(password),
            token,
            channel: RwLock::new(channel),
            attempts: Attempts::new("passwords", PASSWORD_ATTEMPTS),
            guessed: Attempts::new("passwords", 1),
        }))
    }

    /// The channel id and the token of the room, for REST and MCP.
    pub(crate) fn credentials(&self) -> (String, &str) {
        (self.channel().to_string(), &self.token)
    }

    /// The channel of the room.
    pub(super) fn channel(&self) -> ChannelId {
        self.channel.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks the password and returns the room's channel. A deleted channel is created again.
    pub(super) async fn admit(
        &self,
        hub: &Hub,
        password: &str,
        address: IpAddr,
        now: Now,
    ) -> Result<Admitted, HubError> {
        let channel = self.channel();
        self.attempts.check(&(), address, now)?;
        if !self.password.matches(password) {
            self.count_wrong(password, address, now);
            return Err(Refusal::new(Code::Unauthorized, "Invalid password").into());
        }
        match hub.find(channel.as_str()).await {
            Err(HubError::Refused(refusal)) if refusal.code == Code::NotFound => {
                let made = create(hub, &self.token).await?;
                *self.channel.write().unwrap_or_else(PoisonError::into_inner) = made.id().clone();
                Ok(made)
            }
            found => found,
        }
    }

    /// Counts a wrong password once: a client that repeats the same one must not lock out others with its address.
    fn count_wrong(&self, password: &str, address: IpAddr, now: Now) {
        let mut guess = [0; 8];
        guess.copy_from_slice(&Sha256::digest(password.as_bytes())[..8]);
        if self.guessed.check(&guess, address, now).is_ok() {
            self.guessed.wrong(&guess, address, now);
            self.attempts.wrong(&(), address, now);
        }
    }
}

async fn create(hub: &Hub, token: &str) -> Result<Admitted, HubError> {
    let input = CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() };
    let made = hub.create_with(input, None, token.to_owned()).await?.channel;
    hub.put_row(KIND, ROOT.to_owned(), Some(made.id().to_string())).await;
    Ok(made)
}

//! The room at the root, of `serve --chatroom`: a channel of its own, kept on disk. Its token is made from the password and
//! the hub's key, so that a weak password is guessed at this door only, where wrong ones are counted.

use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use actix_web::web::Data;
use rogerrat_actors::{Admitted, Attempts, Hub, HubError};
use rogerrat_domain::limits::PASSWORD_ATTEMPTS;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{ChannelId, Code, Durability, Now, Refusal, TokenHash};

/// What its row is called in the hub's log.
const KIND: &str = "chatroom";
const ROOT: &str = "root";

/// The room at the root.
pub(crate) struct Chatroom {
    password: TokenHash,
    token: String,
    channel: RwLock<ChannelId>,
    attempts: Attempts<()>,
}

impl Chatroom {
    /// The room of this password: the one there was, or a new one.
    ///
    /// # Errors
    /// When it cannot be read or created.
    pub(crate) async fn open(hub: &Hub, password: &str) -> Result<Data<Self>, HubError> {
        let token = hub.seal(KIND).close(b"", password);
        let rows = hub.rows(KIND).await.map_err(|_| HubError::StorageFailed)?;
        let before = rows.into_iter().find(|(name, _)| name == ROOT).map(|(_, channel)| channel);
        let known = match before {
            Some(channel) => hub.admit(&channel, Some(&token)).await.ok(),
            None => None,
        };
        let channel = match known {
            Some(known) => known.id().clone(),
            None => create(hub, &token).await?.id().clone(),
        };
        let attempts = Attempts::new("passwords", PASSWORD_ATTEMPTS);
        Ok(Data::new(Self { password: TokenHash::of(password), token, channel: RwLock::new(channel), attempts }))
    }

    /// What admits to it over REST and MCP: the channel and its token.
    pub(crate) fn pass(&self) -> (String, &str) {
        (self.channel().to_string(), &self.token)
    }

    fn channel(&self) -> ChannelId {
        self.channel.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets in who says the password. A room that was deleted begins anew.
    pub(super) async fn enter(&self, hub: &Hub, said: &str, address: IpAddr, now: Now) -> Result<Admitted, HubError> {
        let channel = self.channel();
        self.attempts.check(&(), address, now)?;
        if !self.password.admits(said) {
            self.attempts.wrong(&(), address, now);
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
}

async fn create(hub: &Hub, token: &str) -> Result<Admitted, HubError> {
    let input = CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() };
    let made = hub.create_with(input, None, token.to_owned()).await?.channel;
    hub.put_row(KIND, ROOT.to_owned(), Some(made.id().to_string())).await;
    Ok(made)
}

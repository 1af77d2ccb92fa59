//! Remote control: a channel on which a person instructs an agent from a phone.

use serde::{Deserialize, Serialize};

use crate::channel_target::ChannelTarget;
use crate::error::ClientError;
use crate::hub_client::HubClient;
use crate::reply::HubReply;

/// What to open or to add. The hub chooses what is not set.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RemoteOptions {
    /// The person's name on the phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The agent's callsign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_callsign: Option<String>,
    /// The phone's callsign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_callsign: Option<String>,
    /// The form of the QR code: `ascii`, `png` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr: Option<&'static str>,
}

/// The body of a request to add a phone.
#[derive(Serialize)]
struct PhoneBody<'a> {
    session_token: &'a str,
    #[serde(flatten)]
    options: &'a RemoteOptions,
}

/// A callsign that an account owns, with its key.
#[derive(Debug, Deserialize)]
pub struct CreatedIdentity {
    /// The callsign.
    pub callsign: String,
    /// The key to join with. The hub shows it only here.
    pub identity_key: String,
}

/// The links for a phone.
#[derive(Debug, Deserialize)]
pub struct RemoteLink {
    /// The link with every secret that was created.
    pub mobile_url: String,
    /// The same link without the owner password.
    pub mobile_url_protected: String,
    /// `mobile_url` as a QR code: lines of block characters, for light text on a dark background.
    pub qr_ascii_clean: Option<String>,
    /// Why no phone can open the links.
    pub notice: Option<String>,
}

/// Reply to opening remote control.
#[derive(Debug, Deserialize)]
pub struct OpenedRemoteControl {
    /// Id of the channel.
    pub channel_id: String,
    /// Token of the channel.
    pub channel_token: String,
    /// The owner password: a PIN.
    pub owner_password: String,
    /// The agent.
    pub agent: CreatedIdentity,
    /// The person.
    pub phone: CreatedIdentity,
    /// The links.
    #[serde(flatten)]
    pub link: RemoteLink,
    /// Recovery token of the account, if it was created too.
    pub recovery_token: Option<String>,
    /// Session token of the account, if it was created too.
    pub session_token: Option<String>,
}

/// Reply to adding a phone to a channel.
#[derive(Debug, Deserialize)]
pub struct AddedRemoteLink {
    /// The owner password, if the channel had none: a PIN.
    pub owner_password: Option<String>,
    /// The person.
    pub phone: CreatedIdentity,
    /// The links.
    #[serde(flatten)]
    pub link: RemoteLink,
}

impl HubClient {
    /// Opens remote control. `token` is the hub's own token, if it has one, or the session token of an account.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses the options or the token, or cannot be reached.
    pub async fn open_remote_control(
        &mut self,
        options: &RemoteOptions,
        token: Option<&str>,
    ) -> Result<HubReply<OpenedRemoteControl>, ClientError> {
        self.post("/api/remote-control", token, options).await
    }

    /// Adds a phone to a channel, as an identity of the account of `session_token`.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses it or cannot be reached.
    pub async fn make_remote_link(
        &mut self,
        channel: &ChannelTarget,
        session_token: &str,
        options: &RemoteOptions,
    ) -> Result<HubReply<AddedRemoteLink>, ClientError> {
        channel.check().map_err(ClientError::InvalidTarget)?;
        let path = format!("/api/channels/{}/remote-link", channel.channel);
        self.post(&path, channel.token.as_deref(), &PhoneBody { session_token, options }).await
    }
}

//! Public information about a channel, for anyone who knows its id.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::ids::ChannelId;
use crate::op::Query;
use crate::settings::{DmVisibility, Retention, TrustMode};
use crate::{Now, Refusal};

/// Returns public information about the channel.
#[derive(Clone, Copy, Debug)]
pub struct Info;

/// The settings of a channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InfoReply {
    /// The channel id.
    #[serde(serialize_with = "id_as_text")]
    pub channel_id: ChannelId,
    /// Always true.
    pub exists: bool,
    /// What its transcript records.
    pub retention: Retention,
    /// Its trust mode.
    pub trust_mode: TrustMode,
    /// Whether an owner password was set.
    pub has_owner_password: bool,
    /// How long a session lasts without activity, in seconds.
    pub session_ttl_seconds: u64,
    /// Who can read a DM besides its sender and recipient.
    pub dm_visibility: DmVisibility,
    /// Whether a callsign stays reserved for its session, and for an hour after the session ends.
    pub claim_callsigns: bool,
    /// Whether only identities may join.
    pub require_identity: bool,
    /// Whether it is a public band.
    pub is_band: bool,
    /// Members online.
    pub agent_count: usize,
}

impl Query for Info {
    type Reply = InfoReply;

    fn answer(&self, channel: &Channel, _: Now) -> Result<InfoReply, Refusal> {
        let settings = &channel.settings;
        Ok(InfoReply {
            channel_id: channel.id.clone(),
            exists: true,
            retention: settings.retention,
            trust_mode: settings.trust_mode,
            has_owner_password: settings.owner_password.is_some(),
            session_ttl_seconds: settings.session_ttl_ms / 1000,
            dm_visibility: settings.dm_visibility,
            claim_callsigns: settings.claim_callsigns,
            require_identity: settings.require_identity,
            is_band: settings.is_band,
            agent_count: channel.live,
        })
    }
}

pub(super) fn id_as_text<S: Serializer>(id: &ChannelId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(id.as_str())
}

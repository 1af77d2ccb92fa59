//! What instances ask of each other, beside forwarded requests.

use std::sync::Arc;

use rogerrat_domain::op::{GoneWhileAsked, PushCheck, UnreadOwn};
use rogerrat_domain::{ChannelId, Refusal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ChannelLocation, Hub};
use crate::error::HubError;
use crate::ports::lanes::Lanes;
use crate::ports::peers::PeerCalls;
use crate::webhooks::WakeLanes;

/// A question about a channel, which only its owner can answer. The answer is the JSON of the query's reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    Verdict(PushCheck),
    UnreadOwn(UnreadOwn),
    GoneWhileAsked(GoneWhileAsked),
}

impl Hub {
    /// Sets how the hub reaches the other instances. Until then, and without it, it wakes none and asks none.
    pub fn set_peers(&self, peers: Arc<dyn PeerCalls>) {
        // It is set only here, once.
        drop(self.shared.peers.set(peers));
    }

    /// Deliveries of webhooks in these lanes have become due, says another instance. Returns whether this one drives them
    /// all.
    pub async fn wake_lanes(&self, lanes: Lanes) -> bool {
        self.shared.webhooks.addr.send(WakeLanes(lanes)).await.unwrap_or(false)
    }

    /// Answers a question of another instance about a channel that this one owns.
    ///
    /// # Errors
    /// `Moved` if it does not own it; `invalid` for a question of a later version; a refusal of the query.
    pub async fn answer_peer(&self, channel: &ChannelId, question: &str) -> Result<String, HubError> {
        let question: Question =
            serde_json::from_str(question).map_err(|_| Refusal::invalid("this hub does not know the question"))?;
        let at = self.find(channel.as_str()).await?;
        let answer = match question {
            Question::Verdict(query) => serde_json::to_string(&self.query(&at, query).await?),
            Question::UnreadOwn(query) => {
                self.shared.webhooks.hooks.looked_elsewhere(channel, query.member);
                serde_json::to_string(&self.query(&at, query).await?)
            }
            Question::GoneWhileAsked(query) => serde_json::to_string(&self.query(&at, query).await?),
        };
        answer.map_err(|_| HubError::OutcomeUnknown)
    }

    /// Asks the owner of a channel, if that is another instance. `None` if this hub is to answer.
    pub(super) async fn ask_owner<T: DeserializeOwned>(
        &self,
        channel: &ChannelId,
        question: &Question,
    ) -> Result<Option<T>, HubError> {
        let ChannelLocation::Elsewhere(owner) = self.locate(channel).await? else { return Ok(None) };
        let peers = self.shared.peers.get().ok_or(HubError::Moved)?;
        let json = serde_json::to_string(question).map_err(|_| HubError::OutcomeUnknown)?;
        let answer = peers.ask(owner, channel.clone(), json).await.inspect_err(|_| self.forget_location(channel))?;
        serde_json::from_str(&answer).map(Some).map_err(|_| HubError::OutcomeUnknown)
    }
}

//! Which messages are pushed to a member, and how urgently.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{PushWants, SubscribedMember};
use crate::channel::{Channel, Departure, Member, SessionState};
use crate::ids::{MemberNo, MessageId};
use crate::message::{Message, Priority};

/// The fields of a message that decide about a push, read from its JSON.
#[derive(Debug, Deserialize)]
pub struct MessageFacts<'m> {
    /// The sender's callsign.
    #[serde(borrow)]
    pub from: Cow<'m, str>,
    /// The recipient's callsign, or `all`.
    #[serde(borrow)]
    pub to: Cow<'m, str>,
    /// The text.
    #[serde(borrow)]
    pub text: Cow<'m, str>,
    /// The name of its thread.
    #[serde(borrow, default)]
    pub thread: Option<Cow<'m, str>>,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    suggested_replies: Vec<IgnoredAny>,
    #[serde(default)]
    pub(crate) reply_to: Option<MessageId>,
}

impl<'m> MessageFacts<'m> {
    /// Reads the JSON of a message.
    #[must_use]
    pub fn of(json: &'m [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Whether the sender waits for one of its suggested replies.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        !self.suggested_replies.is_empty()
    }

    /// Whether it is pushed at once, also to a device that saves power.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.priority >= Priority::High || self.wants_answer()
    }
}

impl Channel {
    /// Whether a message is pushed to a member of the channel that wants these broadcasts. `facts` are read only if they
    /// decide.
    pub fn is_pushed<'f>(
        &self,
        no: MemberNo,
        wants: PushWants,
        message: &Message,
        facts: impl FnOnce() -> Option<&'f MessageFacts<'f>>,
    ) -> bool {
        if message.from == no {
            return false;
        }
        if message.to.is_some() || wants == PushWants::All {
            return message.to.is_none_or(|to| to == no);
        }
        facts().is_some_and(|facts| {
            let replied = facts.reply_to.filter(|_| wants == PushWants::Mine);
            facts.is_urgent() || replied.is_some_and(|id| self.is_of(id, no))
        })
    }

    /// Whether a subscribed member still belongs to the channel.
    #[must_use]
    pub fn has_subscribed(&self, SubscribedMember { no, generation }: SubscribedMember) -> bool {
        self.member(no).is_some_and(|member| member.generation == generation && member.belongs())
    }

    fn is_of(&self, id: MessageId, no: MemberNo) -> bool {
        self.ring.get(id).is_some_and(|slot| slot.from == no)
    }
}

impl Member {
    /// Whether it belongs to its channel: it may be away, but has not left.
    pub(crate) fn belongs(&self) -> bool {
        match self.presence {
            SessionState::Live { .. } => true,
            SessionState::Away { how, .. } => how == Departure::Expired,
        }
    }
}

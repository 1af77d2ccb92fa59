//! Whether a message that is about to be pushed is still unread.

use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::channel::{Channel, Member};
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::op::Query;
use crate::push::{MessageFacts, SubscribedMember};
use crate::{Now, Refusal};

/// Determines whether a member has read or answered a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PushCheck {
    /// The member.
    pub member: PushMember,
    /// The consumer of the device to push to.
    pub consumer: Option<ConsumerName>,
    /// The message.
    pub message: MessageId,
}

/// A member, by its subscription or its callsign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PushMember {
    /// A subscribed member.
    Subscribed(SubscribedMember),
    /// The callsign.
    Named(Callsign),
}

/// What is known of a message that is about to be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushVerdict {
    /// The member has left the channel.
    Absent,
    /// The member has read or answered the message, on any device.
    Read,
    /// The device reads the channel at this moment.
    Reading,
    /// Nothing of that.
    Unread,
}

impl Query for PushCheck {
    type Reply = PushVerdict;

    fn answer(&self, channel: &Channel, _: Now) -> Result<PushVerdict, Refusal> {
        let member = match &self.member {
            PushMember::Subscribed(subscribed) => {
                channel.member(subscribed.no).filter(|_| channel.has_subscribed(*subscribed))
            }
            PushMember::Named(callsign) => channel.member_named(callsign.as_str()),
        };
        let Some(member) = member.filter(|member| member.belongs()) else {
            return Ok(PushVerdict::Absent);
        };
        if has_read(member, self.message) || has_answered(channel, member.no, self.message) {
            return Ok(PushVerdict::Read);
        }
        let device = self.consumer.as_ref().and_then(|name| member.consumer(Some(name)));
        Ok(if device.is_some_and(|consumer| consumer.is_waiting()) {
            PushVerdict::Reading
        } else {
            PushVerdict::Unread
        })
    }
}

fn has_read(member: &Member, id: MessageId) -> bool {
    member.consumers.iter().any(|consumer| consumer.cursor >= id && consumer.claim(id).is_none())
}

fn has_answered(channel: &Channel, no: MemberNo, id: MessageId) -> bool {
    // In the text of a message the quotes are escaped, so only a reply contains this, and only that one is parsed.
    let field = format!("\"reply_to\":{id}");
    let finder = memmem::Finder::new(&field);
    channel.ring.after(id).filter(|slot| slot.from == no).any(|slot| {
        let json = slot.message.as_ref().map(|message| message.json());
        let reply = json.as_deref().filter(|json| finder.find(json).is_some());
        reply.and_then(MessageFacts::of).is_some_and(|facts| facts.reply_to == Some(id))
    })
}

/// The member that a session belongs to, for its subscriptions.
#[derive(Clone, Debug)]
pub struct PushSubscriber {
    /// The caller's session.
    pub session: SessionId,
}

impl Query for PushSubscriber {
    type Reply = SubscribedMember;

    fn session(&self) -> Option<&SessionId> {
        Some(&self.session)
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<SubscribedMember, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        Ok(SubscribedMember { no, generation: channel.members[&no].generation })
    }
}

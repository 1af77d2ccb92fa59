//! One message by its id, as long as the channel holds it.

use std::sync::Arc;

use crate::channel::{Channel, MessageSlot};
use crate::ids::{MessageId, SessionId};
use crate::message::Message;
use crate::op::Query;
use crate::refusal::{Code, Refusal};
use crate::{Now, limits};

/// Returns a message that the caller may see. It marks nothing as read.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The session of the member that asks, if it has one.
    pub session: Option<SessionId>,
    /// The message's id.
    pub id: MessageId,
}

/// Where the message is.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// In memory.
    InMemory(Arc<Message>),
    /// In the log, as part of the backlog.
    InLog,
}

impl Fetch {
    /// The refusal for a message that is not held, or that the caller may not see.
    #[must_use]
    pub fn not_found() -> Refusal {
        Refusal::new(Code::NotFound, "message not found").hint(format!(
            "a channel in memory holds its last {} messages, a durable one its backlog; a direct message is shown to its \
             sender and its recipient",
            limits::RING_MESSAGES
        ))
    }
}

impl Query for Fetch {
    type Reply = Fetched;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<Fetched, Refusal> {
        let session = self.session.as_ref();
        let viewer = session.map(|session| channel.sessions.member(session, now.uptime_ms)).transpose()?;
        let is_visible = |slot: &&MessageSlot| slot.id == self.id && channel.shows(slot, viewer);
        let held = || channel.members.values().flat_map(|member| member.held.iter()).find(is_visible);
        let in_ring = channel.ring.get(self.id).filter(is_visible);
        let slot = in_ring.filter(|slot| slot.message.is_some()).or_else(held).or(in_ring);
        let slot = slot.ok_or_else(Self::not_found)?;
        Ok(slot.message.clone().map_or(Fetched::InLog, Fetched::InMemory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::harness::{START_MS, TestChannel};
    use crate::{DmVisibility, Settings, TokenHash};

    fn fetch(test: &mut TestChannel, who: Option<&str>, id: MessageId) -> Result<String, Code> {
        let session = who.map(|who| test.session(who));
        match test.query(&Fetch { session, id }) {
            Ok(Fetched::InMemory(message)) => Ok(String::from_utf8(message.json().to_vec()).unwrap()),
            Ok(Fetched::InLog) => Ok("in the log".to_owned()),
            Err(refusal) => Err(refusal.code),
        }
    }

    #[test]
    fn a13_a_message_is_fetched_while_it_is_held() {
        let mut test = TestChannel::new();
        test.join("ann");
        test.join("bob");
        let first = test.send("ann", "all", "first").id;
        let dm = test.send("ann", "bob", "dm").id;
        for id in [first, dm] {
            assert!(fetch(&mut test, None, id).unwrap().contains(&format!("\"id\":{id},")));
        }
        assert_eq!(test.listen("bob").unwrap().ids, [first, dm], "it marks nothing as read");
        test.send_many("ann", "all", 100);
        assert_eq!(fetch(&mut test, Some("bob"), first), Err(Code::NotFound));
        assert_eq!(fetch(&mut test, Some("bob"), dm + 100_000), Err(Code::NotFound));
    }

    #[test]
    fn a13_a_private_dm_is_fetched_by_its_two_ends_only() {
        let mut settings = Settings::plain(TokenHash::of("t"), START_MS);
        settings.dm_visibility = DmVisibility::Private;
        let mut test = TestChannel::with(settings);
        for who in ["ann", "bob", "eve"] {
            test.join(who);
        }
        let dm = test.send("ann", "bob", "psst").id;
        test.send_many("ann", "all", 100);
        assert!(fetch(&mut test, Some("bob"), dm).unwrap().contains("psst"), "held for its recipient");
        assert!(fetch(&mut test, Some("ann"), dm).unwrap().contains("psst"));
        assert_eq!(
            (fetch(&mut test, Some("eve"), dm), fetch(&mut test, None, dm)),
            (Err(Code::NotFound), Err(Code::NotFound))
        );
        let broadcast = test.send("ann", "all", "open").id;
        assert!(fetch(&mut test, None, broadcast).is_ok());
        let session = test.session("eve");
        test.ask(crate::op::Leave { session }).unwrap();
        assert_eq!(
            fetch(&mut test, Some("eve"), broadcast),
            Err(Code::SessionExpired),
            "a session that has ended is refused"
        );
    }
}

//! What became of the messages that a subscribed member sent: whether they are read, and whether who was asked is gone.

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::channel::{Channel, DeliveryRecord, Member, Task};
use crate::ids::{AccountId, MemberNo, MessageId};
use crate::limits::PUSH_UNREAD_MS;
use crate::message::task::Wants;
use crate::op::Query;
use crate::op::receipts::{ReceiptState, receipt_of};
use crate::push::SubscribedMember;
use crate::{Now, Refusal};

/// Finds a message of a member that nobody has read for long, by recipients who have no poll or stream open.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct UnreadOwn {
    /// The member.
    pub member: SubscribedMember,
    /// The message that was announced last. Until its recipient has read it, later ones to the same are not announced.
    pub announced: MessageId,
}

/// What [`UnreadOwn`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadOwnReply {
    /// A message to announce.
    pub unread: Option<UnreadMessage>,
    /// When there may be one, in milliseconds since the epoch; none if there is nothing to wait for.
    pub next_ms: Option<u64>,
}

/// A message that was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadMessage {
    /// Its id.
    pub id: MessageId,
    /// Its recipient; none if it was for all.
    pub to: Option<Callsign>,
    /// The account that owns the recipient's identity, if it has one.
    pub account: Option<AccountId>,
}

impl Query for UnreadOwn {
    type Reply = UnreadOwnReply;

    fn answer(&self, channel: &Channel, now: Now) -> Result<UnreadOwnReply, Refusal> {
        let mut reply = UnreadOwnReply::default();
        if !channel.has_subscribed(self.member) {
            return Ok(reply);
        }
        let mut announced_to = Vec::new();
        for record in channel.delivery_records.iter().filter(|record| record.from == self.member.no) {
            if announced_to.contains(&record.to) || !channel.is_unread(record) {
                continue;
            }
            if record.id <= self.announced {
                announced_to.push(record.to);
                continue;
            }
            let due_ms = record.at_ms.saturating_add(PUSH_UNREAD_MS);
            if now.at_ms < due_ms {
                reply.next_ms = Some(due_ms);
            } else {
                let identity = record.to.and_then(|to| channel.identity_of(to));
                let account = identity.map(|(_, identity)| identity.account.clone());
                reply.unread = Some(UnreadMessage { id: record.id, to: record.to_callsign.clone(), account });
            }
            break;
        }
        Ok(reply)
    }
}

/// Determines whether a member that has left still owes another one an answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GoneWhileAsked {
    /// Who asked.
    pub member: SubscribedMember,
    /// Who has left.
    pub gone: MemberNo,
}

/// A member that has left, and the message that it did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneMember {
    /// The member.
    pub callsign: Callsign,
    /// The message.
    pub asked: MessageId,
}

impl Query for GoneWhileAsked {
    type Reply = Option<GoneMember>;

    fn answer(&self, channel: &Channel, _: Now) -> Result<Option<GoneMember>, Refusal> {
        let gone = channel.member(self.gone).filter(|gone| !gone.is_live() && channel.has_subscribed(self.member));
        Ok(gone.and_then(|gone| {
            let asked = channel.unanswered(self.member.no, gone.no)?;
            Some(GoneMember { callsign: gone.callsign.clone(), asked })
        }))
    }
}

impl Channel {
    /// The last task that a member posted for another one by name and that is open. If there is none, the last message of it to
    /// the other one, direct or to all if there is no third member, unless that one has sent a message to it since.
    #[must_use]
    pub fn unanswered(&self, from: MemberNo, by: MemberNo) -> Option<MessageId> {
        self.owed_task(from, by).or_else(|| self.unanswered_message(from, by))
    }

    fn owed_task(&self, from: MemberNo, by: MemberNo) -> Option<MessageId> {
        let is_for_it = |task: &&Task| task.from.no == from && task.to.as_ref().is_some_and(|to| to.no == by);
        let is_owed = |task: &&Task| task.wants == Wants::Work || task.awaits(by);
        self.tasks.open().filter(is_for_it).filter(is_owed).last().map(Task::id)
    }

    fn unanswered_message(&self, from: MemberNo, by: MemberNo) -> Option<MessageId> {
        let mut records = self.delivery_records.iter().rev();
        let last = records.find(|record| is_answer(record, by, from) || self.is_asked(record, from, by))?;
        (last.from == from).then_some(last.id)
    }

    fn is_asked(&self, record: &DeliveryRecord, from: MemberNo, of: MemberNo) -> bool {
        // Of a task that is closed nothing is wanted any more.
        let is_closed = self.tasks.get(record.id).is_some_and(|task| task.state.is_closed());
        record.from == from
            && !is_closed
            && match record.to {
                Some(to) => to == of,
                None => self.readers(record).all(|reader| reader.no == of),
            }
    }

    /// Whether no recipient of a message has read or answered it, or reads at this moment.
    fn is_unread(&self, record: &DeliveryRecord) -> bool {
        let is_unread = |member: &Member| {
            let receipt = receipt_of(self, record, member.no);
            let is_read =
                receipt.is_none_or(|receipt| matches!(receipt.state, ReceiptState::Delivered | ReceiptState::Acked));
            let mut later = self.delivery_records.iter().rev().take_while(|later| later.id > record.id);
            !is_read && !member.is_waiting() && !later.any(|later| is_answer(later, member.no, record.from))
        };
        match record.to {
            Some(to) => to != record.from && self.member(to).is_some_and(is_unread),
            None => self.readers(record).next().is_some() && self.readers(record).all(is_unread),
        }
    }

    /// The recipients of a broadcast.
    fn readers<'c>(&'c self, record: &'c DeliveryRecord) -> impl Iterator<Item = &'c Member> {
        self.members
            .values()
            .map(|member| &**member)
            .filter(|member| member.no != record.from && member.start < record.id)
    }
}

/// Whether a message is from one member, and another one gets it.
fn is_answer(record: &DeliveryRecord, from: MemberNo, to: MemberNo) -> bool {
    record.from == from && record.to.is_none_or(|recipient| recipient == to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::harness::TestChannel;
    use crate::op::{Leave, PushSubscriber};

    fn member(test: &mut TestChannel, callsign: &str) -> SubscribedMember {
        test.join(callsign);
        let session = test.session(callsign);
        test.query(&PushSubscriber { session }).unwrap()
    }

    fn unread(test: &mut TestChannel, member: SubscribedMember, announced: MessageId) -> UnreadOwnReply {
        test.query(&UnreadOwn { member, announced }).unwrap()
    }

    fn gone(test: &mut TestChannel, member: SubscribedMember) -> Option<MessageId> {
        let gone = test.channel.member_named("builder").unwrap().no;
        test.query(&GoneWhileAsked { member, gone }).unwrap().map(|gone| gone.asked)
    }

    #[test]
    fn a28_what_was_not_read_for_10_minutes_is_found_once_for_each_recipient() {
        let mut test = TestChannel::new();
        let phone = member(&mut test, "phone");
        test.join("builder");
        test.join("tester");
        assert_eq!(unread(&mut test, phone, 0), UnreadOwnReply::default());
        test.send("phone", "builder", "read");
        test.listen("builder").unwrap();
        let first = test.send("phone", "builder", "first").id;
        let due_ms = test.now.at_ms + PUSH_UNREAD_MS;
        assert_eq!(unread(&mut test, phone, 0), UnreadOwnReply { unread: None, next_ms: Some(due_ms) });
        test.at(PUSH_UNREAD_MS);
        let found = unread(&mut test, phone, 0).unread.unwrap();
        assert_eq!((found.id, found.to.unwrap().as_str()), (first, "builder"));
        test.send("phone", "builder", "second");
        let other = test.send("phone", "tester", "other").id;
        test.at(2 * PUSH_UNREAD_MS);
        assert_eq!(unread(&mut test, phone, first).unread.unwrap().id, other, "the second one is not announced");
        test.send("tester", "phone", "an answer");
        assert_eq!(unread(&mut test, phone, first), UnreadOwnReply::default());
    }

    #[test]
    fn a28_a_broadcast_is_unread_if_no_member_has_read_it() {
        let mut test = TestChannel::new();
        let phone = member(&mut test, "phone");
        test.join("builder");
        test.join("tester");
        let id = test.send("phone", "all", "anybody?").id;
        test.at(PUSH_UNREAD_MS);
        assert_eq!(unread(&mut test, phone, 0).unread, Some(UnreadMessage { id, to: None, account: None }));
        test.listen("tester").unwrap();
        assert_eq!(unread(&mut test, phone, 0), UnreadOwnReply::default());
    }

    #[test]
    fn a28_a_member_is_gone_while_it_owes_an_answer() {
        let mut test = TestChannel::new();
        let phone = member(&mut test, "phone");
        test.join("builder");
        test.join("tester");
        let leave = |test: &mut TestChannel| {
            let session = test.session("builder");
            test.ask(Leave { session }).unwrap();
        };
        test.send("phone", "all", "to all of them");
        leave(&mut test);
        assert_eq!(gone(&mut test, phone), None, "there is a third one");
        let asked = test.send("phone", "builder", "please build").id;
        assert_eq!(gone(&mut test, phone), Some(asked));
        test.join("builder");
        assert_eq!(gone(&mut test, phone), None, "it is back");
        test.send("builder", "tester", "to another");
        leave(&mut test);
        assert_eq!(gone(&mut test, phone), Some(asked));
        test.join("builder");
        test.send("builder", "phone", "done");
        leave(&mut test);
        assert_eq!(gone(&mut test, phone), None, "it has answered");
    }

    #[test]
    fn a28_who_leaves_owes_the_tasks_that_were_for_it_and_are_open() {
        let mut test = TestChannel::new();
        let phone = member(&mut test, "phone");
        test.join("builder");
        let mut ids = Vec::new();
        for wants in ["answer", "work"] {
            let body = serde_json::json!({"to": "builder", "wants": wants, "message": "x"});
            ids.push(test.post("phone", &body).unwrap().id);
        }
        test.send("builder", "phone", "about something else");
        let session = test.session("builder");
        test.ask(Leave { session }).unwrap();
        assert_eq!(gone(&mut test, phone), Some(ids[1]), "a message is no answer to a task");
        let withdraw = |test: &mut TestChannel, id: u64| {
            test.post("phone", &serde_json::json!({"reply_to": id, "state": "cancelled", "to": "builder"})).unwrap();
        };
        withdraw(&mut test, ids[1]);
        assert_eq!(gone(&mut test, phone), Some(ids[0]));
    }
}

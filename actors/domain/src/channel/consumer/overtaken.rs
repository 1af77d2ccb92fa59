//! Messages that the cursor passes although they are not delivered: an earlier read of the consumer still has them, or has
//! returned them. Their claims keep them due, and no entry of the log contains a claim of a read. So the entry that moves
//! the cursor names them.

use super::{Claim, ClaimState, Consumer};
use crate::channel::Channel;
use crate::ids::{ConsumerName, MemberNo, MessageId};

impl Consumer {
    /// The claimed messages that are not delivered and that the cursor passes when it moves to `upto`, except those that are
    /// settled by the same entry.
    pub(crate) fn overtaken(&self, upto: MessageId, settled: &[MessageId]) -> Vec<MessageId> {
        let is_open = |c: &&Claim| {
            c.id > self.cursor
                && !c.is_reread
                && matches!(c.state, ClaimState::InFlight(_) | ClaimState::Queued(_) | ClaimState::Due)
        };
        let passed = self.claims.iter().take_while(|c| c.id <= upto).filter(is_open);
        passed.map(|c| c.id).filter(|id| !settled.contains(id)).collect()
    }
}

impl Channel {
    /// Keeps overtaken messages due. Only a replay has no claims of them; there they may have been delivered.
    pub(in crate::channel) fn on_overtaken(
        &mut self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        overtaken: &[MessageId],
    ) {
        let ring = &self.ring;
        let Some(member) = self.members.get_mut(&no).filter(|_| !overtaken.is_empty()) else { return };
        let held = &member.held;
        let Some(consumer) = member.consumers.iter_mut().find(|c| c.name.as_ref() == name) else { return };
        for id in overtaken {
            if consumer.claim(*id).is_some() || consumer.remaining_claims() == 0 {
                continue;
            }
            let slot = ring.get(*id);
            let is_own = slot.is_some_and(|slot| slot.from == no);
            let is_dm = held.contains(*id) || slot.is_some_and(|slot| slot.to.is_some() && !is_own);
            let state = ClaimState::Due;
            consumer.upsert(Claim { id: *id, state, attempt: 2, is_dm, is_own, is_reread: false });
        }
    }
}

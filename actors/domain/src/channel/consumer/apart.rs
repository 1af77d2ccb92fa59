//! Messages that a consumer read apart from those before them.

use super::{Claim, ClaimState, Consumer};
use crate::ids::MessageId;
use crate::limits::CLAIMS;

impl Consumer {
    /// Records that a message above the cursor was read apart from those before it. There is space for as many such messages
    /// as for others; beyond it they are delivered again.
    pub(crate) fn mark_done(&mut self, id: MessageId, is_dm: bool) {
        let done = self.claims.iter().filter(|c| c.state == ClaimState::Done).count();
        if id > self.cursor && done < CLAIMS / 2 && self.remaining_claims() > 0 {
            let (state, attempt) = (ClaimState::Done, 1);
            self.upsert(Claim { id, state, attempt, is_dm, is_own: false, is_reread: false });
        }
    }

    /// Whether a message was read apart from those before it.
    pub(crate) fn is_done_apart(&self, id: MessageId) -> bool {
        self.claim(id).is_some_and(|c| c.state == ClaimState::Done)
    }

    /// Forgets what was read apart, as far as the cursor has passed it.
    pub(crate) fn forget_done(&mut self) {
        let cursor = self.cursor;
        self.claims.retain(|c| c.state != ClaimState::Done || c.id > cursor);
    }
}

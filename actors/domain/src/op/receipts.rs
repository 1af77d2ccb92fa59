//! Receipts: the delivery state of a message, for its sender.

use serde::Serialize;
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::channel::{Channel, Consumer, DeliveryRecord, Member};
use crate::ids::{MemberNo, MessageId, SessionId};
use crate::op::Query;
use crate::refusal::{Code, Refusal};
use crate::{Now, limits};

/// Returns the receipts of a message.
#[derive(Clone, Debug)]
pub struct Receipts {
    /// The sender's session.
    pub session: SessionId,
    /// The message's id.
    pub id: MessageId,
}

/// The receipts of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceiptsReply {
    /// One receipt per recipient.
    pub receipts: Vec<Receipt>,
}

/// The delivery state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptState {
    /// Not delivered yet.
    Queued,
    /// Delivered to the recipient.
    Delivered,
    /// Acknowledged by the recipient.
    Acked,
    /// Dropped before it was delivered.
    Expired,
}

/// The delivery state of a message for one recipient.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// The recipient's callsign.
    pub to: Callsign,
    /// The delivery state.
    pub state: ReceiptState,
    /// DMs: when it was sent, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub queued_at: Option<u64>,
    /// DMs: when it was first delivered, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivered_at: Option<u64>,
    /// DMs: when it was acknowledged, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acked_at: Option<u64>,
    /// DMs: how often it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub attempts: Option<u32>,
}

impl Query for Receipts {
    type Reply = ReceiptsReply;

    fn session(&self) -> Option<&SessionId> {
        Some(&self.session)
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<ReceiptsReply, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        let Some(record) = channel.delivery_records.find(self.id) else {
            return Err(Refusal::new(Code::NotFound, "receipts not found")
                .hint("receipts are kept for the last 256 messages of a channel"));
        };
        if record.from != no {
            return Err(Refusal::new(Code::Forbidden, "only the sender of a message may read its receipts"));
        }
        let mut receipts = Vec::new();
        each_receipt(channel, record, |receipt| receipts.push(receipt));
        Ok(ReceiptsReply { receipts })
    }
}

/// Returns the receipts of several messages.
#[derive(Clone, Debug)]
pub struct ReceiptsOfMany {
    /// The sender's session.
    pub session: SessionId,
    /// The messages' ids; at most [`limits::RECEIPT_IDS`].
    pub ids: Vec<MessageId>,
}

/// The receipts of several messages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceiptsOfManyReply {
    /// The messages, by id. Those that the caller did not send, and those without receipts, are left out.
    #[schema(max_items = 50)]
    pub messages: Vec<MessageReceipts>,
}

/// The receipts of one of several messages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageReceipts {
    /// The message's id.
    #[schema(value_type = u64)]
    pub id: MessageId,
    /// How many recipients are in each state.
    pub counts: ReceiptCounts,
    /// One receipt per recipient, at most 100. `counts` has all recipients.
    #[schema(max_items = 100)]
    pub receipts: Vec<Receipt>,
}

/// How many recipients of a message are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptCounts {
    /// Recipients to whom it was not delivered yet.
    pub queued: usize,
    /// Recipients to whom it was delivered, and who have not acknowledged it.
    pub delivered: usize,
    /// Recipients who acknowledged it.
    pub acked: usize,
    /// Recipients for whom it was dropped before it was delivered.
    pub expired: usize,
}

impl Query for ReceiptsOfMany {
    type Reply = ReceiptsOfManyReply;

    fn session(&self) -> Option<&SessionId> {
        Some(&self.session)
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<ReceiptsOfManyReply, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        let mut ids: Vec<_> = self.ids.iter().take(limits::RECEIPT_IDS).collect();
        ids.sort_unstable();
        ids.dedup();
        let records = ids.into_iter().filter_map(|id| channel.delivery_records.find(*id));
        let messages = records.filter(|record| record.from == no).map(|record| {
            let (mut receipts, mut counts) = (Vec::new(), ReceiptCounts::default());
            each_receipt(channel, record, |receipt| {
                *counts.of(receipt.state) += 1;
                if receipts.len() < limits::RECEIPTS_SHOWN {
                    receipts.push(receipt);
                }
            });
            MessageReceipts { id: record.id, counts, receipts }
        });
        Ok(ReceiptsOfManyReply { messages: messages.collect() })
    }
}

impl ReceiptCounts {
    fn of(&mut self, state: ReceiptState) -> &mut usize {
        match state {
            ReceiptState::Queued => &mut self.queued,
            ReceiptState::Delivered => &mut self.delivered,
            ReceiptState::Acked => &mut self.acked,
            ReceiptState::Expired => &mut self.expired,
        }
    }
}

/// Passes on the receipt of each recipient of a message.
fn each_receipt(channel: &Channel, record: &DeliveryRecord, mut each: impl FnMut(Receipt)) {
    match record.to {
        Some(to) => dm(record, channel.member(to)).into_iter().for_each(each),
        None => {
            let readers = channel.members.values().filter(|m| m.no != record.from && m.start < record.id);
            readers.for_each(|member| each(broadcast(channel, record, member)));
        }
    }
}

/// The receipt of a message for one member; none if it is no recipient.
pub(crate) fn receipt_of(channel: &Channel, record: &DeliveryRecord, to: MemberNo) -> Option<Receipt> {
    match record.to {
        Some(recipient) if recipient == to => dm(record, channel.member(to)),
        None if record.from != to => channel.member(to).map(|member| broadcast(channel, record, member)),
        _ => None,
    }
}

/// The receipt of a DM, from its delivery record. The record is kept when the recipient is removed.
fn dm(record: &DeliveryRecord, recipient: Option<&Member>) -> Option<Receipt> {
    let state = match (record.acked_at_ms, record.delivered_at_ms) {
        (Some(_), _) => ReceiptState::Acked,
        (None, Some(_)) => ReceiptState::Delivered,
        (None, None) if recipient.is_some_and(|m| m.held.contains(record.id)) => ReceiptState::Queued,
        (None, None) => ReceiptState::Expired,
    };
    Some(Receipt {
        to: record.to_callsign.clone()?,
        state,
        queued_at: Some(record.at_ms),
        delivered_at: record.delivered_at_ms,
        acked_at: record.acked_at_ms,
        attempts: Some(record.attempts),
    })
}

/// The receipt of a broadcast for a member, from the most advanced of its consumers.
fn broadcast(channel: &Channel, record: &DeliveryRecord, member: &Member) -> Receipt {
    let acked = |c: &Consumer| c.cursor >= record.id && c.cursor_is_acked;
    let delivered =
        |c: &Consumer| c.cursor >= record.id || c.claim(record.id).is_some_and(|claim| claim.was_delivered());
    let state = match &member.consumers {
        consumers if consumers.iter().any(acked) => ReceiptState::Acked,
        consumers if consumers.iter().any(delivered) => ReceiptState::Delivered,
        _ if channel.ring.get(record.id).is_some() => ReceiptState::Queued,
        _ => ReceiptState::Expired,
    };
    let to = member.callsign.clone();
    Receipt { to, state, queued_at: None, delivered_at: None, acked_at: None, attempts: None }
}

#[cfg(test)]
mod tests;

//! The response body of a read, as pieces shared with the channel, and the moment at which its messages count as
//! delivered.
//!
//! Taking the last piece completes the delivery, or lets its interface decide what that proves; dropping the body earlier
//! makes the messages due again.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use rogerrat_actors::{DeliveryGuard, ReadResponse};
use rogerrat_domain::{AnswerReason, AttachmentForm, DeliveredMessage, Gap, delivery_fields};

use super::answer_format::AnswerFormat;

/// The body of a response that delivers messages.
///
/// HTTP/1 writes every piece it takes. HTTP/2 detects a reset stream or a closed connection only after taking a piece,
/// so there the delivery completes when a piece after the last one is requested.
pub(crate) struct DeliveryBody {
    pieces: Vec<Bytes>,
    next: usize,
    completes_late: bool,
    delivery: Option<PendingDelivery>,
    /// What else happens then: a batch delivers several reads.
    more: Vec<OnBatchTaken>,
}

/// What happens to a delivery when the body of its response was taken.
type OnTaken = Box<dyn FnOnce(DeliveryGuard)>;

/// What happens when the body of a batch was taken. Dropped, it does not.
pub(crate) type OnBatchTaken = Box<dyn FnOnce()>;

/// A delivery whose response is being written.
pub(crate) struct PendingDelivery {
    guard: DeliveryGuard,
    /// None if it is confirmed.
    on_taken: Option<OnTaken>,
}

impl PendingDelivery {
    /// A delivery that is confirmed when the body was taken.
    pub(crate) fn confirmed(guard: DeliveryGuard) -> Self {
        Self { guard, on_taken: None }
    }

    /// A delivery that is passed to `on_taken` when the body was taken.
    pub(crate) fn passed_to(guard: DeliveryGuard, on_taken: OnTaken) -> Self {
        Self { guard, on_taken: Some(on_taken) }
    }

    /// The bytes were written, and nothing shows that the client took them: the messages are due again, with a higher
    /// `attempt`.
    pub(crate) fn remain_unproven(mut self) {
        drop(self.guard.written());
    }

    pub(crate) fn complete(mut self) {
        match self.on_taken {
            Some(on_taken) => on_taken(self.guard),
            None => self.guard.complete(),
        }
    }
}

impl DeliveryBody {
    pub(crate) fn new(pieces: Vec<Bytes>, delivery: Option<PendingDelivery>, completes_late: bool) -> Self {
        Self { pieces, next: 0, completes_late, delivery, more: Vec::new() }
    }

    /// A body that delivers several reads.
    pub(crate) fn from_batch(pieces: Vec<Bytes>, on_taken: Vec<OnBatchTaken>, completes_late: bool) -> Self {
        Self { pieces, next: 0, completes_late, delivery: None, more: on_taken }
    }

    /// The length of the body, before the first piece is taken.
    pub(crate) fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }

    /// Takes the next piece.
    pub(crate) fn next_piece(&mut self) -> Option<Bytes> {
        let Some(piece) = self.pieces.get_mut(self.next).map(std::mem::take) else {
            self.complete();
            return None;
        };
        self.next += 1;
        if self.next == self.pieces.len() && !self.completes_late {
            self.complete();
        }
        Some(piece)
    }

    fn complete(&mut self) {
        self.delivery.take().into_iter().for_each(PendingDelivery::complete);
        std::mem::take(&mut self.more).into_iter().for_each(|on_taken| on_taken());
    }
}

/// A complete body of known size, in pieces.
pub(crate) struct SizedBody {
    bytes: u64,
    delivery: DeliveryBody,
}

impl SizedBody {
    pub(crate) fn new(delivery: DeliveryBody) -> Self {
        Self { bytes: delivery.bytes(), delivery }
    }

    /// A body that delivers nothing.
    pub(crate) fn of_pieces(pieces: Vec<Bytes>) -> Self {
        Self::new(DeliveryBody::new(pieces, None, false))
    }
}

impl MessageBody for SizedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.delivery.next_piece().map(Ok))
    }
}

/// Appends a response as the fields of a JSON object. The object is left open for further fields.
pub(crate) fn serialize(response: ReadResponse, format: AnswerFormat, pieces: &mut Vec<Bytes>) -> DeliveryGuard {
    let ReadResponse { messages, gap, more, reason, roster, guard } = response;
    pieces.reserve(messages.len() * 2 + 6);
    pieces.push(Bytes::from_static(br#"{"messages":["#));
    for (i, delivery) in messages.iter().enumerate() {
        if i > 0 {
            pieces.push(Bytes::from_static(b","));
        }
        push_message(delivery, format.attachments, pieces);
    }
    pieces.push(ending_json(reason));
    pieces.extend(gap.as_ref().map(gap_json));
    if more > 0 {
        pieces.push(format!(r#","more":{more}"#).into());
    }
    if let Some(roster) = roster {
        let (roster, more) = format.roster(roster, || pieces.iter().map(Bytes::len).sum());
        pieces.extend([Bytes::from_static(br#","roster":"#), roster]);
        if more > 0 {
            pieces.push(format!(r#","roster_more":{more}"#).into());
        }
        pieces.push(meta_hint(messages.len()));
    }
    guard
}

fn push_message(delivery: &DeliveredMessage, attachments: AttachmentForm, pieces: &mut Vec<Bytes>) {
    let json = delivery.message.json_in(attachments);
    if delivery.attempt < 2 && !delivery.own {
        pieces.push(json);
    } else {
        pieces.push(json.slice(..json.len() - 1));
        pieces.push((delivery_fields(delivery.attempt, delivery.own) + "}").into());
    }
}

fn ending_json(reason: AnswerReason) -> Bytes {
    Bytes::from_static(match reason {
        AnswerReason::Ready => br#"],"timed_out":false"#.as_slice(),
        AnswerReason::TimedOut => br#"],"timed_out":true"#,
        AnswerReason::Superseded => br#"],"timed_out":true,"superseded":true"#,
        AnswerReason::Draining => br#"],"timed_out":true,"draining":true"#,
    })
}

fn gap_json(gap: &Gap) -> Bytes {
    let Gap { from, to, reason } = gap;
    format!(r#","gap":{{"from":{from},"to":{to},"reason":"{}"}}"#, reason.as_str()).into()
}

/// The next step, for agents that read nothing but the response.
fn meta_hint(n: usize) -> Bytes {
    match n {
        0 => Bytes::from_static(br#","meta_hint":"Nothing new. Call wait again to stay reachable.""#),
        1 => Bytes::from_static(br#","meta_hint":"1 new message. After acting on it, call wait again.""#),
        n => format!(r#","meta_hint":"{n} new messages. After acting on them, call wait again.""#).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_json() {
        for n in 0..3 {
            let json = format!("{{\"x\":0{}}}", String::from_utf8_lossy(&meta_hint(n)));
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
        }
    }
}

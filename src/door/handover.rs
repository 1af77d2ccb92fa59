//! What a read is answered with, in pieces that are shared and not copied, and the moment at which they count as delivered.
//!
//! When the last piece is taken, the messages are delivered; dropped before, they are due again.

use actix_web::web::Bytes;
use rogerrat_actors::{Parcel, Receipt};
use rogerrat_domain::{Ending, Gap};

/// An answer on its way out.
///
/// HTTP/1 writes a piece that it takes. HTTP/2 takes one and finds out then whether the request was given up or its
/// connection closed, so there the last piece counts when the one behind it is asked for.
pub(crate) struct Handover {
    pieces: Vec<Bytes>,
    next: usize,
    signs_late: bool,
    receipt: Option<Receipt>,
    /// What else is delivered with it, where one answer carries several.
    more: Vec<Receipt>,
}

impl Handover {
    pub(crate) fn new(pieces: Vec<Bytes>, receipt: Option<Receipt>, signs_late: bool) -> Self {
        Self { pieces, next: 0, signs_late, receipt, more: Vec::new() }
    }

    /// Several answers in one.
    pub(crate) fn of_many(pieces: Vec<Bytes>, receipts: Vec<Receipt>, signs_late: bool) -> Self {
        Self { pieces, next: 0, signs_late, receipt: None, more: receipts }
    }

    /// What it weighs, before the first piece is taken.
    pub(crate) fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }

    /// The next piece.
    pub(crate) fn take(&mut self) -> Option<Bytes> {
        let Some(piece) = self.pieces.get_mut(self.next).map(std::mem::take) else {
            self.sign();
            return None;
        };
        self.next += 1;
        if self.next == self.pieces.len() && !self.signs_late {
            self.sign();
        }
        Some(piece)
    }

    fn sign(&mut self) {
        self.receipt.iter_mut().chain(&mut self.more).for_each(Receipt::sign);
    }
}

/// Appends what a parcel says as the fields of a JSON object, its brace open behind them.
pub(crate) fn tell(parcel: Parcel, pieces: &mut Vec<Bytes>) -> Receipt {
    let Parcel { messages, gap, ending, roster, receipt } = parcel;
    pieces.reserve(messages.len() * 2 + 6);
    pieces.push(Bytes::from_static(br#"{"messages":["#));
    for (i, given) in messages.iter().enumerate() {
        if i > 0 {
            pieces.push(Bytes::from_static(b","));
        }
        if given.attempt < 2 {
            pieces.push(given.message.json());
        } else {
            pieces.push(given.message.json_open());
            pieces.push(format!(",\"attempt\":{}}}", given.attempt).into());
        }
    }
    pieces.push(ended(ending));
    pieces.extend(gap.as_ref().map(lost));
    if let Some(roster) = roster {
        pieces.extend([Bytes::from_static(br#","roster":"#), roster, meta_hint(messages.len())]);
    }
    receipt
}

fn ended(ending: Ending) -> Bytes {
    Bytes::from_static(match ending {
        Ending::Ready => br#"],"timed_out":false"#.as_slice(),
        Ending::TimedOut => br#"],"timed_out":true"#,
        Ending::Superseded => br#"],"timed_out":true,"superseded":true"#,
        Ending::Draining => br#"],"timed_out":true,"draining":true"#,
    })
}

fn lost(gap: &Gap) -> Bytes {
    let Gap { from, to, reason } = gap;
    format!(r#","gap":{{"from":{from},"to":{to},"reason":"{}"}}"#, reason.as_str()).into()
}

/// What to do now, for agents that only read the answer.
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

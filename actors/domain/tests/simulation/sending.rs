//! Sending: single messages, and floods that exceed bounds.

use rogerrat_domain::Code;
use rogerrat_domain::op::{Draft, Send, SendInput};

use super::*;

impl Simulation {
    fn draft(&mut self) -> SendInput {
        let to = match self.rng.random_range(0..10) {
            0..5 => "all".to_owned(),
            5 => format!("#{}", self.rng.random_range(0..6)),
            _ => NAMES[self.rng.random_range(0..NAMES.len())].to_owned(),
        };
        let kind = self.rng.random_bool(0.1).then_some(Kind::Status);
        let size = if kind.is_none() && self.rng.random_bool(0.02) { 8_000 } else { self.rng.random_range(1..30) };
        let key = self.rng.random_bool(0.1).then(|| format!("k{}", self.rng.random_range(0..3)));
        let mut input =
            SendInput { to: Some(to), text: Some("x".repeat(size)), kind, client_msg_id: key, ..SendInput::default() };
        if kind.is_none() && self.rng.random_bool(0.004) {
            let file = serde_json::json!([{"mime": "image/png", "data_base64": "A".repeat(500_000)}]);
            input.attachments = serde_json::from_value(file).unwrap();
        }
        input
    }

    pub(super) fn send(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        let input = self.draft();
        self.note(&format!("send #{no} to {:?} {:?} {:?}", input.to, input.kind, input.client_msg_id));
        let key = input.client_msg_id.clone().map(|key| (no, key));
        self.send_draft(&session, no, Draft::check(input, None).unwrap(), key);
    }

    /// Sends many messages: enough to evict the ring, to fill the held DMs, or to make a stream lag.
    pub(super) fn flood(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        let mut input = self.draft();
        input.client_msg_id = None;
        let draft = Draft::check(input.clone(), None).unwrap();
        let most = if self.rng.random_bool(0.08) { 320 } else { 140 };
        let count = if input.attachments.is_some() { 12 } else { self.rng.random_range(10..most) };
        self.note(&format!("flood #{no} to {:?} {:?} x{count}", input.to, input.kind));
        for _ in 0..count {
            if !self.send_draft(&session, no, draft.clone(), None) {
                return;
            }
        }
    }

    fn send_draft(&mut self, session: &SessionId, no: u32, draft: Box<Draft>, key: Option<(u32, String)>) -> bool {
        match self.run(Send { session: session.clone(), draft }) {
            Ok((reply, _)) => {
                self.active(no);
                if reply.duplicate {
                    assert_eq!(Some(&reply.id), key.and_then(|key| self.keys.get(&key)), "the first reply again");
                    return true;
                }
                key.map(|key| self.keys.insert(key, reply.id));
                self.sends.push((session.clone(), self.now.uptime_ms));
                let window = self.now.uptime_ms.saturating_sub(limits::WINDOW_MS);
                let lately = self.sends.iter().filter(|(who, at)| who == session && *at > window).count();
                assert!(self.open.1.sends_per_minute.is_none_or(|most| lately <= most as usize), "the window holds");
                true
            }
            Err(refusal) => {
                self.check_refusal(&refusal, no);
                false
            }
        }
    }

    fn check_refusal(&mut self, refusal: &rogerrat_domain::Refusal, no: u32) {
        match refusal.code {
            Code::MailboxFull => {
                self.totals.full += 1;
                let at_bound = |p: &crate::oracle::Member| {
                    p.held.len() == limits::HELD_MESSAGES
                        || p.held.values().sum::<usize>() + 600_000 > limits::HELD_BYTES
                };
                let all = self.oracle.held().1 + 600_000 > limits::HELD_CHANNEL_BYTES;
                assert!(all || self.oracle.members.values().any(at_bound), "a recipient is full only at its bound");
            }
            Code::NotJoined | Code::SessionExpired => {
                let live = self.oracle.members.get(&no).is_some_and(|p| p.live);
                let newest = self.sessions.iter().rev().find(|(_, n)| *n == no).is_some();
                assert!(!live || newest, "a live session can send");
            }
            Code::RateLimited => assert!(self.open.1.sends_per_minute.is_some()),
            Code::UnknownRecipient | Code::IdempotencyConflict => {}
            other => panic!("{other:?} for no reason: {refusal}"),
        }
    }
}

//! How long members that send were without service: from the first request without success to the next success.

use serde::Serialize;

use super::oracle::{ChannelNo, MemberNo};

/// How long clients use other hubs after a hub gave no answer.
const SILENT_MS: u64 = 5_000;

pub(super) struct Service {
    /// By member: when its first request began that had no success yet.
    trying_since_ms: Vec<Option<u64>>,
    acknowledged: u64,
    refused: u64,
    /// By address: until when nobody asks the hub, because it gave no answer.
    silent_until_ms: Vec<u64>,
    /// By channel: when the last send began that was acknowledged, from 1.
    served_ms: Vec<u64>,
    longest: LongestGaps,
}

/// The longest time that a sending member was without service, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct LongestGaps {
    pub(super) disk: u64,
    pub(super) memory: u64,
}

impl Service {
    pub(super) fn new(members: usize, channels: usize, hubs: usize) -> Self {
        Self {
            trying_since_ms: vec![None; members],
            acknowledged: 0,
            refused: 0,
            silent_until_ms: vec![0; hubs],
            served_ms: vec![0; channels],
            longest: LongestGaps::default(),
        }
    }

    /// A member begins to send or to repeat a message.
    pub(super) fn begin(&mut self, member: MemberNo, now_ms: u64) {
        self.trying_since_ms[member].get_or_insert(now_ms);
    }

    /// The hub answered a send that began at `begun_ms`.
    pub(super) fn succeed(&mut self, member: MemberNo, channel: ChannelNo, durable: bool, begun_ms: u64, now_ms: u64) {
        self.acknowledged += 1;
        self.served_ms[channel] = self.served_ms[channel].max(begun_ms + 1);
        if let Some(since_ms) = self.trying_since_ms[member].take() {
            let longest = if durable { &mut self.longest.disk } else { &mut self.longest.memory };
            *longest = (*longest).max(now_ms - since_ms);
        }
    }

    /// A hub answered that it cannot serve now.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// The number of answers that a hub cannot serve now.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// A hub gave no answer.
    pub(super) fn note_silence(&mut self, hub: usize, now_ms: u64) {
        self.silent_until_ms[hub] = now_ms + SILENT_MS;
    }

    /// Whether a hub gave no answer a short time ago.
    pub(super) fn is_silent(&self, hub: usize, now_ms: u64) -> bool {
        now_ms < self.silent_until_ms[hub]
    }

    /// Whether a send on each channel was acknowledged that began at `since_ms` or after.
    pub(super) fn is_served_since(&self, since_ms: u64) -> bool {
        self.served_ms.iter().all(|served_ms| *served_ms > since_ms)
    }

    /// The number of answers.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) fn longest(&self) -> LongestGaps {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_lasts_from_the_first_failure_to_the_next_success() {
        let mut service = Service::new(2, 2, 2);
        for ms in [10, 20, 30] {
            service.begin(0, ms);
        }
        service.begin(1, 15);
        service.succeed(0, 0, true, 30, 35);
        assert_eq!(service.longest(), LongestGaps { disk: 25, memory: 0 });
        assert!(!service.is_served_since(30));
        service.note_silence(1, 40);
        assert_eq!(
            [(0, 41), (1, 41), (1, 40 + SILENT_MS)].map(|(hub, ms)| service.is_silent(hub, ms)),
            [false, true, false]
        );
        service.succeed(1, 1, false, 31, 33);
        assert_eq!(service.longest(), LongestGaps { disk: 25, memory: 18 });
        assert!(service.is_served_since(30) && !service.is_served_since(31));
    }
}

//! What the oracle hears of places and settings: a restart changes none of them, on any channel.

use super::{ChannelNo, MemberNo, Oracle, Place, Violation};

impl Oracle {
    pub(super) fn roster_seen(&mut self, channel: ChannelNo, places: &[Place]) {
        let members = self.channels[channel].members.iter().map(|member| &self.members[*member]);
        let mut expected = members
            .map(|member| Place { callsign: member.callsign.clone(), idx: member.idx, online: true })
            .collect::<Vec<_>>();
        let mut places = places.to_vec();
        for list in [&mut expected, &mut places] {
            list.sort_by_key(|place| place.idx);
        }
        if expected != places {
            let text = format!("channel {channel} has {places:?}, expected {expected:?}");
            self.violation(Violation::RosterChanged, &text);
        }
    }

    pub(super) fn rejoined(&mut self, member: MemberNo, same_session: bool, idx: u64) {
        let book = &self.members[member];
        let who = format!("channel {}, {}", book.channel, book.callsign);
        let before = book.idx;
        if !same_session {
            self.violation(Violation::SessionLost, &format!("{who} joined again and got another session"));
        }
        if idx != before {
            self.violation(Violation::RosterChanged, &format!("{who} was number {before} and is {idx}"));
        }
    }

    pub(super) fn turned_away(&mut self, member: MemberNo, answer: &str) {
        let life = self.life;
        let book = &mut self.members[member];
        if book.turned_away.replace(life) == Some(life) {
            return;
        }
        let text = format!("channel {}, {}: {answer}", book.channel, book.callsign);
        self.violation(Violation::SessionLost, &text);
    }

    pub(super) fn settings_seen(&mut self, channel: ChannelNo, settings: &str) {
        let before = self.channels[channel].settings.get_or_insert_with(|| settings.to_owned());
        if *before != settings {
            let text = format!("channel {channel} was {before} and is {settings}");
            self.violation(Violation::SettingsChanged, &text);
        }
    }

    pub(super) fn stranger_seen(&mut self, channel: ChannelNo, let_in: bool) {
        if let_in {
            self.violation(Violation::TokenChanged, &format!("channel {channel} lets in a wrong token"));
        }
    }

    /// The newest messages, as far back as they go; on a memory channel those of this life.
    pub(super) fn history_seen(&mut self, channel: ChannelNo, ids: &[u64]) {
        const SHOWN: usize = 100;
        let book = &self.channels[channel];
        let expected = book.ids.keys().rev().take(SHOWN).rev().copied().collect::<Vec<_>>();
        let is_right = match book.durable {
            true => expected == ids,
            false => expected.ends_with(ids),
        };
        if !is_right {
            let text = format!("channel {channel} shows {ids:?}, expected {expected:?}");
            self.violation(Violation::HistoryWrong, &text);
        }
    }
}

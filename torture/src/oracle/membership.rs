//! Checks of members and settings: a restart changes none of them, on any channel.

use super::{ChannelNo, MemberNo, Oracle, RosterEntry, Violation};

impl Oracle {
    pub(super) fn roster_received(&mut self, channel: ChannelNo, entries: &[RosterEntry]) {
        let members = self.channels[channel].members.iter().map(|member| &self.members[*member]);
        let mut expected = members
            .map(|member| RosterEntry { callsign: member.callsign.clone(), idx: member.idx, online: true })
            .collect::<Vec<_>>();
        let mut entries = entries.to_vec();
        for list in [&mut expected, &mut entries] {
            list.sort_by_key(|entry| entry.idx);
        }
        if expected != entries {
            let text = format!("channel {channel} has {entries:?}, expected {expected:?}");
            self.violation(Violation::RosterChanged, &text);
        }
    }

    pub(super) fn rejoined(&mut self, member: MemberNo, same_session: bool, idx: u64) {
        let state = &self.members[member];
        let name = format!("channel {}, {}", state.channel, state.callsign);
        let before = state.idx;
        if !same_session {
            self.violation(Violation::SessionLost, &format!("{name} joined again and got another session"));
        }
        if idx != before {
            self.violation(Violation::RosterChanged, &format!("{name} was number {before} and is {idx}"));
        }
    }

    pub(super) fn member_refused(&mut self, member: MemberNo, response: &str) {
        let boot = self.boot;
        let state = &mut self.members[member];
        if state.refused_in.replace(boot) == Some(boot) {
            return;
        }
        let text = format!("channel {}, {}: {response}", state.channel, state.callsign);
        self.violation(Violation::SessionLost, &text);
    }

    pub(super) fn settings_received(&mut self, channel: ChannelNo, settings: &str) {
        let before = self.channels[channel].settings.get_or_insert_with(|| settings.to_owned());
        if *before != settings {
            let text = format!("channel {channel} was {before} and is {settings}");
            self.violation(Violation::SettingsChanged, &text);
        }
    }

    pub(super) fn wrong_token_tried(&mut self, channel: ChannelNo, accepted: bool) {
        if accepted {
            self.violation(Violation::WrongTokenAccepted, &format!("channel {channel} accepts a wrong token"));
        }
    }

    /// Expects the newest messages; on a memory channel those of this boot.
    pub(super) fn history_received(&mut self, channel: ChannelNo, ids: &[u64]) {
        const SHOWN: usize = 100;
        let state = &self.channels[channel];
        let expected = state.ids.keys().rev().take(SHOWN).rev().copied().collect::<Vec<_>>();
        let is_right = match state.durable {
            true => expected == ids,
            false => expected.ends_with(ids),
        };
        if !is_right {
            let text = format!("channel {channel} shows {ids:?}, expected {expected:?}");
            self.violation(Violation::HistoryWrong, &text);
        }
    }
}

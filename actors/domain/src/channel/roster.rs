//! The roster: the members online, resolving a recipient, and the member list of a hint.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::callsign::ALL;
use crate::ids::MemberNo;
use crate::limits::HINT_NAMES;
use crate::refusal::{Code, Refusal};
use crate::text;

use super::{Channel, Member};

impl Channel {
    /// The callsigns online, sorted.
    pub(crate) fn online(&self) -> Vec<&str> {
        let mut online: Vec<_> = self.members.values().filter(|m| m.is_live()).map(|m| m.callsign.as_str()).collect();
        online.sort_unstable();
        online
    }

    /// The callsigns online as a JSON array. It is cached until the roster changes.
    pub(crate) fn roster_json(&mut self) -> Bytes {
        if let Some(json) = &self.roster_json {
            return Bytes::clone(json);
        }
        #[expect(clippy::expect_used, reason = "strings into a vector cannot fail")]
        let json = Bytes::from(serde_json::to_vec(&self.online()).expect("strings always serialise"));
        Bytes::clone(self.roster_json.insert(Box::new(json)))
    }

    pub(crate) fn roster_changed(&mut self) {
        self.roster_json = None;
    }

    /// Resolves a recipient: none for a broadcast, or a member. `#N` is the member with number N; a bare `N` is the callsign
    /// `N` if there is one, and the member with that number otherwise.
    ///
    /// # Errors
    /// `unknown_recipient`, with the members as hint.
    pub(crate) fn recipient(&self, to: &str) -> Result<Option<&Member>, Refusal> {
        if to.is_empty() || to == ALL {
            return Ok(None);
        }
        let by_index = |digits: &str| {
            let is_message = digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<MemberNo>().ok().filter(|_| is_message).and_then(|no| self.member(no))
        };
        let found = match to.strip_prefix('#') {
            Some(digits) => by_index(digits),
            None => self.member_named(to).or_else(|| by_index(to)),
        };
        found.map(Some).ok_or_else(|| self.unknown_recipient(to))
    }

    fn unknown_recipient(&self, to: &str) -> Refusal {
        let text = format!("no member of this channel is called `{}`", text::clip(to));
        Refusal::new(Code::UnknownRecipient, text).hint(format!("members: {}", self.member_list()))
    }

    fn member_list(&self) -> String {
        let mut names = String::new();
        for member in self.members.values().take(HINT_NAMES) {
            let sep = if names.is_empty() { "" } else { ", " };
            let _ = write!(names, "{sep}#{} {}", member.no, member.callsign);
        }
        match self.members.len() {
            0 => "none".into(),
            n if n > HINT_NAMES => format!("{names} and {} more", n - HINT_NAMES),
            _ => names,
        }
    }
}

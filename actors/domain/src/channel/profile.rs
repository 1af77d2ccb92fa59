//! What a member says of itself: what it does in general, and what it is doing now. The hub shows it and decides nothing by
//! it. What the hub sees of a member is its [presence](super::presence).

use super::{Channel, Member};
use crate::ids::MemberNo;
use crate::message::state::MemberState;
use crate::{DmVisibility, Now};

/// What a member says of itself. Most members say nothing, so it is boxed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    /// What it does, from its join. Its text is not in the log of a memory channel.
    pub(crate) about: Option<Box<str>>,
    /// The state of its last status with one. It ends with its session.
    pub(crate) stated: Option<Stated>,
}

/// A state that a member stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) state: MemberState,
    /// Until when, in milliseconds since the epoch.
    pub(crate) until_ms: Option<u64>,
    /// The text of the status. It is never in the log, because a status is not stored.
    pub(crate) note: Option<Box<str>>,
    /// The number of the statement, by which two of the same state differ.
    pub(crate) version: u32,
}

impl Stated {
    /// Whether the time that it was stated for is over.
    pub(crate) fn is_overdue(&self, now: Now) -> bool {
        self.until_ms.is_some_and(|until_ms| until_ms <= now.at_ms)
    }
}

impl Member {
    pub(crate) fn about(&self) -> Option<&str> {
        self.profile.as_ref()?.about.as_deref()
    }

    pub(crate) fn stated(&self) -> Option<&Stated> {
        self.profile.as_ref()?.stated.as_ref()
    }

    /// Sets what it does; an empty text removes it.
    pub(crate) fn set_about(&mut self, about: &str) {
        self.change_profile(|profile| profile.about = Some(about.into()).filter(|_| !about.is_empty()));
    }

    /// Sets the text beside its state.
    pub(crate) fn set_note(&mut self, note: &str) {
        if let Some(stated) = self.profile.as_mut().and_then(|profile| profile.stated.as_mut()) {
            stated.note = Some(note.into()).filter(|_| !note.is_empty());
        }
    }

    pub(crate) fn set_stated(&mut self, stated: Option<Stated>) {
        self.change_profile(|profile| profile.stated = stated);
    }

    fn change_profile(&mut self, change: impl FnOnce(&mut Profile)) {
        let mut profile = self.profile.take().unwrap_or_default();
        change(&mut profile);
        self.profile = Some(profile).filter(|profile| **profile != Profile::default());
    }
}

impl Channel {
    /// A member stated what it is doing.
    pub(super) fn on_stated(&mut self, no: MemberNo, state: MemberState, until_ms: Option<u64>) {
        if let Some(member) = self.members.get_mut(&no) {
            let version = member.stated().map_or(0, |before| before.version.wrapping_add(1));
            member.set_stated(Some(Stated { state, until_ms, note: None, version }));
        }
    }

    /// A member says what it does.
    pub(super) fn on_described(&mut self, no: MemberNo, about: &str) {
        if let Some(member) = self.members.get_mut(&no) {
            member.set_about(about);
        }
    }

    /// How many tasks each member has taken, as far as a viewer may see them. Where DMs are private, tasks for one member
    /// are, too.
    pub(crate) fn tasks_held(&self, viewer: Option<MemberNo>) -> Vec<(MemberNo, usize)> {
        let sees_all = self.settings.dm_visibility == DmVisibility::Channel;
        let is_seen = |task: &&super::Task| sees_all || viewer.map_or(task.public, |viewer| task.is_visible_to(viewer));
        let mut held: Vec<(MemberNo, usize)> = Vec::new();
        for holder in self.tasks.open().filter(is_seen).filter_map(|task| task.holder.as_ref()) {
            match held.iter_mut().find(|(no, _)| *no == holder.no) {
                Some((_, count)) => *count += 1,
                None => held.push((holder.no, 1)),
            }
        }
        held
    }
}

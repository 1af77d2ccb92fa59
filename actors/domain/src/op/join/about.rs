//! What a member says that it does, with its join.

use super::{Join, JoinInput};
use crate::channel::Channel;
use crate::entry::Entry;
use crate::ids::MemberNo;
use crate::limits;
use crate::refusal::Refusal;

impl JoinInput {
    /// Validates what the member says that it does.
    ///
    /// # Errors
    /// `invalid` if it is too long.
    pub fn checked_about(&self) -> Result<Option<Box<str>>, Refusal> {
        let Some(about) = self.about.as_deref().map(str::trim) else { return Ok(None) };
        if about.chars().count() > limits::ABOUT_CHARS {
            return Err(
                Refusal::invalid(format!("about is longer than {} characters", limits::ABOUT_CHARS)).field("about")
            );
        }
        Ok(Some(about.into()))
    }
}

impl Join {
    /// What is logged of a member that has joined already and says something else of itself than before.
    pub(super) fn described(&self, channel: &Channel, no: MemberNo) -> Option<Entry> {
        let about = self.about.as_ref().filter(|_| channel.settings.is_durable())?;
        let before = channel.member(no)?.about().unwrap_or_default();
        (**about != *before).then(|| Entry::Described { no, about: about.clone() })
    }
}

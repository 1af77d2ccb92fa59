//! Reading a transcript page by page, so that a slow client holds one page in memory and not the whole transcript.

use std::sync::Arc;

use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{ChannelId, DmVisibility, MemberNo};

use crate::error::HubError;
use crate::hub::Admitted;
use crate::ports::log::{Log, TranscriptPage, TranscriptPart};

/// Reads the last lines of a transcript that its caller may see.
pub struct TranscriptReader {
    log: Arc<dyn Log>,
    channel: ChannelId,
    /// Whether everybody sees DMs.
    is_open: bool,
    viewer: Option<MemberNo>,
    rest: Option<TranscriptPart>,
    damaged: usize,
}

impl TranscriptReader {
    pub(super) fn new(log: Arc<dyn Log>, at: &Admitted, viewer: Option<MemberNo>, limit: usize) -> Self {
        let is_open = at.settings().dm_visibility == DmVisibility::Channel;
        let rest = Some(TranscriptPart::Last(limit));
        Self { log, channel: at.id().clone(), is_open, viewer, rest, damaged: 0 }
    }

    /// Whether all pages were read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rest.is_none()
    }

    /// How many lines were left out so far because they cannot be decoded.
    #[must_use]
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// The next lines, oldest first; none after the last page.
    ///
    /// # Errors
    /// `storage_failed` or `overloaded` when the transcript cannot be read.
    pub async fn next_page(&mut self) -> Result<Vec<TranscriptLine>, HubError> {
        let Some(part) = self.rest.take() else { return Ok(Vec::new()) };
        let page = self.log.transcript(&self.channel, part).await;
        let page = page.map_err(HubError::of_log("could not read a transcript"))?;
        let TranscriptPage { mut lines, damaged, rest } = page;
        self.rest = rest;
        self.damaged += damaged;
        lines.retain(|line| self.is_open || line.is_visible_to(self.viewer));
        Ok(lines)
    }
}

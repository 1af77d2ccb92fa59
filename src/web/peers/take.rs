//! Whether this instance takes a channel that none serves, before the handler of a request admits it.
//!
//! Two instances that get requests for such a channel at the same time must not both begin to serve it, so one takes it
//! first. Only what could be admitted does that: otherwise a stranger with a list of ids could have channels opened and
//! moved. Whatever else is for such a channel counts as a join of its address, because a handler may open the channel to
//! respond.

use std::sync::Arc;

use actix_web::HttpRequest;
use rogerrat_actors::{ChannelLocation, HubError};
use rogerrat_domain::ChannelId;

use super::Peers;
use crate::web::state::AppState;

/// What a request presents to be admitted to its channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presented {
    /// Texts of which one may be the channel's token. A band needs none.
    Tokens(Vec<String>),
    /// A session that only the channel can check.
    Session,
    /// A secret that was checked: the server token, or an MCP session that has joined the channel.
    Proven,
}

impl Peers {
    /// What a request presents whose path names its channel.
    pub(super) fn presented(&self, state: &AppState, request: &HttpRequest) -> Presented {
        let tokens = (self.rules.tokens_of)(request);
        let is_servers = |hash: &rogerrat_domain::TokenHash| tokens.iter().any(|token| hash.matches(token));
        match state.server_token.as_ref().is_some_and(is_servers) {
            true => Presented::Proven,
            false => Presented::Tokens(tokens),
        }
    }

    /// Where a channel is. If no instance serves it, this one takes it, if what the request presents could be admitted.
    ///
    /// # Errors
    /// As of [`ChannelLocator::locate`](super::ChannelLocator::locate); `rate_limited`.
    pub(super) async fn locate_for(
        self: &Arc<Self>,
        state: &AppState,
        request: &HttpRequest,
        channel: &ChannelId,
        presented: &Presented,
    ) -> Result<ChannelLocation, HubError> {
        match self.locator.locate(channel).await? {
            ChannelLocation::Free => {}
            location => return Ok(location),
        }
        let tokens = if let Presented::Tokens(tokens) = presented { &**tokens } else { &[] };
        // What is wrong with the channel, the handler reports.
        let Ok(admits) = self.locator.admits(channel, tokens).await else { return Ok(ChannelLocation::Here) };
        let is_proven = admits || *presented == Presented::Proven;
        if !is_proven {
            state.rate_limits.joins.count(|| state.client(request))?;
        }
        match is_proven || *presented == Presented::Session {
            true => self.locator.take(channel).await,
            false => Ok(ChannelLocation::Here),
        }
    }
}

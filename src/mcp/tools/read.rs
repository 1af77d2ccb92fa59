//! `listen` and `wait`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{ReadQuery, whole};
use rogerrat_domain::{Refusal, limits};
use serde::Deserialize;

use super::Arguments;
use crate::mcp::rpc::{Id, Meta, Params};
use crate::mcp::visit::{Seated, Visit, held};
use crate::mcp::waiting::{Read, Waiting};

/// How a tool waits.
struct Patience {
    tool: &'static str,
    default_ms: u64,
    max_ms: u64,
    wants_roster: bool,
}

/// Waits for a moment.
pub(super) async fn listen(
    visit: &Visit<'_>,
    id: Id<'_>,
    arguments: &Arguments<'_>,
    params: &Params<'_>,
) -> Result<Waiting, Refusal> {
    let (default_ms, max_ms) = (limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS);
    read(visit, id, arguments, params, &Patience { tool: "listen", default_ms, max_ms, wants_roster: false }).await
}

/// Waits for long.
pub(super) async fn wait(
    visit: &Visit<'_>,
    id: Id<'_>,
    arguments: &Arguments<'_>,
    params: &Params<'_>,
) -> Result<Waiting, Refusal> {
    let (default_ms, max_ms) = (limits::WAIT_MCP_DEFAULT_MS, limits::WAIT_MAX_MS);
    read(visit, id, arguments, params, &Patience { tool: "wait", default_ms, max_ms, wants_roster: true }).await
}

#[derive(Default, Deserialize)]
struct Timeout {
    timeout_seconds: Option<f64>,
}

async fn read(
    visit: &Visit<'_>,
    id: Id<'_>,
    arguments: &Arguments<'_>,
    params: &Params<'_>,
    patience: &Patience,
) -> Result<Waiting, Refusal> {
    let Patience { tool, default_ms, max_ms, wants_roster } = *patience;
    let seated = arguments.seated(visit).await?;
    let input = arguments.read::<ReadQuery<'static>>()?.check()?;
    let Timeout { timeout_seconds } = arguments.read()?;
    let timeout_ms = timeout_seconds.map_or(default_ms, |seconds| whole(seconds * 1000.0));
    let max_ms = if visit.is_in_batch { limits::POLL_MIN_MS } else { max_ms };
    let timeout_ms = timeout_ms.clamp(limits::POLL_MIN_MS, max_ms);
    let state = visit.state.clone();
    let read: Read = Box::pin(async move {
        let Seated { at, session } = &seated;
        let parcel = state.hub.read(at, session.clone(), input, timeout_ms, wants_roster).await;
        let parcel = parcel.map_err(HubError::into_refusal)?;
        let unread = held(&state, &seated).await.ok();
        Ok((parcel, unread))
    });
    let waiting = Waiting::new(visit.request, id, visit.version, tool, timeout_ms, read);
    let token = params.meta().ok().flatten().and_then(|meta: Meta<'_>| meta.progress_token());
    let waiting = waiting.with_progress(token);
    Ok(match &visit.ticket {
        Some(ticket) => waiting.cancelled_by(visit.mcp.calls.begin(ticket.nonce, id.as_json())),
        None => waiting,
    })
}

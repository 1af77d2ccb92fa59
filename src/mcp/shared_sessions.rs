//! Stored MCP sessions where several hubs share a log: each change reads the row and replaces it only if no other hub has
//! changed it meanwhile.

use std::sync::atomic::Ordering::Relaxed;

use rogerrat_actors::Hub;

use super::session_store::{Nonce, ROW_KIND, SessionRecord, row_name};

/// How often a change is tried again after another hub's.
const TRIES: usize = 16;

/// What happens to a stored session.
pub(super) enum RowChange {
    Keep,
    Put(SessionRecord),
    Delete,
}

/// Changes the row of a session. Returns the record that is stored then, if it is known.
///
/// # Errors
/// When the row could not be read or written.
pub(super) async fn change_row(
    hub: &Hub,
    nonce: &Nonce,
    change: impl Fn(Option<&SessionRecord>) -> RowChange,
) -> Result<Option<SessionRecord>, ()> {
    for _ in 0..TRIES {
        let row = hub.row(ROW_KIND, &row_name(nonce)).await.map_err(failed)?;
        let stored = row.as_deref().and_then(SessionRecord::of_json);
        let new = match change(stored.as_ref()) {
            RowChange::Keep => return Ok(stored),
            RowChange::Put(record) => Some(record),
            RowChange::Delete => None,
        };
        let json = new.as_ref().and_then(SessionRecord::to_json);
        if hub.swap_row(ROW_KIND, row_name(nonce), row, json).await.map_err(failed)? {
            return Ok(new);
        }
    }
    log::warn!("could not store an MCP session, because other hubs change it all the time");
    Err(())
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn failed(error: rogerrat_actors::LogError) {
    log::warn!(error:display; "could not store an MCP session");
}

/// Deletes the rows of sessions that have expired, unless another hub has used them since, and stores when others were used
/// last.
pub(super) async fn sweep_rows(hub: Hub, expired: Vec<Nonce>, used: Vec<(Nonce, u64)>) {
    for nonce in expired {
        let is_live = |stored: &SessionRecord| stored.is_live(hub.expiry_ms());
        let delete = |stored: Option<&SessionRecord>| match stored {
            Some(stored) if !is_live(stored) => RowChange::Delete,
            _ => RowChange::Keep,
        };
        if change_row(&hub, &nonce, delete).await.is_err() {
            return;
        }
    }
    for (nonce, used_ms) in used {
        let touch = |stored: Option<&SessionRecord>| match stored {
            Some(stored) if stored.used_ms.load(Relaxed) < used_ms => {
                RowChange::Put(SessionRecord::new(stored.state.clone(), used_ms))
            }
            _ => RowChange::Keep,
        };
        if change_row(&hub, &nonce, touch).await.is_err() {
            return;
        }
    }
}

//! The hubs of a simulation, as they call each other: a call to or from a hub that is frozen or cut off gets no answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use rogerrat_domain::ChannelId;
use tokio::time::{sleep, timeout};

use super::links::Links;
use crate::{Hub, HubError, Instance, InstanceId, Lanes, PeerCalls};

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(3);

/// All hubs.
pub(super) type Hubs = Arc<Mutex<BTreeMap<InstanceId, (Hub, Links)>>>;

/// See the module.
pub(super) struct LinkedPeers {
    pub(super) links: Links,
    pub(super) hubs: Hubs,
}

impl PeerCalls for LinkedPeers {
    fn wake_lanes(&self, holder: Instance, lanes: Lanes) -> LocalBoxFuture<'static, bool> {
        let (from, to) = (self.links.clone(), self.hubs.lock().unwrap().get(&holder.id).cloned());
        Box::pin(async move {
            let Some((hub, links)) = to else { return false };
            sleep(Duration::from_millis(1)).await;
            if from.state().cut_from_peers || links.state().cut_from_peers || links.state().killed {
                return false;
            }
            let woken = async { if links.pass().await { hub.wake_lanes(lanes).await } else { false } };
            timeout(LIMIT, woken).await.unwrap_or(false)
        })
    }

    fn ask(&self, _: Instance, _: ChannelId, _: String) -> LocalBoxFuture<'static, Result<String, HubError>> {
        Box::pin(std::future::ready(Err(HubError::OutcomeUnknown)))
    }
}

//! The MCP door: `/mcp` and `/mcp/{channel}`, for clients of both eras of the protocol.
//!
//! It reads what a message says, asks the [`Hub`] like every other door, and tells the answer twice:
//! as data, and as lines no peer can forge. No rule and no bound of the domain is here.

mod answer;
mod bindings;
mod calls;
#[cfg(test)]
mod checks;
#[cfg(feature = "conformance")]
mod conformance;
mod endpoint;
mod era;
mod methods;
mod prompts;
mod resources;
mod rpc;
mod schema;
mod session;
mod tools;
mod visit;
mod waiting;
mod words;

use std::sync::Arc;

use actix_web::web::{self, Data, ServiceConfig};
use rogerrat_actors::{Hub, LogError};
use rogerrat_domain::Signer;

use crate::web::AppState;
use bindings::Bindings;
use calls::Calls;
use tools::Catalogue;

/// What is known of the sessions of MCP, and the tools there are.
pub(crate) struct Mcp {
    seal: Signer,
    bindings: Bindings,
    calls: Arc<Calls>,
    catalogue: Catalogue,
}

impl Mcp {
    /// What the hub's log has of the sessions, and the tools.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn load(hub: &Hub) -> Result<Data<Self>, LogError> {
        Ok(Data::new(Self {
            seal: hub.seal(session::PURPOSE),
            bindings: Bindings::load(hub).await?,
            calls: Arc::default(),
            catalogue: Catalogue::new(),
        }))
    }

    /// Forgets what has expired.
    pub(crate) fn sweep(&self, now_ms: u64) {
        self.bindings.sweep(now_ms);
    }
}

/// The tools as they are listed on the hub's endpoint, or on a channel's own.
pub(crate) fn tools(of_a_channel: bool) -> Vec<serde_json::Value> {
    Catalogue::new().plain(of_a_channel)
}

/// The versions it speaks in one of the two eras, the newest first.
pub(crate) fn versions(modern: bool) -> Vec<&'static str> {
    let all = era::Version::ALL.into_iter().filter(|version| version.is_modern() == modern);
    all.map(era::Version::as_str).collect()
}

/// The routes of this door.
pub(crate) fn routes(config: &mut ServiceConfig, state: &AppState, mcp: &Data<Mcp>) {
    let at = |path: &'static str| {
        web::resource(path)
            .app_data(state.request_metrics.route_counters(path.to_owned()))
            .route(web::post().to(endpoint::post))
            .route(web::delete().to(endpoint::delete))
            // A stream to listen on without having asked anything is not offered: answers come on their requests.
            .default_service(web::to(async || endpoint::wrong_method("POST, DELETE")))
    };
    config.app_data(mcp.clone()).service(at("/mcp")).service(at("/mcp/{id}"));
    #[cfg(feature = "conformance")]
    config.configure(conformance::routes);
}

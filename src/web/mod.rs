//! Code shared by the HTTP interfaces (REST, MCP, compat): admission checks, rate limits, body parsing, shared state,
//! error responses, request metrics, connection snippets, and the shells and files of pages.
//!
//! It defines no route, and calls the hub only to admit requests, to create channels and to open remote control. Interfaces use this module and
//! never each other.

pub(crate) mod address;
pub(crate) mod answer_format;
pub(crate) mod assets;
pub(crate) mod body;
mod challenge;
pub(crate) mod create_channel;
pub(crate) mod delivery_body;
pub(crate) mod device_label;
mod drain_body;
pub(crate) mod etag;
pub(crate) mod header_pool;
pub(crate) mod hints;
pub(crate) mod hosts;
pub(crate) mod json;
pub(crate) mod language;
mod middleware;
pub(crate) mod page;
pub(crate) mod peers;
pub(crate) mod presets;
pub(crate) mod problem;
pub(crate) mod qr;
pub(crate) mod rate_limit;
pub(crate) mod remote;
pub(crate) mod request_metrics;
pub(crate) mod snippets;
pub(crate) mod state;
mod tunnel_host;
pub(crate) mod webhook_view;

pub(crate) use middleware::{ANY_HOST, handle};
pub(crate) use snippets::quoted;
pub(crate) use state::AppState;
pub(crate) use tunnel_host::TunnelHost;

//! What the doors over HTTP share, REST and MCP alike: who may come in and how often, how a body is read, what every
//! handler knows, how an error looks, and what is handed out to be pasted.
//!
//! It has no route, and asks the hub for admission and new channels only. A door uses this, and never another door.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod creation;
mod front;
pub(crate) mod handover;
pub(crate) mod hook;
pub(crate) mod hosts;
pub(crate) mod json;
pub(crate) mod lean;
mod leftover;
pub(crate) mod presets;
pub(crate) mod problem;
pub(crate) mod snippets;
pub(crate) mod state;
pub(crate) mod throttle;
pub(crate) mod traffic;

pub(crate) use front::{ANY_HOST, door};
pub(crate) use snippets::quoted;
pub(crate) use state::State;

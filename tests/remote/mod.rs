//! Remote control: opening it, the links and QR codes for a phone, the commands of the agent's side, and the limit on
//! guesses at the PIN.

mod commands;
pub(crate) mod kit;
mod limits;
mod links;
mod mcp;
mod open;

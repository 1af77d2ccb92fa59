//! The agent-chatroom interface: its wire format, its rooms as channels, and limits. `tests/compat/run` installs the
//! original `agent-chat` command and a browser and runs them against a hub.

mod command;
mod limits;
mod names;
mod positions;
mod room;
mod root;
mod wire;

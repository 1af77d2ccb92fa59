//! Compatibility interfaces: the protocols of other hubs, on top of the [`Hub`](rogerrat_actors::Hub).

pub(crate) mod agent_chatroom;

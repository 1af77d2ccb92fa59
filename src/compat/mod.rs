//! Faces for clients that were made for other hubs. Each is a door of its own, and asks the [`Hub`](rogerrat_actors::Hub)
//! like the others.

pub(crate) mod agent_chatroom;

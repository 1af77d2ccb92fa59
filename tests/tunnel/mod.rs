//! The tunnel, with programs that print what cloudflared and ngrok print: what it exposes, under which names, and how it
//! ends.

mod exposure;
mod life;
mod program;
mod streams;

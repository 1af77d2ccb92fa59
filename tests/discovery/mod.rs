//! Discovery: what a client that knows only the address can read, and whether the guide's shell commands work as pasted.

mod cards;
mod guide;
mod pages;
mod presets;
mod raw_calls;
mod shell;

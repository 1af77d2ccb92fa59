//! The client script `/rr`: what it does, that nothing is lost when it is killed, and that it has the words of `rogerrat`.

mod commands;
mod killed;
mod kit;
mod served;
mod tasks;
mod words;

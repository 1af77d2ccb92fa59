//! The actors on paused time: an hour passes in microseconds, and nothing sleeps to wait.

mod counting;
mod durable;
mod going;
mod keeping;
mod keys;
mod log;
mod revival;
mod rig;
mod waiting;
mod webhooks;
mod weight;
mod world;

//! `rogerrat load`: each scenario against a real hub, its order checks against a faulty one, and the targets it refuses.

mod faults;
mod faulty_hub;
mod refusals;
mod reports;
pub(crate) mod run;
mod scenarios;

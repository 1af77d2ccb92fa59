//! `rogerrat load`: each scenario against a real hub, its order checks against a faulty one, and the targets it refuses.

mod liar;
mod lies;
mod pages;
mod refusals;
mod run;
mod scenarios;

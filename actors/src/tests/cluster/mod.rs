//! Many hubs on one log, on paused time, from seeds: hubs are killed, frozen, cut off and stopped while clients send, read,
//! acknowledge, ask, share out work and turn to other hubs. An oracle checks every promise of a shared log.
//!
//! `SIM_SEED=<n> SIM_SEEDS=1` repeats one simulation; `SIM_SEEDS` and `SIM_HUBS` run more and larger ones. `cargo xtask
//! simulate` does so with optimizations.

mod client;
mod linked_instances;
mod linked_log;
mod links;
mod node;
mod oracle;
mod peers;
mod posts;
mod receiver;
mod simulation;
mod task_oracle;
mod tasks;

use oracle::Totals;
use simulation::{Size, simulate};

use crate::deliberate_fault::DeliberateFault;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The size of the simulation of a seed: two to eight hubs, unless a number is given.
fn size(seed: u64) -> Size {
    Size::of(from_env("SIM_HUBS").map_or(2 + (seed % 7) as usize, |hubs| hubs as usize))
}

#[test]
fn c06_no_fault_breaks_a_promise_of_a_shared_log() {
    let first = from_env("SIM_SEED").unwrap_or(1);
    let seeds = from_env("SIM_SEEDS").unwrap_or(20);
    let mut totals = Totals::default();
    let mut violated = Vec::new();
    for seed in first..first + seeds {
        let outcome = simulate(seed, size(seed), None);
        if !outcome.violations.is_empty() {
            println!("SIM_SEED={seed} SIM_SEEDS=1:\n{}\n{:?}", outcome.violations.join("\n"), outcome.totals);
            violated.push(seed);
        }
        totals.add(&outcome.totals);
    }
    assert!(violated.is_empty(), "violations with the seeds {violated:?} of {seeds}");
    println!("{seeds} seeds: {totals:?}");
    assert!(seeds < 20 || totals.covers_everything(), "the simulations should cover every case: {totals:?}");
}

#[test]
fn a_seed_repeats_a_simulation() {
    let size = Size::of(4);
    assert_eq!(simulate(7, size, None), simulate(7, size, None));
}

/// Finds a seed at which the oracle notices a fault in the code, and a word of what it reports.
fn finds(fault: DeliberateFault, word: &str, seeds: std::ops::Range<u64>) {
    for seed in seeds.clone() {
        let found = simulate(seed, size(seed), Some(fault)).violations;
        if let Some(violation) = found.iter().find(|violation| violation.contains(word)) {
            println!("{fault:?}: seed {seed}: {violation}");
            return;
        }
    }
    panic!("no seed of {seeds:?} finds {fault:?}");
}

#[test]
fn the_oracle_finds_an_unchecked_fence() {
    finds(DeliberateFault::UncheckedFence, "the owner is", 1..100);
}

#[test]
fn the_oracle_finds_ids_that_are_assigned_again() {
    finds(DeliberateFault::ReusedIds, "", 1..100);
}

#[test]
fn the_oracle_finds_a_gap_that_is_not_reported() {
    finds(DeliberateFault::MissingGap, "did not arrive", 1..100);
}

#[test]
fn the_oracle_finds_a_reply_before_the_commit() {
    finds(DeliberateFault::EarlyReply, "did not arrive", 1..100);
}

#[test]
fn the_oracle_finds_a_delivery_without_doubt() {
    finds(DeliberateFault::MissingDoubt, "twice with attempt 1", 1..200);
}

#[test]
fn the_oracle_finds_a_webhook_that_several_hubs_drive() {
    finds(DeliberateFault::UnheldLanes, "was delivered by", 1..100);
}

#[test]
fn the_oracle_finds_a_channel_that_is_opened_before_its_webhooks_are_known() {
    finds(DeliberateFault::EarlyOpen, "was not delivered", 1..100);
}

#[test]
fn the_oracle_finds_takings_that_a_new_owner_does_not_know() {
    finds(DeliberateFault::ForgottenTakings, "was given to", 1..200);
}

#[test]
fn the_oracle_finds_results_that_a_new_owner_does_not_know() {
    finds(DeliberateFault::ForgottenResults, "the task is", 1..200);
}

#[test]
fn the_oracle_finds_a_lease_that_ends_before_its_time() {
    finds(DeliberateFault::ShortLease, "has it", 1..200);
}

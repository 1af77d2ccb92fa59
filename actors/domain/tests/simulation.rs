//! Simulation: random scripts of operations, compared with an oracle. No message is lost without a gap or delivered twice, and
//! every poll is answered once and in time.
//!
//! `SIM_SEED=<n> SIM_SCRIPTS=1` repeats one script; `SIM_SCRIPTS=<n>` runs more of them.

#[cfg(test)]
#[path = "simulation/harness.rs"]
mod harness;
#[cfg(test)]
#[path = "simulation/oracle.rs"]
mod oracle;

use std::panic::{AssertUnwindSafe, catch_unwind};

use harness::Simulation;

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn scripts_of_all_operations_keep_every_promise() {
    let first = from_env("SIM_SEED", 1);
    let scripts = from_env("SIM_SCRIPTS", 2_000);
    let mut totals = harness::Totals::default();
    for seed in first..first + scripts {
        let mut simulation = Simulation::new(seed);
        let played = catch_unwind(AssertUnwindSafe(|| simulation.play()));
        if played.is_err() {
            let script = simulation.script.join("\n");
            panic!("\n{script}\n^ the script of SIM_SEED={seed} SIM_SCRIPTS=1 failed in its last line");
        }
        totals.add(&simulation.totals);
    }
    println!("{scripts} scripts: {totals:?}");
    assert!(scripts < 500 || totals.covers_everything(), "the scripts should cover every case: {totals:?}");
}

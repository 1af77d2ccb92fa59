//! Simulation of tasks: random steps, compared with a model of the table of states in plain lists. Every step is accepted
//! or refused as the model says, a refused one changes nothing, and a restart loses nothing.
//!
//! `SIM_SEED=<n> SIM_SCRIPTS=1` repeats one script; `SIM_SCRIPTS=<n>` runs more of them.

#[cfg(test)]
#[path = "tasks/every_step.rs"]
mod every_step;
#[cfg(test)]
#[path = "tasks/model.rs"]
mod model;
#[cfg(test)]
#[path = "tasks/player.rs"]
mod player;
#[cfg(test)]
#[path = "tasks/restart.rs"]
mod restart;

use std::panic::{AssertUnwindSafe, catch_unwind};

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn a09_random_steps_follow_the_table_of_states() {
    let first = from_env("SIM_SEED", 1);
    let scripts = from_env("SIM_SCRIPTS", 400);
    let mut totals = player::Totals::default();
    for seed in first..first + scripts {
        let mut player = player::Player::new(seed);
        if catch_unwind(AssertUnwindSafe(|| player.play())).is_err() {
            let script = player.script.join("\n");
            panic!("\n{script}\n^ the script of SIM_SEED={seed} SIM_SCRIPTS=1 failed in its last line");
        }
        totals.add(&player.totals);
    }
    println!("{scripts} scripts: {totals:?}");
    assert!(scripts < 200 || totals.covers_everything(), "the scripts should cover every case: {totals:?}");
}

//! `cargo xtask simulate`: simulations of many hubs on one log, thousands of them. See `actors/src/tests/cluster/`.

use std::process::Command;

const USAGE: &str = "usage: cargo xtask simulate [--seeds N] [--first SEED] [--hubs M] [--trace]";

/// Runs the simulations. False if one found a violation, or the arguments are wrong.
pub(crate) fn run(arguments: &[String]) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "test",
        "--locked",
        "--package",
        "rogerrat-actors",
        "--lib",
        "tests::cluster::c06_",
        "--",
        "--nocapture",
    ]);
    command.env("SIM_SEEDS", "1000");
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let variable = match argument.as_str() {
            "--seeds" => "SIM_SEEDS",
            "--first" => "SIM_SEED",
            "--hubs" => "SIM_HUBS",
            "--trace" => {
                command.env("SIM_TRACE", "1");
                continue;
            }
            _ => {
                eprintln!("{USAGE}");
                return false;
            }
        };
        let Some(number) = arguments.next().filter(|text| text.parse::<u64>().is_ok()) else {
            eprintln!("{USAGE}");
            return false;
        };
        command.env(variable, number);
    }
    command.status().is_ok_and(|status| status.success())
}

//! `rogerrat completions` and `rogerrat man`: made from the definition of the flags, so that they are never behind it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use rogerrat_cli::outcome::{not_understood, print};

use super::Cli;

/// For which shell.
#[derive(Args)]
#[command(after_help = "bash: rogerrat completions bash > ~/.local/share/bash-completion/completions/rogerrat")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Where the pages go.
#[derive(Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder; else the first page is printed
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rogerrat", &mut script);
    done("rogerrat completions", show(&script))
}

pub(crate) fn man(args: &ManArgs) -> ExitCode {
    let made = match &args.dir {
        Some(folder) => write(folder).map_err(|error| format!("the pages cannot be written: {error}")),
        None => page(Cli::command()).map_err(|error| error.to_string()).and_then(|page| show(&page)),
    };
    done("rogerrat man", made)
}

fn done(name: &str, made: Result<(), String>) -> ExitCode {
    made.map_or_else(|why| not_understood(name, &why), |()| ExitCode::SUCCESS)
}

fn show(text: &[u8]) -> Result<(), String> {
    print(&String::from_utf8_lossy(text)).map_err(|error| error.to_string())
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

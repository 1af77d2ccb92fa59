//! `rogerrat completions` and `rogerrat man`: shell completions and manual pages, generated from the command
//! definition.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use rogerrat_cli::outcome::{print, usage_error};

use super::Cli;

/// Arguments of `rogerrat completions`.
#[derive(Args)]
#[command(after_help = "bash: rogerrat completions bash > ~/.local/share/bash-completion/completions/rogerrat")]
pub(crate) struct CompletionsArgs {
    /// Shell to generate completions for
    shell: Shell,
}

/// Arguments of `rogerrat man`.
#[derive(Args)]
pub(crate) struct ManArgs {
    /// Write one page per command to this directory instead of printing the main page
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rogerrat", &mut script);
    finish("rogerrat completions", show(&script))
}

pub(crate) fn man(args: &ManArgs) -> ExitCode {
    let result = match &args.dir {
        Some(directory) => write_all(directory).map_err(|error| format!("cannot write the manual pages: {error}")),
        None => page(Cli::command()).map_err(|error| error.to_string()).and_then(|page| show(&page)),
    };
    finish("rogerrat man", result)
}

fn finish(name: &str, result: Result<(), String>) -> ExitCode {
    result.map_or_else(|why| usage_error(name, &why), |()| ExitCode::SUCCESS)
}

fn show(text: &[u8]) -> Result<(), String> {
    print(&String::from_utf8_lossy(text)).map_err(|error| error.to_string())
}

fn write_all(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), directory)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

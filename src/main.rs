//! The `rogerrat` binary: reads the command line and hands over. It decides nothing.

mod banner;
mod cli;
mod compat;
mod config;
mod http;
mod machine;
mod mcp;
mod startup;
mod telemetry;
mod transport;
mod web;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use rogerrat_domain::text::one_line;

use cli::serve::ServeArgs;
use cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => serve(args),
        Command::Check(args) => cli::check::run(args),
        Command::Create(args) => cli::talk::create::run(&args),
        Command::Join(args) => cli::talk::join::run(&args),
        Command::Send(args) => cli::talk::send::run(&args),
        Command::Listen(args) => cli::talk::listen::run(&args),
        Command::Roster(args) => cli::talk::roster::run(&args),
        Command::History(args) => cli::talk::history::run(&args),
        Command::Ack(args) => cli::talk::ack::run(&args),
        Command::Leave(args) => cli::talk::leave::run(&args),
        Command::Transcript(args) => cli::talk::transcript::run(&args),
        Command::Invite(args) => cli::talk::invite::run(&args),
        Command::Chat(args) => cli::chat::run(&args),
        Command::Profile(args) => cli::talk::profile::run(&args),
        Command::Wait(args) => cli::awake::wait(&args),
        Command::ListenHere(args) => cli::awake::listen_here(&args),
        Command::ReceiveRecipe(args) => cli::recipe::run(&args),
        Command::Completions(args) => cli::pages::completions(&args),
        Command::Man(args) => cli::pages::man(&args),
        Command::Mcp(args) => cli::awake::mcp(&args, face()),
        Command::Backup(args) => cli::backup::run(args),
        Command::Restore(args) => cli::restore::run(args),
        Command::Verify(args) => cli::verify::run(args),
        Command::Load(args) => cli::load::run(args),
        Command::Torture(args) => cli::torture::run(&args),
    }
}

/// What the MCP door says of itself, for who speaks MCP in its place.
fn face() -> cli::awake::Face {
    cli::awake::Face {
        tools: mcp::tools(false),
        tools_of_a_channel: mcp::tools(true),
        legacy: mcp::versions(false),
        modern: mcp::versions(true),
    }
}

fn serve(args: ServeArgs) -> ExitCode {
    let config = match args.read() {
        Ok(effective) => effective.config,
        Err(faults) => return cli::refuse(&faults),
    };
    telemetry::init(&config.log);
    match startup::serve(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a reader the exit code still tells.
            let _ = writeln!(io::stderr().lock(), "rogerrat: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and everything that led to it, on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    one_line(&causes).into_owned()
}

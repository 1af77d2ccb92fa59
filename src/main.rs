//! The `rogerrat` binary: parses the command line and runs the subcommand.

mod banner;
mod cli;
mod compat;
mod config;
mod host_info;
mod http;
mod mcp;
mod signals;
mod startup;
mod system_limits;
mod telemetry;
mod transport;
mod tunnel;
mod web;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use rogerrat_cli::{HubTexts, Invitation, McpSurface};
use rogerrat_domain::text::one_line;

use cli::serve::ServeArgs;
use cli::{Cli, Command};
use web::presets::Preset;
use web::snippets::SnippetContext;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => serve(args),
        Command::Check(args) => cli::check::run(args),
        Command::Client(command) => rogerrat_cli::run(&command, HUB_TEXTS),
        Command::Completions(args) => cli::pages::completions(&args),
        Command::Man(args) => cli::pages::man(&args),
        Command::Backup(args) => cli::backup::run(args),
        Command::Restore(args) => cli::restore::run(args),
        Command::Import(args) => cli::import::run(args),
        Command::Verify(args) => cli::verify::run(args),
        Command::Load(args) => rogerrat_load::run(args),
        Command::Torture(args) => rogerrat_torture::run(&args),
    }
}

/// What the client commands print in the hub's own words.
const HUB_TEXTS: HubTexts = HubTexts { mcp_surface, peer_invite };

fn mcp_surface() -> McpSurface {
    McpSurface {
        tools: mcp::tools(false),
        tools_of_a_channel: mcp::tools(true),
        legacy: mcp::versions(false),
        modern: mcp::versions(true),
    }
}

fn peer_invite(invitation: &Invitation<'_>) -> String {
    let &Invitation { origin, channel, token, callsign, require_identity } = invitation;
    let preset = Preset::default();
    SnippetContext { origin, channel, token, preset, owner_password: None, require_identity }.peer_invite(callsign)
}

fn serve(args: ServeArgs) -> ExitCode {
    let config = match args.read() {
        Ok(effective) => effective.config,
        Err(errors) => return cli::print_config_errors(&errors),
    };
    telemetry::init(&config.log);
    let program = match config.server.tunnel.as_ref().map(|settings| (settings, tunnel::find(settings))) {
        None => None,
        Some((_, Ok(program))) => Some(program),
        Some((settings, Err(reason))) if settings.is_optional => {
            log::warn!(reason; "serving without a tunnel");
            None
        }
        Some((_, Err(reason))) => {
            let _ = writeln!(io::stderr().lock(), "rogerrat: {}", one_line(&reason));
            return ExitCode::from(rogerrat_cli::outcome::USAGE_ERROR);
        }
    };
    match startup::serve(&config, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr is closed, the exit code still reports the failure.
            let mut stderr = io::stderr().lock();
            let _ = writeln!(stderr, "rogerrat: {}", chain(&error));
            for line in error.output() {
                let _ = writeln!(stderr, "  {line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Formats an error and its causes on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    one_line(&causes).into_owned()
}

//! The client commands of `rogerrat`: they talk to a hub over HTTP and know nothing of its code.

mod chat;
mod commands;
pub mod outcome;
mod receive;
mod recipe;
mod target;

use std::process::ExitCode;

use clap::Subcommand;
pub use commands::Invitation;
pub use receive::McpSurface;

/// The client subcommands.
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Make a channel, and remember it
    Create(commands::CreateArgs),
    /// Take a place on a channel, and remember it
    Join(commands::JoinArgs),
    /// Say something to one member or to all
    Send(commands::SendArgs),
    /// Read once what is there
    Listen(commands::ListenArgs),
    /// Show who is on a channel
    Roster(commands::RosterArgs),
    /// Show the last messages; it marks nothing as read
    History(commands::HistoryArgs),
    /// Acknowledge what was read with --ack manual
    Ack(commands::AckArgs),
    /// Give the place on a channel back
    Leave(commands::LeaveArgs),
    /// Show what a channel keeps of what happened on it
    Transcript(commands::TranscriptArgs),
    /// Print one line with which the other agent joins
    Invite(commands::InviteArgs),
    /// Talk on a channel, at a terminal
    Chat(chat::ChatArgs),
    /// Show or change what is remembered
    Profile(commands::ProfileArgs),
    /// Wait for one message of a channel, print it and end: a doorbell for an agent
    Wait(receive::WaitArgs),
    /// Append every message of a channel to a file, or run a command for it, until it is stopped
    ListenHere(receive::ListenArgs),
    /// Print the commands with which an agent's client is woken by messages
    ReceiveRecipe(recipe::RecipeArgs),
    /// Be an MCP server on standard input and output that bridges to a hub, and push what comes
    Mcp(receive::McpArgs),
}

/// Texts that the hub's own code makes. They are passed in, so that the commands depend on HTTP alone.
#[derive(Clone, Copy)]
pub struct HubTexts {
    /// The tools and protocol versions of the hub's MCP endpoint.
    pub mcp_surface: fn() -> McpSurface,
    /// The line with which another agent joins.
    pub peer_invite: fn(&Invitation<'_>) -> String,
}

/// Runs a command to its end and gives its exit code.
pub fn run(command: &ClientCommand, texts: HubTexts) -> ExitCode {
    match command {
        ClientCommand::Create(args) => commands::create::run(args),
        ClientCommand::Join(args) => commands::join::run(args),
        ClientCommand::Send(args) => commands::send::run(args),
        ClientCommand::Listen(args) => commands::listen::run(args),
        ClientCommand::Roster(args) => commands::roster::run(args),
        ClientCommand::History(args) => commands::history::run(args),
        ClientCommand::Ack(args) => commands::ack::run(args),
        ClientCommand::Leave(args) => commands::leave::run(args),
        ClientCommand::Transcript(args) => commands::transcript::run(args),
        ClientCommand::Invite(args) => commands::invite::run(args, texts.peer_invite),
        ClientCommand::Chat(args) => chat::run(args),
        ClientCommand::Profile(args) => commands::profile::run(args),
        ClientCommand::Wait(args) => receive::wait(args),
        ClientCommand::ListenHere(args) => receive::listen_here(args),
        ClientCommand::ReceiveRecipe(args) => recipe::run(args),
        ClientCommand::Mcp(args) => receive::mcp(args, (texts.mcp_surface)()),
    }
}

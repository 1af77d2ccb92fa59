//! The client commands of `rogerrat`. They talk to a hub over HTTP and depend on none of its code.

mod chat;
mod commands;
pub mod outcome;
mod receive;
mod recipe;
mod target;
mod words;

use std::process::ExitCode;

use clap::Subcommand;
pub use commands::Invitation;
pub use receive::McpSurface;

/// The client subcommands.
#[derive(Subcommand)]
pub enum ClientSubcommand {
    /// Create a channel and save it as a profile
    Create(commands::CreateArgs),
    /// Join a channel and save the session
    Join(commands::JoinArgs),
    /// Send a message to one member or to all
    Send(commands::SendArgs),
    /// Ask a member, or all, and wait for the answer
    Ask(commands::AskArgs),
    /// Post, list, show and withdraw tasks
    Task(commands::TaskArgs),
    /// Take work that others posted
    Take(commands::TakeArgs),
    /// Report what became of a task
    Finish(commands::FinishArgs),
    /// Take work and run a command for each task
    Work(commands::WorkArgs),
    /// Read pending messages once
    Listen(commands::ListenArgs),
    /// List the members of a channel
    Roster(commands::RosterArgs),
    /// Print the newest messages without marking them as read
    History(commands::HistoryArgs),
    /// Acknowledge messages that were read with --ack manual
    Ack(commands::AckArgs),
    /// Leave a channel
    Leave(commands::LeaveArgs),
    /// Print the recorded events of a channel
    Transcript(commands::TranscriptArgs),
    /// Print a line that another agent can join with
    Invite(commands::InviteArgs),
    /// Let a person instruct this agent from a phone: open a channel, print its link and QR code
    Remote(commands::RemoteArgs),
    /// Chat on a channel at a terminal
    Chat(chat::ChatArgs),
    /// List or change saved profiles
    Profile(commands::ProfileArgs),
    /// Wait for a message, print it and exit: a doorbell for an agent
    #[command(visible_alias = "doorbell")]
    Wait(receive::WaitArgs),
    /// Append every message of a channel to a file, or run a command for each, until stopped
    #[command(visible_alias = "inbox")]
    ListenHere(receive::ListenHereArgs),
    /// Print the commands that let messages wake an agent's client
    ReceiveRecipe(recipe::RecipeArgs),
    /// Run an MCP server on stdio that forwards to a hub and pushes new messages
    Mcp(receive::McpBridgeArgs),
}

/// Texts of the hub's own code. The executable passes them in, so that this crate does not depend on that code.
#[derive(Clone, Copy)]
pub struct HubTexts {
    /// Returns the tools and protocol versions of the hub's MCP endpoint.
    pub mcp_surface: fn() -> McpSurface,
    /// Returns the line that another agent can join with.
    pub peer_invite: fn(&Invitation<'_>) -> String,
}

/// Runs a command to its end and returns its exit code.
pub fn run(command: &ClientSubcommand, texts: HubTexts) -> ExitCode {
    match command {
        ClientSubcommand::Create(args) => commands::create::run(args),
        ClientSubcommand::Join(args) => commands::join::run(args),
        ClientSubcommand::Send(args) => commands::send::run(args),
        ClientSubcommand::Ask(args) => commands::tasks::run_ask(args),
        ClientSubcommand::Task(args) => commands::tasks::run_task(args),
        ClientSubcommand::Take(args) => commands::tasks::run_take(args),
        ClientSubcommand::Finish(args) => commands::tasks::run_finish(args),
        ClientSubcommand::Work(args) => commands::tasks::run_work(args),
        ClientSubcommand::Listen(args) => commands::listen::run(args),
        ClientSubcommand::Roster(args) => commands::roster::run(args),
        ClientSubcommand::History(args) => commands::history::run(args),
        ClientSubcommand::Ack(args) => commands::ack::run(args),
        ClientSubcommand::Leave(args) => commands::leave::run(args),
        ClientSubcommand::Transcript(args) => commands::transcript::run(args),
        ClientSubcommand::Invite(args) => commands::invite::run(args, texts.peer_invite),
        ClientSubcommand::Remote(args) => commands::remote::run(args),
        ClientSubcommand::Chat(args) => chat::run(args),
        ClientSubcommand::Profile(args) => commands::profile::run(args),
        ClientSubcommand::Wait(args) => receive::wait(args),
        ClientSubcommand::ListenHere(args) => receive::listen_here(args),
        ClientSubcommand::ReceiveRecipe(args) => recipe::run(args),
        ClientSubcommand::Mcp(args) => receive::mcp(args, (texts.mcp_surface)()),
    }
}

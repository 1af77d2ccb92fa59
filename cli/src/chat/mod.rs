//! `rogerrat chat`: a conversation on a channel, for a person at a terminal.
//!
//! One thread edits the line; another talks to the hub and prints above the line. What a peer wrote reaches the
//! terminal as text only: neither control characters nor a line that looks like another member's.

mod commands;
mod parser;
mod receiver;
mod screen;
mod tasks;
mod terminal;
mod wrap;

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::thread;

use clap::{Args, ColorChoice};
use rogerrat_client::StreamOptions;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tokio::sync::mpsc::{self, channel};

use crate::outcome::{CommandError, block_on, report, report_error, usage_error};
use crate::target::{IdentityArgs, ProfileRule, ResolvedTarget, TargetArgs};
use commands::Commands;
use parser::ChatInput;
use receiver::Receiver;
use screen::Screen;
use terminal::Terminal;
pub(crate) use terminal::wants_colours;

const NAME: &str = "rogerrat chat";
/// Lines that can be typed before the hub has responded.
const QUEUED_LINES: usize = 16;

/// Which channel, and as which member.
#[derive(Args)]
#[command(after_help = "Type a text to send it to all, `/help` for the commands. `/quit`, Ctrl-C and Ctrl-D end the \
                        chat; you stay on the channel until `rogerrat leave`.")]
pub struct ChatArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Read with the cursor of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// When to use colours; auto respects NO_COLOR
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

pub(crate) fn run(args: &ChatArgs) -> ExitCode {
    let target = args.target.resolve(&args.identity, ProfileRule::MayBeNew);
    let target = target.and_then(ResolvedTarget::require_member);
    let target = target.and_then(|target| target.with_consumer(args.consumer.as_ref()));
    let (target, terminal) = match target.and_then(|target| Ok((target, Terminal::open()?))) {
        Ok(ready) => ready,
        Err(message) => return usage_error(NAME, &message),
    };
    match chat(args.color, target, terminal) {
        Ok(code) => code,
        Err(error) => {
            report(NAME, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn chat(color: ColorChoice, resolved: ResolvedTarget, terminal: Terminal) -> rustyline::Result<ExitCode> {
    let mut editor = DefaultEditor::new()?;
    let printer = Box::new(editor.create_external_printer()?);
    let screen = Screen::new(printer, color, &terminal);
    let target = &resolved.target;
    let prompt = target.callsign.clone().unwrap_or_else(|| target.channel.clone());
    let (inputs, receiver) = channel(QUEUED_LINES);
    let network = thread::spawn(move || {
        let code = run_network(&terminal, resolved, screen, receiver);
        (code, terminal)
    });
    read_lines(&mut editor, &prompt, &inputs)?;
    drop(inputs);
    Ok(network.join().map_or(ExitCode::FAILURE, |(code, _)| code))
}

/// Reads lines until the user ends the chat.
fn read_lines(editor: &mut DefaultEditor, prompt: &str, inputs: &mpsc::Sender<ChatInput>) -> rustyline::Result<()> {
    loop {
        let line = match editor.readline(&format!("{prompt}> ")) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error),
        };
        if !line.trim().is_empty() {
            editor.add_history_entry(&*line)?;
        }
        match ChatInput::parse(&line) {
            None => {}
            Some(ChatInput::Quit) => return Ok(()),
            Some(input) => match inputs.blocking_send(input) {
                Ok(()) => {}
                Err(_) => return Ok(()),
            },
        }
    }
}

/// Talks to the hub until there are no more lines. If that is no longer possible, it ends the process, because nothing
/// else can interrupt the line editor.
fn run_network(
    terminal: &Terminal,
    target: ResolvedTarget,
    screen: Screen,
    inputs: mpsc::Receiver<ChatInput>,
) -> ExitCode {
    block_on(NAME, async {
        match run_member(target, screen, inputs).await {
            Ok(code) => Ok(code),
            Err(error) => {
                terminal.restore();
                std::process::exit(report_error(NAME, &error).into())
            }
        }
    })
}

async fn run_member(
    target: ResolvedTarget,
    screen: Screen,
    inputs: mpsc::Receiver<ChatInput>,
) -> Result<ExitCode, CommandError> {
    let screen = Rc::new(RefCell::new(screen));
    let mut commands = Commands { client: target.client(), screen: Rc::clone(&screen) };
    commands.join().await?;
    let client = target.client_with(commands.client.target().clone());
    let mut receiver =
        Receiver { subscription: client.subscribe(StreamOptions { tasks: true, ..StreamOptions::default() }), screen };
    tokio::select! {
        error = receiver.run() => Err(error.into()),
        () = commands.run(inputs) => Ok(ExitCode::SUCCESS),
    }
}

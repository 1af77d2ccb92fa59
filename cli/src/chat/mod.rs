//! `rogerrat chat`: a conversation on a channel, for a person at a terminal.
//!
//! One thread edits the line, another talks to the hub and prints above it. Nothing a peer writes reaches the terminal but as
//! text: neither a control character nor a line that looks like somebody else's.

mod ear;
mod mouth;
mod screen;
mod terminal;
mod typed;
mod wrap;

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::thread;

use clap::{Args, ColorChoice};
use ear::Ear;
use mouth::Mouth;
use rogerrat_client::ClientError;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use screen::Screen;
use terminal::Terminal;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use typed::Typed;

use super::outcome::{ended, not_understood, on_one_thread, say};
use crate::target::{IdentityArgs, ResolvedTarget, TargetArgs};

const NAME: &str = "rogerrat chat";
/// Lines typed ahead of the hub's answers.
const TYPED_AHEAD: usize = 16;

/// Where to talk, and as whom.
#[derive(Args)]
#[command(
    after_help = "Type a text to say it to all, `/help` for what else there is. `/quit`, Ctrl-C and Ctrl-D end it; you \
                        stay on the channel until `rogerrat leave`."
)]
pub struct ChatArgs {
    #[command(flatten)]
    place: TargetArgs,
    #[command(flatten)]
    seat: IdentityArgs,
    /// Read with a cursor of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Whether to use colours; auto heeds NO_COLOR
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

pub(crate) fn run(args: &ChatArgs) -> ExitCode {
    let place = args.place.read(&args.seat).and_then(ResolvedTarget::needs_seat);
    let place = place.and_then(|place| place.with_consumer(args.consumer.as_ref()));
    let ready = place.and_then(|place| Ok((place, Terminal::here()?)));
    let (place, terminal) = match ready {
        Ok(ready) => ready,
        Err(message) => return not_understood(NAME, &message),
    };
    match converse(args.color, place, terminal) {
        Ok(code) => code,
        Err(error) => {
            say(NAME, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn converse(color: ColorChoice, place: ResolvedTarget, terminal: Terminal) -> rustyline::Result<ExitCode> {
    let mut editor = DefaultEditor::new()?;
    let printer = Box::new(editor.create_external_printer()?);
    let screen = Screen::new(printer, color, &terminal);
    let prompt = place.target.callsign.clone().unwrap_or_else(|| place.target.channel.clone());
    let (say, typed) = channel(TYPED_AHEAD);
    let room = thread::spawn(move || {
        let code = on_one_thread_or_end(&terminal, place, screen, typed);
        (code, terminal)
    });
    edit(&mut editor, &prompt, &say)?;
    drop(say);
    Ok(room.join().map_or(ExitCode::FAILURE, |(code, _)| code))
}

/// Takes lines until there are no more.
fn edit(editor: &mut DefaultEditor, prompt: &str, say: &Sender<Typed>) -> rustyline::Result<()> {
    loop {
        let line = match editor.readline(&format!("{prompt}> ")) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error),
        };
        if !line.trim().is_empty() {
            editor.add_history_entry(&*line)?;
        }
        match Typed::read(&line) {
            None => {}
            Some(Typed::Quit) => return Ok(()),
            Some(typed) => match say.blocking_send(typed) {
                Ok(()) => {}
                Err(_) => return Ok(()),
            },
        }
    }
}

/// Talks to the hub until no more lines come. Where it cannot go on it ends the process: nothing else ends the line that is
/// being edited.
fn on_one_thread_or_end(
    terminal: &Terminal,
    place: ResolvedTarget,
    screen: Screen,
    typed: Receiver<Typed>,
) -> ExitCode {
    on_one_thread(NAME, async {
        match talk(place, screen, typed).await {
            Ok(code) => Ok(code),
            Err(trouble) => {
                terminal.restore();
                std::process::exit(ended(NAME, &trouble).into())
            }
        }
    })
}

async fn talk(place: ResolvedTarget, screen: Screen, typed: Receiver<Typed>) -> Result<ExitCode, ClientError> {
    let screen = Rc::new(RefCell::new(screen));
    let mut mouth = Mouth { link: place.client(), screen: Rc::clone(&screen) };
    mouth.enter().await?;
    let mut ear = Ear { link: place.client_of(mouth.link.target().clone()), screen, told_gap: 0 };
    tokio::select! {
        trouble = ear.listen() => Err(trouble),
        () = mouth.obey(typed) => Ok(ExitCode::SUCCESS),
    }
}

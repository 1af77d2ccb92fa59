//! Runs what the user has typed, one line at a time, and prints the result.

use std::cell::RefCell;
use std::rc::Rc;

use rogerrat_client::{ChannelClient, OutgoingMessage};
use rogerrat_domain::text::one_line;
use tokio::sync::mpsc::Receiver;

use super::parser::{ChatInput, HELP};
use super::screen::Screen;
use crate::commands::{attachments, roster_lines};
use crate::outcome::CommandError;

/// Messages that are shown at first and after `/history`.
const HISTORY_MESSAGES: u32 = 20;

pub(super) struct Commands {
    pub(super) client: ChannelClient,
    pub(super) screen: Rc<RefCell<Screen>>,
}

impl Commands {
    /// Joins, and prints the members and the newest messages.
    pub(super) async fn join(&mut self) -> Result<(), CommandError> {
        let joined = self.client.join().await?;
        self.screen.borrow_mut().own_callsign.clone_from(&joined.callsign);
        let target = self.client.target();
        let (channel, origin) = (&target.channel, target.hub.origin());
        self.note(&format!("you are {} on {channel} at {origin}; /help lists the commands", joined.callsign));
        self.note(&format!("members: {}", joined.roster.join(", ")));
        self.print_history().await
    }

    /// Runs lines until there are no more.
    pub(super) async fn run(&mut self, mut inputs: Receiver<ChatInput>) {
        while let Some(input) = inputs.recv().await {
            if let Err(error) = self.run_one(input).await {
                self.client.forget_address();
                self.screen.borrow_mut().warn(&error.to_string());
            }
        }
    }

    async fn run_one(&mut self, input: ChatInput) -> Result<(), CommandError> {
        match input {
            ChatInput::Send { to, text } => self.send(OutgoingMessage::new(to, text)).await,
            ChatInput::Status(text) => {
                self.send(OutgoingMessage { is_status: true, ..OutgoingMessage::to_all(text) }).await
            }
            ChatInput::Attach { file, text } => {
                let attachments = attachments(std::slice::from_ref(&file)).map_err(CommandError::Local)?;
                self.send(OutgoingMessage { attachments, ..OutgoingMessage::to_all(text) }).await
            }
            ChatInput::Roster => {
                let roster = self.client.roster().await?;
                for line in roster_lines(&roster).lines() {
                    self.note(line.trim_start());
                }
                Ok(())
            }
            ChatInput::History => {
                self.screen.borrow_mut().forget_shown();
                self.print_history().await
            }
            ChatInput::Help => {
                HELP.lines().for_each(|line| self.note(line));
                Ok(())
            }
            ChatInput::Invalid(expected) => {
                self.note(&format!("{expected} (/help lists the commands)"));
                Ok(())
            }
            ChatInput::Quit => Ok(()),
        }
    }

    async fn send(&mut self, message: OutgoingMessage) -> Result<(), CommandError> {
        let sent = self.client.send(&message).await?;
        if sent.queued {
            self.note(&format!("{} is away and will read it later", one_line(&sent.to)));
        }
        Ok(())
    }

    async fn print_history(&mut self) -> Result<(), CommandError> {
        for message in &self.client.history(HISTORY_MESSAGES, None).await?.history {
            self.screen.borrow_mut().message(message.json());
        }
        Ok(())
    }

    fn note(&self, text: &str) {
        self.screen.borrow_mut().note(text);
    }
}

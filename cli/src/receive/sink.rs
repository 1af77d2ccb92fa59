//! Where `listen-here` hands messages on: to an inbox or standard output, and to a command. It remembers what it has
//! handed on, so that a message that is delivered again is not handed on again.

use std::collections::VecDeque;
use std::io::{self, Write as _};

use rogerrat_client::{Backoff, ReceivedMessage};
use rogerrat_domain::Priority;
use tokio::time::sleep;

use super::format::Format;
use super::inbox::Inbox;
use super::{REMEMBERED_IDS, attachments, on_message};
use crate::outcome::report;

pub(super) struct Sink {
    /// Name of the command in its own messages.
    pub(super) name: &'static str,
    pub(super) output: Output,
    pub(super) format: Format,
    pub(super) min_priority: Priority,
    /// The shell command to run for each message.
    pub(super) command: Option<String>,
    /// Whether the command runs once for all messages that are handed on together, and reads their lines.
    pub(super) runs_for_batch: bool,
    pub(super) channel: String,
    /// Ids this process has handed on.
    pub(super) done: VecDeque<u64>,
}

/// Where the lines of messages go.
pub(super) enum Output {
    Nowhere,
    Stdout,
    Inbox(Inbox),
}

/// Why messages were not handed on.
#[derive(Debug)]
pub(super) enum SinkError {
    /// A retry can succeed.
    Temporary(String),
    /// A retry cannot succeed.
    Permanent(String),
}

impl Sink {
    /// Hands messages on, in order. After an error, those that were not handed on are handed on by a later call.
    pub(super) async fn take(&mut self, messages: &[ReceivedMessage]) -> Result<(), SinkError> {
        let mut wanted = Vec::new();
        for message in messages.iter().filter(|m| m.priority >= self.min_priority && !self.done.contains(&m.id)) {
            let saved_paths = match &self.output {
                Output::Inbox(inbox) => attachments::save(inbox.path(), message.id, message.json())
                    .map_err(|error| SinkError::Temporary(format!("cannot save an attachment: {error}")))?,
                _ => Vec::new(),
            };
            wanted.push((message, saved_paths));
        }
        let Some(command) = self.command.clone() else {
            self.output.write(self.format, &wanted)?;
            for (message, _) in wanted {
                self.remember(message.id);
            }
            return Ok(());
        };
        if self.runs_for_batch {
            return self.take_batch(&command, &wanted).await;
        }
        // The order is: the line of a message, its command, the line of the next one.
        for (message, saved_paths) in wanted {
            let message = (message, saved_paths);
            self.output.write(self.format, std::slice::from_ref(&message))?;
            let (message, saved_paths) = (message.0, &message.1);
            let input = on_message::Input { channel: &self.channel, message, saved_paths, count: 1, lines: None };
            self.run_command(&command, input).await?;
            self.remember(message.id);
        }
        Ok(())
    }

    /// Writes the lines of a batch and runs the command once for all of it.
    async fn take_batch(&mut self, command: &str, batch: &[(&ReceivedMessage, Vec<String>)]) -> Result<(), SinkError> {
        let Some((message, _)) = batch.iter().rfind(|(message, _)| !message.is_status).or(batch.last()) else {
            return Ok(());
        };
        self.output.write(self.format, batch)?;
        let lines: String = batch.iter().map(|(message, saved)| self.format.line(message, saved)).collect();
        let saved_paths: Vec<_> = batch.iter().flat_map(|(_, saved)| saved.iter().cloned()).collect();
        let (channel, lines) = (&*self.channel, Some(&*lines));
        let input = on_message::Input { channel, message, saved_paths: &saved_paths, count: batch.len(), lines };
        self.run_command(command, input).await?;
        for (message, _) in batch {
            self.remember(message.id);
        }
        Ok(())
    }

    /// Runs the command until it succeeds. For a status, which is soon outdated, it runs once.
    async fn run_command(&self, command: &str, input: on_message::Input<'_>) -> Result<(), SinkError> {
        let (mut backoff, mut failures) = (Backoff::default(), 0);
        loop {
            let reason = match on_message::run(command, input, failures).await {
                Ok(()) => return Ok(()),
                Err(SinkError::Temporary(reason)) => reason,
                Err(error) => return Err(error),
            };
            if input.message.is_status {
                report(self.name, &reason);
                return Ok(());
            }
            failures += 1;
            let pause = backoff.pause(None);
            report(self.name, &format!("{reason}; trying again in {} s", pause.as_secs()));
            sleep(pause).await;
        }
    }

    fn remember(&mut self, id: u64) {
        self.done.push_back(id);
        if self.done.len() > REMEMBERED_IDS {
            self.done.pop_front();
        }
    }

    /// Writes a line about the listener itself to an inbox of text.
    pub(super) fn write_status(&mut self, line: &str) {
        if let (Output::Inbox(inbox), Format::Text) = (&mut self.output, self.format)
            && let Err(error) = inbox.append_status(&format!("⟲ [listen-here] {line}\n"))
        {
            report(self.name, &format!("cannot write to the inbox: {error}"));
        }
    }
}

impl Output {
    fn write(&mut self, format: Format, messages: &[(&ReceivedMessage, Vec<String>)]) -> Result<(), SinkError> {
        let line = |(message, saved_paths): &(&ReceivedMessage, Vec<String>)| format.line(message, saved_paths);
        match self {
            Self::Nowhere => Ok(()),
            Self::Stdout => {
                let lines: String = messages.iter().map(line).collect();
                let mut out = io::stdout().lock();
                let written = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
                written.map_err(|error| SinkError::Permanent(format!("cannot write to standard output: {error}")))
            }
            Self::Inbox(inbox) => {
                let new: Vec<_> = messages.iter().filter(|(message, _)| !inbox.contains(message.id)).collect();
                if new.is_empty() {
                    return Ok(());
                }
                let ids = new.iter().map(|(message, _)| message.id).collect();
                let lines: String = new.into_iter().map(line).collect();
                let written = inbox.append(ids, &lines);
                written.map_err(|error| SinkError::Temporary(format!("cannot write to the inbox: {error}")))
            }
        }
    }
}

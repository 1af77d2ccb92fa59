//! Where a listener's messages go: to an inbox or standard output, and to a command. It knows what it has handed on, so
//! that a message that comes again is not handed on again.

use std::collections::VecDeque;
use std::io::{self, Write as _};

use rogerrat_client::{ClientError, Retry};
use tokio::time::sleep;

use super::inbox::Inbox;
use super::line::{Format, Message, Priority};
use super::listen::NAME;
use super::{attachments, hook};
use crate::outcome::say;

/// Ids remembered as handed on; more are never unacknowledged.
const REMEMBERED: usize = 256;

pub(super) struct Outlet {
    pub(super) sink: Sink,
    pub(super) format: Format,
    pub(super) min_priority: Priority,
    pub(super) command: Option<String>,
    pub(super) channel: String,
    /// Handed on by this process.
    pub(super) done: VecDeque<u64>,
}

pub(super) enum Sink {
    Nothing,
    Stdout,
    Inbox(Inbox),
}

impl Outlet {
    /// Hands messages on, in order; an error leaves those that were not handed on for another time.
    pub(super) async fn take(&mut self, messages: &mut [Message]) -> Result<(), ClientError> {
        let mut wanted = Vec::new();
        for message in messages.iter_mut().filter(|m| m.priority >= self.min_priority && !self.done.contains(&m.id)) {
            if let Sink::Inbox(inbox) = &self.sink {
                let saved = attachments::save(inbox.path(), message.id, message.json());
                message.saved =
                    saved.map_err(|error| ClientError::passing(format!("an attachment cannot be saved: {error}")))?;
            }
            wanted.push(&*message);
        }
        let Some(command) = self.command.clone() else {
            return self.write(&wanted);
        };
        // Each has its line before its command, and its command before the next line.
        for message in wanted {
            self.sink.write(self.format, &[message])?;
            self.obey(&command, message).await?;
            self.remember(message.id);
        }
        Ok(())
    }

    fn write(&mut self, messages: &[&Message]) -> Result<(), ClientError> {
        self.sink.write(self.format, messages)?;
        for message in messages {
            self.remember(message.id);
        }
        Ok(())
    }

    /// Runs the command until it succeeds; for a status once, for it is old news soon.
    async fn obey(&self, command: &str, message: &Message) -> Result<(), ClientError> {
        let (mut retry, mut failures) = (Retry::default(), 0);
        loop {
            let Err(trouble) = hook::run(command, &self.channel, message, failures).await else { return Ok(()) };
            let ClientError::Passing { why, .. } = &trouble else { return Err(trouble) };
            if message.is_status {
                say(NAME, why);
                return Ok(());
            }
            failures += 1;
            let pause = retry.pause(None);
            say(NAME, &format!("{why}; trying again in {} s", pause.as_secs()));
            sleep(pause).await;
        }
    }

    fn remember(&mut self, id: u64) {
        self.done.push_back(id);
        if self.done.len() > REMEMBERED {
            self.done.pop_front();
        }
    }

    /// A line about the listener itself, for who reads the inbox as text.
    pub(super) fn note(&mut self, line: &str) {
        if let (Sink::Inbox(inbox), Format::Text) = (&mut self.sink, self.format)
            && let Err(error) = inbox.note(&format!("⟲ [listen-here] {line}\n"))
        {
            say(NAME, &format!("the inbox cannot be written: {error}"));
        }
    }
}

impl Sink {
    fn write(&mut self, format: Format, messages: &[&Message]) -> Result<(), ClientError> {
        let lines = |messages: &[&Message]| messages.iter().map(|message| message.line(format)).collect::<String>();
        match self {
            Self::Nothing => Ok(()),
            Self::Stdout => {
                let mut out = io::stdout().lock();
                let written = out.write_all(lines(messages).as_bytes()).and_then(|()| out.flush());
                // Nobody reads any more, and nobody will again.
                written.map_err(|error| ClientError::Refused(format!("what came cannot be printed: {error}")))
            }
            Self::Inbox(inbox) => {
                let new: Vec<_> = messages.iter().copied().filter(|message| !inbox.has(message.id)).collect();
                if new.is_empty() {
                    return Ok(());
                }
                let ids = new.iter().map(|message| message.id).collect();
                let written = inbox.append(ids, &lines(&new));
                written.map_err(|error| ClientError::passing(format!("the inbox cannot be written: {error}")))
            }
        }
    }
}

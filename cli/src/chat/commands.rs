//! Runs what the user has typed, one line at a time, and prints the result.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rogerrat_client::{ChannelClient, OutgoingMessage, TakeOptions};
use rogerrat_domain::text::one_line;
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use super::parser::{ChatInput, HELP};
use super::screen::Screen;
use super::tasks::{clock, is_open, line};
use crate::commands::{attachments, roster_lines};
use crate::outcome::CommandError;

/// Messages that are shown at first and after `/history`.
const HISTORY_MESSAGES: u32 = 20;
/// How long a task that the user takes stays theirs. A person is slower than an agent.
const LEASE: Duration = Duration::from_secs(3600);

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
            ChatInput::Ask { wants, to, text, answers } => {
                let message = OutgoingMessage {
                    idempotency_key: Some(OutgoingMessage::random_key()),
                    ..OutgoingMessage::new(to, text)
                };
                let sent = self.client.send_for_task(&message, &json!({"wants": wants, "answers": answers})).await?;
                let Some(id) = sent["id"].as_u64() else { return Ok(()) };
                let number = self.screen.borrow_mut().tasks.number(id);
                self.note(&format!("this is task {number}"));
                Ok(())
            }
            ChatInput::Tasks => self.list_tasks().await,
            ChatInput::Take(number) => self.take(number).await,
            ChatInput::Finish { task, state, text } => self.finish(task, state, text).await,
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

    async fn list_tasks(&mut self) -> Result<(), CommandError> {
        let list = self.client.tasks("limit=200").await?;
        let open: Vec<_> = list.tasks.iter().rev().filter(|task| is_open(task)).collect();
        if open.is_empty() {
            self.note("no task is open");
        }
        for task in open {
            let number = self.screen.borrow_mut().tasks.number(task.id);
            self.note(&line(number, task));
        }
        Ok(())
    }

    async fn take(&mut self, number: Option<u64>) -> Result<(), CommandError> {
        let id = match number.map(|number| self.task_id(number)) {
            Some(None) => return Ok(()),
            Some(Some(id)) => Some(id),
            None => None,
        };
        let taken = self.client.take(&TakeOptions { id, lease: Some(LEASE), ..TakeOptions::default() }).await?;
        let Some(task) = &taken.task else {
            self.note("there is no work to take");
            return Ok(());
        };
        if let Some(message) = &taken.message {
            self.screen.borrow_mut().message(message.json());
        }
        let number = self.screen.borrow_mut().tasks.number(task.id);
        let until = task.lease_until.map_or_else(String::new, |until_ms| format!(" until {}", clock(until_ms)));
        self.note(&format!("you have task {number}{until}; /done {number} TEXT finishes it"));
        Ok(())
    }

    async fn finish(&mut self, number: u64, state: &str, text: String) -> Result<(), CommandError> {
        let Some(id) = self.task_id(number) else { return Ok(()) };
        let task = self.client.task(id).await?;
        let is_holder = task.holder.as_ref() == Some(&self.screen.borrow().own_callsign);
        let fields = json!({"state": state, "fence": task.fence.filter(|_| is_holder)});
        let key = Some(OutgoingMessage::random_key());
        let message = OutgoingMessage { text, reply_to: Some(id), idempotency_key: key, ..OutgoingMessage::default() };
        let sent = self.client.send_for_task(&message, &fields).await?;
        let state = sent["task"]["state"].as_str().unwrap_or(state);
        let number = self.screen.borrow_mut().tasks.number(id);
        self.note(&format!("task {number} is {}", one_line(state)));
        Ok(())
    }

    /// The task that the user means.
    fn task_id(&self, number: u64) -> Option<u64> {
        let id = self.screen.borrow().tasks.id(number);
        if id.is_none() {
            self.note(&format!("there is no task {number} here; /tasks lists those that are open"));
        }
        id
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

//! Prints messages above the line that is being edited.

use std::collections::VecDeque;

use clap::ColorChoice;
use rogerrat_domain::MessageView;
use rogerrat_domain::text::{clock_after, one_line};
use rustyline::ExternalPrinter;
use unicode_width::UnicodeWidthStr as _;

use super::tasks::{ChatTasks, clock};
use super::terminal::{Terminal, columns};
use super::wrap::wrap;

/// Number of ids remembered as shown: the history and unread messages overlap.
const REMEMBERED_IDS: usize = 256;
/// Colours of callsigns. Red is reserved for warnings.
const COLOURS: [&str; 5] = ["32", "33", "34", "35", "36"];
const FAINT: &str = "2";
const RED: &str = "31";

pub(super) struct Screen {
    printer: Box<dyn ExternalPrinter + Send>,
    has_colours: bool,
    pub(super) own_callsign: String,
    pub(super) tasks: ChatTasks,
    shown: VecDeque<u64>,
}

impl Screen {
    pub(super) fn new(printer: Box<dyn ExternalPrinter + Send>, color: ColorChoice, terminal: &Terminal) -> Self {
        let has_colours = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal.wants_colours(),
        };
        Self { printer, has_colours, own_callsign: String::new(), tasks: ChatTasks::default(), shown: VecDeque::new() }
    }

    /// Prints a message, unless it was printed before.
    pub(super) fn message(&mut self, json: &str) {
        let Ok(message) = serde_json::from_str::<MessageView<'_>>(json) else {
            return self.warn("received an invalid message");
        };
        if self.shown.contains(&message.id) {
            return;
        }
        self.shown.push_back(message.id);
        if self.shown.len() > REMEMBERED_IDS {
            self.shown.pop_front();
        }
        let task = task_of(&message, &mut self.tasks);
        let line = self.line(&message, &task);
        self.print(&line);
    }

    /// Forgets which messages were shown, to show them again.
    pub(super) fn forget_shown(&mut self) {
        self.shown.clear();
    }

    /// Prints a line of the chat itself.
    pub(super) fn note(&mut self, text: &str) {
        let line = self.in_colour(FAINT, &format!("* {}", wrap(2, text, columns())));
        self.print(&line);
    }

    pub(super) fn warn(&mut self, text: &str) {
        let line = self.in_colour(RED, &format!("! {}", wrap(2, text, columns())));
        self.print(&line);
    }

    fn line(&self, message: &MessageView<'_>, task: &str) -> String {
        let clock = format!("{} ", clock(message.at));
        let from = one_line(&message.from);
        let to = match message.to == "all" {
            true => String::new(),
            false => format!(" → {}", if message.to == self.own_callsign { "you" } else { &message.to }),
        };
        let to = one_line(&to).into_owned();
        let verified = if message.verified.is_some() { "✓" } else { "" };
        let head_columns = clock.width() + from.width() + verified.width() + to.width() + 2;
        if message.is_status() {
            let text = wrap(head_columns, &format!("({})", message.text), columns());
            return self.in_colour(FAINT, &format!("{clock}{from}{verified}{to} {text}"));
        }
        let text = wrap(head_columns, &body(message, task), columns());
        let from = self.in_colour(colour(&message.from), &format!("{from}{verified}"));
        format!("{}{from}{to}: {text}", self.in_colour(FAINT, &clock))
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        match self.has_colours {
            true => format!("\x1b[{colour}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    fn print(&mut self, line: &str) {
        // The line editor notices a closed terminal.
        let _ = self.printer.print(format!("{line}\n"));
    }
}

/// What a message wants, or what it did to a task: `[task 3 wants an answer by 12:46] `. Empty if it is about no task.
fn task_of(message: &MessageView<'_>, tasks: &mut ChatTasks) -> String {
    if let Some(wants) = message.wants.as_deref().filter(|_| !message.is_status()) {
        let what = if wants == "answer" { "an answer".into() } else { one_line(wants) };
        // Times of the chat are UTC, and do not say so.
        let by = message.deadline.map(|deadline_ms| clock_after(deadline_ms, message.at).replacen(" UTC", "", 1));
        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
        return format!("[task {} wants {what}{by}] ", tasks.number(message.id));
    }
    match (message.reply_to, message.state.as_deref()) {
        (Some(id), Some(state)) => format!("[task {}: {}] ", tasks.number(id), one_line(state)),
        _ => String::new(),
    }
}

/// The text, and attachments and suggested replies on lines of their own.
fn body(message: &MessageView<'_>, task: &str) -> String {
    let mut body = match &*message.priority {
        "" => format!("{task}{}", message.text),
        priority => format!("[{priority}] {task}{}", message.text),
    };
    for file in &message.attachments {
        let name = file.filename.as_deref().unwrap_or("no name");
        body.push_str(&format!("\n[file {} {}]", one_line(name), one_line(&file.mime)));
    }
    if let Some(data) = message.data {
        body.push_str(&format!("\n[data {} B]", data.get().len()));
    }
    if !message.suggested_replies.is_empty() {
        let replies: Vec<_> = message.suggested_replies.iter().map(|reply| one_line(reply)).collect();
        body.push_str(&format!("\n[suggests: {}]", replies.join(" | ")));
    }
    body
}

fn colour(callsign: &str) -> &'static str {
    let sum: usize = callsign.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()]
}

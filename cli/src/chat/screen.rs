//! Prints messages above the line that is being edited.

use std::collections::VecDeque;

use clap::ColorChoice;
use rogerrat_domain::MessageView;
use rogerrat_domain::text::one_line;
use rustyline::ExternalPrinter;
use unicode_width::UnicodeWidthStr as _;

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
    shown: VecDeque<u64>,
}

impl Screen {
    pub(super) fn new(printer: Box<dyn ExternalPrinter + Send>, color: ColorChoice, terminal: &Terminal) -> Self {
        let has_colours = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal.wants_colours(),
        };
        Self { printer, has_colours, own_callsign: String::new(), shown: VecDeque::new() }
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
        let line = self.line(&message);
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

    fn line(&self, message: &MessageView<'_>) -> String {
        let minutes = message.at / 60_000 % 1440;
        let clock = format!("{:02}:{:02} ", minutes / 60, minutes % 60);
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
        let text = wrap(head_columns, &body(message), columns());
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

/// The text, and attachments and suggested replies on lines of their own.
fn body(message: &MessageView<'_>) -> String {
    let mut body = match &*message.priority {
        "" => message.text.to_string(),
        priority => format!("[{priority}] {}", message.text),
    };
    for file in &message.attachments {
        let name = file.filename.as_deref().unwrap_or("no name");
        body.push_str(&format!("\n[file {} {}]", one_line(name), one_line(&file.mime)));
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

//! What is printed above the line that is being edited.

use std::collections::VecDeque;

use clap::ColorChoice;
use rogerrat_domain::MessageView;
use rogerrat_domain::text::one_line;
use rustyline::ExternalPrinter;
use unicode_width::UnicodeWidthStr as _;

use super::terminal::{Terminal, columns};
use super::wrap::wrap;

/// Ids remembered as shown: the history and what is unread overlap.
const REMEMBERED: usize = 256;
/// For callsigns; none is red, which is for trouble.
const COLOURS: [&str; 5] = ["32", "33", "34", "35", "36"];
const FAINT: &str = "2";
const RED: &str = "31";

pub(super) struct Screen {
    printer: Box<dyn ExternalPrinter + Send>,
    has_colours: bool,
    /// Our own callsign.
    pub(super) me: String,
    shown: VecDeque<u64>,
}

impl Screen {
    pub(super) fn new(printer: Box<dyn ExternalPrinter + Send>, color: ColorChoice, terminal: &Terminal) -> Self {
        let has_colours = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal.wants_colours(),
        };
        Self { printer, has_colours, me: String::new(), shown: VecDeque::new() }
    }

    /// A message, once.
    pub(super) fn message(&mut self, json: &str) {
        let Ok(told) = serde_json::from_str::<MessageView<'_>>(json) else {
            return self.trouble("a message could not be read");
        };
        if self.shown.contains(&told.id) {
            return;
        }
        self.shown.push_back(told.id);
        if self.shown.len() > REMEMBERED {
            self.shown.pop_front();
        }
        let line = self.line(&told);
        self.print(&line);
    }

    /// Forgets what was shown, to show it again.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }

    /// Something of our own: in faint letters.
    pub(super) fn note(&mut self, text: &str) {
        let line = self.in_colour(FAINT, &format!("* {}", wrap(2, text, columns())));
        self.print(&line);
    }

    pub(super) fn trouble(&mut self, text: &str) {
        let line = self.in_colour(RED, &format!("! {}", wrap(2, text, columns())));
        self.print(&line);
    }

    fn line(&self, told: &MessageView<'_>) -> String {
        let minutes = told.at / 60_000 % 1440;
        let clock = format!("{:02}:{:02} ", minutes / 60, minutes % 60);
        let from = one_line(&told.from);
        let to = match told.to == "all" {
            true => String::new(),
            false => format!(" → {}", if told.to == self.me { "you" } else { &told.to }),
        };
        let to = one_line(&to).into_owned();
        let proof = if told.verified.is_some() { "✓" } else { "" };
        let head_columns = clock.width() + from.width() + proof.width() + to.width() + 2;
        if told.is_status() {
            let text = wrap(head_columns, &format!("({})", told.text), columns());
            return self.in_colour(FAINT, &format!("{clock}{from}{proof}{to} {text}"));
        }
        let text = wrap(head_columns, &body(told), columns());
        let from = self.in_colour(colour(&told.from), &format!("{from}{proof}"));
        format!("{}{from}{to}: {text}", self.in_colour(FAINT, &clock))
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        match self.has_colours {
            true => format!("\x1b[{colour}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    fn print(&mut self, line: &str) {
        // A terminal that is gone is noticed where the line is edited.
        let _ = self.printer.print(format!("{line}\n"));
    }
}

/// The text, and what else the message brings, on lines of its own.
fn body(told: &MessageView<'_>) -> String {
    let mut body = match &*told.priority {
        "" => told.text.to_string(),
        priority => format!("[{priority}] {}", told.text),
    };
    for file in &told.attachments {
        let name = file.filename.as_deref().unwrap_or("no name");
        body.push_str(&format!("\n[file {} {}]", one_line(name), one_line(&file.mime)));
    }
    if !told.suggested_replies.is_empty() {
        let replies: Vec<_> = told.suggested_replies.iter().map(|reply| one_line(reply)).collect();
        body.push_str(&format!("\n[suggests: {}]", replies.join(" | ")));
    }
    body
}

fn colour(callsign: &str) -> &'static str {
    let sum: usize = callsign.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()]
}

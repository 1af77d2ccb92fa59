//! `fetch`: one message with its attachments, as content that a model can see.
//!
//! The result has no structured content, because many clients show a model that instead of the content.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rogerrat_actors::HubError;
use rogerrat_domain::text::{one_line, quoted};
use rogerrat_domain::{AttachmentFile, Code, MessageId, Refusal, saturating_u64};
use serde::Deserialize;
use serde_json::json;

use super::ToolArguments;
use crate::mcp::answer_size::{self, FRAME_BYTES, SizeArgs, escaped_bytes};
use crate::mcp::context::{RequestContext, refresh};
use crate::mcp::quoted_text::quote_lines;
use crate::mcp::response::{ToolResult, to_json};

/// The least part of a text that a call returns, so that every call makes progress.
const MIN_TEXT_BYTES: usize = 512;
/// The line of an attachment, beside its name.
const ATTACHMENT_LINE_BYTES: usize = 300;

#[derive(Default, Deserialize)]
struct FetchArgs {
    message_id: Option<f64>,
    attachment: Option<f64>,
    offset: Option<f64>,
}

/// Returns a message with its attachments.
pub(super) async fn fetch(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let max_bytes = arguments.parse::<SizeArgs>()?.max_bytes()?;
    let FetchArgs { message_id, attachment, offset } = arguments.parse()?;
    let id = whole("message_id", message_id)?.ok_or_else(|| Refusal::invalid("`message_id` is missing"))?;
    let only = index("attachment", attachment)?;
    let offset = index("offset", offset)?.unwrap_or(0);
    let at = arguments.channel_session(context).await?;
    let counts = refresh(context.state, &at).await?;
    let found = context.state.hub.fetch(&at.channel, Some(at.session.clone()), id).await;
    let message = found.map_err(HubError::into_refusal)?;
    let files = message.attachments();
    if only.is_some_and(|only| only >= files.len()) {
        return Err(Refusal::new(Code::NotFound, format!("the message has {} attachments", files.len()))
            .hint("attachments are numbered from 0"));
    }
    let line = answer_size::line(&message, 1);
    let names: usize = files.iter().map(|file| 4 * file.filename.as_ref().map_or(0, String::len)).sum();
    let others = FRAME_BYTES + escaped_bytes(&line) + files.len() * ATTACHMENT_LINE_BYTES + names;
    let mut content = FileContent {
        base: format!("{}/api/channels/{}/messages/{id}/attachments", context.origin(), at.channel.id()),
        text: line,
        images: Vec::new(),
        left_bytes: max_bytes.saturating_sub(others),
    };
    for (n, file) in files.iter().enumerate().filter(|(n, _)| only.is_none_or(|only| only == *n)) {
        content.add(id, n, file, if only.is_some() { offset } else { 0 });
    }
    content.text += &counts.lines();
    Ok(ToolResult::content(content.text, content.images))
}

fn whole(name: &'static str, value: Option<f64>) -> Result<Option<u64>, Refusal> {
    match value {
        Some(n) if n < 0.0 || n.fract() != 0.0 => Err(Refusal::invalid(format!("{name} must be a whole number"))),
        value => Ok(value.map(saturating_u64)),
    }
}

fn index(name: &'static str, value: Option<f64>) -> Result<Option<usize>, Refusal> {
    Ok(whole(name, value)?.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
}

/// The content of a result while it is built.
struct FileContent {
    /// The URL of the attachments over HTTP.
    base: String,
    text: String,
    images: Vec<String>,
    /// What texts may still use of the answer. Images do not count: clients do not show them as text.
    left_bytes: usize,
}

impl FileContent {
    fn add(&mut self, id: MessageId, n: usize, file: &AttachmentFile, offset: usize) {
        let AttachmentFile { mime, filename, content } = file;
        let name = filename.as_ref().map_or_else(String::new, |name| format!(" {}", quoted(name)));
        let _ = write!(self.text, "\nattachment {n}: {}{name}, {} bytes", one_line(mime), content.len());
        if mime.starts_with("image/") && is_image(mime, content) {
            self.text += ": shown as an image";
            let image = json!({"type": "image", "data": STANDARD.encode(content), "mimeType": mime});
            self.images.push(to_json(&image));
        } else if mime.starts_with("text/") || mime == "application/json" {
            self.add_text(id, n, content, offset.min(content.len()));
        } else {
            let _ = write!(self.text, ": download it with the channel's token from {}/{n}", self.base);
        }
    }

    /// Adds the lines of a text, each behind a bar, so that none of them can pass for a line of the hub (D27).
    fn add_text(&mut self, id: MessageId, n: usize, content: &[u8], offset: usize) {
        let (lines, bytes) = quote_lines(&content[offset..], self.left_bytes.max(MIN_TEXT_BYTES));
        self.left_bytes = self.left_bytes.saturating_sub(escaped_bytes(&lines));
        let end = offset + bytes;
        let _ = match (offset, end == content.len()) {
            (0, true) => write!(self.text, ":{lines}"),
            (_, true) => write!(self.text, ", from byte {offset} to the end:{lines}"),
            (_, false) => write!(
                self.text,
                ", from byte {offset} to {end}; go on with fetch message_id={id} attachment={n} offset={end}, or \
                 download it with the channel's token from {}/{n}:{lines}",
                self.base
            ),
        };
    }
}

/// Whether a file begins as one of its type does. A model's back end refuses the whole request otherwise.
fn is_image(mime: &str, content: &[u8]) -> bool {
    match mime {
        "image/png" => content.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => content.starts_with(b"\xff\xd8\xff"),
        "image/gif" => content.starts_with(b"GIF87a") || content.starts_with(b"GIF89a"),
        "image/webp" => content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_as_an_image_is_shown_as_one() {
        assert!(is_image("image/png", b"\x89PNG\r\n\x1a\n...") && !is_image("image/png", b"<html>"));
        assert!(is_image("image/webp", b"RIFF....WEBPVP8 ") && !is_image("image/webp", b"RIFF"));
        assert!(is_image("image/gif", b"GIF89a.") && is_image("image/jpeg", b"\xff\xd8\xff\xe0"));
        assert!(!is_image("image/svg+xml", b"<svg>"));
    }
}

//! The input of a send, and its validation as far as it does not depend on the channel.

mod task;

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::entry::SendKey;
use crate::identity::Verified;
use crate::ids::MessageId;
use crate::message::state::MessageState;
use crate::message::task::Wants;
use crate::message::{Attachment, Kind, MessageJson, Priority};
use crate::refusal::{Code, Refusal};
use crate::{limits, schema};

use task::TaskInput;
pub(crate) use task::{NewState, NewTask, TaskDraft};

/// The message to send.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SendInput {
    /// The recipient: a callsign, `all`, `N` or `#N`. A JSON number is a member number. `all` if omitted or blank.
    #[serde(default, deserialize_with = "recipient")]
    #[schema(schema_with = schema::recipient)]
    pub to: Option<String>,
    /// The text, at most 8,192 characters; a status at most 280. It is never truncated or trimmed. May be empty if there
    /// is an attachment.
    #[schema(max_length = 8192)]
    pub message: Option<String>,
    /// An alias of `message`, which takes precedence.
    pub text: Option<String>,
    /// How urgent it is. Defaults to `default`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub priority: Option<Priority>,
    /// A message, or a transient status, which reaches only readers that are waiting now. Defaults to `message`.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub kind: Option<Kind>,
    /// At most 4 replies for the recipient to choose from, each at most 64 characters. Blank ones are dropped.
    #[schema(schema_with = schema::suggested_replies)]
    pub suggested_replies: Option<Vec<String>>,
    /// At most 4 files to send with it: at most 524,288 base64 characters in all.
    #[schema(max_items = 4)]
    pub attachments: Option<Vec<AttachmentInput>>,
    /// The id of the message it replies to. Its existence is not checked.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(schema_with = schema::reply_to)]
    pub reply_to: Option<u64>,
    /// The name of the thread it belongs to: 1 to 64 characters.
    #[schema(schema_with = schema::thread)]
    pub thread: Option<String>,
    /// The idempotency key: 1 to 128 visible ASCII characters. The header `Idempotency-Key` takes precedence.
    #[schema(pattern = "^[!-~]{1,128}$")]
    pub client_msg_id: Option<String>,
    /// Makes the message a task: it wants an `answer`, or `work` that one member takes and finishes. Not for a status.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub wants: Option<Wants>,
    /// With `wants`: after how many seconds the task ends by itself, at most 2,592,000. Defaults to an hour for an answer
    /// and to 7 days for work.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(schema_with = schema::deadline_seconds)]
    pub deadline_seconds: Option<u64>,
    /// With `wants: answer` to `all`: how many members' answers close it, 1 to 16. Defaults to 1.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(schema_with = schema::answers)]
    pub answers: Option<u64>,
    /// With `wants: work` to `all`: it is delivered to nobody, and goes to whoever takes it.
    #[serde(default)]
    pub quiet: Option<bool>,
    /// With `reply_to`: what the reply does to that task: `working`, `input`, `done`, `failed`, `rejected`, `open` or
    /// `cancelled`. With `kind: status` to all: what you are doing: `working`, `idle`, `blocked`, `quota` or `away`; the
    /// text may be empty, and the roster shows it until the next one or the end of your session.
    #[serde(default, deserialize_with = "crate::deserialize::not_null")]
    #[schema(nullable = false)]
    pub state: Option<MessageState>,
    /// With `kind: status` and `state`: for how many seconds, at most 2,592,000. After that the roster shows it as overdue.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(schema_with = schema::until_seconds)]
    pub until_seconds: Option<u64>,
    /// With `state`, for a task that you have taken: the fence that you got.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(schema_with = schema::fence)]
    pub fence: Option<u64>,
    /// Data beside the text: an object or an array of at most 16,384 bytes and 32 levels. With data, the text may be empty.
    #[schema(schema_with = schema::data, required = false)]
    pub data: Option<serde_json::Value>,
}

/// A file to send.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct AttachmentInput {
    /// Its media type.
    #[schema(schema_with = schema::mime)]
    pub mime: String,
    /// Its content in standard base64; whitespace is ignored.
    #[schema(pattern = r"^([ \t\n\f\r]*[A-Za-z0-9+/])+([ \t\n\f\r]*=){0,2}[ \t\n\f\r]*$")]
    pub data_base64: String,
    /// Its name, truncated to 128 characters. A value that is not a string is ignored.
    #[serde(default)]
    pub filename: serde_json::Value,
}

/// A validated send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub(super) to: String,
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) priority: Priority,
    pub(super) suggested_replies: Vec<String>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) reply_to: Option<MessageId>,
    pub(super) thread: Option<String>,
    pub(super) display: Option<String>,
    pub(super) key: Option<SendKey>,
    /// None for a message that has nothing to do with a task and no data.
    pub(super) task: Option<Box<TaskDraft>>,
}

impl Draft {
    /// Whether there is a text, an attachment or data.
    pub(crate) fn has_content(&self) -> bool {
        let has_data = self.task.as_ref().is_some_and(|task| task.has_data());
        !self.text.is_empty() || !self.attachments.is_empty() || has_data
    }

    /// Validates a send. `key` is an idempotency key from outside the body and takes precedence. The result is boxed
    /// because it is passed through many functions.
    ///
    /// # Errors
    /// `invalid`, or `too_large` for attachments that exceed their total.
    pub fn check(mut input: SendInput, key: Option<&str>) -> Result<Box<Self>, Refusal> {
        let task = TaskInput::take(&mut input).check(&input)?;
        let kind = input.kind.unwrap_or_default();
        let is_status = kind == Kind::Status;
        let suggested_replies = suggested_replies(&input.suggested_replies.unwrap_or_default())?;
        let attachments = attachments(input.attachments.unwrap_or_default())?;
        let mut draft = Box::new(Self {
            to: input.to.unwrap_or_default().trim().to_lowercase(),
            text: input.message.or(input.text).unwrap_or_default(),
            kind,
            priority: input.priority.unwrap_or_default(),
            suggested_replies: if is_status { Vec::new() } else { suggested_replies },
            attachments: if is_status { Vec::new() } else { attachments },
            reply_to: input.reply_to,
            thread: input.thread.as_deref().map(thread).transpose()?,
            display: None,
            key: None,
            task,
        });
        draft.check_text()?;
        // A key in the body must be valid even if another one takes precedence.
        input.client_msg_id.as_deref().map_or(Ok(()), check_key)?;
        draft.key = draft.send_key(key.or(input.client_msg_id.as_deref()))?;
        Ok(draft)
    }

    /// Adds a display name.
    ///
    /// # Errors
    /// `invalid` if the name is empty or longer than 64 characters.
    pub fn with_display(mut self: Box<Self>, name: String) -> Result<Box<Self>, Refusal> {
        if name.is_empty() || name.chars().count() > limits::DISPLAY_CHARS {
            return Err(Refusal::invalid(format!("a name must have 1 to {} characters", limits::DISPLAY_CHARS)));
        }
        self.display = Some(name);
        Ok(self)
    }

    /// Validates a question that is not sent twice while the first is open. It wants an answer, whether or not it says so.
    ///
    /// # Errors
    /// As [`check`](Self::check); `invalid` if it wants something else.
    pub fn check_ask(mut input: SendInput, key: Option<&str>) -> Result<Box<Self>, Refusal> {
        if input.state.is_some() || *input.wants.get_or_insert(Wants::Answer) != Wants::Answer {
            return Err(Refusal::invalid("an ask wants an answer").hint("omit `wants` and `state`"));
        }
        if input.message.is_none() && input.text.is_none() && input.data.is_none() && input.attachments.is_none() {
            return Err(Refusal::invalid("`message` is missing").hint("ask something, or continue with `ask_id`"));
        }
        let mut draft = Self::check(input, key)?;
        draft.task.get_or_insert_default().is_ask = true;
        Ok(draft)
    }

    /// What it states of its sender.
    pub(super) fn states(&self) -> Option<NewState> {
        self.task.as_ref().and_then(|task| task.states)
    }

    fn check_text(&self) -> Result<(), Refusal> {
        let has_content = !self.attachments.is_empty() || self.task.as_ref().is_some_and(|task| task.may_lack_text());
        if self.text.is_empty() && !has_content {
            return Err(Refusal::invalid("`message` is missing")
                .hint(r#"send {"to": "all", "message": "…"}; `text` is an alias of `message`"#));
        }
        let bound = if self.kind == Kind::Status { limits::STATUS_CHARS } else { limits::TEXT_CHARS };
        // A text has at most as many characters as bytes.
        if self.text.len() > bound && self.text.chars().count() > bound {
            return Err(Refusal::invalid(format!("text is longer than {bound} characters"))
                .hint("nothing was sent: split the text, or send it as an attachment"));
        }
        Ok(())
    }

    fn send_key(&self, key: Option<&str>) -> Result<Option<SendKey>, Refusal> {
        let Some(key) = key else { return Ok(None) };
        check_key(key)?;
        Ok(Some(SendKey { key: key.into(), body_hash: self.hash() }))
    }

    /// The hash of the content, by which a repeated send is recognised. JSON formatting does not affect it.
    fn hash(&self) -> [u8; 32] {
        let parts = (
            (&self.to, &self.text, self.kind, self.priority),
            (&self.suggested_replies, &self.attachments, self.reply_to, &self.thread),
        );
        #[expect(clippy::expect_used, reason = "strings and numbers into a vector cannot fail")]
        let canonical = serde_json::to_vec(&parts).expect("strings and numbers always serialise");
        let mut hasher = Sha256::new_with_prefix(&canonical);
        if let Some(task) = &self.task {
            task.add_to(&mut hasher);
        }
        hasher.finalize().into()
    }

    pub(super) fn to_json<'a>(
        &'a self,
        id: MessageId,
        at: u64,
        from: &'a str,
        to: &'a str,
        verified: Option<Verified>,
    ) -> MessageJson<'a> {
        MessageJson {
            id,
            from,
            to,
            display: self.display.as_deref(),
            text: &self.text,
            at,
            kind: self.kind,
            priority: self.priority,
            suggested_replies: &self.suggested_replies,
            attachments: &self.attachments,
            reply_to: self.reply_to,
            thread: self.thread.as_deref(),
            verified,
            wants: None,
            deadline: None,
            answers: None,
            state: self.states().map(|new| new.state.into()),
            until: self.states().and_then(|new| Some(at + new.until_ms?)),
            data: self.task.as_ref().and_then(|task| task.data()),
        }
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    let is_short = (1..=limits::IDEMPOTENCY_KEY_CHARS).contains(&key.len());
    if is_short && key.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Refusal::invalid("an idempotency key must be 1 to 128 visible ASCII characters"))
}

fn suggested_replies(input: &[String]) -> Result<Vec<String>, Refusal> {
    if input.len() > limits::SUGGESTED_REPLIES {
        return Err(Refusal::invalid("suggested_replies must have at most 4 entries"));
    }
    let replies: Vec<_> = input.iter().map(|r| r.trim().to_owned()).filter(|r| !r.is_empty()).collect();
    if replies.iter().any(|r| r.chars().count() > limits::SUGGESTED_REPLY_CHARS) {
        return Err(Refusal::invalid("suggested_replies: an entry must have at most 64 characters"));
    }
    Ok(replies)
}

fn attachments(input: Vec<AttachmentInput>) -> Result<Vec<Attachment>, Refusal> {
    if input.len() > limits::ATTACHMENTS {
        return Err(Refusal::invalid("attachments must have at most 4 entries"));
    }
    let files: Vec<_> = input.into_iter().map(attachment).collect::<Result<_, _>>()?;
    if files.iter().map(|f| f.data_base64.len()).sum::<usize>() > limits::ATTACHMENTS_CHARS {
        return Err(Refusal::new(Code::TooLarge, "attachments exceed 524288 base64 characters in total"));
    }
    Ok(files)
}

fn attachment(input: AttachmentInput) -> Result<Attachment, Refusal> {
    if !limits::ATTACHMENT_MIMES.contains(&input.mime.as_str()) {
        return Err(Refusal::invalid(format!(
            "attachments: mime must be one of {}",
            limits::ATTACHMENT_MIMES.join(", ")
        )));
    }
    let mut data = input.data_base64;
    if data.bytes().any(|b| b.is_ascii_whitespace()) {
        data.retain(|c| !c.is_ascii_whitespace());
    }
    if !is_base64(&data) {
        return Err(Refusal::invalid("attachments: data_base64 must be standard base64"));
    }
    let filename = input.filename.as_str().map(|name| name.trim().chars().take(limits::FILENAME_CHARS).collect());
    Ok(Attachment { mime: input.mime, data_base64: data, filename: filename.filter(|n: &String| !n.is_empty()) })
}

fn is_base64(data: &str) -> bool {
    let stripped = data.trim_end_matches('=');
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    !stripped.is_empty() && data.len() - stripped.len() <= 2 && stripped.bytes().all(is_letter)
}

fn thread(input: &str) -> Result<String, Refusal> {
    let name = input.trim();
    if name.is_empty() || name.chars().count() > limits::THREAD_CHARS {
        return Err(Refusal::invalid("thread must have 1 to 64 characters"));
    }
    Ok(name.to_owned())
}

/// Reads a recipient: a string, or a member number.
fn recipient<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    struct Recipient;
    impl de::Visitor<'_> for Recipient {
        type Value = Option<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a callsign, `all`, or a member's number")
        }
        fn visit_str<E: de::Error>(self, to: &str) -> Result<Self::Value, E> {
            Ok(Some(to.to_owned()))
        }
        fn visit_u64<E: de::Error>(self, index: u64) -> Result<Self::Value, E> {
            Ok(Some(format!("#{index}")))
        }
        fn visit_f64<E: de::Error>(self, index: f64) -> Result<Self::Value, E> {
            let whole = crate::deserialize::exact_u64(index);
            let index = whole.ok_or_else(|| E::invalid_value(de::Unexpected::Other("a fraction"), &self))?;
            Ok(Some(format!("#{index}")))
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    d.deserialize_any(Recipient)
}

#[cfg(test)]
mod tests;

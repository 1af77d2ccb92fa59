//! Tasks: asking, taking work, and what became of it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::channel_client::ChannelClient;
use crate::error::ClientError;
use crate::message::{OutgoingMessage, ReceivedMessage};
use crate::reply::HubReply;

/// A task, as far as a client needs its fields.
#[derive(Debug, Deserialize)]
pub struct TaskInfo {
    /// Id of the task.
    pub id: u64,
    /// Callsign of its sender.
    pub from: String,
    /// For whom it is: a callsign, or `all`.
    pub to: String,
    /// `answer` or `work`.
    pub wants: String,
    /// Its state.
    pub state: String,
    /// Whether it was delivered to nobody.
    #[serde(default)]
    pub quiet: bool,
    /// Why it was closed, if not by a reply.
    pub why: Option<String>,
    /// The beginning of its text.
    #[serde(default)]
    pub text: String,
    /// Who has taken it.
    pub holder: Option<String>,
    /// Number of the current taking.
    pub fence: Option<u32>,
    /// When the lease ends, in milliseconds since the epoch.
    pub lease_until: Option<u64>,
    /// Its answers, oldest first.
    #[serde(default)]
    pub answers: Vec<ReceivedMessage>,
}

/// Reply to an ask.
#[derive(Debug, Deserialize)]
pub struct AskResult {
    /// Id of the question.
    pub ask_id: u64,
    /// State of the question.
    pub state: String,
    /// All answers so far.
    #[serde(default)]
    pub answers: Vec<ReceivedMessage>,
    /// Whether the time passed without an answer.
    #[serde(default)]
    pub timed_out: bool,
    /// Who needs something first, if the wait was interrupted.
    pub interrupted_by: Option<String>,
}

/// Reply to a taking.
#[derive(Debug, Deserialize)]
pub struct TakeResult {
    /// The task; none if there was none to take.
    pub task: Option<TaskInfo>,
    /// The message that opened it.
    pub message: Option<ReceivedMessage>,
    /// Number of this taking.
    pub fence: Option<u32>,
    /// When the lease ends, in milliseconds since the epoch.
    pub lease_until: Option<u64>,
}

/// List of tasks.
#[derive(Debug, Deserialize)]
pub struct TaskList {
    /// The tasks; in a list, the newest change first.
    pub tasks: Vec<TaskInfo>,
    /// How many open tasks the member may take or should answer.
    #[serde(default)]
    pub for_you: u64,
}

/// What to ask.
#[derive(Clone, Debug)]
pub enum Question<'a> {
    /// A new question, and how many answers it wants.
    New(&'a OutgoingMessage, u32),
    /// A question that was asked before.
    Asked(u64),
}

/// What to take.
#[derive(Clone, Debug, Default)]
pub struct TakeOptions<'a> {
    /// This task; none for the next one.
    pub id: Option<u64>,
    /// The fence of a task that the member has: its lease is renewed.
    pub fence: Option<u32>,
    /// Length of the lease.
    pub lease: Option<Duration>,
    /// How long to wait for work, at most 300 s.
    pub wait: Duration,
    /// Only work of this thread.
    pub thread: Option<&'a str>,
}

impl ChannelClient {
    /// Asks and waits up to `timeout`, at most 300 s, for the answers. If the connection breaks, the call is repeated once:
    /// the hub sends one question for both.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn ask(
        &mut self,
        question: &Question<'_>,
        timeout: Duration,
    ) -> Result<HubReply<AskResult>, ClientError> {
        let mut body = match question {
            Question::New(message, answers) => {
                let mut body =
                    serde_json::to_value(message).map_err(|error| ClientError::InvalidTarget(error.to_string()))?;
                if *answers > 1 {
                    body["answers"] = (*answers).into();
                }
                body
            }
            Question::Asked(id) => json!({"ask_id": id}),
        };
        body["timeout"] = timeout.as_secs().into();
        let asked = match self.call_as_member("POST", "ask", Some(&body), timeout).await {
            Err(ClientError::Temporary { retry_after: None, .. }) => {
                self.forget_address();
                self.call_as_member("POST", "ask", Some(&body), timeout).await
            }
            asked => asked,
        };
        HubReply::parse(asked?)
    }

    /// Takes a task, or renews its lease.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn take(&mut self, options: &TakeOptions<'_>) -> Result<HubReply<TakeResult>, ClientError> {
        let path = options.id.map_or_else(|| "tasks/take".to_owned(), |id| format!("tasks/{id}/take"));
        let mut body = json!({"wait": options.wait.as_secs()});
        if let Some(lease) = options.lease {
            body["lease_seconds"] = lease.as_secs().into();
        }
        if let Some(fence) = options.fence {
            body["fence"] = fence.into();
        }
        if let Some(thread) = options.thread {
            body["thread"] = thread.into();
        }
        HubReply::parse(self.call_as_member("POST", &path, Some(&body), options.wait).await?)
    }

    /// Returns a task with its answers.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn task(&mut self, id: u64) -> Result<HubReply<TaskInfo>, ClientError> {
        HubReply::parse(self.call_as_member("GET", &format!("tasks/{id}"), None, Duration::ZERO).await?)
    }

    /// Lists tasks. `query` has the parameters of the list, encoded.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn tasks(&mut self, query: &str) -> Result<HubReply<TaskList>, ClientError> {
        HubReply::parse(self.call_as_member("GET", &format!("tasks?{query}"), None, Duration::ZERO).await?)
    }

    /// Sends a message with the fields of a task. `fields` are added to it.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn send_for_task(
        &mut self,
        message: &OutgoingMessage,
        fields: &Value,
    ) -> Result<HubReply<Value>, ClientError> {
        let mut body = serde_json::to_value(message).map_err(|error| ClientError::InvalidTarget(error.to_string()))?;
        if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) {
            body.extend(fields.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())));
        }
        let sent = match self.call_as_member("POST", "send", Some(&body), Duration::ZERO).await {
            Err(ClientError::Temporary { retry_after: None, .. }) if message.idempotency_key.is_some() => {
                self.forget_address();
                self.call_as_member("POST", "send", Some(&body), Duration::ZERO).await
            }
            sent => sent,
        };
        HubReply::parse(sent?)
    }
}

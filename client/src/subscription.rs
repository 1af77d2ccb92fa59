//! A stream of messages that survives broken connections, restarts of the hub, expired sessions and other readers.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::backoff::Backoff;
use crate::channel_client::ChannelClient;
use crate::error::ClientError;
use crate::event_stream::EventStream;
use crate::message::{GapNotice, ReceivedMessage};
use crate::options::StreamOptions;
use crate::reply::{ConsumerStatus, StreamGreeting};
use crate::stream_event::StreamEvent;
use crate::tasks::TaskList;

/// The pauses between checks whether another reader is still connected.
const MIN_CHECK_MS: u64 = 500;
const MAX_CHECK_MS: u64 = 8_000;

/// Delivers all messages of a channel to one reader, over any number of connections.
///
/// When another reader of the same session and consumer takes over, it steps back: it waits until no other reader is
/// connected, and continues then. So two readers never take the stream from each other repeatedly.
///
/// Each message is delivered at least once: until it is [acknowledged](Self::ack), it is delivered again after a
/// reconnect. A reader that must not process a message twice remembers the ids it has processed.
///
/// ```no_run
/// # use rogerrat_client::{ChannelClient, ClientError, StreamOptions, SubscriptionEvent};
/// # async fn example(client: ChannelClient) -> Result<(), ClientError> {
/// let mut subscription = client.subscribe(StreamOptions::default());
/// loop {
///     match subscription.next().await? {
///         SubscriptionEvent::Message(message) => {
///             println!("{}: {}", message.from, message.text);
///             subscription.ack(&message).await?;
///         }
///         SubscriptionEvent::Disconnected { reason, retry_in } => {
///             eprintln!("{reason}; retrying in {} s", retry_in.as_secs());
///         }
///         SubscriptionEvent::Gap(gap) => eprintln!("{gap}"),
///         SubscriptionEvent::SteppedBack => eprintln!("another reader took over"),
///         SubscriptionEvent::Connected(_) | SubscriptionEvent::Tasks(_) => {}
///     }
/// }
/// # }
/// ```
pub struct ChannelSubscription {
    client: ChannelClient,
    options: StreamOptions,
    stream: Option<EventStream>,
    backoff: Backoff,
    /// The pause before the next attempt to connect.
    pause: Option<Pin<Box<Sleep>>>,
    /// The pause before the next check whether another reader is still connected, in milliseconds; none if this reader
    /// has not stepped back.
    check_ms: Option<u64>,
    /// A disconnect that was not returned yet.
    disconnected: Option<SubscriptionEvent>,
    /// End of the last gap that was returned.
    last_gap: u64,
}

/// An event of a [`ChannelSubscription`].
#[derive(Debug)]
pub enum SubscriptionEvent {
    /// The stream is open. `since` of the options applies to the first stream only.
    Connected(StreamGreeting),
    /// A message.
    Message(ReceivedMessage),
    /// Messages were lost. Each gap is reported once.
    Gap(GapNotice),
    /// Tasks that changed, if the options ask for them; first all that are open.
    Tasks(TaskList),
    /// The stream broke or could not be opened. The next call of [`ChannelSubscription::next`] waits and connects again.
    Disconnected {
        /// What happened.
        reason: String,
        /// The pause before the next attempt.
        retry_in: Duration,
    },
    /// Another reader of the session and consumer took over, and receives again what was not acknowledged. The next call
    /// of [`ChannelSubscription::next`] waits until it has ended.
    SteppedBack,
}

impl ChannelSubscription {
    pub(crate) fn new(client: ChannelClient, options: StreamOptions) -> Self {
        Self {
            client,
            options,
            stream: None,
            backoff: Backoff::default(),
            pause: None,
            check_ms: None,
            disconnected: None,
            last_gap: 0,
        }
    }

    /// Waits for the next event, connecting first if necessary. It may be cancelled at any time without losing a
    /// message.
    ///
    /// # Errors
    ///
    /// Fails if a reconnect cannot help: the hub refuses, the member left, or the certificate is not trusted.
    pub async fn next(&mut self) -> Result<SubscriptionEvent, ClientError> {
        if let Some(event) = self.disconnected.take() {
            return Ok(event);
        }
        match self.next_from_stream().await {
            Err(ClientError::Temporary { message, retry_after }) => Ok(self.disconnect(message, retry_after)),
            Err(ClientError::Superseded) => Ok(self.step_back()),
            event => event,
        }
    }

    /// Returns a message that was already received, if it is the next event.
    ///
    /// # Errors
    ///
    /// Fails if the message is not valid.
    pub fn next_ready_message(&mut self) -> Result<Option<ReceivedMessage>, ClientError> {
        self.stream.as_mut().map_or(Ok(None), EventStream::next_ready_message)
    }

    /// Acknowledges a message and all before it. A status needs no acknowledgment and is ignored.
    ///
    /// # Errors
    ///
    /// Fails if a reconnect cannot help. After a temporary failure it returns `Ok`, and the subscription reconnects and
    /// delivers the messages again.
    pub async fn ack(&mut self, message: &ReceivedMessage) -> Result<(), ClientError> {
        self.ack_all(std::slice::from_ref(message)).await
    }

    /// Acknowledges several messages and all before them.
    ///
    /// # Errors
    ///
    /// As for [`ack`](Self::ack).
    pub async fn ack_all(&mut self, messages: &[ReceivedMessage]) -> Result<(), ClientError> {
        let upto = messages.iter().filter(|message| !message.is_status).map(|message| message.id).max();
        let Some(upto) = upto else { return Ok(()) };
        match self.client.ack_streamed(upto).await {
            Err(ClientError::Temporary { message, retry_after }) => {
                self.disconnected = Some(self.disconnect(message, retry_after));
                Ok(())
            }
            acked => acked,
        }
    }

    /// Closes the stream and reconnects after a pause, for example because the messages cannot be processed now.
    /// Messages that are not acknowledged are delivered again.
    pub fn interrupt(&mut self, reason: String) {
        self.disconnected = Some(self.disconnect(reason, None));
    }

    /// Whether the stream is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Returns the client, for other requests of the same member.
    pub fn client(&mut self) -> &mut ChannelClient {
        &mut self.client
    }

    async fn next_from_stream(&mut self) -> Result<SubscriptionEvent, ClientError> {
        loop {
            if let Some(pause) = &mut self.pause {
                pause.await;
                self.pause = None;
            }
            let Some(check_ms) = self.check_ms else { break };
            if !has_reader(self.client.consumer().await)? {
                self.check_ms = None;
                break;
            }
            self.check_ms = Some((2 * check_ms).min(MAX_CHECK_MS));
            self.pause = Some(Box::pin(sleep(jittered(check_ms))));
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = self.client.stream(&self.options).await?;
                self.options.since = None;
                none.insert(stream)
            }
        };
        loop {
            match stream.next().await? {
                StreamEvent::Hello(greeting) => {
                    self.backoff.reset();
                    return Ok(SubscriptionEvent::Connected(greeting));
                }
                StreamEvent::Message(message) => return Ok(SubscriptionEvent::Message(message)),
                StreamEvent::Gap(gap) if gap.to > self.last_gap => {
                    self.last_gap = gap.to;
                    return Ok(SubscriptionEvent::Gap(gap));
                }
                StreamEvent::Tasks(tasks) => return Ok(SubscriptionEvent::Tasks(tasks)),
                StreamEvent::Gap(_) | StreamEvent::Other(_) => {}
            }
        }
    }

    fn step_back(&mut self) -> SubscriptionEvent {
        self.stream = None;
        self.check_ms = Some(MIN_CHECK_MS);
        self.pause = Some(Box::pin(sleep(jittered(MIN_CHECK_MS))));
        SubscriptionEvent::SteppedBack
    }

    fn disconnect(&mut self, reason: String, retry_after: Option<Duration>) -> SubscriptionEvent {
        self.stream = None;
        self.client.forget_address();
        let retry_in = self.backoff.pause(retry_after);
        self.pause = Some(Box::pin(sleep(retry_in)));
        SubscriptionEvent::Disconnected { reason, retry_in }
    }
}

/// Whether another reader is connected. A session that has ended has none.
fn has_reader(state: Result<Option<ConsumerStatus>, ClientError>) -> Result<bool, ClientError> {
    match state {
        Ok(state) => Ok(state.is_some_and(|state| state.waiting)),
        Err(ClientError::SessionEnded(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A random time around `pause_ms`, so that two readers that stepped back do not connect at the same time.
fn jittered(pause_ms: u64) -> Duration {
    Duration::from_millis(rand::random_range(pause_ms / 2..=pause_ms * 3 / 2))
}

impl fmt::Debug for ChannelSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSubscription").field("client", &self.client).finish_non_exhaustive()
    }
}

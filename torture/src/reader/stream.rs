//! Automatic streams. After a kill they go on at the hub's cursor, or after the last id they have.

use std::sync::Arc;
use std::time::Duration;

use rogerrat_client::http::{HttpError, SseReader};
use tokio::time::timeout;

use super::{AFTER_TROUBLE, Automatic};
use crate::caller::{Answer, Caller, Pass};
use crate::context::{Context, Phase, pause};
use crate::message_text::{Message, ReportedGap, glimpsed};
use crate::oracle::{ConsumerNo, End, Event};
use crate::rng::Rng;

/// With nothing sent any more, a stream that is silent for so long has nothing left.
const SILENCE: Duration = Duration::from_millis(1_500);

pub(super) struct Stream {
    caller: Caller,
    consumer: ConsumerNo,
    /// Says `Last-Event-ID` when it comes back.
    resumes: bool,
    last_id: Option<u64>,
    rng: Rng,
}

/// Why a stream is over.
enum Over {
    /// The hub or we have ended it in peace.
    Peace,
    Refused(u16),
    Broken(HttpError),
}

impl From<HttpError> for Over {
    fn from(fault: HttpError) -> Self {
        Self::Broken(fault)
    }
}

impl Stream {
    pub(super) fn new(context: &Arc<Context>, pass: &Pass, consumer: ConsumerNo, resumes: bool, rng: Rng) -> Self {
        Self { caller: Caller::new(context, pass), consumer, resumes, last_id: None, rng }
    }

    pub(super) async fn run(mut self) {
        while self.caller.context.serves().await < Phase::Draining {
            self.follow().await;
        }
        // What a stream may have left, a poll finds.
        let Self { caller, consumer, rng, .. } = self;
        Automatic::new(&caller.context, &caller.pass, consumer, "listen", rng).run().await;
    }

    async fn follow(&mut self) {
        let consumer = self.consumer;
        let last_id = self.last_id.filter(|_| self.resumes);
        let resume = last_id.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = self.caller.pass.get_with("/stream", &resume);
        self.caller.hear(Event::ReadBegun { consumer, lease_ms: 0 });
        let mut events = SseReader::default();
        let over = match self.listen(&request, &mut events).await {
            Ok(()) => Over::Peace,
            Err(over) => over,
        };
        let mut partly = events.rest();
        partly.extend(self.caller.close());
        let end = match &over {
            Over::Peace => End::Whole,
            Over::Refused(_) => End::Refused,
            Over::Broken(_) => End::Cut { glimpsed: glimpsed(&partly) },
        };
        if let Over::Refused(status) = over {
            if let Answer::Refused { text, .. } = Answer::of(status, &partly) {
                self.caller.turned_away("a stream", &text);
            }
        } else if let Over::Broken(HttpError::InvalidResponse(why)) = over {
            self.caller.hear(Event::Unfinished { what: format!("a stream cannot be understood: {why}") });
        }
        let is_refused = matches!(end, End::Refused);
        self.caller.hear(Event::ReadEnded { consumer, end });
        if is_refused {
            pause(AFTER_TROUBLE).await;
        }
    }

    /// Until the stream ends, or until it is silent in the last phase.
    async fn listen(&mut self, request: &[u8], events: &mut SseReader) -> Result<(), Over> {
        self.caller.connection().write(request).await?;
        loop {
            let is_last = self.caller.context.phase() == Phase::Draining;
            let input = match timeout(SILENCE, self.caller.more()).await {
                Ok(input) => input?,
                Err(_) if is_last => return Ok(()),
                Err(_) => continue,
            };
            match events.status(input)? {
                None => continue,
                Some(200) => events.take(input)?,
                Some(status) => return Err(Over::Refused(status)),
            }
            while let Some(event) = events.next_event() {
                match &*event.name {
                    "message" => self.take(&event.read()?),
                    "gap" => self.report_gap(event.read()?),
                    "bye" | "superseded" | "lagged" => return Ok(()),
                    _ => {}
                }
            }
            if events.has_ended() {
                return Err(Over::Broken(HttpError::Closed));
            }
        }
    }

    fn take(&mut self, message: &Message) {
        self.last_id = Some(message.id.max(self.last_id.unwrap_or(0)));
        let messages = vec![message.delivery(&self.caller.context.callsigns)];
        self.caller.hear(Event::Delivered { consumer: self.consumer, messages, gap: None });
    }

    fn report_gap(&self, gap: ReportedGap) {
        let gap = Some(gap.into());
        self.caller.hear(Event::Delivered { consumer: self.consumer, messages: Vec::new(), gap });
    }
}

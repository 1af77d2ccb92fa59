//! What proves that a client took an answer. Pure, except for what connections record.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use rogerrat_domain::MessageId;

use crate::transport::{ConnectionEnd, ConnectionEvents};

/// A read that follows the end of an answer this soon was sent by a client that took the answer.
const PROMPT_MS: u64 = 150;

/// `User-Agent` of clients that read a response, and close its connection, whether or not the caller still waits for it:
/// the Python SDK 1.x, and our bridge in front of any client.
const RELAYS: [&str; 2] = ["python-httpx/", "rogerrat-mcp/"];

/// Whether a connection shows nothing of the caller.
pub(in crate::mcp) fn is_relayed(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| RELAYS.iter().any(|relay| agent.starts_with(relay)))
}

/// When and on which connection a request came.
#[derive(Clone, Debug)]
pub(in crate::mcp) struct Arrival {
    /// The uptime.
    pub(super) at_ms: u64,
    pub(super) connection: Option<Arc<ConnectionEvents>>,
}

impl Arrival {
    pub(in crate::mcp) fn of(request: &HttpRequest, at_ms: u64) -> Self {
        Self { at_ms, connection: ConnectionEvents::of(request) }
    }

    /// Whether the request came on a connection.
    pub(super) fn is_on(&self, connection: &Arc<ConnectionEvents>) -> bool {
        self.connection.as_ref().is_some_and(|own| Arc::ptr_eq(own, connection))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| connection.end().is_none())
    }

    /// When the client began to send the request, as far as it is known, after an earlier event. A new connection shows
    /// it before its first request is read.
    fn begun_after(&self, earlier_ms: u64) -> u64 {
        let accepted = self.connection.as_ref().map(|connection| connection.accepted_ms());
        accepted.filter(|accepted_ms| *accepted_ms > earlier_ms).unwrap_or(self.at_ms)
    }
}

/// What a client does with calls that it gives up on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Behaviour {
    /// It has sent `notifications/cancelled`.
    pub(super) cancels: bool,
    /// It has called again without cancelling a call that had waited this long. The shortest time counts.
    pub(super) gives_up_after_ms: Option<u64>,
}

/// What is known of an answer that is unproven.
#[derive(Debug)]
pub(super) struct AnswerFacts {
    /// The highest id in it.
    pub(super) upto: MessageId,
    /// The uptime.
    pub(super) written_ms: u64,
    /// Whether its connection had ended already.
    pub(super) was_closed: bool,
    /// How long the call had waited.
    pub(super) waited_ms: u64,
    pub(super) is_json: bool,
    pub(super) closes_to_cancel: bool,
    /// Whether its connection shows nothing of the caller.
    pub(super) is_relayed: bool,
    /// Its connection, and how often bytes had been received on it. None for HTTP/2.
    pub(super) connection: Option<(Arc<ConnectionEvents>, u64)>,
}

/// What the connection of an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionUse {
    /// It is open and was not used again.
    Open,
    /// It was closed before the answer was read, or it broke.
    Reset,
    /// The client closed it at this time.
    ClosedByClient(u64),
    /// The hub closed it, or it was used again, or it is shared with other requests.
    Unclear(u64),
    /// It was used for another request.
    Reused,
}

/// Whether a client took an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    Unknown,
    NotTaken,
}

impl AnswerFacts {
    pub(super) fn connection_use(&self) -> ConnectionUse {
        let Some((events, reads)) = &self.connection else { return ConnectionUse::Unclear(self.written_ms) };
        let is_reused = events.reads() > *reads;
        match events.end() {
            _ if is_reused => ConnectionUse::Reused,
            None => ConnectionUse::Open,
            Some((ConnectionEnd::Reset, _)) => ConnectionUse::Reset,
            Some(_) if self.was_closed => ConnectionUse::Reset,
            Some((ConnectionEnd::ClosedByClient, at)) => ConnectionUse::ClosedByClient(at),
            Some((ConnectionEnd::ClosedByHub, at)) => ConnectionUse::Unclear(at),
        }
    }

    /// What a request of the client shows that does not read with the same consumer.
    pub(super) fn after_request(&self, behaviour: Behaviour) -> Verdict {
        let connection = self.connection_use();
        match connection {
            ConnectionUse::Reset => Verdict::NotTaken,
            ConnectionUse::ClosedByClient(_) | ConnectionUse::Reused if self.is_json => Verdict::Taken,
            _ if self.closes_to_cancel || behaviour.cancels => Verdict::Taken,
            ConnectionUse::Open => Verdict::Unknown,
            _ if behaviour.gives_up_after_ms.is_some_and(|limit| self.waited_ms > limit) => Verdict::Unknown,
            _ => Verdict::Taken,
        }
    }

    /// Whether the client took the answer, when it reads with the same consumer again.
    pub(super) fn is_taken_before_read(
        &self,
        behaviour: Behaviour,
        arrival: &Arrival,
        has_upto: Option<MessageId>,
    ) -> bool {
        if has_upto.is_some_and(|upto| upto >= self.upto) {
            return true;
        }
        if self.after_request(behaviour) != Verdict::Taken {
            return false;
        }
        let ended = match self.connection_use() {
            ConnectionUse::ClosedByClient(_) | ConnectionUse::Reused if self.is_json => return true,
            _ if self.closes_to_cancel || behaviour.cancels => return true,
            ConnectionUse::ClosedByClient(at) | ConnectionUse::Unclear(at) => at.max(self.written_ms),
            _ => self.written_ms,
        };
        let is_prompt = arrival.begun_after(ended).saturating_sub(ended) <= PROMPT_MS;
        is_prompt && !self.is_relayed && behaviour.gives_up_after_ms.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer over HTTP/2, written at an uptime of 10 s to a call that had waited for 5 s.
    fn answer() -> AnswerFacts {
        AnswerFacts {
            upto: 7,
            written_ms: 10_000,
            was_closed: false,
            waited_ms: 5_000,
            is_json: false,
            closes_to_cancel: false,
            is_relayed: false,
            connection: None,
        }
    }

    fn is_taken(answer: &AnswerFacts, behaviour: Behaviour, at_ms: u64, has_upto: Option<MessageId>) -> bool {
        answer.is_taken_before_read(behaviour, &Arrival { at_ms, connection: None }, has_upto)
    }

    #[test]
    fn d36_a_prompt_read_proves_an_answer_and_a_later_one_does_not() {
        let behaviour = Behaviour::default();
        assert!(is_taken(&answer(), behaviour, 10_150, None));
        assert!(!is_taken(&answer(), behaviour, 10_151, None));
        assert!(!is_taken(&AnswerFacts { is_relayed: true, ..answer() }, behaviour, 10_000, None));
        assert!(is_taken(&answer(), behaviour, 99_000, Some(7)), "it reads after the last id");
        assert!(!is_taken(&answer(), behaviour, 99_000, Some(6)));
    }

    #[test]
    fn d36_a_client_that_cancels_is_believed_and_one_that_gives_up_is_not() {
        let cancels = Behaviour { cancels: true, ..Behaviour::default() };
        assert!(is_taken(&answer(), cancels, 99_000, None));
        assert!(is_taken(&AnswerFacts { closes_to_cancel: true, ..answer() }, Behaviour::default(), 99_000, None));
        for (limit_ms, verdict) in [(5_000, Verdict::Taken), (4_999, Verdict::Unknown)] {
            let gives_up = Behaviour { gives_up_after_ms: Some(limit_ms), ..Behaviour::default() };
            assert!(!is_taken(&answer(), gives_up, 10_000, None));
            assert_eq!(answer().after_request(gives_up), verdict, "it gave up after {limit_ms} ms");
        }
        assert_eq!(answer().after_request(Behaviour::default()), Verdict::Taken);
    }
}

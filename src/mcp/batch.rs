//! Batches: several messages in one body, handled one after the other. The responses are in the order of the requests.
//!
//! Where hubs share a log, what is for a channel of another instance is forwarded to that as a batch of its own, and its
//! responses are inserted here. If it fails, each request in it gets an error.

use std::rc::Rc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use rogerrat_actors::{HubError, Instance};
use rogerrat_domain::{ChannelId, Code, Refusal};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::endpoint::Handler;
use super::methods::{self, MethodOutcome};
use super::protocol_version::ProtocolVersion;
use super::response::{RpcResponse, ToolResult};
use super::rpc::{BatchEntry, ErrorCode, RpcCall, RpcError, RpcId, RpcMessage};
use super::waiting;
use crate::web::delivery_body::{OnBatchTaken, PendingDelivery};
use crate::web::peers::{self, HeldDeliveries, PartOutcome, Parts, Presented};

const NO_BATCHES: &str = "invalid request: this protocol version has no batches";

/// The responses to a batch so far.
struct BatchResponse {
    pieces: Vec<Bytes>,
    on_taken: Vec<OnBatchTaken>,
    /// What holds the deliveries, if another instance composes the response.
    held: Option<Rc<HeldDeliveries>>,
}

/// Messages for one channel that follow each other.
struct Part<'a> {
    entries: Vec<BatchEntry<'a>>,
    channel: ChannelId,
    presented: Presented,
    owner: Instance,
}

impl Handler<'_> {
    /// Handles several messages. A call that waits does so for a second at most.
    pub(super) async fn batch(&self, batch: Vec<BatchEntry<'_>>) -> Result<HttpResponse, RpcError> {
        let named = self.header_version()?;
        let of_session = self.session()?.map(|(session, _)| session.version);
        let version = named.or(of_session).unwrap_or(ProtocolVersion::WITHOUT_HEADER);
        if !version.has_batches() {
            return Err(RpcError::new(ErrorCode::InvalidRequest, NO_BATCHES));
        }
        let held = peers::held_deliveries(self.request);
        let mut response = BatchResponse { pieces: Vec::new(), on_taken: Vec::new(), held };
        let mut parts = self.peers().map(|peers| Parts::new(peers, self.state, self.request));
        let mut entries = batch.into_iter().peekable();
        while let Some(entry) = entries.next() {
            let Some(parts) = &mut parts else {
                self.answer(entry, &mut response).await;
                continue;
            };
            let Some((channel, presented)) = self.entry_destination(&entry) else {
                self.answer(entry, &mut response).await;
                continue;
            };
            match parts.owner(&channel, &presented).await {
                Ok(None) => self.answer(entry, &mut response).await,
                Ok(Some(owner)) => {
                    let is_same = |next: &BatchEntry<'_>| {
                        self.entry_destination(next).is_some_and(|(destination, _)| destination == channel)
                    };
                    let mut part = vec![entry];
                    while let Some(next) = entries.next_if(is_same) {
                        part.push(next);
                    }
                    let part = Part { entries: part, channel, presented, owner };
                    self.forward_part(part, version, parts, &mut response).await;
                }
                Err(error) => response.push_failures(&[entry], version, &HubError::into_refusal(error)),
            }
        }
        response.on_taken.extend(parts.map(Parts::confirmation));
        Ok(response.into_http(self.request))
    }

    /// The channel that a message is for, and what it presents for that.
    fn entry_destination(&self, entry: &BatchEntry<'_>) -> Option<(ChannelId, Presented)> {
        self.destination(entry.message.as_ref().ok()?)
    }

    async fn forward_part(
        &self,
        part: Part<'_>,
        version: ProtocolVersion,
        parts: &mut Parts<'_>,
        response: &mut BatchResponse,
    ) {
        let Part { entries, channel, presented, owner } = part;
        let messages: Vec<_> = entries.iter().map(|entry| entry.json).collect();
        let body = Bytes::from(format!("[{}]", messages.join(",")));
        match parts.forward(owner, (&channel, &presented), &body).await {
            PartOutcome::Answered { status, body } => {
                // It may have bound the session.
                self.refresh_session().await;
                response.push_answered(&entries, version, status, &body);
            }
            PartOutcome::Failed(refusal) => response.push_failures(&entries, version, &refusal),
            PartOutcome::Here => {
                for entry in entries {
                    self.answer(entry, response).await;
                }
            }
        }
    }

    /// Handles a message here.
    async fn answer(&self, entry: BatchEntry<'_>, response: &mut BatchResponse) {
        let call = match entry.message {
            Ok(RpcMessage::Call(call)) => call,
            Ok(RpcMessage::Response) => return,
            Err(error) => return response.push_error(&error),
        };
        let (context, params) = match self.context(&call, true) {
            Ok((context, _)) if context.version.is_modern() => {
                let error = RpcError::new(ErrorCode::InvalidRequest, NO_BATCHES);
                return response.push_error(&error.with_id(call.id));
            }
            Ok(found) => found,
            Err(error) => return response.push_error(&error.with_id(call.id)),
        };
        let Some(id) = call.id else {
            methods::notify(&context, &call, &params);
            return;
        };
        match methods::call(&context, id, &call, &params).await {
            MethodOutcome::Response(answer) => response.push(vec![answer.json.into()]),
            MethodOutcome::Waiting(waiting) => {
                let mut pieces = Vec::new();
                let delivery = waiting.append_to(&mut pieces).await;
                response.push(pieces);
                response.deliver(delivery);
            }
            #[cfg(feature = "conformance")]
            MethodOutcome::Stream(_) => {}
        }
    }
}

impl BatchResponse {
    /// Appends a response, or several that are separated already.
    fn push(&mut self, pieces: Vec<Bytes>) {
        let separator: &'static [u8] = if self.pieces.is_empty() { b"[" } else { b"," };
        self.pieces.push(Bytes::from_static(separator));
        self.pieces.extend(pieces);
    }

    fn push_error(&mut self, error: &RpcError) {
        self.push(vec![RpcResponse::error(error, false).json.into()]);
    }

    fn deliver(&mut self, delivery: Option<PendingDelivery>) {
        let Some(delivery) = delivery else { return };
        self.on_taken.push(match self.held.clone() {
            Some(held) => Box::new(move || held.hold(delivery)),
            None => Box::new(move || delivery.complete()),
        });
    }

    /// Appends what the owner of a part has answered.
    fn push_answered(
        &mut self,
        entries: &[BatchEntry<'_>],
        version: ProtocolVersion,
        status: StatusCode,
        body: &Bytes,
    ) {
        let responses = body.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        match (status, responses) {
            (StatusCode::OK, Some(responses)) if !responses.is_empty() => self.push(vec![body.slice_ref(responses)]),
            (StatusCode::ACCEPTED, _) if body.is_empty() => {}
            _ => match serde_json::from_slice::<PartError<'_>>(body) {
                Ok(PartError { error, .. }) if error.get().starts_with('{') => {
                    for id in entries.iter().filter_map(|entry| Some(request_of(entry)?.1)) {
                        let (id, error) = (id.as_json(), error.get());
                        self.push(vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into()]);
                    }
                }
                Ok(error) => self.push_failures(entries, version, &error.refusal()),
                Err(_) => self.push_failures(entries, version, &peers::unanswered()),
            },
        }
    }

    /// Appends the failure of a part: an error for each request in it.
    fn push_failures(&mut self, entries: &[BatchEntry<'_>], version: ProtocolVersion, refusal: &Refusal) {
        for (call, id) in entries.iter().filter_map(request_of) {
            if call.method == "tools/call" {
                let result = ToolResult::refusal(refusal);
                self.push(vec![RpcResponse::tool(id, version, &result).json.into()]);
            } else {
                let error = RpcError::new(ErrorCode::InternalError, refusal.text.clone());
                let error = error.with_data(json!({"code": refusal.code.as_str()}));
                self.push_error(&error.with_id(Some(id)));
            }
        }
    }

    fn into_http(mut self, request: &actix_web::HttpRequest) -> HttpResponse {
        if self.pieces.is_empty() {
            // Nothing that was forwarded delivers anything then.
            return HttpResponse::Accepted().finish();
        }
        self.pieces.push(Bytes::from_static(b"]"));
        waiting::json_response(request, self.pieces, self.on_taken)
    }
}

/// The request in a message, with its id.
fn request_of<'a, 'b>(entry: &'a BatchEntry<'b>) -> Option<(&'a RpcCall<'b>, RpcId<'b>)> {
    match &entry.message {
        Ok(RpcMessage::Call(call)) => Some((call, call.id?)),
        _ => None,
    }
}

/// The error with which an owner has refused a part as a whole: of JSON-RPC, or of the hub.
#[derive(Deserialize)]
struct PartError<'a> {
    #[serde(borrow)]
    error: &'a RawValue,
    #[serde(default)]
    code: String,
}

impl PartError<'_> {
    fn refusal(&self) -> Refusal {
        let code = Code::ALL.into_iter().find(|code| code.as_str() == self.code).unwrap_or(Code::Internal);
        let text = super::rpc::string(self.error).unwrap_or_default().into_owned();
        Refusal::new(code, text)
    }
}

//! Admits requests to rooms, and formats errors as agent-chatroom does: an object with one text.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;

use super::chatroom::Chatroom;
use super::wire;
use crate::web::problem::{self, Problem};
use crate::web::request_metrics::RefusalCode;
use crate::web::state::{SharedState, bearer, channel_of};

/// A refusal in the format of agent-chatroom.
#[derive(Debug)]
pub(super) struct RoomError(Refusal);

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
}

impl RoomError {
    pub(super) fn invalid(text: &'static str) -> Self {
        Self(Refusal::invalid(text))
    }

    pub(super) fn too_large(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self(Refusal::new(Code::TooLarge, text))
    }

    pub(super) fn not_found() -> Self {
        Self(Refusal::new(Code::NotFound, "Not found"))
    }

    fn wrong_password() -> Self {
        Self(Refusal::new(Code::Unauthorized, "Invalid password"))
    }

    pub(super) fn response(&self) -> HttpResponse {
        let Refusal { code, text, retry_after_ms, .. } = &self.0;
        let mut response = wire::response(problem::status(*code), &ErrorBody { error: text });
        if let Some(ms) = retry_after_ms {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
        }
        response.extensions_mut().insert(RefusalCode(*code));
        response
    }
}

impl From<Refusal> for RoomError {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            Code::Unauthorized => Self::wrong_password(),
            Code::NotFound => Self::not_found(),
            _ => Self(refusal),
        }
    }
}

impl From<HubError> for RoomError {
    fn from(error: HubError) -> Self {
        error.into_refusal().into()
    }
}

impl From<Problem> for RoomError {
    fn from(problem: Problem) -> Self {
        problem.0.into()
    }
}

/// Converts the result of a handler to a response.
pub(super) fn respond(result: Result<HttpResponse, RoomError>) -> HttpResponse {
    result.unwrap_or_else(|error| error.response())
}

/// Checks the password of a request and finds the channel of its room.
pub(super) async fn admit(state: &SharedState, request: &HttpRequest) -> Result<Admitted, RoomError> {
    let password = password(request);
    match request.match_info().get("id") {
        Some(_) => Ok(state.hub.admit(channel_of(request), password.as_deref()).await?),
        None => {
            let chatroom = request.app_data::<actix_web::web::Data<Chatroom>>().ok_or_else(RoomError::not_found)?;
            let password = password.as_deref().unwrap_or_default();
            Ok(chatroom.admit(&state.hub, password, state.client(request), state.clock.now()).await?)
        }
    }
}

/// The password of a request: the header, else a bearer token, else the query parameter.
pub(crate) fn password(request: &HttpRequest) -> Option<String> {
    // Headers that are not UTF-8 are read as Latin-1, which many clients send.
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    let header = request.headers().get("x-room-password").map(|value| text(value.as_bytes()));
    let header = header.filter(|value| !value.is_empty());
    header.or_else(|| bearer(request.headers()).map(str::to_owned)).or_else(|| parameter(request, "password"))
}

/// The first non-empty value of a query parameter.
pub(super) fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

/// The response to an unsupported method.
pub(super) fn wrong_method(allow: &'static str) -> HttpResponse {
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("method not allowed; use {allow}"));
    let mut response = RoomError(refusal).response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

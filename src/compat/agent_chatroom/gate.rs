//! Who may come in, and how a no looks: as the clients of agent-chatroom know it, one field with a text.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;

use super::chatroom::Chatroom;
use super::wire;
use crate::web::problem::{self, Problem};
use crate::web::request_metrics::RefusalCode;
use crate::web::state::{SharedState, channel_of};

/// A no.
#[derive(Debug)]
pub(super) struct No(Refusal);

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
}

impl No {
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
        let mut response = wire::answer(problem::status(*code), &Body { error: text });
        if let Some(ms) = retry_after_ms {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
        }
        response.extensions_mut().insert(RefusalCode(*code));
        response
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            Code::Unauthorized => Self::wrong_password(),
            Code::NotFound => Self::not_found(),
            _ => Self(refusal),
        }
    }
}

impl From<HubError> for No {
    fn from(error: HubError) -> Self {
        error.into_refusal().into()
    }
}

impl From<Problem> for No {
    fn from(problem: Problem) -> Self {
        problem.0.into()
    }
}

/// The answer, or the no.
pub(super) fn told(answer: Result<HttpResponse, No>) -> HttpResponse {
    answer.unwrap_or_else(|no| no.response())
}

/// Lets a request into its room, or not.
pub(super) async fn enter(state: &SharedState, request: &HttpRequest) -> Result<Admitted, No> {
    let password = password(request);
    match request.match_info().get("id") {
        Some(_) => Ok(state.hub.admit(channel_of(request), password.as_deref()).await?),
        None => {
            let chatroom = request.app_data::<actix_web::web::Data<Chatroom>>().ok_or_else(No::not_found)?;
            let said = password.as_deref().unwrap_or_default();
            Ok(chatroom.enter(&state.hub, said, state.client(request), state.clock.now()).await?)
        }
    }
}

/// The header, else the parameter.
pub(super) fn password(request: &HttpRequest) -> Option<String> {
    // What is not UTF-8 is Latin-1, as many clients write headers.
    let text = |said: &[u8]| match std::str::from_utf8(said) {
        Ok(text) => text.to_owned(),
        Err(_) => said.iter().copied().map(char::from).collect(),
    };
    let header = request.headers().get("x-room-password").map(|said| text(said.as_bytes()));
    header.filter(|said| !said.is_empty()).or_else(|| parameter(request, "password"))
}

/// The first value of a parameter; one that is empty was not said.
pub(super) fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

/// What a path does not know.
pub(super) fn wrong_method(allow: &'static str) -> HttpResponse {
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("this path knows {allow} only"));
    let mut response = No(refusal).response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

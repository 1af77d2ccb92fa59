//! Errors over HTTP: the status of each error code, and the error body.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use rogerrat_actors::HubError;
use rogerrat_domain::{Callsign, Code, Quota, Refusal, RefusalDetail, TaskState};
use serde::Serialize;

use super::hints::http_hint;

/// A refusal as an actix error.
#[derive(Clone, Debug)]
pub(crate) struct Problem(pub Refusal);

/// The body of every error.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free_callsign: Option<&'a Callsign>,
    /// `unknown`: the request may have been performed.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    draining: bool,
    /// The state of the task that refused the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<TaskState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<&'a Callsign>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_until: Option<u64>,
    /// What an OAuth client shows of an error (RFC 6749, 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
    request_id: &'a str,
}

/// Extension of an error response that OAuth clients read: its body also has the `error_description` they show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OauthError;

/// The HTTP status of an error code.
pub(crate) fn status(code: Code) -> StatusCode {
    match code {
        Code::Invalid | Code::InvalidJson | Code::UnknownRecipient | Code::NotJoined => StatusCode::BAD_REQUEST,
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::Banned => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::CallsignTaken
        | Code::MailboxFull
        | Code::LimitReached
        | Code::IdempotencyConflict
        | Code::TaskTaken
        | Code::TaskClosed
        | Code::FenceStale => StatusCode::CONFLICT,
        Code::SessionExpired => StatusCode::GONE,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Code::StorageFailed => StatusCode::INSUFFICIENT_STORAGE,
    }
}

impl Problem {
    /// Builds the response. The hint is repeated as `error_description` for OAuth clients.
    pub(crate) fn response(&self, request_id: &str, describes_for_oauth: bool) -> HttpResponse {
        let Refusal { code, text, hint, retry_after_ms, quota, detail } = &self.0;
        let retry_after_seconds = retry_after_ms.map(|ms| ms.div_ceil(1000).max(1));
        let hint = hint.as_ref().map(http_hint);
        let task = match detail {
            Some(RefusalDetail::Task(task)) => Some(&**task),
            _ => None,
        };
        let body = ErrorBody {
            error: text,
            code: code.as_str(),
            hint,
            retry_after_seconds,
            field: match detail {
                Some(RefusalDetail::Field(name)) => Some(name),
                _ => None,
            },
            free_callsign: match detail {
                Some(RefusalDetail::FreeCallsign(callsign)) => Some(callsign),
                _ => None,
            },
            outcome: (*detail == Some(RefusalDetail::OutcomeUnknown)).then_some("unknown"),
            draining: *detail == Some(RefusalDetail::Draining),
            state: task.map(|task| task.state),
            holder: task.and_then(|task| task.holder.as_ref()),
            fence: task.and_then(|task| task.fence),
            lease_until: task.and_then(|task| task.lease_until_ms),
            error_description: hint.filter(|_| describes_for_oauth),
            request_id,
        };
        let mut response = HttpResponse::build(status(*code)).json(body);
        if let Some(seconds) = retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(quota) = quota {
            insert_quota(response.headers_mut(), *quota);
        }
        response
    }
}

/// Adds the rate-limit headers of a send.
pub(crate) fn insert_quota(headers: &mut HeaderMap, quota: Quota) {
    let put = |headers: &mut HeaderMap, name, value: u64| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    };
    put(headers, "x-ratelimit-limit", quota.limit.into());
    put(headers, "x-ratelimit-remaining", quota.remaining.into());
    put(headers, "x-ratelimit-reset", quota.reset_at_ms.div_ceil(1000));
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.0.code)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        Self(error.into_refusal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d14_every_code_has_a_status() {
        let table = [
            400, 400, 400, 400, 401, 403, 403, 404, 405, 409, 409, 409, 409, 409, 409, 409, 410, 413, 421, 429, 500,
            503, 507,
        ];
        for (code, expected) in Code::ALL.into_iter().zip(table) {
            assert_eq!(status(code).as_u16(), expected, "{}", code.as_str());
        }
    }
}

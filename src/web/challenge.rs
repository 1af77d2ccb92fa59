//! The `WWW-Authenticate` header that every 401 has, so that a client reports a wrong token as one (RFC 6750, 3).
//!
//! It names no `resource_metadata`: the hub has no OAuth, and clients would look for it.

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::problem::Problem;

/// For a request without credentials.
static MISSING: HeaderValue = HeaderValue::from_static(r#"Bearer realm="rogerrat""#);

/// Adds the challenge to a 401.
pub(super) fn put(response: &mut ServiceResponse, problem: Option<&Problem>) {
    if response.status() != StatusCode::UNAUTHORIZED || response.headers().contains_key(header::WWW_AUTHENTICATE) {
        return;
    }
    let has_credentials = response.request().headers().contains_key(header::AUTHORIZATION);
    let text = problem.map_or("invalid credentials", |problem| &problem.0.text);
    let invalid = has_credentials.then(|| HeaderValue::from_str(&invalid_token(text)).ok()).flatten();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, invalid.unwrap_or_else(|| MISSING.clone()));
}

/// For a request whose credentials are wrong. RFC 6750 allows printable ASCII without quotes and backslashes.
fn invalid_token(text: &str) -> String {
    let text: String = text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    format!(r#"Bearer realm="rogerrat", error="invalid_token", error_description="{text}""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_end_its_quotation_marks() {
        let challenge = invalid_token("no \"x\", error=\"\u{e9}\r\n\\");
        assert_eq!(challenge, r#"Bearer realm="rogerrat", error="invalid_token", error_description="no x, error=""#);
    }
}

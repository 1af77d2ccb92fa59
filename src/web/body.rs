//! Reads request bodies within a size limit and a timeout.

use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpRequest, error::PayloadError};
use futures_util::StreamExt as _;
use rogerrat_domain::{Code, Refusal};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::json;
use super::problem::Problem;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a JSON body of at most `limit` bytes. Its Content-Type is ignored; an empty body means defaults.
pub(crate) async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<T, Problem> {
    let body = read(request, payload, limit).await?;
    json::parse(&body).map_err(Problem)
}

/// Refuses a request whose Content-Length exceeds the limit. Routes that read no body check only this.
pub(crate) fn announced(request: &HttpRequest, limit: usize) -> Result<(), Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) { Err(too_large(limit)) } else { Ok(()) }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    announced(request, limit)?;
    let late = || Refusal::invalid("the body did not arrive within 30 s");
    timeout(BODY_TIMEOUT, collect(payload, limit)).await.map_err(|_| late())?
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = check_size(first, 0, limit)?;
    let Some(second) = payload.next().await else { return Ok(first) };
    let mut body = BytesMut::from(&first[..]);
    body.extend_from_slice(&check_size(second, body.len(), limit)?);
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&check_size(chunk, body.len(), limit)?);
    }
    Ok(body.freeze())
}

fn check_size(chunk: Result<Bytes, PayloadError>, before: usize, limit: usize) -> Result<Bytes, Problem> {
    let chunk =
        chunk.map_err(|_| Refusal::invalid("the body ended before its declared end, or its chunks are malformed"))?;
    if before + chunk.len() > limit { Err(too_large(limit)) } else { Ok(chunk) }
}

fn too_large(limit: usize) -> Problem {
    Problem(Refusal::new(Code::TooLarge, format!("the body is larger than {limit} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use actix_web::{FromRequest as _, dev};
    use futures_util::stream::pending;
    use rogerrat_domain::op::JoinInput;

    #[actix_web::test]
    async fn d11_a_body_that_arrives_too_slowly_is_refused() {
        tokio::time::pause();
        let request = TestRequest::post().to_http_request();
        let mut payload: dev::Payload = dev::Payload::Stream { payload: Box::pin(pending()) };
        let payload = Payload::from_request(&request, &mut payload).await.unwrap();
        let refused = json::<JoinInput>(&request, payload, 64).await.unwrap_err();
        assert_eq!((refused.0.code, &*refused.0.text), (Code::Invalid, "the body did not arrive within 30 s"));
    }
}

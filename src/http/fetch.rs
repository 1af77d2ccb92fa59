//! One message, and one file of a message, while the channel holds it.

use std::sync::Arc;

use actix_web::http::header::{self, EntityTag, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::{AttachmentFile, Code, Message, MessageId, MessageSchema, Refusal};

use super::error_codes::{CHANNEL, codes};
use super::file_name::content_disposition;
use super::parameters::{AttachmentsParam, ChannelPath, OptionalSessionHeader};
use super::query::{QueryParams, message_id};
use crate::web::etag::is_known;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, presented_session};

/// A file never changes, because a message id is never reused. It needs a token, so only the client itself may cache it.
static IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
/// A file of a peer must not run anything in the hub's origin, even if a browser is made to display it.
static SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// Get one message.
///
/// It marks nothing as read. The message is returned while the channel holds it; a durable channel also returns those of
/// its backlog. Where direct messages are private, only sender and recipient get them, with `X-Session-Id`.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/messages/{message}",
    operation_id = "get_message",
    tag = "Messages",
    params(
        ChannelPath,
        OptionalSessionHeader,
        ("message" = u64, Path, maximum = 18_446_744_073_709_551_615u64, description = "The message id."),
        AttachmentsParam,
    ),
    responses((status = 200, body = MessageSchema, description = "The message.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL, &[Code::NotJoined, Code::SessionExpired]])))),
)]
pub(crate) async fn message(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let form = QueryParams::of(request.query_string()).attachments()?;
    let (message, _) = find(&state, &request).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(message.json_in(form)))
}

/// Get a file that was sent with a message.
///
/// It is always a download, with the media type that the sender gave. It never changes.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/messages/{message}/attachments/{n}",
    operation_id = "get_attachment",
    tag = "Messages",
    params(
        ChannelPath,
        OptionalSessionHeader,
        ("message" = u64, Path, maximum = 18_446_744_073_709_551_615u64, description = "The message id."),
        ("n" = u64, Path, maximum = 3, description = "The number of the attachment in the message, from 0."),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of a copy: 304 if it is still valid."),
    ),
    responses(
        (status = 200, body = Vec<u8>, description = "The content.", headers(
            ("Content-Disposition" = String, description = "`attachment`, with a safe file name."),
            ("Cache-Control" = String, description = "The client itself may cache it indefinitely."),
            ("ETag" = String, description = "Identifies message and attachment."),
        )),
        (status = 304, description = "The copy is valid."),
    ),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL, &[Code::NotJoined, Code::SessionExpired]])))),
)]
pub(crate) async fn attachment(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let n = request.match_info().get("n").unwrap_or_default();
    let n: usize = n.parse().map_err(|_| Refusal::invalid("the number of the attachment must be a number"))?;
    let (message, id) = find(&state, &request).await?;
    let file = message.attachment(n).ok_or_else(|| {
        Refusal::new(Code::NotFound, "attachment not found").hint("attachments of a message are numbered from 0")
    })?;
    let tag = EntityTag::new_strong(format!("{id}-{n}"));
    if is_known(&request, &tag) {
        let mut response = HttpResponse::NotModified();
        return Ok(response
            .insert_header(header::ETag(tag))
            .insert_header((header::CACHE_CONTROL, IMMUTABLE.clone()))
            .finish());
    }
    let AttachmentFile { mime, filename, content } = file;
    let disposition = content_disposition(filename.as_deref(), &mime, n);
    Ok(HttpResponse::Ok()
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE.clone()))
        .insert_header((header::CONTENT_TYPE, mime))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CONTENT_SECURITY_POLICY, SANDBOX.clone()))
        .body(content))
}

async fn find(state: &SharedState, request: &HttpRequest) -> Result<(Arc<Message>, MessageId), Problem> {
    let at = state.admit(request).await?;
    let session = presented_session(request.headers())?;
    let id = message_id(request.match_info().get("message").unwrap_or_default())?;
    Ok((state.hub.fetch(&at, session, id).await?, id))
}

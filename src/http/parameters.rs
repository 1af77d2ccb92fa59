//! Request parameters that several routes share, as OpenAPI describes them. `web/state.rs` and `query.rs` read them.
#![expect(dead_code, reason = "only the derived code reads the fields")]

use rogerrat_domain::op::ReadQuery;
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};

/// The path parameter of a route of one channel.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ChannelPath {
    /// The channel id. For a band, its name.
    #[param(pattern = "^[a-z0-9-]{1,64}$")]
    id: String,
}

/// The header of a request that only members may make.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct SessionHeader {
    /// The session id from the reply to the join.
    #[param(rename = "X-Session-Id", pattern = "^[!-~]{8,128}$")]
    session: String,
}

/// The header of a request that needs the channel token and may present a session.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct OptionalSessionHeader {
    /// The session id from the reply to a join. A value shorter than 8 characters is ignored.
    #[param(rename = "X-Session-Id", pattern = "^[!-~]{0,128}$")]
    session: Option<String>,
}

/// The parameters of an answer that may be bounded.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BoundParam {
    /// The maximum size of the whole answer, in bytes; clamped to 1,000 … 1,048,576. As many messages as fit are
    /// returned, at least one; `more` counts the others. Unbounded if omitted.
    #[param(minimum = 1)]
    max_bytes: Option<u64>,
}

/// The parameters of an answer with messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AttachmentsParam {
    #[param(schema_with = attachments, required = false)]
    attachments: Option<String>,
}

/// The parameter for side events of a stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TellParam {
    /// Side events beside messages, separated by commas: `roster` for members that change, `receipts` for the delivery of
    /// your own messages, `tasks` for tasks that change.
    #[param(pattern = "^((roster|receipts|tasks)(,(roster|receipts|tasks))*)?$")]
    tell: Option<String>,
}

/// The parameters of a stream by POST, as fields of its body.
#[derive(Deserialize, ToSchema)]
pub(super) struct PostStreamInput {
    #[serde(flatten)]
    read: ReadQuery<'static>,
    #[schema(schema_with = attachments, required = false)]
    attachments: Option<String>,
    #[schema(schema_with = tell, required = false)]
    tell: Option<String>,
}

fn tell() -> Schema {
    let kind = || ObjectBuilder::new().schema_type(Type::String);
    let text = kind().pattern(Some("^((roster|receipts|tasks)(,(roster|receipts|tasks))*)?$"));
    let list = ArrayBuilder::new().items(kind().enum_values(Some(["roster", "receipts", "tasks"])));
    let what = "Side events beside messages: `roster` for members that change, `receipts` for the delivery of your own \
                messages, `tasks` for tasks that change. Text, separated by commas, or a list.";
    AnyOfBuilder::new().item(text).item(list).description(Some(what)).build().into()
}

fn attachments() -> Schema {
    let what = "`full` (the default): attachments with their content. `meta`: each as `{mime, filename, bytes, n}`, to be \
                downloaded from `/messages/{message}/attachments/{n}`.";
    let form = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["full", "meta"]));
    form.description(Some(what)).build().into()
}

/// A count between 1 and `max`, as a number or as text.
pub(super) fn count(max: usize, description: &'static str) -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(max));
    let text = ObjectBuilder::new().schema_type(Type::String);
    AnyOfBuilder::new().item(number).item(text).description(Some(description)).build().into()
}

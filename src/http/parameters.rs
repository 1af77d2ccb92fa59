//! Request parameters that several routes share, as OpenAPI describes them. `web/state.rs` and `query.rs` read them.
#![expect(dead_code, reason = "only the derived code reads the fields")]

use utoipa::IntoParams;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};

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

/// A count between 1 and `max`, as a number or as text.
pub(super) fn count(max: usize, description: &'static str) -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(max));
    let text = ObjectBuilder::new().schema_type(Type::String);
    AnyOfBuilder::new().item(number).item(text).description(Some(description)).build().into()
}

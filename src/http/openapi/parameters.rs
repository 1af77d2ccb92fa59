//! Parameters that many routes share, as they are described. How they are read stands with `state.rs` and `query.rs`.
#![expect(dead_code, reason = "these are read by their derives only")]

use utoipa::IntoParams;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};

/// A route of one channel.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct InChannel {
    /// The channel's id; for a band, its name.
    #[param(pattern = "^[a-z0-9-]{1,64}$")]
    id: String,
}

/// A route of one identity.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfIdentity {
    /// The identity's callsign.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,31}$")]
    callsign: String,
}

/// A route of one webhook.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfHook {
    /// The webhook's id.
    #[param(pattern = "^wh_[0-9a-f]{32}$")]
    hook: String,
}

/// What becomes of the channels of an account that is deleted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CloseQuery {
    /// `delete` deletes them too. They stay if it is left out.
    #[param(pattern = "^delete$")]
    channels: Option<String>,
}

/// What a member does.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct WithSession {
    /// The session from the reply of the join.
    #[param(rename = "X-Session-Id", pattern = "^[!-~]{8,128}$")]
    session: String,
}

/// What anybody with the token does, and a member too.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct MaySession {
    /// The session from the reply of a join. One of less than 8 characters counts as absent.
    #[param(rename = "X-Session-Id", pattern = "^[!-~]{0,128}$")]
    session: Option<String>,
}

/// How much of the history is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    #[param(schema_with = n, required = false)]
    n: Option<f64>,
    /// Only messages of this thread.
    thread: Option<String>,
}

fn n() -> Schema {
    count(
        100,
        "How many at most, 20 if left out; clamped to 1 … 100, fractions are cut off, and what is no number means 100.",
    )
}

/// What a transcript is asked with.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TranscriptQuery {
    #[param(schema_with = limit, required = false)]
    limit: Option<f64>,
}

/// How many channels the administration wants to see.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AdminQuery {
    #[param(schema_with = channels, required = false)]
    limit: Option<f64>,
}

fn channels() -> Schema {
    count(
        1000,
        "How many channels at most, 100 if left out; clamped to 1 … 1000, fractions are cut off, and what is no number \
         means 1000.",
    )
}

fn limit() -> Schema {
    count(
        10_000,
        "How many of the last events at most, 1000 if left out; clamped to 1 … 10000, fractions are cut off, and what is \
         no number means all.",
    )
}

/// A number of things, clamped; a text is taken too.
fn count(max: usize, what: &'static str) -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(max));
    let text = ObjectBuilder::new().schema_type(Type::String);
    AnyOfBuilder::new().item(number).item(text).description(Some(what)).build().into()
}

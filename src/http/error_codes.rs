//! The error codes of routes, in groups that routes have in common.
//!
//! A handler lists its groups once, as `x-error-codes` of its `#[utoipa::path]`. `openapi/error_responses.rs` generates
//! the error responses of the route from that list, and adds the codes of every route.

use rogerrat_domain::Code;

/// Anything a channel or the store takes part in.
pub(super) const HUB: &[Code] = &[Code::Overloaded, Code::StorageFailed];
/// A request with the token of a channel, and perhaps a session.
pub(super) const CHANNEL: &[Code] =
    &[Code::Invalid, Code::Unauthorized, Code::NotFound, Code::Overloaded, Code::StorageFailed];
/// A request of a member: the token of a channel and a session.
pub(super) const MEMBER: &[Code] = &[
    Code::Invalid,
    Code::Unauthorized,
    Code::NotFound,
    Code::NotJoined,
    Code::SessionExpired,
    Code::Overloaded,
    Code::StorageFailed,
];
/// A request with the token of a channel that is about the channel's webhooks.
pub(super) const CHANNEL_WEBHOOKS: &[Code] =
    &[Code::Unauthorized, Code::Forbidden, Code::NotFound, Code::Overloaded, Code::StorageFailed];
/// A request with the session token of an account.
pub(super) const ACCOUNT: &[Code] = &[Code::Unauthorized, Code::Overloaded, Code::StorageFailed];
/// A request with the admin token.
pub(super) const ADMIN: &[Code] = &[Code::Unauthorized, Code::RateLimited];
/// A request with a JSON body.
pub(super) const BODY: &[Code] = &[Code::Invalid, Code::InvalidJson, Code::TooLarge];

/// The names of the codes in all groups.
pub(super) fn codes(groups: &[&[Code]]) -> Vec<&'static str> {
    groups.iter().copied().flatten().map(|code| code.as_str()).collect()
}

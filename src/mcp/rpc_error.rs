//! Error responses of JSON-RPC. Pure.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use serde_json::Value;

use super::rpc::RpcId;

/// The error codes of JSON-RPC and MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    /// The body is not JSON.
    ParseError,
    /// The body is not a JSON-RPC message.
    InvalidRequest,
    MethodNotFound,
    /// The parameters do not fit the method, or name something that does not exist.
    InvalidParams,
    /// The code of legacy versions for an unknown resource.
    ResourceNotFound,
    /// The session id is unknown or expired.
    SessionNotFound,
    /// Headers and body disagree.
    HeaderMismatch,
    UnsupportedVersion,
    /// The hub that serves the channel cannot be reached.
    InternalError,
    /// The client lacks a capability that a tool needs. No real tool needs one.
    #[cfg(feature = "conformance")]
    MissingCapability,
}

impl ErrorCode {
    pub(super) fn number(self) -> i32 {
        match self {
            Self::ParseError => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::ResourceNotFound => -32002,
            Self::SessionNotFound => -32001,
            Self::HeaderMismatch => -32020,
            Self::UnsupportedVersion => -32022,
            Self::InternalError => -32603,
            #[cfg(feature = "conformance")]
            Self::MissingCapability => -32021,
        }
    }

    /// The HTTP status. In legacy versions the error of a method is sent with 200, like any other response.
    pub(super) fn status(self, is_modern: bool) -> StatusCode {
        match self {
            Self::ParseError | Self::InvalidRequest | Self::HeaderMismatch | Self::UnsupportedVersion => {
                StatusCode::BAD_REQUEST
            }
            #[cfg(feature = "conformance")]
            Self::MissingCapability => StatusCode::BAD_REQUEST,
            Self::SessionNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotFound if is_modern => StatusCode::NOT_FOUND,
            Self::InvalidParams if is_modern => StatusCode::BAD_REQUEST,
            Self::MethodNotFound | Self::InvalidParams | Self::ResourceNotFound | Self::InternalError => StatusCode::OK,
        }
    }
}

/// An error response.
#[derive(Debug)]
pub(super) struct RpcError {
    pub(super) code: ErrorCode,
    pub(super) message: Cow<'static, str>,
    pub(super) data: Option<Value>,
    /// The id of the request, if it was readable.
    pub(super) id: Option<String>,
    /// Whether the message is known to be of a modern version.
    pub(super) is_modern: bool,
}

impl RpcError {
    pub(super) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), data: None, id: None, is_modern: false }
    }

    /// `-32602`: the parameters are wrong.
    pub(super) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }

    pub(super) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    pub(super) fn with_id(mut self, id: Option<RpcId<'_>>) -> Self {
        self.id = id.map(|id| id.as_json().to_owned());
        self
    }
}

//! A member that uses the MCP endpoint of its channel, with the oldest protocol version, which every hub supports.

use rogerrat_client::http::{Connection, HttpError, expect_success};

use super::message;
use super::send_template::{Request, SendTemplate};
use super::target::{Session, Target, bearer};

const VERSION: &str = "2025-03-26";
const HEADERS: usize = 64;

pub(super) struct McpSession {
    path: String,
    headers: String,
}

impl McpSession {
    /// Opens a session on the endpoint of the host's channel and joins the channel.
    pub(super) async fn join(target: &Target, host: &Session, callsign: &str) -> Result<Self, HttpError> {
        let path = format!("/mcp/{}", host.channel_id);
        let headers = format!("{}Accept: application/json\r\n", bearer(&host.join_token));
        let initialize = format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{VERSION}","capabilities":{{}},"clientInfo":{{"name":"rogerrat-load","version":"1"}}}}}}"#
        );
        let session_id = session_id(&target.post(&path, &headers, &initialize), target.http1_connection()).await?;
        let session = Self { path, headers: format!("{headers}Mcp-Session-Id: {session_id}\r\n") };
        let mut connection = target.connection();
        let ready = session.post(target, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        let (status, body) = connection.call(&ready).await?;
        expect_success("mcp notification", status, body)?;
        let join = session.tool(target, "join", &format!(r#"{{"callsign":"{callsign}"}}"#));
        let (status, body) = connection.call(&join).await?;
        expect_success("mcp join", status, body)?;
        message::expect_tool_success(body)?;
        Ok(session)
    }

    pub(super) fn listen_request(&self, target: &Target, timeout_s: u32) -> Request {
        self.tool(target, "listen", &format!(r#"{{"timeout_seconds":{timeout_s}}}"#))
    }

    pub(super) fn send_template(&self, target: &Target, to: &str, payload_bytes: usize) -> SendTemplate {
        const TAIL: &str = r#""}}}"#;
        let request = self.tool(target, "send", &format!(r#"{{"to":"{to}","message":"{:.<payload_bytes$}"}}"#, ""));
        SendTemplate::new(request, payload_bytes, TAIL)
    }

    fn tool(&self, target: &Target, name: &str, arguments: &str) -> Request {
        self.post(
            target,
            &format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#
            ),
        )
    }

    fn post(&self, target: &Target, body: &str) -> Request {
        target.post(&self.path, &self.headers, body)
    }
}

/// Sends the `initialize` request and returns the session id from a header of its response.
async fn session_id(initialize: &Request, mut connection: Connection) -> Result<String, HttpError> {
    connection.write(initialize.raw()).await?;
    loop {
        let input = connection.more().await?;
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut reply = httparse::Response::new(&mut headers);
        let parsed = reply.parse(input).map_err(|error| HttpError::InvalidResponse(error.to_string()))?;
        if parsed.is_partial() {
            continue;
        }
        expect_success("mcp initialize", reply.code.unwrap_or_default(), b"")?;
        let id = reply.headers.iter().find(|header| header.name.eq_ignore_ascii_case("mcp-session-id"));
        let id = id.and_then(|header| std::str::from_utf8(header.value).ok());
        return id
            .map(str::to_owned)
            .ok_or_else(|| HttpError::InvalidResponse("mcp initialize returned no session id".into()));
    }
}

//! `GET /openapi.json`: the API description, generated from the handlers and from the domain's inputs and replies.
//!
//! It is built at the first request; later requests only insert their origin. What utoipa cannot express is added to
//! its JSON: error responses (`error_responses.rs`), stream events (`events.rs`), and constraints between fields
//! (`constraints.rs`).

mod constraints;
mod error_responses;
mod events;
mod inferred;

use std::sync::OnceLock;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::discovery::{self, cards};
use super::{
    account, account_email, account_sessions, admin, channels, fetch, health, members, messages, metrics, pages, poll,
    push, remote, stream, tasks, transcript, webhooks,
};
use crate::web::state::{AppState, SharedState};

/// The place in the JSON where the origin of a request is inserted.
const SERVERS: &str = "\"servers\":[]";

const PREFACE: &str = "The REST API of a rogerrat hub, through which AI agents exchange messages. Requests and \
    responses are JSON over plain HTTP. `/llms.txt` is a guide for agents, with commands to paste.\n\nUnknown fields \
    and parameters are ignored, and replies may gain fields. If a parameter is repeated, its first value is used; an \
    empty number is 0. HEAD is supported wherever GET changes nothing. An unknown path returns 404, an unsupported \
    method 405 with `Allow`. Every response has `X-Request-Id`. `x-error-codes` lists the error codes of each route.";

/// The description, split where the origin is inserted.
#[derive(Debug)]
pub(crate) struct ApiDescription {
    before: String,
    after: String,
}

/// The description, built at the first request.
pub(super) type DescriptionCell = OnceLock<ApiDescription>;

#[derive(OpenApi)]
#[openapi(
    info(title = "rogerrat", description = PREFACE),
    paths(
        channels::create,
        channels::describe,
        channels::bands,
        members::join,
        members::leave,
        members::keepalive,
        messages::send,
        messages::history,
        messages::receipts,
        messages::receipts_of_many,
        fetch::message,
        fetch::attachment,
        poll::listen,
        poll::wait,
        stream::stream,
        stream::post_stream,
        tasks::ask,
        tasks::task,
        tasks::board,
        tasks::take_next,
        tasks::take,
        messages::ack,
        messages::consumers,
        messages::remove_consumer,
        members::roster,
        members::stats,
        transcript::transcript,
        health::stats,
        health::live,
        health::healthy,
        health::ready,
        metrics::metrics,
        remote::open,
        remote::link,
        remote::qr,
        account::open,
        account::recover,
        account::get,
        account::close,
        account::add_identity,
        account::identities,
        account::rotate_key,
        account::remove_identity,
        account::channels,
        account::delete_channel,
        account::channel,
        account::end_member,
        account::rotate_token,
        account_email::attach,
        account_email::verify,
        account_email::remove,
        account_email::request,
        account_email::confirm,
        account_sessions::sessions,
        account_sessions::end_session,
        account_sessions::logout,
        account_sessions::rotate_recovery,
        push::info,
        push::channel::subscribe,
        push::channel::list,
        push::channel::get,
        push::channel::remove,
        push::channel::test,
        push::account::subscribe,
        push::account::list,
        push::account::get,
        push::account::remove,
        push::account::test,
        webhooks::channel::subscribe,
        webhooks::channel::list,
        webhooks::channel::remove,
        webhooks::channel::test,
        webhooks::channel::deliveries,
        webhooks::channel::replay,
        webhooks::channel::rotate,
        webhooks::account::subscribe,
        webhooks::account::list,
        webhooks::account::remove,
        webhooks::account::test,
        webhooks::account::deliveries,
        webhooks::account::replay,
        webhooks::account::rotate,
        admin::channels,
        admin::channel,
        admin::delete_channel,
        admin::end_session,
        admin::bans,
        admin::ban,
        admin::unban,
        admin::counters,
        openapi,
        discovery::llms,
        discovery::llms_full,
        discovery::client_script,
        discovery::info,
        discovery::mcp,
        discovery::agent,
        discovery::redirect_to_guide,
        pages::home,
        pages::start,
        pages::remote,
        pages::remote_channel,
        pages::account,
        pages::verify,
        pages::recover,
        pages::admin,
        pages::docs,
        pages::policy,
        pages::policy_text,
        pages::robots,
        pages::files::favicon,
        pages::app::manifest,
        pages::app::service_worker,
        pages::app::icon,
        pages::files::file,
    ),
    modifiers(&Credentials),
    tags(
        (name = "Channels", description = "Create and describe channels, and list the public bands."),
        (name = "Members", description = "Join, refresh and leave."),
        (name = "Messages", description = "Send messages, read the history, and get receipts."),
        (name = "Tasks", description = "Messages that want something back: asking, taking work, the board."),
        (name = "Reading", description = "Polls, streams, acknowledgements and consumers."),
        (name = "Web push", description = "Notify browsers, also while the page is closed."),
        (name = "Webhooks", description = "Deliver messages by POST, for a channel or for an account's identities."),
        (name = "Inspection", description = "Members, statistics and transcripts."),
        (name = "Accounts", description = "Optional. An account owns channels, and identities: reserved callsigns."),
        (name = "Remote control", description = "Instruct an agent from a phone."),
        (name = "Health and metrics", description = "Health probes and counters."),
        (name = "Administration", description = "Operator access. Disabled without an admin token."),
        (name = "Discovery", description = "Guides, cards, and this description."),
        (name = "Pages", description = "Pages for people, and the files they load."),
    )
)]
struct Api;

/// Adds the security schemes.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = |description| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.description = Some(String::from(description));
            SecurityScheme::Http(http)
        };
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("channel_token", bearer("The token of the channel. A band needs none."));
        components.add_security_scheme(
            "server_token",
            bearer("The server token, if the operator configured one. Otherwise omit the header."),
        );
        components.add_security_scheme("admin_token", bearer("The admin token, configured by the operator."));
        components.add_security_scheme("account_session", bearer("The session token of an account."));
        let session = "The session id of a member, from the reply to its join.";
        let session = ApiKeyValue::with_description("X-Session-Id", session);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Header(session)));
    }
}

impl ApiDescription {
    fn new(state: &AppState) -> Self {
        let mut api = serde_json::to_value(Api::openapi()).unwrap_or_default();
        api["servers"] = json!([]);
        for (name, description, card) in [
            ("Info", "The hub: its version, features and endpoints.", cards::info(state, &cards::Addresses::default())),
            ("McpCard", "The hub's MCP server and its tools.", cards::mcp(state, "")),
            ("AgentCard", "The hub as an agent of the A2A protocol.", cards::agent("")),
        ] {
            let mut schema = inferred::schema_of(&card);
            schema["description"] = description.into();
            api["components"]["schemas"][name] = schema;
        }
        if state.server_token.is_none() {
            // Without a configured token there is no token to present.
            for (path, method) in [("/api/account", "post"), ("/metrics", "get")] {
                api["paths"][path][method].as_object_mut().map(|operation| operation.remove("security"));
            }
            for path in ["/api/channels", "/api/remote-control"] {
                api["paths"][path]["post"]["security"] = json!([{}, {"account_session": []}]);
            }
        }
        events::add(&mut api);
        constraints::add(&mut api);
        error_responses::add(&mut api);
        let text = api.to_string();
        let (before, after) = text.split_once(SERVERS).unwrap_or((&text, ""));
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    fn render(&self, origin: &str) -> String {
        let servers = json!([{"url": origin}]);
        format!("{}\"servers\":{servers}{}", self.before, self.after)
    }
}

/// Get this OpenAPI description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "Discovery",
    responses((status = 200, body = Value, description = "OpenAPI 3.1.", content_type = "application/json")),
)]
pub(super) async fn openapi(state: SharedState, cell: Data<DescriptionCell>, request: HttpRequest) -> HttpResponse {
    let description = cell.get_or_init(|| ApiDescription::new(&state));
    HttpResponse::Ok().content_type("application/json").body(description.render(&state.public_origin(&request)))
}

//! `GET /openapi.json`: the API described, from the handlers and from the domain's inputs and replies.
//!
//! It is put together once, when somebody first asks; a request adds only the address it came to. What utoipa cannot say
//! is added to its JSON: the refusals of each route (`refusals.rs`), and rules between fields (`rules.rs`).

mod events;
mod like;
mod parameters;
mod refusals;
mod rules;

use std::sync::OnceLock;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::discovery::{self, cards};
use super::state::{AppState, SharedState};
use super::{account, admin, channels, health, members, messages, metrics, poll, stream, transcript, webhooks};
pub(super) use like::{AgentCard, Info, McpCard};
pub(super) use parameters::{
    AdminQuery, CloseQuery, HistoryQuery, InChannel, MaySession, OfHook, OfIdentity, TranscriptQuery, WithSession,
};

/// Where the servers will stand in the text.
const SERVERS: &str = "\"servers\":[]";

const PREFACE: &str = "How agents talk to a rogerrat hub: plain HTTP, JSON in and out. `/llms.txt` is the same for \
    agents, in blocks to be pasted.\n\nUnknown fields and parameters are ignored, and fields may be added to replies. \
    Of a parameter given twice the first counts; a blank number is 0. HEAD is answered like GET where reading changes \
    nothing. An unknown path is 404, a known path with another method 405 with `Allow`. Every answer has `X-Request-Id`. \
    The codes a route can answer with stand in its `x-error-codes`.";

/// The description, but for the address it is served under.
#[derive(Debug)]
pub(crate) struct Description {
    before: String,
    after: String,
}

/// Where the description is kept when it is made.
pub(super) type Made = OnceLock<Description>;

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
        poll::listen,
        poll::wait,
        stream::stream,
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
        account::open,
        account::recover,
        account::look,
        account::close,
        account::add_identity,
        account::identities,
        account::rotate_key,
        account::remove_identity,
        account::channels,
        account::delete_channel,
        account::rotate_token,
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
        discovery::home,
        discovery::llms,
        discovery::info,
        discovery::mcp,
        discovery::agent,
        discovery::policy,
        discovery::policy_text,
        discovery::robots,
        discovery::style,
        discovery::docs,
        discovery::docs_script,
        discovery::to_the_guide,
    ),
    modifiers(&Credentials),
    tags(
        (name = "Channels", description = "Rooms, and the public bands."),
        (name = "Members", description = "Coming, staying, going."),
        (name = "Messages", description = "Sending, and what became of it."),
        (name = "Reading", description = "Polls, streams, and acknowledging."),
        (name = "Webhooks", description = "Being told of messages by a POST: of a channel, or of an account's identities."),
        (name = "Looking around", description = "Who is here, and how much was said."),
        (name = "Accounts", description = "Optional: callsigns and channels that are somebody's."),
        (name = "The hub", description = "Whether it lives, and what it has done."),
        (name = "Administration", description = "What the operator sees and does; switched off unless a token is set for it."),
        (name = "Finding the way in", description = "What the hub says of itself."),
    )
)]
struct Api;

/// The ways to say who one is.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = |what| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.description = Some(String::from(what));
            SecurityScheme::Http(http)
        };
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("channel_token", bearer("The token of the channel. A band wants none."));
        components.add_security_scheme(
            "server_token",
            bearer("The token of the hub, where its operator set one; without one no bearer is taken."),
        );
        components.add_security_scheme("admin_token", bearer("The token of the administration."));
        components.add_security_scheme("account_session", bearer("The session token of an account."));
        let session = "The session of a member, from the reply of its join.";
        let session = ApiKeyValue::with_description("X-Session-Id", session);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Header(session)));
    }
}

impl Description {
    fn of(state: &AppState) -> Self {
        let mut api = serde_json::to_value(Api::openapi()).unwrap_or_default();
        api["servers"] = json!([]);
        for (name, card) in
            [("Info", cards::info(state, "")), ("McpCard", cards::mcp(state, "")), ("AgentCard", cards::agent(""))]
        {
            api["components"]["schemas"][name] = like::like(&card);
        }
        if state.server_token.is_none() {
            // Nobody needs a token that nobody has.
            for (path, method) in [("/api/account", "post"), ("/metrics", "get")] {
                api["paths"][path][method].as_object_mut().map(|operation| operation.remove("security"));
            }
            api["paths"]["/api/channels"]["post"]["security"] = json!([{}, {"account_session": []}]);
        }
        events::add(&mut api);
        rules::add(&mut api);
        refusals::add(&mut api);
        let text = api.to_string();
        let (before, after) = text.split_once(SERVERS).unwrap_or((&text, ""));
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    fn at(&self, origin: &str) -> String {
        let servers = json!([{"url": origin}]);
        format!("{}\"servers\":{servers}{}", self.before, self.after)
    }
}

/// This description of the API.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "Finding the way in",
    responses((status = 200, body = Value, description = "OpenAPI 3.1.", content_type = "application/json")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn openapi(state: SharedState, made: Data<Made>, request: HttpRequest) -> HttpResponse {
    let description = made.get_or_init(|| Description::of(&state));
    HttpResponse::Ok().content_type("application/json").body(description.at(&state.public_origin(&request)))
}

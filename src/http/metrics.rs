//! `GET /metrics`: metrics of the hub in the OpenMetrics text format. `docs/METRICS.md` explains each metric.
//!
//! It only reads counters that other modules maintain.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use rogerrat_actors::Totals;
use rogerrat_domain::{Code, Refusal};

use super::error_codes::codes;
use crate::system_limits::{self, ResourceUsage};
use crate::web::peers::ForwardedTotals;
use crate::web::problem::Problem;
use crate::web::request_metrics::RequestTotals;
use crate::web::state::{AppState, SharedState, bearer};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Headers that proxies add to forwarded requests.
const FORWARDED_HEADERS: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/// Get metrics in the OpenMetrics text format.
///
/// It needs the server token. If none is configured, only direct requests from the same machine are accepted.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "Health and metrics",
    responses((status = 200, body = String, content_type = "application/openmetrics-text", description = "Metrics.")),
    security(("server_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[&[Code::Unauthorized, Code::Forbidden]])))),
)]
pub(crate) async fn metrics(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    admit(&state, &request)?;
    let text = render(MetricsSnapshot::new(&state)).map_err(|_| Refusal::new(Code::Internal, "internal error"))?;
    Ok(HttpResponse::Ok().content_type(OPENMETRICS).body(text))
}

/// Requires the server token, or without one a direct request from loopback. A configured token is required even from
/// loopback: behind a proxy on the same machine every request comes from there.
fn admit(state: &AppState, request: &HttpRequest) -> Result<(), Refusal> {
    if let Some(hash) = &state.server_token {
        return match bearer(request.headers()) {
            Some(token) if hash.matches(token) => Ok(()),
            _ => Err(Refusal::new(Code::Unauthorized, "invalid bearer token")
                .hint("metrics need the server token: `Authorization: Bearer <token>`")),
        };
    }
    let is_forwarded = FORWARDED_HEADERS.iter().any(|name| request.headers().contains_key(*name));
    if !is_forwarded && request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback()) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "without a server token, metrics are available on this machine only")
        .hint("scrape the hub directly, or start it with --token and send that as `Authorization: Bearer <token>`"))
}

/// All values, read at once.
#[derive(Debug)]
struct MetricsSnapshot {
    hub: Totals,
    http: RequestTotals,
    usage: ResourceUsage,
    connections_refused_total: u64,
    uptime_ms: u64,
    oldest_held_s: u64,
    forwarded: ForwardedTotals,
    /// Channels in memory, if the hub is one of several.
    owned: u64,
}

impl MetricsSnapshot {
    fn new(state: &AppState) -> Self {
        let (oldest_held_ms, now_ms) = (state.hub.oldest_held_ms(), state.clock.now().at_ms);
        let hub = state.hub.totals();
        Self {
            owned: state.hub.instance().map_or(0, |_| hub.now.channels_live),
            forwarded: state.peers.as_ref().map(|peers| peers.forwarded()).unwrap_or_default(),
            hub,
            http: state.request_metrics.totals(),
            usage: system_limits::usage(),
            connections_refused_total: state.connection_limit.refused_total(),
            uptime_ms: state.clock.uptime_ms(),
            oldest_held_s: oldest_held_ms.map_or(0, |sent_ms| now_ms.saturating_sub(sent_ms) / 1000),
        }
    }
}

fn render(snapshot: MetricsSnapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut text = String::with_capacity(8 * 1024);
    text::encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for MetricsSnapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.requests(&mut page)?;
        self.messages(&mut page)?;
        self.state(&mut page)?;
        self.process(&mut page)
    }
}

impl MetricsSnapshot {
    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut family = page.counters("rogerrat_requests", "Requests, by route and status")?;
        for ((route, status), n) in &self.http.requests {
            let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
            count(&mut family.encode_family(&[("route", route.as_str()), ("status", status.as_str())])?, *n)?;
        }
        let codes: Vec<_> = self.http.refusals.iter().map(|(code, n)| (code.as_str(), *n)).collect();
        page.labelled("rogerrat_refusals", "Errors, by code", "code", &codes)?;
        let full = self.hub.mailbox_refusals_total;
        page.counter("rogerrat_mailbox_refusals", "Operations refused because a channel's mailbox was full", full)?;
        let refused = self.connections_refused_total;
        page.counter("rogerrat_connections_refused", "Connections refused because their address had too many", refused)
    }

    fn messages(&self, page: &mut Page<'_>) -> fmt::Result {
        let t = &self.hub;
        page.counter("rogerrat_channels_created", "Channels created", t.channels_created)?;
        page.counter("rogerrat_joins", "Joins, without repeated ones", t.joins_total)?;
        let sends = [("message", t.messages_total - t.statuses_total), ("status", t.statuses_total)];
        page.labelled("rogerrat_sends", "Messages and statuses sent", "kind", &sends)?;
        let deliveries = [("delivered", t.taken_total), ("redelivered", t.returned_total)];
        page.labelled("rogerrat_deliveries", "Messages handed to a reader, by outcome", "outcome", &deliveries)?;
        let gaps = [("ring", t.gaps_total.ring), ("restart", t.gaps_total.restart), ("idle", t.gaps_total.idle)];
        page.labelled("rogerrat_gaps", "Gaps reported to readers", "reason", &gaps)?;
        let lost = [("member", t.held_lost_with_member_total), ("channel", t.held_lost_with_channel_total)];
        page.labelled(
            "rogerrat_held_lost",
            "Held direct messages lost unread, by what they were lost with",
            "with",
            &lost,
        )?;
        let pushes = &t.pushes;
        let ended = [("sent", pushes.sent_total), ("failed", pushes.failed_total), ("dropped", pushes.dropped_total)];
        page.labelled("rogerrat_pushes", "Completed pushes, by result", "status", &ended)?;
        let hooks = &t.webhooks;
        page.counter("rogerrat_webhook_attempts", "Attempts to deliver to a webhook", hooks.attempts_total)?;
        page.counter("rogerrat_webhook_retries", "Failed attempts that are retried", hooks.retried_total)?;
        let ended =
            [("delivered", hooks.delivered_total), ("failed", hooks.failed_total), ("dropped", hooks.dropped_total)];
        page.labelled("rogerrat_webhook_deliveries", "Completed webhook deliveries, by result", "status", &ended)?;
        let mails = &t.mails;
        page.counter("rogerrat_mail_attempts", "Tries to hand an e-mail to the mail server", mails.attempts_total)?;
        let ended = [("sent", mails.sent_total), ("failed", mails.failed_total), ("dropped", mails.dropped_total)];
        page.labelled("rogerrat_mails", "E-mails, by result", "status", &ended)?;
        page.counter("rogerrat_revivals", "Channels recovered after an internal error", t.revivals_total)?;
        self.cluster(page)
    }

    fn state(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = &self.hub.now;
        page.gauge("rogerrat_channels", "Channels, bands included", now.channels)?;
        page.gauge("rogerrat_channels_live", "Channels in memory", now.channels_live)?;
        page.gauge("rogerrat_members", "Members of channels in memory", now.members)?;
        page.gauge("rogerrat_members_live", "Members with a live session", now.members_live)?;
        page.gauge("rogerrat_polls_parked", "Waiting polls", now.polls)?;
        page.gauge("rogerrat_streams_open", "Open streams", now.streams)?;
        page.gauge("rogerrat_held_messages", "Undelivered direct messages", now.held)?;
        page.gauge("rogerrat_held_bytes", "Bytes of undelivered direct messages", now.held_bytes)?;
        let oldest = "Age of the oldest undelivered direct message, in seconds";
        page.gauge("rogerrat_oldest_unread_seconds", oldest, self.oldest_held_s)?;
        page.gauge("rogerrat_push_subscriptions", "Push subscriptions", self.hub.pushes.subscriptions)?;
        let hooks = &self.hub.webhooks;
        page.gauge("rogerrat_webhook_hooks", "Webhooks", hooks.hooks)?;
        page.gauge("rogerrat_webhook_hooks_off", "Webhooks that are switched off", hooks.hooks_off)?;
        page.gauge("rogerrat_webhook_due", "Pending webhook deliveries", hooks.due)?;
        page.gauge("rogerrat_mails_queued", "E-mails that wait to be sent", self.hub.mails.queued)?;
        let is_failing = u64::from(self.hub.is_log_failing);
        page.gauge("rogerrat_store_failing", "1 while storage writes fail", is_failing)?;
        page.gauge("rogerrat_draining", "1 while the hub is shutting down", u64::from(self.hub.is_draining))
    }

    /// What concerns a log that hubs share. On a hub alone everything is 0.
    fn cluster(&self, page: &mut Page<'_>) -> fmt::Result {
        let c = self.hub.cluster;
        page.gauge("rogerrat_owners", "Channels that this instance owns and serves", self.owned)?;
        let moves = [("given_up", c.moved_total), ("lost", c.taken_over_total)];
        page.labelled("rogerrat_moves", "Channels taken, by how their last owner left them", "why", &moves)?;
        let forwarded = [("answered", self.forwarded.answered), ("failed", self.forwarded.failed)];
        page.labelled("rogerrat_forwarded", "Requests forwarded to another instance", "outcome", &forwarded)?;
        page.counter("rogerrat_conflicts", "Records refused because the channel has another owner", c.conflicts_total)?;
        page.counter("rogerrat_dead_declared", "Instances declared ended by this one", c.dead_declared_total)?;
        page.counter("rogerrat_appends", "Records appended to a log that hubs share", c.appends_total)?;
        let micros = c.append_us_total;
        page.counter("rogerrat_append_microseconds", "How long those appends took", micros)
    }

    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.0
            .encode_descriptor("rogerrat_build", "Build information", None, MetricType::Info)?
            .encode_info(&version)?;
        page.gauge("rogerrat_uptime_seconds", "Seconds since the hub started", self.uptime_ms / 1000)?;
        let started = self.hub.started_at_ms / 1000;
        page.gauge("process_start_time_seconds", "When the hub started, in seconds since the epoch", started)?;
        let ResourceUsage { open_files_limit, open_files, resident_bytes } = self.usage;
        page.optional_gauge(
            "process_max_fds",
            "Maximum open files, and so connections, of the process",
            open_files_limit,
        )?;
        page.optional_gauge("process_open_fds", "Open files of the process", open_files)?;
        page.optional_gauge("process_resident_memory_bytes", "Resident memory", resident_bytes)
    }
}

/// The metrics page being written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counters<'s>(&'s mut self, name: &'s str, help: &str) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Counter)
    }

    fn counter(&mut self, name: &str, help: &str, n: u64) -> fmt::Result {
        count(&mut self.counters(name, help)?, n)
    }

    fn labelled(&mut self, name: &str, help: &str, label: &str, rows: &[(&str, u64)]) -> fmt::Result {
        let mut family = self.counters(name, help)?;
        for (value, n) in rows {
            count(&mut family.encode_family(&[(label, *value)])?, *n)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, n: u64) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&n)
    }

    /// A gauge that not every system provides.
    fn optional_gauge(&mut self, name: &str, help: &str, n: Option<u64>) -> fmt::Result {
        n.map_or(Ok(()), |n| self.gauge(name, help, n))
    }
}

fn count(encoder: &mut MetricEncoder<'_>, n: u64) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, u64, f64>(&n, None)
}

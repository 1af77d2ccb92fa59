//! `GET /metrics`: the hub in numbers, as OpenMetrics text for Prometheus. What each means stands in `docs/METRICS.md`.
//!
//! It reads what others have counted and counts nothing itself.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use rogerrat_actors::Totals;
use rogerrat_domain::{Code, Refusal};

use super::problem::Problem;
use super::state::{AppState, SharedState, bearer};
use crate::machine::{self, Usage};
use crate::web::request_metrics::RequestTotals;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What a proxy adds to a request it passes on.
const FORWARDED: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/// The hub in numbers, as OpenMetrics text. With a server token it needs that; without one it is for the machine itself.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "The hub",
    responses((status = 200, body = String, content_type = "application/openmetrics-text", description = "The numbers.")),
    security(("server_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "forbidden"]))),
)]
pub(crate) async fn metrics(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    admit(&state, &request)?;
    let told = told(Snapshot::of(&state)).map_err(|_| Refusal::new(Code::Internal, "internal error"))?;
    Ok(HttpResponse::Ok().content_type(OPENMETRICS).body(told))
}

/// With a server token, whoever has it; without one, whoever is on this machine. Loopback alone would not do where
/// there is a token: a proxy beside the hub makes the whole world come from there.
fn admit(state: &AppState, request: &HttpRequest) -> Result<(), Refusal> {
    if let Some(hash) = &state.server_token {
        return match bearer(request.headers()) {
            Some(token) if hash.admits(token) => Ok(()),
            _ => Err(Refusal::new(Code::Unauthorized, "invalid bearer token")
                .hint("metrics need the server's token here: `Authorization: Bearer <token>`")),
        };
    }
    let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
    if !is_forwarded && request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback()) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "without a server token, metrics are for this machine only")
        .hint("scrape the hub directly, or start it with --token and send that as `Authorization: Bearer <token>`"))
}

/// Everything that is told, read at once.
#[derive(Debug)]
struct Snapshot {
    totals: Totals,
    http: RequestTotals,
    usage: Usage,
    uptime_ms: u64,
}

impl Snapshot {
    fn of(state: &AppState) -> Self {
        Self {
            totals: state.hub.totals(),
            http: state.request_metrics.totals(),
            usage: machine::usage(),
            uptime_ms: state.clock.uptime_ms(),
        }
    }
}

fn told(snapshot: Snapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut told = String::with_capacity(8 * 1024);
    text::encode(&mut told, &registry)?;
    Ok(told)
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.requests(&mut page)?;
        self.talk(&mut page)?;
        self.standing(&mut page)?;
        self.process(&mut page)
    }
}

impl Snapshot {
    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut family = page.counters("rogerrat_requests", "Requests answered, by route and status")?;
        for ((route, status), n) in &self.http.requests {
            let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
            count(&mut family.encode_family(&[("route", route.as_str()), ("status", status.as_str())])?, *n)?;
        }
        let codes: Vec<_> = self.http.refusals.iter().map(|(code, n)| (code.as_str(), *n)).collect();
        page.labelled("rogerrat_refusals", "Errors told, by their code", "code", &codes)?;
        let full = self.totals.mailbox_refusals_total;
        page.counter("rogerrat_mailbox_refusals", "Operations refused because a channel's mailbox was full", full)
    }

    fn talk(&self, page: &mut Page<'_>) -> fmt::Result {
        let t = &self.totals;
        page.counter("rogerrat_channels_created", "Channels created", t.channels_created)?;
        page.counter("rogerrat_joins", "Joins that were not repeats", t.joins_total)?;
        let sends = [("message", t.messages_total - t.statuses_total), ("status", t.statuses_total)];
        page.labelled("rogerrat_sends", "Messages and statuses sent", "kind", &sends)?;
        let deliveries = [("taken", t.taken_total), ("returned", t.returned_total)];
        page.labelled(
            "rogerrat_deliveries",
            "Messages handed to a reader, and what became of them",
            "fate",
            &deliveries,
        )?;
        let gaps = [("ring", t.gaps_total.ring), ("restart", t.gaps_total.restart), ("idle", t.gaps_total.idle)];
        page.labelled("rogerrat_gaps", "Gaps told to readers", "reason", &gaps)?;
        let lost = [("member", t.held_lost_with_member_total), ("channel", t.held_lost_with_channel_total)];
        page.labelled("rogerrat_held_lost", "Held DMs that ended unread, by what they ended with", "with", &lost)?;
        let hooks = &t.webhooks;
        page.counter("rogerrat_webhook_attempts", "Attempts to post to a webhook", hooks.attempts_total)?;
        page.counter(
            "rogerrat_webhook_retries",
            "Attempts that failed and are followed by another",
            hooks.retried_total,
        )?;
        let ended =
            [("delivered", hooks.delivered_total), ("failed", hooks.failed_total), ("dropped", hooks.dropped_total)];
        page.labelled("rogerrat_webhook_deliveries", "Deliveries to webhooks that ended", "status", &ended)?;
        page.counter("rogerrat_revivals", "Channels brought back after a fault of ours", t.revivals_total)
    }

    fn standing(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = &self.totals.now;
        page.gauge("rogerrat_channels", "Channels known, bands included", now.channels)?;
        page.gauge("rogerrat_channels_live", "Channels in memory", now.channels_live)?;
        page.gauge("rogerrat_members", "Members of channels in memory", now.members)?;
        page.gauge("rogerrat_members_live", "Members with a live session", now.members_live)?;
        page.gauge("rogerrat_polls_parked", "Polls that wait", now.polls)?;
        page.gauge("rogerrat_streams_open", "Streams open", now.streams)?;
        page.gauge("rogerrat_held_messages", "Undelivered DMs held", now.held)?;
        page.gauge("rogerrat_held_bytes", "Bytes of undelivered DMs held", now.held_bytes)?;
        let hooks = &self.totals.webhooks;
        page.gauge("rogerrat_webhook_hooks", "Webhooks", hooks.hooks)?;
        page.gauge("rogerrat_webhook_hooks_off", "Webhooks that are switched off", hooks.hooks_off)?;
        page.gauge("rogerrat_webhook_due", "Deliveries due", hooks.due)?;
        let is_failing = u64::from(self.totals.is_log_failing);
        page.gauge("rogerrat_store_failing", "1 while the store refuses what must be kept", is_failing)?;
        page.gauge("rogerrat_draining", "1 while the hub goes down", u64::from(self.totals.is_draining))
    }

    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.0.encode_descriptor("rogerrat_build", "What is running", None, MetricType::Info)?.encode_info(&version)?;
        page.gauge("rogerrat_uptime_seconds", "Seconds since the hub started", self.uptime_ms / 1000)?;
        let started = self.totals.started_at_ms / 1000;
        page.gauge("process_start_time_seconds", "When the hub started, in seconds since the epoch", started)?;
        let Usage { open_files_limit, open_files, resident_bytes } = self.usage;
        page.known("process_max_fds", "Files, and so connections, the process may have open", open_files_limit)?;
        page.known("process_open_fds", "Files the process has open", open_files)?;
        page.known("process_resident_memory_bytes", "Resident memory", resident_bytes)
    }
}

/// The page being written.
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

    /// A gauge that only some systems know.
    fn known(&mut self, name: &str, help: &str, n: Option<u64>) -> fmt::Result {
        n.map_or(Ok(()), |n| self.gauge(name, help, n))
    }
}

fn count(encoder: &mut MetricEncoder<'_>, n: u64) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, u64, f64>(&n, None)
}

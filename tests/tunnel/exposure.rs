//! What a tunnel exposes: its host only, with a token, limits, the address of the client, and no way to this machine.

use rogerrat_testkit::{Hub, Reply, run, wait_until};
use serde_json::{Value, json};

use super::program::Program;

const HOST: &str = "calm-blue-otter-runs.trycloudflare.com";
const OTHER: &str = "warm-red-heron-waits.trycloudflare.com";

/// A request as the program forwards it.
fn through(hub: &Hub, host: &str, method: &str, path: &str) -> rogerrat_testkit::Request {
    hub.request(method, path).header("Host", host).header("X-Forwarded-For", "203.0.113.7")
}

/// The token that the banner shows.
pub(super) fn token(hub: &Hub) -> String {
    let line = hub.banner.lines().find_map(|line| line.trim().strip_prefix("export ROGERRAT_TOKEN=")).unwrap();
    line.trim_matches('\'').to_owned()
}

fn info(hub: &Hub, host: &str) -> Reply {
    through(hub, host, "GET", "/api/v1/info").send()
}

#[test]
fn a26_only_the_current_host_of_the_tunnel_reaches_the_hub() {
    let program = Program::named("cloudflared", "", &[HOST, OTHER]);
    let hub = program.hub(&[], &[]);
    let shown = info(&hub, HOST).ok();
    assert_eq!((&shown["origin"], &shown["features"]["tunnel"]), (&json!(format!("https://{HOST}")), &json!(true)));
    assert!(
        shown["quickstart_for_agents"]["create"]
            .as_str()
            .unwrap()
            .contains(&format!("POST https://{HOST}/api/channels"))
    );
    assert_eq!(shown["temporary_origin"], true);
    let display = |reply: Reply| serde_json::from_str::<Value>(&reply.text()).unwrap()["display"].clone();
    assert_eq!(display(through(&hub, HOST, "GET", "/manifest.webmanifest").send()), "browser");
    assert_eq!(display(hub.get("/manifest.webmanifest").send()), "standalone");
    assert!(through(&hub, HOST, "GET", "/llms.txt").send().text().contains(&format!("https://{HOST}")));
    info(&hub, OTHER).refused(421, "misdirected");
    info(&hub, &format!("x.{HOST}")).refused(421, "misdirected");
    for origin in [format!("https://{HOST}"), format!("https://{}", HOST.to_uppercase())] {
        through(&hub, HOST, "GET", "/api/v1/info").header("Origin", &origin).send().ok();
    }
    through(&hub, HOST, "GET", "/api/v1/info")
        .header("Origin", &format!("https://{OTHER}"))
        .send()
        .refused(403, "forbidden");
    // Beside the tunnel the hub is as before, and its links for phones lead through the tunnel.
    let local = hub.get("/api/v1/info").send().ok();
    assert_eq!((&local["origin"], &local["homepage"]), (&json!(format!("https://{HOST}")), &json!(hub.origin())));
    assert_eq!(local["temporary_origin"], false);
    program.control("die");
    wait_until("the old name is refused", || info(&hub, HOST).status == 421);
    wait_until("the tunnel has another name", || info(&hub, OTHER).status == 200);
    info(&hub, HOST).refused(421, "misdirected");
    assert_eq!(info(&hub, OTHER).ok()["origin"], format!("https://{OTHER}"));
    assert_eq!(hub.get("/api/v1/info").send().ok()["origin"], format!("https://{OTHER}"));
    wait_until("the log has the new host", || hub.log().contains(OTHER));
}

#[test]
fn a28_pages_cannot_subscribe_under_an_address_that_ends_with_the_tunnel() {
    let program = Program::named("cloudflared", "", &[HOST, HOST]);
    let contact = ("ROGERRAT_PUSH__CONTACT", "mailto:operator@hub.example.org");
    let of = |hub: &Hub, host: &str| {
        let push = through(hub, host, "GET", "/api/push").send().ok();
        let info = info(hub, host).ok();
        assert_eq!(push["enabled"], info["features"]["push"]);
        (push, info["temporary_origin"].clone())
    };
    let hub = program.hub(&[], &[contact]);
    let (push, is_temporary) = of(&hub, HOST);
    assert_eq!((&push["enabled"], &is_temporary), (&json!(false), &json!(true)));
    assert!(push["why"].as_str().unwrap().contains("server.origin"), "{push}");
    let created = through(&hub, HOST, "POST", "/api/channels").bearer(&token(&hub)).json(&json!({})).send().ok();
    let (id, token) = (created["channel_id"].as_str().unwrap(), created["join_token"].as_str().unwrap());
    let joined =
        hub.post(&format!("/api/channels/{id}/join")).bearer(token).json(&json!({"callsign": "ann"})).send().ok();
    let subscribe = through(&hub, HOST, "POST", &format!("/api/channels/{id}/push")).bearer(token);
    let subscribe = subscribe.session(joined["session_id"].as_str().unwrap()).json(&json!({}));
    assert_eq!(subscribe.send().refused(404, "not_found")["hint"], push["why"]);
    let local = hub.origin().replace("http://", "");
    assert_eq!(of(&hub, &local).1, false);
    assert_eq!(of(&hub, &local).0["enabled"], true);
    drop(hub);
    // An address of the tunnel that the operator keeps.
    let hub = program.hub(&["--origin", &format!("https://{HOST}")], &[contact]);
    let (push, is_temporary) = of(&hub, HOST);
    assert_eq!((&push["enabled"], &is_temporary), (&json!(true), &json!(false)));
}

#[test]
fn d23_a_hub_with_a_tunnel_needs_a_token_and_limits_addresses() {
    let program = Program::named("cloudflared", "", &[HOST]);
    let hub = program.hub(&["--admin-token", "administer"], &[("ROGERRAT_LIMITS__CREATE_PER_ADDRESS", "3")]);
    let create = |token: Option<&str>| {
        let request = through(&hub, HOST, "POST", "/api/channels").json(&json!({}));
        token.map_or(request.clone(), |token| request.clone().bearer(token)).send()
    };
    create(None).refused(401, "unauthorized");
    hub.post("/api/channels").json(&json!({})).send().refused(401, "unauthorized");
    let token = token(&hub);
    let created = create(Some(&token)).ok();
    assert!(created.to_string().contains(&format!("https://{HOST}/")), "{created}");
    assert!(!created.to_string().contains("http://"), "{created}");
    through(&hub, HOST, "GET", "/metrics").send().refused(401, "unauthorized");
    through(&hub, HOST, "GET", "/api/admin/bans").bearer(&token).send().refused(401, "unauthorized");
    // Loopback is not open to webhooks, whoever asks.
    for url in ["http://127.0.0.1:1999/", "http://localhost:1999/", "http://[::1]:1999/"] {
        let path = format!("/api/channels/{}/webhooks", created["channel_id"].as_str().unwrap());
        let webhook = hub.post(&path).bearer(created["join_token"].as_str().unwrap()).json(&json!({"url": url}));
        webhook.send().refused(400, "invalid");
    }
    let path = program.search_path();
    let checked = run(&["check", "--tunnel", "cloudflared"], &program.env(&path));
    let checked = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.contains("server.tunnel = \"cloudflared\"   # flag --tunnel"), "{checked}");
    assert!(checked.contains("server.token = (set)   # generated"), "{checked}");
    assert!(checked.contains("limits.create_per_address") && !checked.contains("loopback bind"), "{checked}");
}

#[test]
fn d25_the_address_of_a_client_is_forwarded_for_the_host_of_the_tunnel_only() {
    let program = Program::named("cloudflared", "", &[HOST]);
    let hub = program.hub(&[], &[("ROGERRAT_LIMITS__QR_PER_ADDRESS", "2")]);
    let qr = |host: &str, forwarded: &str| {
        let request = hub.post("/api/qr").header("Host", host).header("X-Forwarded-For", forwarded);
        request.json(&json!({"text": "x"})).send().status
    };
    // The nearest address counts: what is left of it was sent by the client itself.
    assert_eq!([1, 2, 3].map(|n| qr(HOST, &format!("198.51.100.{n}, 203.0.113.7"))), [200, 200, 429]);
    assert_eq!(qr(HOST, "203.0.113.8"), 200);
    let local = hub.origin().replace("http://", "");
    assert_eq!([1, 2, 3].map(|n| qr(&local, &format!("198.51.100.{n}"))), [200, 200, 429], "all are this machine");
}

#[test]
fn a26_the_banner_shows_the_address_the_token_the_room_and_a_qr_code() {
    let program = Program::named("cloudflared", "", &[HOST]);
    let hub = program.hub(&["--chatroom", "pass & word"], &[]);
    let banner = &hub.banner;
    for text in [
        format!("  https://{HOST}\n"),
        format!("-X POST https://{HOST}/api/channels -d '{{}}'\n"),
        format!("https://{HOST}/#p=pass%20%26%20word\n"),
        format!("agent-chat join --url https://{HOST} "),
        format!("  export ROGERRAT_TOKEN='{}'\n", token(&hub)),
    ] {
        assert!(banner.contains(&text), "{text} is not in\n{banner}");
    }
    assert!(banner.contains('█') && banner.contains('▀') && !banner.contains("?password="), "{banner}");
    let page = through(&hub, HOST, "GET", "/").send();
    assert_eq!(page.status, 200);
    let given = Program::named("ngrok", "", &["ab12.ngrok-free.app"]);
    let hub = given.hub(&[], &[("ROGERRAT_SERVER__TOKEN", "correct-horse-battery")]);
    assert!(hub.banner.contains("  https://ab12.ngrok-free.app\n"), "{}", hub.banner);
    assert!(hub.banner.contains("ngrok shows browsers a page of its own first"), "{}", hub.banner);
    assert!(!hub.banner.contains("correct-horse"), "a token that was given is not shown\n{}", hub.banner);
    assert_eq!(info(&hub, "ab12.ngrok-free.app").ok()["features"]["tunnel"], Value::Bool(true));
    info(&hub, "cd34.ngrok-free.app").refused(421, "misdirected");
}

#[test]
fn a_hub_without_a_tunnel_knows_no_host_of_one() {
    let hub = Hub::start();
    info(&hub, HOST).refused(421, "misdirected");
    assert_eq!(hub.get("/api/v1/info").send().ok()["features"]["tunnel"], Value::Bool(false));
}

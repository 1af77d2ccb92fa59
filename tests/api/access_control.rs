//! D23 to D26: server token, Host and Origin checks, client addresses and rate limits.

use rogerrat_testkit::{HttpTarget, Hub, Reply, Stream};
use serde_json::json;

const TOKEN: &str = "correct-horse-battery";

fn create(target: HttpTarget) -> rogerrat_testkit::Request {
    target.post("/api/channels").json(&json!({}))
}

#[test]
fn d23_creating_channels_needs_the_server_token() {
    let hub = Hub::with(&["--token", TOKEN], &[]);
    create(*hub).send().refused(401, "unauthorized");
    create(*hub).bearer("wrong-horse-battery").send().refused(401, "unauthorized");
    create(*hub).header("Authorization", &format!("Basic {TOKEN}")).send().refused(401, "unauthorized");
    create(*hub).header("Authorization", &format!("bearer  {TOKEN}")).send().ok();
    let created = create(*hub).bearer(TOKEN).send().ok();
    let channel = rogerrat_testkit::Channel::new(
        *hub,
        created["channel_id"].as_str().unwrap(),
        created["join_token"].as_str().unwrap(),
    );
    channel.join("ann").say("the channel's own token is enough for the channel");
    hub.get(&channel.path("roster")).bearer(TOKEN).send().refused(401, "unauthorized");
    assert_eq!(hub.get("/api/bands").send().status, 200);
    hub.band("general").join("bob");
}

#[test]
fn d23_an_unknown_token_is_refused_without_a_server_token() {
    let hub = Hub::start();
    create(*hub).send().ok();
    create(*hub).bearer("who-knows").send().refused(401, "unauthorized");
}

#[test]
fn d24_a_web_page_cannot_control_a_local_hub() {
    let hub = Hub::start();
    let channel = hub.channel();
    let port = hub.0.port();
    let as_host = |host: &str| channel.request("GET", "roster").header("Host", host).send();
    let ours = [format!("127.0.0.1:{port}"), "127.0.0.1".into(), "10.9.8.7:1".into(), "[::1]:9".into()];
    let named = ["localhost", "LOCALHOST:1", "a.localhost:2", "localhost."].map(str::to_owned);
    for host in ours.into_iter().chain(named) {
        assert_eq!(as_host(&host).status, 200, "{host}");
    }
    let malformed = ["", "a:b:c", "localhost:$(id)", "127.0.0.1:x", "[::1", "[[::1]]"];
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost"].into_iter().chain(malformed)
    {
        let refusal = as_host(host).refused(421, "misdirected");
        assert!(refusal["hint"].as_str().unwrap().contains("server.allowed_hosts"), "{refusal}");
    }
    let before = channel.visible_state();
    for (method, what) in [("POST", "join"), ("POST", "send"), ("GET", "stream"), ("GET", "listen"), ("GET", "nowhere")]
    {
        channel.request(method, what).header("Host", "evil.example").send().refused(421, "misdirected");
    }
    create(*hub).header("Host", "evil.example").send().refused(421, "misdirected");
    assert_eq!(channel.visible_state(), before);
    for path in ["/livez", "/readyz", "/healthz"] {
        assert_eq!(hub.get(path).header("Host", "evil.example").send().status, 200, "{path}");
    }
}

#[test]
fn d24_a_foreign_origin_is_refused() {
    let hub = Hub::start();
    let channel = hub.channel();
    let from = |origin: &str| channel.request("GET", "roster").header("Origin", origin).send();
    assert_eq!(from(&hub.origin()).status, 200);
    let other_port = format!("http://127.0.0.1:{}", hub.0.port().wrapping_add(1));
    for origin in ["null", "http://evil.example", "http://127.0.0.1", "", "file://", &other_port] {
        from(origin).refused(403, "forbidden");
    }
    let second =
        channel.request("GET", "roster").header("Origin", &hub.origin()).header("Origin", "http://evil.example");
    second.send().refused(403, "forbidden");
    create(*hub).header("Origin", "http://evil.example").send().refused(403, "forbidden");
    channel.request("OPTIONS", "send").header("Origin", "http://evil.example").send().refused(403, "forbidden");
    assert!(from(&hub.origin()).headers.iter().all(|(name, _)| !name.starts_with("access-control")), "no CORS");
}

#[test]
fn d24_configured_hosts_and_origins_are_accepted() {
    let hub = Hub::with(
        &["--origin", "https://hub.example.org"],
        &[
            ("ROGERRAT_SERVER__ALLOWED_HOSTS", "inside.example"),
            ("ROGERRAT_SERVER__ALLOWED_ORIGINS", "https://app.example.org"),
        ],
    );
    let at = |host: &str| hub.get("/api/bands").header("Host", host).send().status;
    for host in ["hub.example.org", "park.hub.example.org:443", "codex-go.hub.example.org", "inside.example:7"] {
        assert_eq!(at(host), 200, "{host}");
    }
    for host in ["example.org", "x.hub.example.org", "hub.example.org.evil.example", "x.inside.example"] {
        assert_eq!(at(host), 421, "{host}");
    }
    let from = |origin: &str| hub.get("/api/bands").header("Origin", origin).send().status;
    assert_eq!((from("https://app.example.org"), from("https://hub.example.org")), (200, 200));
    assert_eq!((from("http://app.example.org"), from("http://hub.example.org")), (403, 403));
    assert_eq!(create(*hub).send().ok()["bootstrap_mcp_url"], "https://hub.example.org/mcp");
}

/// Creates channels until the limit of two per minute is reached. Returns how many succeeded.
fn creates(hub: &Hub, headers: &[(&str, &str)]) -> usize {
    let one = || headers.iter().fold(create(**hub), |request, (name, value)| request.header(name, value)).send();
    (0..5).map(|_| one()).take_while(|reply| reply.status == 200).count()
}

#[test]
fn d25_only_a_trusted_proxy_can_set_the_client_address() {
    let limit = [("ROGERRAT_LIMITS__CREATE_PER_ADDRESS", "2")];
    let hub = Hub::with(&[], &limit);
    assert_eq!(creates(&hub, &[("X-Forwarded-For", "192.0.2.1")]), 2);
    for name in ["X-Forwarded-For", "CF-Connecting-IP", "X-Real-IP", "Forwarded", "True-Client-IP"] {
        assert_eq!(creates(&hub, &[(name, "192.0.2.77")]), 0, "{name} is believed");
    }
    let behind = Hub::with(&["--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8"], &limit);
    assert_eq!(creates(&behind, &[("X-Forwarded-For", "192.0.2.1")]), 2);
    assert_eq!(creates(&behind, &[("X-Forwarded-For", "6.6.6.6, 192.0.2.1")]), 0, "read from the right");
    assert_eq!(creates(&behind, &[("X-Forwarded-For", "192.0.2.1, 10.1.2.3")]), 0, "trusted proxies are skipped");
    assert_eq!(creates(&behind, &[("X-Forwarded-For", "192.0.2.2, 10.1.2.3")]), 2);
    assert_eq!(creates(&behind, &[("CF-Connecting-IP", "192.0.2.9")]), 2, "the peer address counts");
    assert_eq!(creates(&behind, &[("CF-Connecting-IP", "192.0.2.10")]), 0);
}

#[test]
fn d26_a_session_may_send_sixty_per_minute() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for n in 0..60 {
        let reply = ann.try_send(&json!({"message": n.to_string()}));
        reply.ok();
        assert_eq!(reply.header("x-ratelimit-limit"), Some("60"));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some((59 - n).to_string().as_str()));
        assert!(reply.header("x-ratelimit-reset").unwrap().parse::<u64>().unwrap() > 1_600_000_000);
    }
    let reply = ann.try_send(&json!({"message": "one too many"}));
    let refusal = reply.refused(429, "rate_limited");
    let seconds = reply.header("retry-after").unwrap().parse::<u64>().unwrap();
    assert!((1..=60).contains(&seconds) && refusal["retry_after_seconds"] == json!(seconds), "{refusal}");
    assert_eq!(limits(&reply), [Some("60"), Some("0")]);
    assert_eq!(ann.rejoin().try_send(&json!({"message": "the same session"})).status, 429);
    bob.say("each session has its own");
    assert_eq!(channel.history().len(), 61);
    assert_eq!(ann.listen().len(), 1, "reads are not counted");
}

fn limits(reply: &Reply) -> [Option<&str>; 2] {
    [reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining")]
}

#[test]
fn d26_a_refused_send_reports_the_limit_and_does_not_count() {
    let hub = Hub::with(&["--rate-limit", "3"], &[]);
    let channel = hub.channel();
    let ann = channel.join("ann");
    for _ in 0..5 {
        let reply = ann.try_send(&json!({"to": "nobody", "message": "x"}));
        reply.refused(400, "unknown_recipient");
        assert_eq!(limits(&reply), [Some("3"), Some("3")]);
        assert_eq!(limits(&ann.try_send(&json!({"message": "x", "priority": "loud"}))), [None, None]);
    }
    assert_eq!(limits(&ann.try_send(&json!({"message": "x"}))), [Some("3"), Some("2")]);
}

#[test]
fn d26_ten_sends_per_minute_on_bands() {
    let hub = Hub::start();
    let ann = hub.band("general").join("ann");
    for _ in 0..10 {
        assert_eq!(limits(&ann.try_send(&json!({"message": "x"})))[0], Some("10"));
    }
    ann.try_send(&json!({"message": "x"})).refused(429, "rate_limited");
    hub.channel().join("ann").say("a channel counts for itself");
}

#[test]
fn d26_limits_can_be_changed_and_disabled() {
    let hub = Hub::with(&["--rate-limit", "2"], &[("ROGERRAT_LIMITS__SEND_PER_SESSION_BAND", "1")]);
    let ann = hub.channel().join("ann");
    assert_eq!([1, 2, 3].map(|_| ann.try_send(&json!({"message": "x"})).status), [200, 200, 429]);
    let bob = hub.band("help").join("bob");
    assert_eq!([1, 2].map(|_| bob.try_send(&json!({"message": "x"})).status), [200, 429]);
    let off = Hub::unlimited();
    let ann = off.channel().join("ann");
    for _ in 0..100 {
        let reply = ann.try_send(&json!({"message": "x"}));
        assert_eq!((reply.status, limits(&reply)), (200, [None, None]));
    }
}

#[test]
fn d26_address_limits_apply_on_loopback_only_if_configured() {
    let free = Hub::start();
    let channel = free.channel();
    for n in 0..130 {
        channel.try_join(&json!({"callsign": format!("a{n}")})).ok();
        create(*free).send().ok();
    }
    let hub = Hub::with(&[], &[("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "3"), ("ROGERRAT_LIMITS__SEND_PER_ADDRESS", "4")]);
    let channel = hub.channel();
    let agents = ["a", "b", "c"].map(|name| channel.join(name));
    let late = channel.try_join(&json!({"callsign": "d"}));
    late.refused(429, "rate_limited");
    let seconds = late.header("retry-after").unwrap().parse::<u64>().unwrap();
    assert!((10..=60).contains(&seconds), "three per minute: {seconds}");
    let sent = agents.iter().cycle().take(6).map(|agent| agent.try_send(&json!({"message": "x"})).status);
    assert_eq!(sent.collect::<Vec<_>>(), [200, 200, 200, 200, 429, 429], "across all its sessions");
    let mut stream = Stream::open(agents[0].request("GET", "stream"));
    assert_eq!(stream.text(), "x", "reads still work");
}

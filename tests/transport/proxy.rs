//! A hub behind a proxy: client addresses from `X-Forwarded-For`, and URLs with the public origin.

use rogerrat_testkit::Hub;

use super::curl::curl;

#[test]
fn d25_only_the_trusted_proxy_is_believed() {
    let flags = ["--trusted-proxy", "127.0.0.1", "--origin", "https://hub.example.org"];
    let hub = Hub::with(&flags, &[("ROGERRAT_LIMITS__CREATE_PER_ADDRESS", "1")]);
    let create = |forwarded: &str| {
        let forwarded = format!("X-Forwarded-For: {forwarded}");
        let url = format!("{}/api/channels", hub.origin());
        curl(&["--http2-prior-knowledge", &url, "-H", &forwarded, "-H", "Host: hub.example.org", "-d", "{}"])
    };
    let created = create("192.0.2.1").json();
    assert!(created["mcp_url"].as_str().unwrap().starts_with("https://hub.example.org/mcp/"), "{created}");
    assert_eq!(create("192.0.2.1").status, 429);
    assert_eq!(create("192.0.2.1, 192.0.2.2").status, 200, "the last address counts");
    assert_eq!(create("192.0.2.3, 192.0.2.2").status, 429);
}

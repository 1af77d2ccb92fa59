//! Commands through a proxy: which variables choose it, and the errors it causes.

use rogerrat_testkit::{ForwardProxy, Hub};

use super::kit::Shell;

/// A shell on a new channel of the hub at `origin`, with variables.
fn shell(hub: &Hub, origin: &str, variables: &[(&str, &str)]) -> Shell {
    let channel = hub.channel();
    let place = [("ROGERRAT_ORIGIN", origin), ("ROGERRAT_CHANNEL", &channel.id), ("ROGERRAT_TOKEN", &channel.token)];
    Shell::with(&[&place[..], variables].concat())
}

#[test]
fn plain_requests_go_through_the_proxy_in_absolute_form() {
    let hub = Hub::start();
    let proxy = ForwardProxy::requiring(hub.0, "Basic YW5uOnBAc3M=");
    let url = format!("http://ann:p%40ss@{}", proxy.address);
    // Only the proxy can resolve this name. The hub accepts it, because it ends with localhost.
    let shell = shell(&hub, "http://hub.localhost:7000/", &[("http_proxy", &url), ("no_proxy", "example.org")]);
    shell.ok(&["join", "--callsign", "ann"]);
    shell.ok(&["send", "all", "through the proxy"]);
    assert!(shell.ok(&["history"]).contains("through the proxy"));
    let bell = shell.start(&["wait", "--callsign", "bob", "--timeout", "30"]);
    assert!(rogerrat_testkit::wait_for_exit(bell).out.contains("through the proxy"), "streams pass, too");
    let requests = proxy.requests();
    let prefix = "POST http://hub.localhost:7000/api/channels/";
    assert!(requests[0].starts_with(prefix) && requests[0].ends_with("/join HTTP/1.1"), "{requests:?}");
    assert!(requests.iter().any(|line| line.contains("/stream?")), "{requests:?}");
}

#[test]
fn https_goes_through_a_tunnel_and_only_the_hub_is_trusted() {
    let home = Shell::with(&[]);
    let made = rcgen::generate_simple_self_signed(["hub.localhost".to_owned()]).unwrap();
    let path = |name: &str| home.home().join(name).to_str().unwrap().to_owned();
    let (ca, key) = (path("hub.pem"), path("hub.key"));
    std::fs::write(&ca, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let hub = Hub::with(&["--tls-cert", &ca, "--tls-key", &key], &[]);
    for (scheme, name) in
        [("http", "HTTPS_PROXY"), ("http", "all_proxy"), ("socks5", "ALL_PROXY"), ("socks5h", "all_proxy")]
    {
        let proxy = match scheme {
            "http" => ForwardProxy::requiring(hub.0, "Basic dTpw"),
            _ => ForwardProxy::start(hub.0),
        };
        let url = format!("{scheme}://u:p@{}", proxy.address);
        let shell =
            Shell::with(&[("ROGERRAT_ORIGIN", "https://hub.localhost"), ("ROGERRAT_CA_FILE", &ca), (name, &url)]);
        shell.ok(&["create"]);
        shell.ok(&["join", "--callsign", "ann"]);
        let requests = proxy.requests();
        let expected = if scheme == "http" { "CONNECT hub.localhost:443 HTTP/1.1" } else { "SOCKS hub.localhost:443" };
        assert!(requests.len() == 2 && requests.iter().all(|line| line == expected), "{name}: {requests:?}");
    }
}

#[test]
fn no_proxy_and_http_proxy_in_upper_case_mean_no_proxy() {
    let hub = Hub::start();
    let proxy = ForwardProxy::start(hub.0);
    let url = format!("http://{}", proxy.address);
    for variables in [
        &[("http_proxy", &*url), ("NO_PROXY", "localhost,127.0.0.0/8")][..],
        &[("all_proxy", &url), ("no_proxy", "*")],
        &[("HTTP_PROXY", &url)],
        &[("https_proxy", &url)],
    ] {
        shell(&hub, &hub.origin(), variables).ok(&["history"]);
    }
    assert_eq!(proxy.requests(), [""; 0]);
    shell(&hub, &hub.origin(), &[("http_proxy", &url)]).ok(&["history"]);
    assert_eq!(proxy.requests().len(), 1, "as with curl, loopback is no exception");
}

#[test]
fn errors_name_the_proxy_and_never_its_password() {
    let hub = Hub::start();
    let failed = |origin: &str, url: &str, text: &str| {
        let name = if origin.starts_with("https") { "https_proxy" } else { "http_proxy" };
        let shell = shell(&hub, origin, &[(name, url)]);
        let ended = shell.run(&["history"]);
        ended.with_one_line(1, text);
        assert!(ended.err.contains(&format!("({name})")) && !ended.err.contains("s3cret"), "{ended:?}");
    };
    let (plain, secure) = ("http://hub.localhost:7000", "https://hub.localhost:7000");
    let locked = ForwardProxy::requiring(hub.0, "Basic dTpw");
    let refusing = ForwardProxy::refusing(hub.0, 502);
    let url = |proxy: &ForwardProxy| format!("http://u:s3cret@{}", proxy.address);
    for origin in [plain, secure] {
        failed(origin, &url(&locked), "the proxy requires authentication");
        failed(origin, &url(&refusing), "status 502");
        failed(origin, "http://u:s3cret@127.0.0.1:1", "cannot connect");
    }
    let unsupported = shell(&hub, plain, &[("http_proxy", "https://u:s3cret@proxy")]).run(&["history"]);
    unsupported.with_one_line(2, "the variable http_proxy does not name a proxy");
    assert!(!unsupported.err.contains("s3cret"), "{unsupported:?}");
}

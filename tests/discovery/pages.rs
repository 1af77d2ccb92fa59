//! Pages and their files: the headers of each route, what a browser may keep, and what the shells load.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use rogerrat_testkit::{Hub, Reply};

const PAGES: [&str; 9] = [
    "/",
    "/start",
    "/remote",
    "/remote/no-such-channel",
    "/account",
    "/account/verify",
    "/account/recover",
    "/admin",
    "/docs",
];
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html hub";
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// The headers that matter for security and caches, one a line.
fn headers(reply: &Reply) -> String {
    let names = [
        "cache-control",
        "content-security-policy",
        "content-type",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "permissions-policy",
        "referrer-policy",
        "x-content-type-options",
        "x-frame-options",
        "x-robots-tag",
    ];
    let lines = names.iter().filter_map(|name| Some(format!("{name}: {}\n", reply.header(name)?)));
    lines.collect::<String>().replace(PAGE_POLICY, "PAGE").replace(API_POLICY, "API")
}

const PAGE: &str = "cache-control: no-cache\ncontent-security-policy: PAGE\ncontent-type: text/html; charset=utf-8\n\
    cross-origin-opener-policy: same-origin\ncross-origin-resource-policy: same-origin\n\
    permissions-policy: camera=(), microphone=(), geolocation=(), interest-cohort=()\nreferrer-policy: no-referrer\n\
    x-content-type-options: nosniff\nx-frame-options: DENY\n";
const API: &str = "cache-control: no-store\ncontent-security-policy: API\ncontent-type: application/json\n\
    permissions-policy: camera=(), microphone=(), geolocation=(), interest-cohort=()\n\
    referrer-policy: strict-origin-when-cross-origin\nx-content-type-options: nosniff\nx-frame-options: DENY\n";

#[test]
fn every_route_has_the_headers_of_its_kind() {
    let hub = Hub::start();
    for path in PAGES.iter().chain(&["/policy"]) {
        let indexed = ["/", "/start", "/docs", "/policy"].contains(path);
        let expected = if indexed { PAGE.to_owned() } else { format!("{PAGE}x-robots-tag: noindex\n") };
        assert_eq!(headers(&hub.get(path).send()), expected, "{path}");
    }
    for path in ["/api/v1/info", "/api/stats", "/api/bands", "/openapi.json", "/nowhere", "/static/0/lib/theme.js"] {
        assert_eq!(headers(&hub.get(path).send()), API, "{path}");
    }
    let channel = hub.channel();
    let ann = channel.join("ann");
    for reply in [ann.get("listen?timeout=1"), ann.get("history"), ann.try_send(&serde_json::json!({"message": "hi"}))]
    {
        assert_eq!(headers(&reply), API);
    }
    for path in ["/llms.txt", "/policy.txt", "/robots.txt"] {
        let reply = hub.get(path).send();
        assert_eq!(
            (reply.header("cache-control"), reply.header("content-security-policy")),
            (Some("no-store"), Some(API_POLICY))
        );
    }
    let robots = hub.get("/robots.txt").send().text();
    for path in ["/api/", "/remote", "/account", "/admin"] {
        assert!(robots.contains(&format!("\nDisallow: {path}\n")), "{robots}");
    }
}

#[test]
fn a_page_that_did_not_change_is_not_sent_again() {
    let hub = Hub::start();
    for path in PAGES.iter().chain(&["/policy"]) {
        let first = hub.get(path).send();
        let tag = first.header("etag").expect("an ETag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        for known in [tag.clone(), format!("\"other\", {tag}"), tag.replace("W/", "")] {
            let reply = hub.get(path).header("If-None-Match", &known).send();
            assert_eq!((reply.status, reply.body.len()), (304, 0), "{path} {known}");
            assert_eq!(reply.header("cache-control"), Some("no-cache"));
            assert_eq!(reply.header("content-security-policy"), Some(PAGE_POLICY));
        }
        assert_eq!(hub.get(path).header("If-None-Match", "\"other\"").send().status, 200);
        hub.post(path).send().refused(405, "method_not_allowed");
        let head = hub.request("HEAD", path).send();
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
    }
    let (one, other) = (hub.get("/start").send(), hub.get("/start").header("Host", "park.localhost").send());
    assert_ne!(one.header("etag"), other.header("etag"), "the page contains the origin");
    assert!(other.text().contains("http://park.localhost/llms.txt"));
}

/// The files below `web/dist`, as paths relative to it.
fn static_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist");
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(&root).expect("below the root").to_owned());
            }
        }
    }
    assert!(found.len() > 20, "the files are not where they were");
    found
}

#[test]
fn every_file_of_the_pages_is_served_with_type_tag_and_compression() {
    let hub = Hub::start();
    let page = hub.get("/start").send().text();
    let hash = page.split("/static/").nth(1).and_then(|rest| rest.split('/').next()).expect("a hash").to_owned();
    for file in static_files() {
        let path = format!("/static/{hash}/{}", file.display());
        let reply = hub.get(&path).send();
        let content = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist").join(&file)).expect("a file");
        assert_eq!((reply.status, &reply.body), (200, &content), "{path}");
        let kind = match file.extension().and_then(|extension| extension.to_str()) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        };
        assert_eq!(reply.header("content-type"), Some(kind), "{path}");
        assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(reply.header("content-security-policy"), Some(API_POLICY));
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!((reply.header("vary"), reply.header("content-encoding")), (Some("accept-encoding"), None));
        let tag = reply.header("etag").expect("an ETag").to_owned();
        let compressed = hub.get(&path).header("Accept-Encoding", "gzip").send();
        if compressed.header("content-encoding") == Some("gzip") {
            let mut decompressed = Vec::new();
            GzDecoder::new(&*compressed.body).read_to_end(&mut decompressed).expect("gzip");
            assert!(decompressed == content && compressed.body.len() < content.len(), "{path}");
        } else {
            assert!(content.len() < 1024, "{path} is long and not compressed");
        }
        assert_eq!(compressed.header("vary"), Some("accept-encoding"));
        let again = hub.get(&path).header("If-None-Match", &tag).send();
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(&*tag)), "{path}");
    }
    for wrong in [
        "/static/0000000000000000/lib/theme.js".to_owned(),
        format!("/static/{hash}/"),
        format!("/static/{hash}/lib"),
        format!("/static/{hash}/lib/none.js"),
        format!("/static/{hash}/../../Cargo.toml"),
        format!("/static/{hash}/lib/%2e%2e/lib/theme.js"),
    ] {
        let reply = hub.get(&wrong).send();
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{wrong}");
        reply.refused(404, "not_found");
    }
    assert_eq!(hub.get("/favicon.svg").send().header("content-type"), Some("image/svg+xml"));
    for (path, kind) in [
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/icons/192.png", "image/png"),
        ("/icons/512.png", "image/png"),
    ] {
        let reply = hub.get(path).send();
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{path}");
        // A service worker runs under the policy it came with; the other files have that of the API.
        let policy = reply.header("content-security-policy").unwrap();
        assert_eq!(policy == API_POLICY, path != "/sw.js", "{path}");
        assert_eq!(policy.contains("sandbox"), path != "/sw.js", "{path}");
        let tag = reply.header("etag").unwrap().to_owned();
        assert_eq!(hub.get(path).header("If-None-Match", &tag).send().status, 304, "{path}");
    }
    assert_eq!(hub.get("/sw.js").send().header("cache-control"), Some("no-cache"));
    let manifest = hub.get("/manifest.webmanifest").send().json();
    assert_eq!((&manifest["start_url"], &manifest["display"]), (&"/remote".into(), &"standalone".into()));
    hub.get("/icons/1.png").send().refused(404, "not_found");
}

#[test]
fn a_page_loads_only_files_that_exist_and_nothing_inline() {
    let hub = Hub::start();
    for path in PAGES.iter().chain(&["/policy"]) {
        let page = hub.get(path).send().text();
        assert!(!page.contains("{{") && !page.contains("<style") && !page.contains(" style="), "{path}: {page}");
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script src=\"/static/").count()
                + page.matches("<script type=\"module\" src=\"/static/").count(),
            "{path}"
        );
        for url in page.split('"').filter(|part| part.starts_with("/static/")) {
            let url = url.split('#').next().unwrap_or_default();
            assert_eq!(hub.get(url).send().status, 200, "{path}: {url}");
        }
    }
    let landing = hub.get("/").send().text();
    assert!(landing.contains(&format!("Read {}/llms.txt", hub.origin())), "it says what to do without scripts");
}

#[test]
fn with_a_room_at_the_root_the_start_page_is_at_start() {
    let hub = Hub::with(&["--chatroom", "a-secret-word"], &[]);
    assert!(hub.get("/").send().text().contains("/room/main.js"));
    assert!(hub.get("/start").send().text().contains("/landing/main.js"));
}

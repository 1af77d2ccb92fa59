//! The pages of `docs/` match the code: error codes and statuses, routes, configuration keys, links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rogerrat_domain::Code;

use crate::workspace::{none, read, root};

/// The text between the first `open` and the next `close` after it.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner)
}

/// The codes with their statuses, from the table that `src/web/problem.rs` tests itself against.
fn codes() -> BTreeSet<(String, String)> {
    let source = read("src/web/problem.rs");
    let table = between(&source, "let table =", "]").unwrap_or_default().trim().trim_start_matches('[');
    let statuses: Vec<_> =
        table.split(',').map(|status| status.trim().to_owned()).filter(|status| !status.is_empty()).collect();
    assert_eq!(statuses.len(), Code::ALL.len(), "the table of statuses is not where it was");
    Code::ALL.iter().map(|code| code.as_str().to_owned()).zip(statuses).collect()
}

#[test]
fn every_code_has_its_line_with_its_status_and_no_other_code_has_one() {
    let page = read("docs/ERRORS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let rows = rows.filter_map(|(code, rest)| Some((code.to_owned(), rest.split_once(" | ")?.0.to_owned())));
    let told: BTreeSet<_> = rows.filter(|(_, status)| status.parse::<u16>().is_ok()).collect();
    assert_eq!(told, codes(), "docs/ERRORS.md and Code::ALL");
}

/// Every route as `METHOD /path`, from the text of the router.
fn routes() -> BTreeSet<String> {
    let source = read("src/http/mod.rs")
        + &read("src/http/account.rs")
        + &read("src/http/account_email.rs")
        + &read("src/http/account_sessions.rs")
        + &read("src/http/admin.rs")
        + &read("src/http/push/mod.rs")
        + &read("src/http/webhooks/mod.rs")
        + &read("src/http/discovery/mod.rs")
        + &read("src/http/pages/mod.rs");
    let mut routes = BTreeSet::new();
    let mut prefix = "";
    for line in source.lines().map(str::trim) {
        if let Some(function) = line.strip_prefix("pub(super) ").unwrap_or(line).strip_prefix("fn ") {
            prefix = if function.starts_with("in_channel") { "/api/channels/{id}" } else { "" };
        }
        let Some(service) = line.strip_prefix(".service(") else { continue };
        let service = service.strip_prefix("at.").unwrap_or(service);
        let quoted: Vec<_> = service.split('"').skip(1).step_by(2).collect();
        let (method, path) = match (service.split('(').next(), quoted.first(), quoted.get(1)) {
            (Some("get"), Some(path), _) => ("GET", *path),
            (Some("post"), Some(path), _) => ("POST", *path),
            (Some("only"), Some(method), Some(path)) => (*method, *path),
            (Some("either"), Some(path), _) => {
                routes.insert(format!("GET {prefix}{path}"));
                ("POST", *path)
            }
            (Some("all"), Some(path), _) => {
                routes.extend(["GET", "POST"].map(|method| format!("{method} {path}")));
                ("DELETE", *path)
            }
            (Some("post_and_delete"), Some(path), _) => {
                routes.insert(format!("POST {path}"));
                ("DELETE", *path)
            }
            (Some("get_and"), Some(method), Some(path)) => {
                routes.insert(format!("GET {prefix}{path}"));
                (*method, *path)
            }
            (Some("web::scope"), ..) => continue,
            _ => panic!("this route is not understood: {line}"),
        };
        routes.insert(format!("{method} {prefix}{path}"));
    }
    let mcp = read("src/mcp/mod.rs");
    for path in mcp.split("at(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        routes.extend(["POST", "DELETE"].map(|method| format!("{method} {path}")));
    }
    let compat = read("src/compat/agent_chatroom/mod.rs");
    let room = between(&compat, "const ROOM: &str = \"", "\"").unwrap_or_default();
    for path in
        compat.split("at(\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|path| !path.contains('{'))
    {
        let path = if path.starts_with("/compat") { path.to_owned() } else { format!("{room}{path}") };
        routes.insert(format!("GET {path}"));
    }
    routes.insert(format!("POST {room}/messages"));
    assert!(routes.len() > 20, "the router is not where it was");
    routes
}

#[test]
fn every_route_has_its_section_and_every_section_its_route() {
    let page = read("docs/API.md");
    let told = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).map(str::to_owned);
    assert_eq!(
        told.collect::<BTreeSet<_>>(),
        routes(),
        "docs/API.md and the routers of src/http, src/mcp and src/compat"
    );
}

#[test]
fn every_configuration_key_is_explained_and_operators_find_it() {
    let (defaults, page) = (read("config/default.toml"), read("docs/OPERATIONS.md"));
    let (mut section, mut before, mut offenders) = ("", "", Vec::new());
    for line in defaults.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            let key = format!("{section}.{key}");
            if !before.starts_with('#') || !page.contains(&format!("`{key}`")) {
                offenders.push(key);
            }
        }
        before = line;
    }
    none("keys without a comment in config/default.toml or a line in docs/OPERATIONS.md", &offenders);
}

#[test]
fn the_registry_and_the_skill_say_what_is_true() {
    let server: serde_json::Value = serde_json::from_str(&read("server.json")).expect("server.json is JSON");
    assert_eq!(server["version"], env!("CARGO_PKG_VERSION"));
    let (name, about) =
        (server["name"].as_str().unwrap_or_default(), server["description"].as_str().unwrap_or_default());
    assert!(name.ends_with("/rogerrat") && name.matches('/').count() == 1, "{name}");
    assert!((1..=100).contains(&about.chars().count()), "the registry takes 100 characters");
    let skill = read("skills/rogerrat/SKILL.md");
    let front = between(&skill, "---\n", "---\n").expect("a skill begins with its front matter");
    assert!(front.starts_with("name: rogerrat\n"), "its name is its folder's");
    let about = front.lines().find_map(|line| line.strip_prefix("description: ")).unwrap_or_default();
    assert!((1..=1024).contains(&about.chars().count()));
    let catalogue = read("src/mcp/catalogue.rs");
    for tool in ["create_channel", "join", "send", "wait", "listen", "roster", "leave"] {
        assert!(skill.contains(&format!("`{tool}`")) && catalogue.contains(&format!("\"{tool}\"")), "{tool}");
    }
    let told: BTreeSet<_> = codes().into_iter().map(|(code, _)| code).collect();
    let table = skill.split_once("| code | do |").expect("a table of codes").1;
    for code in table.lines().filter_map(|line| line.strip_prefix("| `")).flat_map(|row| row.split(" | ").next()) {
        for code in code.split(", ") {
            assert!(told.contains(code.trim_matches('`')), "{code}");
        }
    }
}

/// README and every page below `docs/`.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages: Vec<_> = [root.join("README.md"), root.join("skills/rogerrat/SKILL.md")]
        .into_iter()
        .filter(|readme| readme.exists())
        .collect();
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root.join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
        pages.extend(
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.extension() == Some("md".as_ref())),
        );
    }
    pages
}

/// A heading's name in a link.
fn slug(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let mut offenders = Vec::new();
    for page in pages() {
        let text = read(&page);
        let links = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for link in links.filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let here = page.parent().unwrap_or(Path::new(""));
            let target = if path.is_empty() { page.clone() } else { here.join(path) };
            let has_anchor = || read(&target).lines().any(|line| line.starts_with('#') && slug(line) == anchor);
            if !target.exists() || (!anchor.is_empty() && !has_anchor()) {
                offenders.push(format!("{}: {link}", page.display()));
            }
        }
    }
    none("links that lead nowhere", &offenders);
}

//! D29: snippets work when pasted.

use rogerrat_testkit::{Channel, Hub, Script, argument_lists_with, texts};
use serde_json::{Value, json};

/// The shell session of the original hub's introduction, unchanged.
const INTRODUCTION: &str = include_str!("fixtures/introduction.sh");

/// Passes channel and token to the other agent before the long poll starts, as the introduction describes.
const HAND_OVER: &str = r#"curl() { case "$*" in */listen*) echo; echo "$CHID $TOKEN" ;; esac; command curl "$@"; }
"#;

#[test]
fn the_shell_session_of_the_introduction_works_unchanged() {
    let hub = Hub::start();
    let mut script =
        Script::start(&hub, &(HAND_OVER.to_owned() + &INTRODUCTION.replace("https://rogerrat.chat", &hub.origin())));
    let sent: Value = serde_json::from_str(&script.line().unwrap()).unwrap();
    assert_eq!((&sent["ok"], &sent["to"]), (&json!(true), &json!("all")));
    let (id, token) = script.line().unwrap().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let bravo = Channel::new(*hub, &id, &token).join("bravo");
    assert_eq!(bravo.listen(), ["hello"]);
    bravo.say("hello, alpha");
    let received: Value = serde_json::from_str(&script.read_to_end()).unwrap();
    assert_eq!(
        (texts(&received["messages"]), &received["timed_out"]),
        (vec!["hello, alpha".to_owned()], &json!(false))
    );
}

#[test]
fn the_one_liner_of_the_introduction_creates_a_channel() {
    let hub = Hub::start();
    let line = "curl -s -X POST https://rogerrat.chat/api/channels -d '{\"retention\":\"none\"}'";
    let created = Script::start(&hub, &line.replace("https://rogerrat.chat", &hub.origin())).read_to_end();
    assert_eq!(serde_json::from_str::<Value>(&created).unwrap()["retention"], "none");
}

struct Created {
    hub: Hub,
    channel: Channel,
    reply: Value,
}

impl Created {
    fn new() -> Self {
        let hub = Hub::start();
        let reply = hub.post("/api/channels").send().ok();
        let channel = Channel::new(*hub, reply["channel_id"].as_str().unwrap(), reply["join_token"].as_str().unwrap());
        Self { hub, channel, reply }
    }

    fn snippet(&self, name: &str) -> &str {
        self.reply["connect"][name].as_str().unwrap()
    }

    #[track_caller]
    fn no_argument_list_has_the_token(&self) {
        let lists = argument_lists_with(&self.channel.token);
        assert!(lists.is_empty(), "{lists:?}");
    }
}

#[test]
fn d29_curl_test_works_when_pasted() {
    let created = Created::new();
    created.channel.join("ann");
    let printed = Script::start(&created.hub, created.snippet("curl_test")).read_to_end();
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["roster"], json!(["ann"]));
}

#[test]
fn d29_rest_bash_loop_prints_messages() {
    let created = Created::new();
    let ann = created.channel.join("ann");
    let mut script = Script::start(&created.hub, created.snippet("rest_bash_loop"));
    rogerrat_testkit::wait_until("the script has joined", || created.channel.roster().len() == 2);
    let odd = "it's \"odd\" $(id) `id` \\ \u{1b}[2J\nsecond line 🐀";
    for text in ["first", odd, "last"] {
        ann.say(text);
        let line: Value = serde_json::from_str(&script.line().unwrap()).unwrap();
        assert_eq!(line, json!(["ann", text]), "one line per message, whatever it contains");
    }
    // It waits again, in another curl process.
    let peer = created.channel.roster().into_iter().find(|name| name != "ann").unwrap();
    created.no_argument_list_has_the_token();
    ann.send(&peer, "once more");
    assert!(script.line().unwrap().contains("once more"));
}

#[test]
fn d29_the_commands_of_the_agent_prompt_work_when_pasted() {
    let created = Created::new();
    let prompt = created.snippet("agent_prompt");
    assert!(prompt.contains(&created.channel.id) && prompt.contains(&created.channel.token));
    let begin = prompt.find("export ROGERRAT_TOKEN").unwrap();
    let end = begin + prompt[begin..].find("\n\n").unwrap();
    let ann = created.channel.join("ann");
    let parked = ann.park("wait?timeout=60");
    let home = created.hub.folder().display().to_string();
    let mut script =
        Script::start(&created.hub, &format!("cd '{home}'; export HOME='{home}'\n{}", &prompt[begin..end]));
    let received = parked.answer();
    assert_eq!(texts(&received["messages"]), ["hello"]);
    created.no_argument_list_has_the_token();
    ann.say("hello to you");
    let printed: Vec<_> = std::iter::from_fn(|| script.line()).collect();
    assert!(printed.last().unwrap().ends_with(": hello to you"), "{printed:?}");
    created.no_argument_list_has_the_token();
}

#[test]
fn d29_no_curl_process_has_the_token_in_its_arguments() {
    let created = Created::new();
    let script = Script::start(&created.hub, created.snippet("rest_bash_loop"));
    rogerrat_testkit::wait_until("the script waits", || {
        !argument_lists_with(&format!("{}/wait", created.channel.id)).is_empty()
    });
    created.no_argument_list_has_the_token();
    drop(script);
}

#[test]
fn d29_mcp_snippets_have_the_token_in_a_variable_or_a_file() {
    let created = Created::new();
    let stub = "claude() { printf '%s\\n' \"$@\"; }\n";
    let printed = Script::start(&created.hub, &(stub.to_owned() + created.snippet("claude_code"))).read_to_end();
    assert!(!printed.contains(&created.channel.token), "the token is in the arguments: {printed}");
    let mcp_url = created.reply["mcp_url"].as_str().unwrap();
    assert!(printed.lines().any(|argument| argument == mcp_url), "{printed}");
    for (name, list, url) in [
        ("cursor_json", "mcpServers", "url"),
        ("claude_desktop_json", "mcpServers", "url"),
        ("vscode_cline_json", "mcpServers", "url"),
        ("vscode_json", "servers", "url"),
        ("gemini_json", "mcpServers", "httpUrl"),
        ("opencode_json", "mcp", "url"),
    ] {
        let json: Value = serde_json::from_str(created.snippet(name)).unwrap();
        let server = &json[list]["rogerrat"];
        assert_eq!(server[url], mcp_url, "{name}");
        assert_eq!(server["headers"]["Authorization"], format!("Bearer {}", created.channel.token));
    }
    let codex: toml::Table = created.snippet("codex_toml").parse().unwrap();
    let server = &codex["mcp_servers"]["rogerrat"];
    assert_eq!(server["url"].as_str(), Some(mcp_url));
    let variable = server["bearer_token_env_var"].as_str().unwrap();
    let export = format!("export {variable}='{}'", created.channel.token);
    assert!(created.snippet("codex_toml").lines().next().unwrap().ends_with(&export));
    assert!(server["tool_timeout_sec"].as_integer() > Some(300), "longer than the longest wait");
    assert_eq!(created.reply["connect"]["anthropic_sdk"]["authorization_token"], created.channel.token);
}

#[test]
fn d29_special_characters_are_quoted() {
    let hub = Hub::start();
    let odd = "a'b$(echo${IFS}pwned)`id`;c.localhost";
    let created = hub.post("/api/channels").header("Host", odd).send();
    assert_eq!(created.status, 200, "{}", created.text());
    let created = created.json();
    let id = created["channel_id"].as_str().unwrap();
    let stub = "curl() { cat > /dev/null; printf '<%s>' \"$@\"; }\n";
    let printed =
        Script::start(&hub, &(stub.to_owned() + created["connect"]["curl_test"].as_str().unwrap())).read_to_end();
    assert!(printed.ends_with(&format!("<http://{odd}/api/channels/{id}/roster>")), "{printed}");
    let stub = "claude() { printf '<%s>' \"$@\"; }\n";
    let printed =
        Script::start(&hub, &(stub.to_owned() + created["connect"]["claude_code"].as_str().unwrap())).read_to_end();
    assert!(printed.contains(&format!("<http://{odd}/mcp/{id}>")), "{printed}");
}

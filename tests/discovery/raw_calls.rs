//! D29: `/llms-full.txt`, executed block by block, by two agents that have only the page.

use rogerrat_testkit::{Channel, Hub, argument_lists_with, texts};
use serde_json::{Value, json};

use super::guide::parse_invitation;
use super::shell::{Caller, Page, Shell};

const ODD: &str = "It's \"done\": the build is green, $HOME and `all`.";

/// Two agents: one that creates and joins, and one that follows its invitation.
fn two<'a>(hub: &'a Hub, page: &Page, before: &str) -> (Caller<'a>, Caller<'a>, Channel) {
    let ann = Caller::join(hub, &format!("{before}{}{}", page.create(), page.join()));
    let (id, token, callsign) = parse_invitation(ann.output.lines().next().unwrap());
    let bob = Caller::join(hub, &format!("CHANNEL='{id}'\nTOKEN='{token}'\nCALLSIGN='{callsign}'\n{}", page.join()));
    assert!(bob.output.contains(&format!("callsign: \"{callsign}\"")), "{}", bob.output);
    (ann, bob, Channel::new(**hub, &id, &token))
}

#[test]
fn d29_pasting_the_raw_calls_in_order_leads_to_a_conversation() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    assert_eq!(page.len(), 7, "a new block needs a step in this test");
    let (ann, bob, channel) = two(&hub, &page, "");
    ann.call(page.after("send"));
    ann.call(page.after("send a file"));
    let read: Value = serde_json::from_str(&bob.call(page.after("wait"))).unwrap();
    assert_eq!(texts(&read["messages"]), ["hello", ODD]);
    assert!(argument_lists_with(&channel.token).is_empty(), "a secret is in an argument list");
    for agent in [&ann, &bob] {
        agent.call(page.after("leave"));
    }
    assert_eq!(channel.roster(), Vec::<String>::new());
}

#[test]
fn d29_the_identity_block_joins_as_an_identity() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let channel = hub.channel_with(&json!({"require_identity": true}));
    let before = format!("{}\necho\nCHANNEL='{}' TOKEN='{}'\n", page.identity(), channel.id, channel.token);
    let ann = Caller::join(&hub, &format!("{before}{}", page.join()));
    let callsign = ann.output.lines().next().unwrap();
    assert_eq!(channel.roster(), [callsign]);
    ann.call(page.after("send"));
    assert_eq!(channel.get("history").ok()["history"][0]["verified"], "identity");
    let account = std::fs::read_to_string(hub.folder().join("rogerrat-account.json")).unwrap();
    let account: Value = serde_json::from_str(&account).unwrap();
    let session = account["session_token"].as_str().unwrap();
    let identities = hub.get("/api/account/identities").bearer(session).send().ok();
    assert_eq!(identities["identities"][0]["callsign"], callsign);
}

#[test]
fn d29_the_raw_calls_of_a_hub_with_a_token_use_it() {
    let hub = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let page = Page::of(*hub, None);
    assert!(!page.0.contains("correct-horse"), "the page is public");
    let (ann, bob, _) = two(&hub, &page, "ROGERRAT_TOKEN=correct-horse-battery\n");
    ann.call(page.after("send"));
    assert!(bob.call(page.after("wait")).contains("\"hello\""));
}

#[test]
fn d29_without_rr_every_block_fails_safely() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    for block in ["send", "send a file", "wait", "leave"] {
        let mut shell = Shell::start(&hub, &format!("(\n{}) 2>/dev/null; echo ended $?", page.after(block)), "");
        assert_eq!(shell.line(), "ended 1", "{block}");
    }
}

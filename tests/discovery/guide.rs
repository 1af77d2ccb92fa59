//! D29: `/llms.txt`, executed block by block, by two agents that have only the guide.

use rogerrat_testkit::{Channel, Hub, argument_lists_with, texts, wait_until};
use serde_json::{Value, json};

use super::shell::{Caller, Page, Shell};

const ODD: &str = "It's \"done\": the build is green, $HOME and `all`.";

/// Channel, token and callsign of an invitation: the words in backticks.
fn parse_invitation(invite: &str) -> (String, String, String) {
    let words: Vec<_> = invite.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    (words[0].clone(), words[1].clone(), words[2].clone())
}

/// Two agents: one that creates and joins, and one that follows its invitation.
pub(crate) fn two<'a>(hub: &'a Hub, page: &Page, before: &str) -> (Caller<'a>, Caller<'a>, Channel) {
    let ann = Caller::join(hub, &format!("{before}{}{}", page.create(), page.join()));
    let (id, token, callsign) = parse_invitation(ann.output.lines().next().unwrap());
    let bob = Caller::join(hub, &format!("CHANNEL='{id}'\nTOKEN='{token}'\nCALLSIGN='{callsign}'\n{}", page.join()));
    assert!(bob.output.contains(&format!("callsign: \"{callsign}\"")), "{}", bob.output);
    (ann, bob, Channel::new(**hub, &id, &token))
}

fn texts_of(printed: &str) -> Vec<String> {
    printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().into()).collect()
}

#[test]
fn d29_pasting_the_guide_in_order_leads_to_a_conversation() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    assert_eq!(page.len(), 10, "a new block needs a step in this test");
    let (ann, bob, channel) = two(&hub, &page, "");
    ann.call(page.after("send"));
    ann.call(page.after("send a file"));
    let read: Value = serde_json::from_str(&bob.call(page.after("wait"))).unwrap();
    assert_eq!(texts(&read["messages"]), ["hello", ODD]);
    bob.call(page.after("write the doorbell"));
    let bell = bob.start(page.after("ring"));
    ann.call(page.after("send"));
    assert_eq!(texts_of(&bell.read_to_end()), ["hello"], "it ends with the message");
    bob.call(page.after("inbox"));
    for _ in 0..2 {
        ann.call(page.after("send a file"));
    }
    wait_until("the inbox has all messages", || bob.inbox().len() == 3);
    assert_eq!(bob.inbox()[2]["text"], ODD);
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
fn d29_the_doorbell_acknowledges_stored_messages_and_rejoins_after_expiry() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let (_, bob, channel) = two(&hub, &page, "");
    bob.call(page.after("write the doorbell"));
    let ann = channel.join("ann");
    // A session that left looks like an expired one.
    bob.call("\"$RR/rr\" POST leave");
    ann.say("one");
    assert_eq!(texts_of(&bob.call(page.after("ring"))), ["one"]);
    ann.try_send(&json!({"to": "all", "message": "busy", "kind": "status"}));
    ann.say("line one\nline two \u{2028} {\"from\":\"boss\"}");
    let again = texts_of(&bob.call(page.after("ring")));
    assert_eq!(
        again,
        ["line one\nline two \u{2028} {\"from\":\"boss\"}"],
        "a status does not wake, and no message is printed twice"
    );
    assert_eq!(bob.inbox().len(), 2);
}

#[test]
fn d29_an_interrupted_doorbell_acknowledges_only_messages_it_printed() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let (_, bob, channel) = two(&hub, &page, "");
    bob.call(page.after("write the doorbell"));
    let ann = channel.join("ann");
    ann.say("handed over and never seen");
    bob.call(r#"touch "$RR/reading"; "$RR/rr" GET 'wait?timeout=1&ack=manual&lease=2' > /dev/null"#);
    ann.say("newer");
    assert_eq!(texts_of(&bob.call(page.after("ring"))), ["handed over and never seen", "newer"]);
    assert!(!bob.call(r#"ls "$RR""#).contains("reading"), "the interrupted read is resolved");
}

#[test]
fn d29_the_guide_of_a_hub_with_a_token_uses_it() {
    let hub = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let page = Page::of(*hub, None);
    assert!(!page.0.contains("correct-horse"), "the guide is public");
    let (ann, bob, _) = two(&hub, &page, "ROGERRAT_TOKEN=correct-horse-battery\n");
    ann.call(page.after("send"));
    assert!(bob.call(page.after("wait")).contains("\"hello\""));
}

#[test]
fn d29_without_rr_every_block_fails_safely() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let blocks = ["send", "send a file", "wait", "write the doorbell", "ring", "inbox", "leave"];
    for block in blocks {
        let mut shell = Shell::start(&hub, &format!("(\n{}) 2>/dev/null; echo ended $?", page.after(block)), "");
        assert_eq!(shell.line(), "ended 1", "{block}");
    }
}

#[test]
fn the_guide_joins_a_band() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let join = format!("CHANNEL=general TOKEN=public\n{}", page.join());
    let (ann, bob) = (Caller::join(&hub, &join), Caller::join(&hub, &join));
    ann.call(page.after("send"));
    assert!(bob.call(page.after("wait")).contains("\"hello\""));
    assert!(bob.output.contains("UNTRUSTED"), "{}", bob.output);
}

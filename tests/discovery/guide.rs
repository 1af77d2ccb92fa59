//! D29: `/llms.txt`, block by block, by two agents that have nothing but the page.

use rogerrat_testkit::{Channel, Hub, argument_lists_with, texts, wait_until};
use serde_json::{Value, json};

use super::shell::{Caller, Page, Shell};

const ODD: &str = "It's \"done\": the build is green, $HOME and `all`.";

/// Channel, token and callsign of an invitation: the words in backticks.
fn invited(invite: &str) -> (String, String, String) {
    let words: Vec<_> = invite.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    (words[0].clone(), words[1].clone(), words[2].clone())
}

/// Two agents: one that created and joined, and one that followed its invitation.
pub(crate) fn two<'a>(hub: &'a Hub, page: &Page, before: &str) -> (Caller<'a>, Caller<'a>, Channel) {
    let ann = Caller::join(hub, &format!("{before}{}{}", page.create(), page.join()));
    let (id, token, callsign) = invited(ann.told.lines().next().unwrap());
    let bob = Caller::join(hub, &format!("CHANNEL='{id}'\nTOKEN='{token}'\nCALLSIGN='{callsign}'\n{}", page.join()));
    assert!(bob.told.contains(&format!("callsign: \"{callsign}\"")), "{}", bob.told);
    (ann, bob, Channel::new(**hub, &id, &token))
}

fn heard(printed: &str) -> Vec<String> {
    printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().into()).collect()
}

#[test]
fn d29_the_page_pasted_in_order_ends_in_a_conversation() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    assert_eq!(page.len(), 10, "a new block needs a step here");
    let (ann, bob, channel) = two(&hub, &page, "");
    ann.call(page.after("send"));
    ann.call(page.after("send a file"));
    let read: Value = serde_json::from_str(&bob.call(page.after("wait"))).unwrap();
    assert_eq!(texts(&read["messages"]), ["hello", ODD]);
    bob.call(page.after("write the doorbell"));
    let bell = bob.start(page.after("ring"));
    ann.call(page.after("send"));
    assert_eq!(heard(&bell.read_to_end()), ["hello"], "it ends with what came");
    bob.call(page.after("inbox"));
    for _ in 0..2 {
        ann.call(page.after("send a file"));
    }
    wait_until("the inbox has all of them", || bob.inbox().len() == 3);
    assert_eq!(bob.inbox()[2]["text"], ODD);
    assert!(argument_lists_with(&channel.token).is_empty(), "a secret is in an argument list");
    for agent in [&ann, &bob] {
        agent.call(page.after("leave"));
    }
    assert_eq!(channel.roster(), Vec::<String>::new());
}

#[test]
fn d29_with_the_block_of_identities_one_joins_as_an_identity() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let channel = hub.channel_with(&json!({"require_identity": true}));
    let before = format!("{}\necho\nCHANNEL='{}' TOKEN='{}'\n", page.identity(), channel.id, channel.token);
    let ann = Caller::join(&hub, &format!("{before}{}", page.join()));
    let callsign = ann.told.lines().next().unwrap();
    assert_eq!(channel.roster(), [callsign]);
    ann.call(page.after("send"));
    assert_eq!(channel.get("history").ok()["history"][0]["verified"], "identity");
    let kept = std::fs::read_to_string(hub.folder().join("rogerrat-account.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let session = kept["session_token"].as_str().unwrap();
    let identities = hub.get("/api/account/identities").bearer(session).send().ok();
    assert_eq!(identities["identities"][0]["callsign"], callsign);
}

#[test]
fn d29_the_doorbell_acknowledges_what_it_kept_and_joins_again_after_an_expiry() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let (_, bob, channel) = two(&hub, &page, "");
    bob.call(page.after("write the doorbell"));
    let ann = channel.join("ann");
    // A session that has ended is what an expiry looks like.
    bob.call("\"$RR/rr\" POST leave");
    ann.say("one");
    assert_eq!(heard(&bob.call(page.after("ring"))), ["one"]);
    ann.try_send(&json!({"to": "all", "message": "busy", "kind": "status"}));
    ann.say("line one\nline two \u{2028} {\"from\":\"boss\"}");
    let again = heard(&bob.call(page.after("ring")));
    assert_eq!(
        again,
        ["line one\nline two \u{2028} {\"from\":\"boss\"}"],
        "a status does not ring, and nothing comes twice"
    );
    assert_eq!(bob.inbox().len(), 2);
}

#[test]
fn d29_a_doorbell_that_was_cut_off_acknowledges_nothing_it_has_not_seen() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let (_, bob, channel) = two(&hub, &page, "");
    bob.call(page.after("write the doorbell"));
    let ann = channel.join("ann");
    ann.say("handed over and never seen");
    bob.call(r#"touch "$RR/reading"; "$RR/rr" GET 'wait?timeout=1&ack=manual&lease=2' > /dev/null"#);
    ann.say("newer");
    assert_eq!(heard(&bob.call(page.after("ring"))), ["handed over and never seen", "newer"]);
    assert!(!bob.call(r#"ls "$RR""#).contains("reading"), "and all is done");
}

#[test]
fn d29_a_hub_with_a_token_says_where_it_goes() {
    let hub = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let page = Page::of(*hub, None);
    assert!(!page.0.contains("correct-horse"), "the page is for everybody");
    let (ann, bob, _) = two(&hub, &page, "ROGERRAT_TOKEN=correct-horse-battery\n");
    ann.call(page.after("send"));
    assert!(bob.call(page.after("wait")).contains("\"hello\""));
}

#[test]
fn d29_without_rr_no_block_touches_anything() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let blocks = ["send", "send a file", "wait", "write the doorbell", "ring", "inbox", "leave"];
    for block in blocks {
        let mut shell = Shell::start(&hub, &format!("(\n{}) 2>/dev/null; echo ended $?", page.after(block)), "");
        assert_eq!(shell.line(), "ended 1", "{block}");
    }
}

#[test]
fn a_band_is_joined_by_the_page() {
    let hub = Hub::start();
    let page = Page::of(*hub, None);
    let join = format!("CHANNEL=general TOKEN=public\n{}", page.join());
    let (ann, bob) = (Caller::join(&hub, &join), Caller::join(&hub, &join));
    ann.call(page.after("send"));
    assert!(bob.call(page.after("wait")).contains("\"hello\""));
    assert!(bob.told.contains("UNTRUSTED"), "{}", bob.told);
}

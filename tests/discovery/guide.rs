//! D29: `/llms.txt`, followed by agents that have only the guide: each call is a new shell.

use rogerrat_testkit::{Hub, argument_lists_with, wait_until};

use super::shell::{Page, Reader, Shell};

/// Bytes of a page of 2,000 tokens. Its text has some four bytes for each token, its commands some three.
const PAGE_BYTES: usize = 6_000;

/// Channel, token and callsign of an invitation: the words in backticks.
pub(crate) fn parse_invitation(invite: &str) -> (String, String, String) {
    let words: Vec<_> = invite.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    (words[0].clone(), words[1].clone(), words[2].clone())
}

/// Two agents of one machine: one that opens a channel, and one that follows its invitation. Returns them with what the
/// opening printed, the token and the callsign of the second.
#[track_caller]
pub(crate) fn two<'a>(hub: &'a Hub, page: &Page, before: &str) -> (Reader<'a>, Reader<'a>, [String; 3]) {
    let (ann, bob) = (Reader::new(hub, page), Reader::new(hub, page));
    let opened = ann.call(&format!("{before}{}", page.block("rr create")));
    let (channel, token, callsign) = parse_invitation(opened.lines().last().unwrap());
    let variables = format!("CHANNEL='{channel}'\nTOKEN='{token}'\nCALLSIGN='{callsign}'\n");
    let joined = bob.call(&format!("{variables}{}", page.block("rr join --channel")));
    assert!(joined.starts_with(&format!("you are {callsign} (#2) on {channel}")), "{joined}");
    (ann, bob, [opened, token, callsign])
}

#[test]
fn d29_following_the_guide_leads_to_a_conversation() {
    let hub = Hub::start();
    let page = Page::guide(*hub, None);
    assert_eq!(page.len(), 4, "a new block needs a step in this test");
    let (ann, bob, [_, token, callsign]) = two(&hub, &page, "");
    let talking = ann.start(page.block("rr send"));
    assert!(bob.call("sh rr wait").ends_with(": hello\n"));
    bob.call("sh rr send all <<'EOF'\nIt's \"done\", $HOME and `all`.\nEOF");
    assert!(talking.read_to_end().ends_with(": It's \"done\", $HOME and `all`.\n"));
    let doorbell = bob.start("sh rr wait");
    assert!(argument_lists_with(&token).is_empty(), "a secret is in an argument list");
    ann.call(&format!("sh rr send {callsign} 'are you there?'"));
    assert!(doorbell.read_to_end().ends_with(": are you there?\n"), "it ends with the message");
    let inbox = bob.start("sh rr listen-here --inbox FILE");
    ann.call("sh rr send all 'to the inbox'");
    let lines = || bob.call("cat FILE 2> /dev/null; :");
    wait_until("the inbox has the message", || lines().contains("to the inbox"));
    drop(inbox);
    for agent in [&ann, &bob] {
        assert!(agent.call("sh rr leave").starts_with("left "));
    }
}

#[test]
fn d29_the_guide_fits_into_2000_tokens_on_every_hub() {
    let hub = Hub::with(&["--token", "correct-horse-battery"], &[]);
    for label in ["", "park.", "claude-live.", "codex-go.", "aider."] {
        let page = Page::guide(*hub, Some(&format!("{label}localhost:{}", hub.0.port())));
        assert!(page.0.len() <= PAGE_BYTES, "{label}: {} bytes", page.0.len());
        assert!(page.0.contains("/llms-full.txt"), "the rest is behind a link");
    }
}

#[test]
fn d29_the_guide_of_a_hub_with_a_token_uses_it() {
    let hub = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let page = Page::guide(*hub, None);
    assert!(!page.0.contains("correct-horse") && page.0.contains("set `ROGERRAT_HUB_TOKEN`"), "the guide is public");
    let (ann, bob, _) = two(&hub, &page, "export ROGERRAT_HUB_TOKEN=correct-horse-battery\n");
    ann.call("sh rr send all hello");
    assert!(bob.call("sh rr wait").ends_with(": hello\n"));
}

#[test]
fn d29_a_block_without_its_variables_fails_safely() {
    let hub = Hub::start();
    let page = Page::guide(*hub, None);
    let reader = Reader::new(&hub, &page);
    let block = page.block("rr join --channel");
    for before in ["", "CHANNEL=general\n", "TOKEN=public\n"] {
        let ended = reader.call(&format!("({before}{block}) 2> /dev/null || echo refused"));
        assert_eq!(ended, "refused\n", "{before}");
    }
    let mut shell = Shell::start(&hub, "cd \"$HOME\"; sh rr send all x 2> /dev/null; echo ended $?", "");
    assert_eq!(shell.line(), "ended 2", "without the script");
}

#[test]
fn the_guide_joins_a_band() {
    let hub = Hub::start();
    let page = Page::guide(*hub, None);
    let join = format!("CHANNEL=general TOKEN=public\n{}", page.block("rr join --channel"));
    let (ann, bob) = (Reader::new(&hub, &page), Reader::new(&hub, &page));
    assert!(ann.call(&join).contains("UNTRUSTED"));
    bob.call(&join);
    ann.call("sh rr send all hello");
    assert!(bob.call("sh rr wait").ends_with(": hello\n"));
}

//! Tests of the validation of sends.

use serde_json::{Value, json};

use crate::op::Draft;
use crate::op::harness::parse_draft;
use crate::{Code, Kind, Priority};

fn code(body: &Value) -> Code {
    parse_draft(body).expect_err("it is refused").code
}

fn file(data: &str) -> Value {
    json!({"mime": "image/png", "data_base64": data})
}

#[test]
fn d13_text_has_at_most_8192_characters_and_is_never_truncated() {
    assert!(parse_draft(&json!({"text": "🐀".repeat(8192)})).is_ok());
    assert_eq!(code(&json!({"text": "🐀".repeat(8193)})), Code::Invalid);
    assert!(parse_draft(&json!({"text": "x".repeat(280), "kind": "status"})).is_ok());
    assert_eq!(code(&json!({"text": "x".repeat(281), "kind": "status"})), Code::Invalid);
}

#[test]
fn text_is_an_alias_of_message() {
    let text = |body: Value| parse_draft(&body).map(|d| d.text);
    assert_eq!(text(json!({"message": "a", "text": "b"})).unwrap(), "a");
    assert_eq!(text(json!({"message": null, "text": "b"})).unwrap(), "b");
    assert_eq!(text(json!({"text": "  "})).unwrap(), "  ");
    assert!(text(json!({"message": "", "text": "b"})).is_err());
    assert!(text(json!({})).is_err());
}

#[test]
fn d11_a_recipient_may_be_a_number() {
    let to = |to: Value| parse_draft(&json!({"to": to, "text": "x"})).map(|d| d.to);
    assert_eq!(to(json!(2)).unwrap(), "#2");
    assert_eq!(to(json!(" Bob ")).unwrap(), "bob");
    assert_eq!(to(json!(null)).unwrap(), "");
    for wrong in [json!(-1), json!(1.5), json!(true), json!(["bob"])] {
        assert!(to(wrong).is_err());
    }
}

#[test]
fn priority_and_kind_are_enums() {
    let draft = parse_draft(&json!({"text": "x", "priority": "urgent", "kind": "message"})).unwrap();
    assert_eq!((draft.priority, draft.kind), (Priority::Urgent, Kind::Message));
    for body in [json!({"priority": null}), json!({"kind": null}), json!({"priority": "High"}), json!({"kind": "text"})]
    {
        let mut body = body;
        body["text"] = json!("x");
        assert_eq!(code(&body), Code::Invalid);
    }
}

#[test]
fn suggested_replies_are_counted_then_trimmed() {
    let replies =
        |replies: Value| parse_draft(&json!({"text": "x", "suggested_replies": replies})).map(|d| d.suggested_replies);
    assert_eq!(replies(json!([" yes ", "", "no"])).unwrap(), ["yes", "no"]);
    assert!(replies(json!(null)).unwrap().is_empty() && replies(json!([" "])).unwrap().is_empty());
    assert!(replies(json!(["", "", "", "", ""])).is_err());
    assert!(replies(json!(["x".repeat(64)])).is_ok() && replies(json!(["x".repeat(65)])).is_err());
    assert!(replies(json!([1])).is_err());
}

#[test]
fn attachments_are_checked() {
    let files = |files: Value| parse_draft(&json!({"attachments": files})).map(|d| d.attachments);
    assert_eq!(files(json!([file("AA \n==")])).unwrap()[0].data_base64, "AA==");
    assert!(files(json!([file("A")])).is_ok());
    for data in ["", "  ", "==", "A===", "A-_", "ä"] {
        assert!(files(json!([file(data)])).is_err(), "{data:?}");
    }
    assert!(files(json!([{"mime": "text/html", "data_base64": "AA"}])).is_err());
    assert!(files(json!(vec![file("AA"); 4])).is_ok() && files(json!(vec![file("AA"); 5])).is_err());
    let named = |name: Value| {
        let mut file = file("AA");
        file["filename"] = name;
        files(json!([file])).unwrap()[0].filename.clone()
    };
    assert_eq!(named(json!(" a.png ")).unwrap(), "a.png");
    assert_eq!(named(json!("x".repeat(200))).unwrap().len(), 128);
    assert_eq!((named(json!(" ")), named(json!(5))), (None, None));
}

#[test]
fn d12_attachments_over_their_total_are_too_large() {
    let half = "A".repeat(262_144);
    assert!(parse_draft(&json!({"attachments": [file(&half), file(&half)]})).is_ok());
    assert_eq!(code(&json!({"attachments": [file(&half), file(&half), file("A")]})), Code::TooLarge);
}

#[test]
fn a_status_has_no_attachments_and_no_suggested_replies() {
    let body = json!({"text": "x", "kind": "status", "attachments": [file("AA")], "suggested_replies": ["a"]});
    let draft = parse_draft(&body).unwrap();
    assert!(draft.attachments.is_empty() && draft.suggested_replies.is_empty());
    assert_eq!(code(&json!({"kind": "status", "attachments": [file("AA")]})), Code::Invalid);
}

#[test]
fn a05_a_thread_is_a_short_name() {
    assert_eq!(parse_draft(&json!({"text": "x", "thread": " build "})).unwrap().thread.unwrap(), "build");
    for thread in [" ".to_owned(), "x".repeat(65)] {
        assert_eq!(code(&json!({"text": "x", "thread": thread})), Code::Invalid);
    }
}

#[test]
fn a02_the_outer_key_takes_precedence_and_formatting_does_not_matter() {
    let input = || serde_json::from_value(json!({"text": "x", "client_msg_id": "field"})).unwrap();
    let key = |header| Draft::check(input(), header).map(|d| d.key.unwrap());
    assert_eq!(&*key(Some("header")).unwrap().key, "header");
    assert_eq!(&*key(None).unwrap().key, "field");
    assert_eq!(key(None).unwrap().body_hash, key(Some("header")).unwrap().body_hash);
    for bad in ["", "a b", "ä", &"x".repeat(129)] {
        let input = serde_json::from_value(json!({"text": "x", "client_msg_id": bad})).unwrap();
        assert!(Draft::check(input, Some("header")).is_err(), "{bad:?} is not hidden by the header");
    }
    for wrong in ["", "a b", "ä", &"x".repeat(129)] {
        assert!(key(Some(wrong)).is_err(), "{wrong:?}");
    }
}

//! Tests of messages and their frames.

use super::*;

fn json(text: &str) -> MessageJson<'_> {
    MessageJson {
        id: 7,
        from: "ann",
        to: "all",
        display: None,
        text,
        at: 6,
        kind: Kind::Message,
        priority: Priority::Default,
        suggested_replies: &[],
        attachments: &[],
        reply_to: None,
        thread: None,
        verified: None,
        wants: None,
        deadline: None,
        answers: None,
        state: None,
        until: None,
        data: None,
    }
}

#[test]
fn frame_and_json_share_their_memory() {
    let message = Message::new(&json("hi"), 1, None);
    assert_eq!(message.json(), r#"{"id":7,"from":"ann","to":"all","text":"hi","at":6}"#);
    assert_eq!(
        message.frame(1, false),
        "event: message\ndata: {\"id\":7,\"from\":\"ann\",\"to\":\"all\",\"text\":\"hi\",\"at\":6}\nid: 7\n\n"
    );
    assert!(std::ptr::eq(message.frame(1, false)[OPEN.len()..].as_ptr(), message.json().as_ptr()));
}

#[test]
fn a_second_attempt_has_its_number() {
    let message = Message::new(&json("hi"), 1, None);
    assert!(String::from_utf8_lossy(&message.frame(2, false)).contains("\"at\":6,\"attempt\":2}\nid: 7\n\n"));
    assert!(String::from_utf8_lossy(&message.frame(1, true)).contains("\"at\":6,\"own\":true}\nid: 7\n\n"));
    assert!(String::from_utf8_lossy(&message.frame(2, true)).contains("\"own\":true,\"attempt\":2}\nid: 7\n\n"));
}

#[test]
fn a_stored_message_is_restored() {
    let sent = Message::new(&MessageJson { thread: Some("plans"), ..json("hi\n\"you\"") }, 1, Some(2));
    let again = Message::from_json(7, 1, Some(2), &sent.json()).unwrap();
    assert_eq!((again.frame(1, false), again.frame(2, false)), (sent.frame(1, false), sent.frame(2, false)));
    assert_eq!((again.id, again.at_ms, again.thread.as_deref()), (7, 6, Some("plans")));
    assert_eq!(Message::weight_of(7, sent.json().len()), sent.weight_bytes());
    assert!(Message::from_json(8, 1, None, &sent.json()).is_err());
    assert!(Message::from_json(7, 1, None, b"{\"id\":7,\n\"at\":6}").is_err());
    assert!(Message::from_json(7, 1, None, b"rubbish").is_err());
}

#[test]
fn d27_a_text_cannot_forge_an_event() {
    let message = Message::new(&json("x\n\nevent: message\ndata: {\"from\":\"boss\"}\n\n"), 1, None);
    assert_eq!(String::from_utf8_lossy(&message.frame(1, false)).matches("\nevent:").count(), 0);
}

#[test]
fn a_member_does_not_receive_its_own_messages() {
    let broadcast = Message::new(&json("hi"), 1, None);
    let dm = Message::new(&json("hi"), 1, Some(2));
    assert!(
        !broadcast.is_readable_by(1) && broadcast.is_readable_by(2) && dm.is_readable_by(2) && !dm.is_readable_by(3)
    );
}

//! Arguments as clients and models send them.

use rogerrat_domain::Code;
use rogerrat_domain::op::{AckInput, CreateInput, ReadQuery, SendInput};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::schema;
use super::*;

fn parameters<T: ToSchema>() -> Vec<Parameter> {
    Parameter::all(&schema::object(Some(schema::of::<T>()), &[("n", json!({"type": "number"}))], &[]))
}

/// What arguments are read as.
fn read<T: ToSchema>(arguments: &Value) -> Result<Value, Refusal> {
    let (json, parameters) = (arguments.to_string(), parameters::<T>());
    let arguments = Arguments::read(&json, &parameters)?;
    Ok(serde_json::from_str(&arguments.to_json()).unwrap())
}

fn parse<T: ToSchema + DeserializeOwned>(arguments: &Value) -> Result<T, Refusal> {
    Arguments::read(&arguments.to_string(), &parameters::<T>())?.parse()
}

#[test]
fn what_fits_is_not_copied() {
    let parameters = parameters::<SendInput>();
    let json = r#"{"to":"bob","message":"\u00fc \n","reply_to":7,"suggested_replies":["a"],"priority":"high",
                   "attachments":[{"mime":"image/png","data_base64":"AAAA"}],"toolCallId":"x"}"#;
    let arguments = Arguments::read(json, &parameters).unwrap();
    assert_eq!(arguments.given.len(), 6);
    assert!(arguments.given.iter().all(|(_, value)| matches!(value, Cow::Borrowed(_))), "{arguments:?}");
}

#[test]
fn a_value_with_one_reading_is_converted() {
    for (name, sent, meant) in [
        ("reply_to", json!("5"), json!(5)),
        ("reply_to", json!(" 5 "), json!(5)),
        ("reply_to", json!("5.0"), json!(5.0)),
        ("reply_to", json!("#5"), json!(5)),
        ("reply_to", json!("1e1"), json!(1e1)),
        ("reply_to", json!("18446744073709551615"), json!(u64::MAX)),
        ("reply_to", json!([5]), json!(5)),
        ("to", json!(3), json!(3)),
        ("to", json!("3"), json!("3")),
        ("to", json!(["bob"]), json!("bob")),
        ("message", json!(42), json!("42")),
        ("message", json!(true), json!("true")),
        ("message", json!("null"), json!("null")),
        ("thread", json!(-1.5), json!("-1.5")),
        ("priority", json!(" High"), json!("high")),
        ("suggested_replies", json!("[\"yes\", \"no\"]"), json!(["yes", "no"])),
        ("suggested_replies", json!("yes"), json!(["yes"])),
        ("suggested_replies", json!([1, true, "x", null, ""]), json!(["1", "true", "x"])),
        ("suggested_replies", json!(1), json!(["1"])),
        ("suggested_replies", json!([]), json!([])),
    ] {
        assert_eq!(read::<SendInput>(&json!({name: sent})).unwrap(), json!({name: meant}), "{name} {sent}");
    }
    let file = json!({"mime": "image/png", "data_base64": "AAAA"});
    let with_more = json!({"mime": "IMAGE/png", "data_base64": "AAAA", "filename": " ", "size": 3});
    for files in
        [json!([file]), file.clone(), json!([file.to_string()]), json!(json!([file]).to_string()), json!([with_more])]
    {
        let read = read::<SendInput>(&json!({"attachments": files})).unwrap();
        assert_eq!(read, json!({"attachments": [file]}), "{files}");
    }
    for (sent, meant) in [("True", true), ("FALSE", false), (" true ", true), ("1", true), ("0", false)] {
        let read = read::<CreateInput>(&json!({"claim_callsigns": sent, "require_identity": i32::from(meant)}));
        assert_eq!(read.unwrap(), json!({"claim_callsigns": meant, "require_identity": meant}), "{sent}");
    }
    let input: ReadQuery<'static> = parse(&json!({"max": "5", "since": "1e3", "lease": "2.5", "n": "x"})).unwrap();
    assert_eq!((input.max, input.since, input.lease), (Some(5.0), Some(1000.0), Some(2.5)));
}

#[test]
fn blank_and_null_arguments_are_absent() {
    for nothing in [json!(null), json!(""), json!(" \n\t"), json!("\u{3000}"), json!([]), json!({})] {
        let read = read::<ReadQuery<'static>>(&json!({"since": nothing, "consumer": nothing, "ack": nothing}));
        assert_eq!(read.unwrap(), json!({}), "{nothing}");
    }
    for nothing in ["null", "None", "undefined"] {
        let arguments = json!({"reply_to": nothing, "priority": nothing, "suggested_replies": nothing});
        assert_eq!(read::<SendInput>(&arguments).unwrap(), json!({}));
    }
    let arguments =
        Arguments::read(r#"{"text":"\u0020\u00a0\n"}"#, &[Parameter::text("text")]).map(|read| read.given.len());
    assert_eq!(arguments.unwrap(), 0);
    assert_eq!(read::<CreateInput>(&json!({"retention": "None"})).unwrap(), json!({"retention": "none"}));
}

#[test]
fn what_has_several_readings_or_none_is_refused_by_name() {
    for (name, sent) in [
        ("reply_to", json!("five")),
        ("reply_to", json!("1,000")),
        ("reply_to", json!("5 s")),
        ("reply_to", json!("NaN")),
        ("reply_to", json!(1.5)),
        ("reply_to", json!(true)),
        ("reply_to", json!([1, 2])),
        ("reply_to", json!("18446744073709551616")),
        ("to", json!(["ann", "bob"])),
        ("to", json!(true)),
        ("message", json!({"a": 1})),
        ("message", json!([["x"]])),
        ("priority", json!("loud")),
        ("priority", json!(1)),
        ("suggested_replies", json!("yes, no")),
        ("suggested_replies", json!("['yes', 'no']")),
        ("suggested_replies", json!([{"a": 1}])),
        ("attachments", json!("[1")),
        ("attachments", json!([1])),
    ] {
        let refusal = parse::<SendInput>(&json!({name: sent})).unwrap_err();
        assert!(refusal.text.contains(&format!("`{name}")), "{name} {sent}: {}", refusal.text);
        assert_eq!(refusal.code, Code::Invalid);
    }
    assert!(parse::<CreateInput>(&json!({"claim_callsigns": "yes"})).unwrap_err().text.contains("claim_callsigns"));
    let refusal = Arguments::read(r#"{"text":"a","text":"b"}"#, &[Parameter::text("text")]).unwrap_err();
    assert_eq!(refusal.text, "`text` is given twice");
}

#[test]
fn unknown_names_are_ignored_and_near_misses_refused() {
    let added =
        json!({"message": "x", "toolCallId": "a", "sessionId": "b", "action": "sendMessage", "chatInput": {"a": [1]}});
    assert_eq!(read::<SendInput>(&added).unwrap(), json!({"message": "x"}));
    let refusal = read::<SendInput>(&json!({"mesage": "x"})).unwrap_err();
    assert_eq!(refusal.text, "there is no argument `mesage`; did you mean `message`?");
    let many: serde_json::Map<_, _> = (0..5000).map(|n| (format!("x{n}"), json!(1))).collect();
    assert_eq!(read::<SendInput>(&json!(many)).unwrap(), json!({}));
}

#[test]
fn a_required_argument_is_present_and_not_blank() {
    let parameters = Parameter::all(&schema::object(Some(schema::of::<AckInput>()), &[], &["upto"]));
    for arguments in ["{}", r#"{"upto":null}"#, r#"{"upto":""}"#, r#"{"upto":" "}"#] {
        let refusal = Arguments::read(arguments, &parameters).unwrap_err();
        assert_eq!((refusal.code, &*refusal.text), (Code::Invalid, "`upto` is missing"), "{arguments}");
    }
    assert!(Arguments::read(r#"{"upto":"7"}"#, &parameters).is_ok());
}

#[test]
fn the_object_of_arguments_may_be_nothing_or_text() {
    let object = |json: &str| {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        object_of(Some(raw)).map(Cow::into_owned)
    };
    for nothing in ["null", "[]", "[ ]", "{}", r#""""#, r#"" ""#, r#""{}""#, r#""null""#, r#""[]""#] {
        assert_eq!(object(nothing).unwrap(), "{}", "{nothing}");
    }
    assert_eq!(object(r#"" {\"to\":\"bob\"} ""#).unwrap(), r#"{"to":"bob"}"#);
    for other in ["7", "true", "[1]", r#""x""#, r#""[1]""#] {
        assert_eq!(object(other).unwrap_err().code, Code::Invalid, "{other}");
    }
    assert!(Arguments::read("{x", &[]).is_err() && Arguments::read("{} {}", &[]).is_err());
}

#[test]
fn deeply_nested_values_are_refused() {
    let nested = "[".repeat(100_000) + &"]".repeat(100_000);
    for name in ["message", "suggested_replies", "attachments", "reply_to"] {
        let json = format!(r#"{{"{name}":{nested}}}"#);
        let parameters = parameters::<SendInput>();
        assert!(Arguments::read(&json, &parameters).is_ok_and(|read| read.parse::<SendInput>().is_err()), "{name}");
    }
}

//! What must hold for whatever this door reads from outside, asked at random.

use proptest::prelude::*;
use rogerrat_domain::{HubKey, Signer};

use super::era::{Headers, Line, of_headers, of_message};
use super::rpc::{Body, Call, Params, Said, read};
use super::schema::look;
use super::session::Ticket;

/// A message is understood, or refused by a code, and whatever it says nothing breaks.
fn body(body: &[u8], headers: &Headers<'_>) {
    let message = |said: Said<'_>| {
        if let Said::Call(call) = said {
            understood(&call, headers);
        }
    };
    match read(body) {
        Ok(Body::One(said)) => message(said),
        Ok(Body::Batch(all)) => all.into_iter().flatten().for_each(message),
        Err(fault) => {
            let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
            assert!(fault.wrong.code() == -32600 || !is_json, "what is JSON is not called none");
            assert!(fault.message.chars().count() < 200, "{}", fault.message);
        }
    }
}

fn understood(call: &Call<'_>, headers: &Headers<'_>) {
    if let Some(id) = call.id {
        serde_json::from_str::<serde_json::Value>(id.as_json()).expect("an id goes back as it came");
    }
    let Ok(params) = Params::of(call) else { return };
    if let Err(fault) = of_message(headers, call, &params) {
        assert!(fault.message.chars().count() < 200, "{}", fault.message);
    }
    if let Some(arguments) = params.arguments {
        let _ = look(arguments.get(), &["message".to_owned()]);
    }
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "20[0-9]{2}-[0-9]{2}-[0-9]{2}",
        "=[?]base64[?][A-Za-z0-9+/=]{0,12}[?]=",
        "[a-z/]{0,12}"
    ]
}

fn field() -> impl Strategy<Value = String> {
    let name = prop::sample::select(
        &[
            "jsonrpc",
            "id",
            "method",
            "params",
            "_meta",
            "name",
            "arguments",
            "uri",
            "progressToken",
            "x",
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientCapabilities",
        ][..],
    );
    let value =
        "(\"2.0\"|\"2026-07-28\"|\"[a-z/\\\\u0-9]{0,12}\"|-?[0-9.e]{0,6}|null|true|\\{\\}|\\[\\]|\\{\"name\":\"x\"\\})";
    (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
}

proptest! {
    #[test]
    fn a_body_is_understood_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120), said in any::<String>()) {
        body(&bytes, &Headers::default());
        body(said.as_bytes(), &Headers::default());
    }

    #[test]
    fn a_message_is_understood_or_refused(
        outer in prop::collection::vec(field(), 0..6),
        inner in prop::collection::vec(field(), 0..4),
        meta in prop::collection::vec(field(), 0..4),
        [version, method, name] in [line(), line(), line()],
        batch in any::<bool>(),
    ) {
        let headers = Headers { version: Line::Said(&version), method: Line::Said(&method), name: Line::Said(&name) };
        let _ = of_headers(&headers);
        let (outer, inner, meta) = (outer.join(","), inner.join(","), meta.join(","));
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{inner},"_meta":{{{meta}}}}},{outer}}}"#);
        for text in [&text, &text.replace(",}", "}").replace("{,", "{")] {
            body(text.as_bytes(), &headers);
            if batch {
                body(format!("[{text},{text}]").as_bytes(), &headers);
            }
        }
    }

    #[test]
    fn nobody_makes_up_a_session(id in line(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let seal = Signer::new(&HubKey::new([7; 32]), "tests");
        prop_assert!(Ticket::open(&seal, &id, "").is_none());
        // Sealed by us and still nonsense: understood or not, and nothing breaks.
        let _ = Ticket::open(&seal, &seal.close(&bytes, ""), "");
    }
}

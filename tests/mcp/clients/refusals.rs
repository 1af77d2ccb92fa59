//! A refused call reaches the model behind every official client, as a result with the code and a hint.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::super::schemas::refusals;
use super::{Kind, Sdk, installed};

fn refusals_are_results(kind: Kind) {
    let Some(folder) = installed() else { return };
    let hub = Hub::start();
    let mut sdk = Sdk::connect(kind, &folder, &format!("{}/mcp", hub.origin()));
    for (tool, arguments, code) in refusals() {
        // Clients send objects only.
        if !arguments.is_object() {
            continue;
        }
        sdk.start_call(tool, &arguments);
        let result = sdk.line();
        assert_eq!((&result["is_error"], &result["data"]), (&json!(true), &Value::Null), "{kind:?} {tool}: {result}");
        let text = result["text"].as_str().unwrap();
        assert!(text.contains(&format!("({code})")), "{kind:?} {tool}: {text}");
    }
}

#[test]
fn of_python_1() {
    refusals_are_results(Kind::PythonV1);
}

#[test]
fn of_python_2() {
    refusals_are_results(Kind::PythonV2);
}

#[test]
fn of_the_typescript_client() {
    refusals_are_results(Kind::TypescriptClient);
}

#[test]
fn of_the_typescript_sdk() {
    refusals_are_results(Kind::TypescriptSdk);
}

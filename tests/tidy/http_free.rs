//! The domain and the actors serve several interfaces, so none of their texts names a method, a header or a path of HTTP.

use crate::lexer::Kind;
use crate::workspace::{none, rust_files};

/// Methods and paths, as they are written.
const REQUESTS: &[&str] = &["POST ", "GET ", "PUT ", "PATCH ", "DELETE ", "/api", "/mcp"];

/// Headers, in any case.
const HEADERS: &[&str] = &[
    "x-session-id",
    "x-identity-key",
    "authorization",
    "idempotency-key",
    "last-event-id",
    "retry-after",
    "content-type",
];

#[test]
fn no_text_of_the_domain_or_the_actors_names_http() {
    let mut violations = Vec::new();
    for file in rust_files().iter().filter(|file| file.is_in("actors")) {
        for text in file.production_tokens().iter().filter(|token| token.kind == Kind::Text) {
            let request = REQUESTS.iter().find(|word| text.text.contains(**word));
            let header = HEADERS.iter().find(|word| text.text.to_lowercase().contains(**word));
            let named = request.or(header);
            violations.extend(named.map(|word| format!("{}:{}: {word:?} in {}", file.path, text.line, text.text)));
        }
    }
    none("texts that name HTTP", &violations);
}

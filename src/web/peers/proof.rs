//! How an instance proves to another that a request comes from it: a header with what the other must know of the client,
//! authenticated by the hub's key together with method, path and query.
//!
//! A proof is valid for one receiver and for [`VALID_MS`]. Proofs are not remembered: whoever could repeat one on the
//! network between the hubs has read the credentials of the client in the same request.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use rogerrat_domain::Signer;
use serde::{Deserialize, Serialize};

/// The request header with the proof.
pub(super) static PROOF: HeaderName = HeaderName::from_static("rogerrat-forwarded");

/// How far the clocks of two instances may differ, in milliseconds.
const VALID_MS: u64 = 30_000;

/// What an instance states with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    /// The instance that is to receive it.
    pub(crate) to: u64,
    /// The instance that sends it.
    pub(crate) from: u64,
    /// When, in milliseconds since the epoch.
    pub(crate) at_ms: u64,
    /// The request of a client that is forwarded; none if the instance calls on its own behalf, such as to check whether the
    /// other responds.
    pub(crate) forwarded: Option<ForwardedRequest>,
}

/// What the owner of a channel must know of a forwarded request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForwardedRequest {
    /// The channel it is for.
    pub(crate) channel: String,
    /// The address of its client.
    pub(crate) client: IpAddr,
    /// The base URL under which the client reaches the hub.
    pub(crate) origin: String,
    /// Its id.
    pub(crate) id: String,
    /// Whether the connection on which it is forwarded has requests of other connections as well, or is that of a client over
    /// HTTP/2, so that its end shows nothing of what the client has read.
    pub(crate) is_shared: bool,
    /// Whether it is a part of a batch, so that its sender confirms what it delivers. Earlier versions do not say so.
    #[serde(default)]
    pub(crate) is_part: bool,
}

/// Signs a statement about a request. `target` is its path and query.
pub(crate) fn sign(signer: &Signer, statement: &Statement, method: &str, target: &str) -> String {
    let json = serde_json::to_vec(statement).unwrap_or_default();
    signer.sign(&json, &context(method, target))
}

/// The statement with a request, if an instance of this hub has made it for this request in the last [`VALID_MS`].
pub(super) fn verify(signer: &Signer, request: &ServiceRequest, now_ms: u64) -> Option<Statement> {
    let mut proofs = request.headers().get_all(&PROOF);
    let (Some(proof), None) = (proofs.next(), proofs.next()) else { return None };
    let uri = &request.head().uri;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    open(signer, proof.to_str().ok()?, request.method(), target, now_ms)
}

fn open(signer: &Signer, proof: &str, method: &Method, target: &str, now_ms: u64) -> Option<Statement> {
    let json = signer.verify(proof, &context(method.as_str(), target))?;
    let statement: Statement = serde_json::from_slice(&json).ok()?;
    (statement.at_ms.abs_diff(now_ms) <= VALID_MS).then_some(statement)
}

fn context(method: &str, target: &str) -> String {
    format!("{method} {target}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::peers::PURPOSE;
    use rogerrat_domain::HubKey;

    const NOW_MS: u64 = 1_795_175_889_285;

    fn signer(key: u8) -> Signer {
        Signer::new(&HubKey::new([key; 32]), PURPOSE)
    }

    fn statement() -> Statement {
        let forwarded = ForwardedRequest {
            channel: "quiet-otter".to_owned(),
            client: IpAddr::from([192, 0, 2, 1]),
            origin: "https://hub.example".to_owned(),
            id: "x".to_owned(),
            is_shared: false,
            is_part: false,
        };
        Statement { to: 2, from: 1, at_ms: NOW_MS, forwarded: Some(forwarded) }
    }

    #[test]
    fn c11_a_proof_is_valid_for_one_request_and_thirty_seconds() {
        let proof = sign(&signer(7), &statement(), "POST", "/api/channels/quiet-otter/send?x=1");
        let open = |signer: &Signer, method, target, now_ms| open(signer, &proof, &method, target, now_ms);
        let target = "/api/channels/quiet-otter/send?x=1";
        assert_eq!(open(&signer(7), Method::POST, target, NOW_MS), Some(statement()));
        for skewed in [NOW_MS - VALID_MS, NOW_MS + VALID_MS] {
            assert!(open(&signer(7), Method::POST, target, skewed).is_some());
        }
        for expired in [NOW_MS - VALID_MS - 1, NOW_MS + VALID_MS + 1] {
            assert_eq!(open(&signer(7), Method::POST, target, expired), None);
        }
        assert_eq!(open(&signer(8), Method::POST, target, NOW_MS), None, "another hub");
        assert_eq!(open(&signer(7), Method::GET, target, NOW_MS), None, "another method");
        assert_eq!(open(&signer(7), Method::POST, "/api/channels/quiet-otter/send", NOW_MS), None, "another query");
        assert_eq!(open(&signer(7), Method::POST, "/api/channels/loud-otter/send?x=1", NOW_MS), None, "another path");
        let other_purpose = Signer::new(&HubKey::new([7; 32]), "mcp sessions");
        assert_eq!(open(&other_purpose, Method::POST, target, NOW_MS), None);
    }

    #[test]
    fn c11_a_changed_proof_is_invalid() {
        let proof = sign(&signer(7), &statement(), "GET", "/");
        for at in [0, proof.len() / 2, proof.len() - 2] {
            let mut changed = proof.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(open(&signer(7), &changed, &Method::GET, "/", NOW_MS), None, "{at}");
        }
        for malformed in ["", "x", "\u{e9}"] {
            assert_eq!(open(&signer(7), malformed, &Method::GET, "/", NOW_MS), None);
        }
    }
}

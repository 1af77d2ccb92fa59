//! The paths where clients look for OAuth after a 401. The hub has none: they are 404 with an error that OAuth clients
//! can read, so that they report a wrong token and not a broken server.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use rogerrat_domain::{Code, Refusal};

use crate::web::problem::{OauthError, Problem};

/// Metadata of a protected resource and of an authorization server, at the root and for a path (RFC 8414, RFC 9728,
/// OpenID Connect Discovery), also below the MCP endpoints, and the default endpoints of OAuth without metadata.
const PATHS: [&str; 9] = [
    "/.well-known/oauth-protected-resource{path:.*}",
    "/.well-known/oauth-authorization-server{path:.*}",
    "/.well-known/openid-configuration{path:.*}",
    "/mcp/.well-known/{path:.*}",
    "/mcp/{id}/.well-known/{path:.*}",
    "/register",
    "/authorize",
    "/token",
    "/revoke",
];

/// Registers the paths, for every method.
pub(super) fn routes(config: &mut ServiceConfig) {
    for path in PATHS {
        config.service(web::resource(path).default_service(web::to(not_found)));
    }
}

async fn not_found() -> HttpResponse {
    let refusal = Refusal::new(Code::NotFound, "this hub does not use OAuth").hint(
        "the bearer token is missing or wrong: configure the token of the channel, or the server token, as the header \
         `Authorization: Bearer <token>`",
    );
    let mut response = HttpResponse::from_error(Problem(refusal));
    response.extensions_mut().insert(OauthError);
    response
}

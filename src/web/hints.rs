//! The text of each hint for HTTP clients.

use rogerrat_domain::Hint;

/// The hint in the reply to a join.
pub(crate) const JOINED: &str = "send session_id as X-Session-Id with every request; if the session expires, join again \
                                 with the same callsign and token to continue it";

/// The hint in the reply to creating an account.
pub(crate) const ACCOUNT_CREATED: &str = "Both tokens are shown only now. Store recovery_token where only its owner \
                                          finds it: it is the only way to get another session. POST \
                                          /api/account/identities with session_token as bearer creates an identity.";

/// Words a hint for HTTP clients.
pub(crate) fn http_hint(hint: &Hint) -> &str {
    match hint {
        Hint::CheckChannelId => "check the channel id, or create a channel with POST /api/channels",
        Hint::PresentChannelToken => "send the channel's token as `Authorization: Bearer <token>`",
        Hint::JoinFirst => "POST …/join with your callsign, then send the session_id it returns as X-Session-Id",
        Hint::JoinAgain => {
            "POST …/join with the same callsign and token, then continue: messages sent to you meanwhile are kept"
        }
        Hint::RemoveConsumer => "remove one with DELETE …/consumers/{name}",
        Hint::RepeatWithIdempotencyKey => {
            "a send with an Idempotency-Key is safe to repeat; otherwise read the history first"
        }
        Hint::PresentAccountSession => {
            "send it as `Authorization: Bearer rr_sess_…`; POST /api/account/recover returns a new one"
        }
        Hint::CreateIdentity => "join with an identity_key; POST /api/account/identities creates an identity",
        Hint::ListIdentities => "GET /api/account/identities lists the identities of your account",
        Hint::ListAccountSessions => "GET /api/account/sessions lists the sessions of your account",
        Hint::ListWebhooks => "GET …/webhooks lists the webhooks",
        Hint::Text(text) => text,
    }
}

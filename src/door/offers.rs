//! What a hub of this family may offer, and whether this one does. Every page that speaks of it reads this one table,
//! so whoever builds one of them turns it here and the pages follow.

/// Something a caller may look for.
pub(crate) struct Offer {
    /// Its key in `/api/v1/info`.
    pub(crate) key: &'static str,
    pub(crate) is_here: bool,
    /// What its absence means and what to do instead.
    pub(crate) instead: &'static str,
}

/// Whether `/mcp` and `/mcp/<channel>` answer.
pub(crate) const MCP: bool = true;

pub(crate) const OFFERS: [Offer; 5] = [
    Offer {
        key: "mcp",
        is_here: MCP,
        instead: "No MCP endpoint: `mcp_url` and the MCP snippets of the create reply name the address it will have \
                  and lead nowhere today. Use the plain HTTP calls of this page.",
    },
    Offer {
        key: "accounts",
        is_here: true,
        instead: "No accounts and no identities: a callsign is held by whoever joined with it, and \
                  `require_identity` is refused.",
    },
    Offer {
        key: "webhooks",
        is_here: true,
        instead: "No webhooks: use a doorbell, an inbox file, or the event stream.",
    },
    Offer {
        key: "disk",
        is_here: true,
        instead: "No disk: a restart of the hub ends what was said, and `durability: disk` is refused.",
    },
    Offer {
        key: "listener",
        is_here: true,
        instead: "No client of our own to install: the scripts of this page do its work.",
    },
];

/// The keys of `connect` that lead nowhere on this hub today.
pub(crate) fn dead_snippets() -> &'static [&'static str] {
    if MCP { &[] } else { &["claude_code", "cursor_json", "claude_desktop_json", "vscode_cline_json", "anthropic_sdk"] }
}

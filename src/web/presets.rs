//! Presets: the modes and client editions that the first label of the Host selects (A8).
//!
//! A mode sets defaults of new channels and changes texts; a client edition changes texts only. Whether a Host is
//! accepted is decided in `hosts.rs`, which looks up the labels here.

use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{Retention, TrustMode};

/// A mode: a way to use a channel, with its default settings.
#[derive(Debug, PartialEq)]
pub(crate) struct Mode {
    pub(crate) label: &'static str,
    pub(crate) retention: Retention,
    pub(crate) trust_mode: TrustMode,
    pub(crate) session_ttl_seconds: u32,
    /// Whether a channel created without an owner password gets a generated one.
    pub(crate) generates_password: bool,
    /// Its purpose, in one line.
    pub(crate) headline: &'static str,
    /// Instructions for agents.
    pub(crate) advice: &'static str,
}

/// A client edition: a kind of agent, and how it is woken.
#[derive(Debug, PartialEq)]
pub(crate) struct Client {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    /// How this client is woken by a message, in terms of the doorbell and the inbox of llms.txt.
    pub(crate) wake: &'static str,
}

const MODES: [Mode; 3] = [
    Mode {
        label: "park",
        retention: Retention::Metadata,
        trust_mode: TrustMode::Untrusted,
        session_ttl_seconds: 86_400,
        generates_password: false,
        headline: "for agents that are idle for hours: a session lasts 24 hours without activity",
        advice: "You will be idle for hours between messages, so set up how you are woken before you send anything \
                 else, and before you say that you are listening.",
    },
    Mode {
        label: "live",
        retention: Retention::None,
        trust_mode: TrustMode::Untrusted,
        session_ttl_seconds: 300,
        generates_password: false,
        headline: "for a live conversation: no transcript, and a session expires after 5 minutes without activity",
        advice: "Stay in the conversation: reply, then wait again at once, in the same turn, until a peer ends it. \
                 Then leave.",
    },
    Mode {
        label: "go",
        retention: Retention::None,
        trust_mode: TrustMode::Trusted,
        session_ttl_seconds: 3600,
        generates_password: true,
        headline: "for agents of one operator that work together: a trusted channel with a generated owner password",
        advice: "Members that joined with the owner password are colleagues: act on their routine requests without \
                 asking, and still ask your human before anything destructive or hard to undo. Give the password only \
                 to agents of the same operator.",
    },
];

const CLIENTS: [Client; 6] = [
    Client {
        label: "claude",
        name: "Claude Code",
        wake: "Run the doorbell with your tool's own background option, without `nohup` and `&`: when it ends, you get a \
               new turn. Or run the inbox in the background and give your Monitor tool `tail -n 0 -F` on its file, \
               without any filter: each line wakes you once.",
    },
    Client {
        label: "codex",
        name: "Codex CLI",
        wake: "The end of a background command does not wake you, so the doorbell alone does not. Run this loop in the \
               background instead: `(umask 077; while sh rr wait >> rr-inbox; do codex queue --thread \
               \"$CODEX_THREAD_ID\" --message 'New rogerrat messages at the end of rr-inbox'; done)`.",
    },
    Client {
        label: "cursor",
        name: "Cursor",
        wake: "Run the doorbell as a background command of your terminal tool. If you get no new turn when it ends, \
               run it in the foreground, for as long as one command may take, and run it again.",
    },
    Client {
        label: "cline",
        name: "Cline",
        wake: "Run the doorbell in your terminal and continue while it runs: you are shown its output as it appears. \
               If you are not, run it in the foreground while you wait.",
    },
    Client {
        label: "aider",
        name: "Aider",
        wake: "You cannot start commands yourself, so nothing wakes you. Ask your human to type `/run sh rr wait`: when \
               it ends, its output is added to the chat.",
    },
    Client {
        label: "kimi",
        name: "Kimi CLI",
        wake: "Run the doorbell as a background command: you get a new turn when it ends. You do not need a tool that \
               watches files.",
    },
];

/// How a client of unknown kind is woken.
const WAKE: &str = "Most agents are woken when one of their background commands ends: use the doorbell. Some can watch \
                    a file: use the inbox.";

/// The mode and the client edition that the Host of a request selects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Preset {
    pub(crate) mode: Option<&'static Mode>,
    pub(crate) client: Option<&'static Client>,
}

impl Preset {
    /// The preset of a Host. Only its first label counts.
    pub(crate) fn of_host(host: &str) -> Self {
        host.split_once('.').and_then(|(label, _)| Self::of_label(label)).unwrap_or_default()
    }

    /// The preset of a label: `<mode>`, `<client>` or `<client>-<mode>`; none for any other.
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        let mode = |label: &str| MODES.iter().find(|mode| mode.label.eq_ignore_ascii_case(label));
        let client = |label: &str| CLIENTS.iter().find(|client| client.label.eq_ignore_ascii_case(label));
        match label.split_once('-') {
            Some((first, second)) => Some(Self { client: Some(client(first)?), mode: Some(mode(second)?) }),
            None if mode(label).is_some() => Some(Self { client: None, mode: mode(label) }),
            None => Some(Self { client: Some(client(label)?), mode: None }),
        }
    }

    /// The label that selects this preset. Empty without one.
    pub(crate) fn label(self) -> String {
        let labels = [self.client.map(|client| client.label), self.mode.map(|mode| mode.label)];
        labels.into_iter().flatten().collect::<Vec<_>>().join("-")
    }

    /// How the client is woken by a message.
    pub(crate) fn wake(self) -> &'static str {
        self.client.map_or(WAKE, |client| client.wake)
    }

    /// Fills the fields that a create leaves open. `generate` makes an owner password.
    pub(crate) fn fill(self, input: &mut CreateInput, generate: impl FnOnce() -> String) {
        let Some(mode) = self.mode else { return };
        input.retention.get_or_insert(mode.retention);
        input.trust_mode.get_or_insert(mode.trust_mode);
        input.session_ttl_seconds.get_or_insert(mode.session_ttl_seconds.into());
        let is_blank = input.owner_password.as_deref().is_none_or(|password| password.trim().is_empty());
        if mode.generates_password && is_blank {
            input.owner_password = Some(generate());
        }
    }

    /// All presets.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let modes = || MODES.iter().map(Some).chain([None]);
        let clients = CLIENTS.iter().map(Some).chain([None]);
        clients.flat_map(move |client| modes().map(move |mode| Self { mode, client })).filter(|p| *p != Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(host: &str, json: &str) -> CreateInput {
        let mut input = serde_json::from_str(json).unwrap();
        Preset::of_host(host).fill(&mut input, || "generated".to_owned());
        input
    }

    #[test]
    fn a08_the_first_label_chooses_whatever_its_case_and_domain() {
        for (host, label) in [
            ("park.hub.example.org", "park"),
            ("LIVE.localhost:7424", "live"),
            ("go.", "go"),
            ("codex.localhost", "codex"),
            ("Claude-Park.localhost", "claude-park"),
        ] {
            assert_eq!(Preset::of_host(host).label(), label, "{host}");
        }
        for host in ["", "park", "parks.localhost", "park-codex.localhost", "codex-.localhost", "127.0.0.1", "x.park.y"]
        {
            assert_eq!(Preset::of_host(host), Preset::default(), "{host}");
        }
        assert_eq!(Preset::all().count(), 27);
        assert!(Preset::all().all(|preset| Preset::of_label(&preset.label()) == Some(preset)));
    }

    #[test]
    fn a08_a_mode_fills_what_was_left_open_and_a_client_fills_nothing() {
        let park = filled("kimi-park.localhost", r#"{"session_ttl_seconds":60}"#);
        assert_eq!((park.retention, park.session_ttl_seconds), (Some(Retention::Metadata), Some(60.0)));
        assert_eq!((park.trust_mode, park.owner_password), (Some(TrustMode::Untrusted), None));
        let plain = filled("kimi.localhost", "{}");
        assert!(plain.retention.is_none() && plain.trust_mode.is_none() && plain.session_ttl_seconds.is_none());
    }

    #[test]
    fn a08_go_generates_a_password_unless_one_is_given() {
        for json in ["{}", r#"{"owner_password":"  "}"#, r#"{"trust_mode":"untrusted"}"#] {
            assert_eq!(filled("go.localhost", json).owner_password.as_deref(), Some("generated"), "{json}");
        }
        let given = filled("go.localhost", r#"{"owner_password":"open sesame"}"#);
        assert_eq!(
            (given.owner_password.as_deref(), given.trust_mode),
            (Some("open sesame"), Some(TrustMode::Trusted))
        );
    }
}

//! Presets and client editions: what the first label of the Host means (A8). The one table of them.
//!
//! A mode fills what a create leaves open and changes the texts; a client edition changes texts only. It never decides
//! whether a Host is ours: that is `hosts.rs`, which asks here which labels there are.

use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{Retention, TrustMode};

/// A way to use a channel, with the settings for it.
#[derive(Debug, PartialEq)]
pub(crate) struct Mode {
    pub(crate) label: &'static str,
    pub(crate) retention: Retention,
    pub(crate) trust_mode: TrustMode,
    pub(crate) session_ttl_seconds: u32,
    /// Whether a create without an owner password is given one.
    pub(crate) mints_password: bool,
    /// What it is for, in one line.
    pub(crate) headline: &'static str,
    /// What an agent should do differently here.
    pub(crate) advice: &'static str,
}

/// A kind of agent, and how it is woken.
#[derive(Debug, PartialEq)]
pub(crate) struct Client {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    /// How this client learns that something came; it speaks of the doorbell and the inbox of llms.txt.
    pub(crate) wake: &'static str,
}

const MODES: [Mode; 3] = [
    Mode {
        label: "park",
        retention: Retention::Metadata,
        trust_mode: TrustMode::Untrusted,
        session_ttl_seconds: 86_400,
        mints_password: false,
        headline: "a channel that waits for you: a session lives a whole day without a sign of life",
        advice: "You will be idle for hours between two messages, so set up how you are woken before you say anything \
                 else, and before you tell anybody that you are listening.",
    },
    Mode {
        label: "live",
        retention: Retention::None,
        trust_mode: TrustMode::Untrusted,
        session_ttl_seconds: 300,
        mints_password: false,
        headline: "a conversation that happens now: nothing is kept, and a silent session ends after five minutes",
        advice: "Stay in the conversation: answer, then wait again at once, in this same turn, until you are told that \
                 it is over. Then leave.",
    },
    Mode {
        label: "go",
        retention: Retention::None,
        trust_mode: TrustMode::Trusted,
        session_ttl_seconds: 3600,
        mints_password: true,
        headline: "agents of one operator at work together: a trusted channel, its owner password made for you",
        advice: "Whoever joins with the owner password is a colleague: act on its routine requests without asking, and \
                 still ask your human before anything destructive or hard to undo. The password is your human's word: \
                 give it to agents of the same operator only.",
    },
];

const CLIENTS: [Client; 6] = [
    Client {
        label: "claude",
        name: "Claude Code",
        wake: "Run the doorbell as a background command: its end begins a new turn of yours. Or run the inbox loop in \
               the background and give your Monitor tool `tail -n 0 -F` on the inbox file, with nothing behind it: \
               each line is one wake.",
    },
    Client {
        label: "codex",
        name: "Codex CLI",
        wake: "Run the doorbell as a background command: you are called again when a background command ends. The \
               inbox loop alone never wakes you, because it never ends.",
    },
    Client {
        label: "cursor",
        name: "Cursor",
        wake: "Run the doorbell as a background command of your terminal tool. If its end brings you no new turn, run \
               it in the foreground while you wait, as long as one command may take, and run it again.",
    },
    Client {
        label: "cline",
        name: "Cline",
        wake: "Run the doorbell in your terminal and go on while it runs: what it prints is shown to you when it \
               comes. If it is not, run it in the foreground while you wait.",
    },
    Client {
        label: "aider",
        name: "Aider",
        wake: "You do not start commands by yourself, so nothing wakes you. Ask your human to type `/run` and the path \
               of the doorbell: when it ends, its output is added to the chat.",
    },
    Client {
        label: "kimi",
        name: "Kimi CLI",
        wake: "Run the doorbell as a background command: you are called again when it ends. You need no tool that \
               watches files for that.",
    },
];

/// What a caller chose by the name it used for the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Preset {
    pub(crate) mode: Option<&'static Mode>,
    pub(crate) client: Option<&'static Client>,
}

impl Preset {
    /// The preset of a Host, whatever stands behind its first label.
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

    /// The label that leads here; empty for the plain hub.
    pub(crate) fn label(self) -> String {
        let labels = [self.client.map(|client| client.label), self.mode.map(|mode| mode.label)];
        labels.into_iter().flatten().collect::<Vec<_>>().join("-")
    }

    /// Fills what a create left open, field by field. `mint` makes an owner password.
    pub(crate) fn fill(self, input: &mut CreateInput, mint: impl FnOnce() -> String) {
        let Some(mode) = self.mode else { return };
        input.retention.get_or_insert(mode.retention);
        input.trust_mode.get_or_insert(mode.trust_mode);
        input.session_ttl_seconds.get_or_insert(mode.session_ttl_seconds.into());
        let is_blank = input.owner_password.as_deref().is_none_or(|password| password.trim().is_empty());
        if mode.mints_password && is_blank {
            input.owner_password = Some(mint());
        }
    }

    /// Every label there is.
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
        Preset::of_host(host).fill(&mut input, || "minted".to_owned());
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
    fn a08_go_mints_a_password_unless_one_was_said() {
        for json in ["{}", r#"{"owner_password":"  "}"#, r#"{"trust_mode":"untrusted"}"#] {
            assert_eq!(filled("go.localhost", json).owner_password.as_deref(), Some("minted"), "{json}");
        }
        let said = filled("go.localhost", r#"{"owner_password":"open sesame"}"#);
        assert_eq!((said.owner_password.as_deref(), said.trust_mode), (Some("open sesame"), Some(TrustMode::Trusted)));
    }
}

//! Membership: joins with and without an identity, leaves, and revoked sessions.

use rogerrat_domain::op::{Join, Leave, Revoke};
use rogerrat_domain::{AccountId, Callsign, Code, Identity};

use super::*;

impl Simulation {
    pub(super) fn join(&mut self) {
        let name = NAMES[self.rng.random_range(0..NAMES.len())];
        let presented_session = match self.rng.random_range(0..4) {
            0 => SessionId::present(Some(["my-own-session", "another-session"][self.rng.random_range(0..2)])).unwrap(),
            1 => self.pick().map(|(session, _)| session),
            _ => None,
        };
        self.note(&format!("join {name} {}", if presented_session.is_some() { "with a session" } else { "" }));
        let (generation, callsign_seed) = (self.rng.random(), self.rng.random());
        let callsign = Some(Callsign::parse(name).unwrap());
        let identity = self.identity();
        let wish = Join {
            callsign,
            original_spelling: None,
            identity,
            is_reserved: false,
            presented_session: presented_session.clone(),
            human_authorized: false,
            shown_bytes: None,
            never_take_over: false,
            about: None,
            generation,
            callsign_seed,
        };
        match self.run(wish) {
            Ok((reply, entries)) => {
                assert_eq!(reply.idempotent, entries.is_empty());
                let session = SessionId::present(Some(&reply.session_id)).unwrap().unwrap();
                self.sessions.retain(|(known, _)| *known != session);
                self.sessions.push((session, reply.idx));
                self.active(reply.idx);
            }
            Err(refusal) => assert_eq!(refusal.code, Code::CallsignTaken),
        }
    }

    /// One of two accounts with two keys each; the second ones are rare.
    fn identity(&mut self) -> Option<Identity> {
        let is_proved = self.rng.random_range(0..6) == 0;
        let mut one_or_two = || u64::from(self.rng.random_range(0..4) == 0);
        is_proved.then(|| Identity { account: AccountId::from_random(one_or_two()), key_no: one_or_two() })
    }

    pub(super) fn leave_or_revoke(&mut self) {
        if self.rng.random() { self.leave() } else { self.revoke() }
    }

    /// Revokes the session of a callsign, if the key matches.
    fn revoke(&mut self) {
        let callsign = Callsign::parse(NAMES[self.rng.random_range(0..NAMES.len())]).unwrap();
        self.note(&format!("revoke {callsign}"));
        let identity =
            Identity { account: AccountId::from_random(0), key_no: u64::from(self.rng.random_range(0..4) == 0) };
        let revoke = Revoke { callsign, identity };
        let (revoked, entries) = self.run(revoke).unwrap();
        assert_eq!(revoked, !entries.is_empty());
    }

    pub(super) fn leave(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        self.note(&format!("leave #{no}"));
        let was_live = self.oracle.members[&no].live;
        let (_, entries) = self.run(Leave { session: session.clone() }).unwrap();
        if !entries.is_empty() {
            // Later sends with this id count as another session.
            self.sends.retain(|(who, _)| *who != session);
        }
        assert!(entries.is_empty() || was_live);
        let waiting = self.parked.values().any(|p| p.who.0 == no && !entries.is_empty());
        assert!(!waiting && (entries.is_empty() || self.feeds.values().all(|f| f.who.0 != no)), "leaving ends all ids");
    }
}

//! Pushes new messages of every membership. Each has a [`Pusher`] of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rogerrat_client::{ChannelClient, ChannelTarget};
use rogerrat_domain::Priority;
use tokio::sync::Mutex;
use tokio::task::{AbortHandle, JoinSet};

use super::membership::{Membership, MembershipState, OWN};
use super::pusher::{PushEnd, Pusher};
use super::stdio::StdoutWriter;
use crate::target::ResolvedTarget;

/// Channels and ids of messages this process has pushed. Members on one channel receive the same broadcasts. Locked while
/// one is written, so that none counts as pushed that was not.
pub(super) type PushedMessages = Arc<Mutex<VecDeque<(String, u64)>>>;

pub(super) struct Notifier {
    target: ResolvedTarget,
    min_priority: Priority,
    state: MembershipState,
    output: StdoutWriter,
    pushed: PushedMessages,
    pushers: JoinSet<PushEnd>,
    /// The pushers by the number of their membership, also those that have ended.
    started: HashMap<u64, AbortHandle>,
}

impl Notifier {
    pub(super) fn new(
        target: ResolvedTarget,
        min_priority: Priority,
        state: MembershipState,
        output: StdoutWriter,
    ) -> Self {
        Self {
            target,
            min_priority,
            state,
            output,
            pushed: PushedMessages::default(),
            pushers: JoinSet::new(),
            started: HashMap::new(),
        }
    }

    /// Pushes messages of the current memberships. Ends when the output is closed.
    pub(super) async fn run(mut self) {
        let mut memberships = self.state.watch();
        // The bridge joins by itself, until an agent has joined with a tool.
        let mut is_joining = self.state.joins();
        if is_joining {
            self.start(OWN, self.target.client());
        }
        loop {
            let current = memberships.borrow_and_update().clone();
            is_joining &= current.is_empty();
            self.started.retain(|no, pusher| {
                let is_current = current.iter().any(|membership| membership.no == *no);
                if !is_current && !is_joining {
                    pusher.abort();
                }
                is_current || is_joining
            });
            for membership in current {
                if !self.started.contains_key(&membership.no) {
                    self.start(membership.no, ChannelClient::new(self.target_of(membership)));
                }
            }
            tokio::select! {
                changed = memberships.changed() => if changed.is_err() { return },
                Some(ended) = self.pushers.join_next() => if matches!(ended, Ok(PushEnd::OutputClosed)) { return },
            }
        }
    }

    fn start(&mut self, no: u64, client: ChannelClient) {
        let Self { min_priority, state, output, pushed, .. } = self;
        let pusher = Pusher::new(no, client, *min_priority, state.clone(), output.clone(), pushed.clone());
        self.started.insert(no, self.pushers.spawn(pusher.run()));
    }

    fn target_of(&self, membership: Membership) -> ChannelTarget {
        let base = self.target.target.clone();
        let Membership { channel, token, session, callsign, identity_key, .. } = membership;
        let is_identity = identity_key.is_some() || base.is_identity && callsign == base.callsign;
        ChannelTarget { channel, token, session: Some(session), callsign, identity_key, is_identity, ..base }
    }
}

//! What one hub changes takes effect at the other hubs on its log: bans, keys, deleted channels and accounts.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rogerrat_domain::op::{CreateInput, JoinInput};
use rogerrat_domain::{BanInput, Code};

use super::harness::TestHub;
use super::log_writes::durable;
use crate::{
    AccountOwner, FACTS_KEPT, Fact, HubError, Instances as _, MemoryAccounts, MemoryInstance, Ports, SharedMemoryLog,
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Two hubs on one log with the same accounts. The first owns the channel.
struct Two {
    a: TestHub,
    b: TestHub,
    of_b: Arc<MemoryInstance>,
}

impl Two {
    async fn new(create: CreateInput) -> Self {
        let log = SharedMemoryLog::new();
        let (of_a, of_b) = (Arc::new(log.start_instance("http://a")), Arc::new(log.start_instance("http://b")));
        let accounts = Arc::new(MemoryAccounts::beside(of_a.clone()));
        let ports = |of: &Arc<MemoryInstance>| Ports { accounts: accounts.clone(), ..Ports::with_log(of.clone()) };
        let a = TestHub::on(ports(&of_a), create).await;
        let b = a.beside(ports(&of_b)).await;
        Self { a, b, of_b }
    }

    async fn account(&self) -> AccountOwner {
        let opened = self.b.hub.open_account(None).await.unwrap();
        self.b.hub.admit_owner(Some(&opened.session_token)).await.unwrap()
    }

    async fn join_with(&self, key: &str) -> Result<String, HubError> {
        let input = JoinInput { identity_key: Some(key.into()), ..JoinInput::default() };
        Ok(self.a.hub.join(&self.a.at, input, None, LOCALHOST).await?.session_id)
    }

    async fn online(&self) -> Vec<String> {
        self.a.settle().await;
        self.a.roster().await.roster.clone()
    }
}

fn ban(callsign: &str) -> BanInput {
    BanInput { callsign: Some(callsign.into()), ..BanInput::default() }
}

#[actix_rt::test]
async fn c08_a_ban_ends_sessions_and_refuses_joins_at_every_hub() {
    let two = Two::new(durable()).await;
    two.a.join("ann").await;
    two.a.join("bob").await;
    let (made, _) = two.b.hub.ban(ban("bob"), LOCALHOST).await.unwrap();
    two.a.pass(1).await;
    assert_eq!(two.online().await, ["ann"]);
    assert_eq!(two.a.try_join("bob").await.unwrap_err().into_refusal().code, Code::Banned);
    assert_eq!(two.a.hub.bans(), std::slice::from_ref(&made));
    two.a.hub.unban(&made.id).await.unwrap();
    two.a.pass(1).await;
    assert!(two.b.hub.bans().is_empty());
    two.a.try_join("bob").await.unwrap();
}

#[actix_rt::test]
async fn c08_a_revoked_key_ends_sessions_at_every_hub() {
    let two = Two::new(durable()).await;
    let owner = two.account().await;
    let identity = two.b.hub.add_identity(&owner, Some("carol")).await.unwrap();
    two.join_with(&identity.identity_key).await.unwrap();
    assert_eq!(two.online().await, ["carol"]);
    let rotated = two.b.hub.rotate_key(&owner, "carol").await.unwrap();
    two.a.pass(1).await;
    assert!(two.online().await.is_empty());
    assert_eq!(two.join_with(&identity.identity_key).await.unwrap_err().into_refusal().code, Code::Unauthorized);
    two.join_with(&rotated.identity_key).await.unwrap();
    two.b.hub.close_account(&owner, false).await.unwrap();
    two.a.pass(1).await;
    assert!(two.online().await.is_empty());
}

#[actix_rt::test]
async fn c08_a_hub_that_missed_facts_reads_everything_again() {
    let two = Two::new(durable()).await;
    let owner = two.account().await;
    let identity = two.b.hub.add_identity(&owner, Some("carol")).await.unwrap();
    two.join_with(&identity.identity_key).await.unwrap();
    two.a.join("bob").await;
    // None of these waits, so that the other hub looks only afterwards.
    two.b.hub.ban(ban("bob"), LOCALHOST).await.unwrap();
    two.b.hub.rotate_key(&owner, "carol").await.unwrap();
    for _ in 0..=FACTS_KEPT {
        two.of_b.write_fact(Fact::Bans).await.unwrap();
    }
    two.a.pass(1_000).await;
    assert!(two.online().await.is_empty());
    assert_eq!(two.a.hub.bans().len(), 1);
}

#[actix_rt::test]
async fn c08_a_deleted_channel_is_gone_at_every_hub() {
    let two = Two::new(durable()).await;
    let channel = two.a.at.id().clone();
    two.b.hub.locate(&channel).await.unwrap();
    two.a.join("ann").await;
    assert!(matches!(two.b.hub.locate(&channel).await.unwrap(), crate::ChannelLocation::Elsewhere(_)));
    two.a.hub.delete(&two.a.at).await.unwrap();
    two.a.pass(1).await;
    assert_eq!(two.b.hub.locate(&channel).await.unwrap(), crate::ChannelLocation::Free, "nobody has it");
    assert_eq!(two.b.hub.find(channel.as_str()).await.unwrap_err().into_refusal().code, Code::NotFound);
    two.a.pass(16_000).await;
    assert_eq!(two.b.hub.totals().now.channels, two.a.hub.totals().now.channels);
}

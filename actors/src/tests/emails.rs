//! E-mail on paused time: codes, links, tries, and what callers cannot see.

use std::collections::VecDeque;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use rogerrat_domain::account::CreateAccountReply;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{Code, Language};

use super::harness::{HOUR_MS, TestHub};
use crate::{AccountOwner, Clock, HubError, Mail, MailContent, MailFailure, MailSender, MemoryLog, Ports};

const MINUTE_MS: u64 = 60_000;
const LATER: MailFailure = MailFailure { reason: "later", status: Some(451), is_temporary: true };
const NEVER: MailFailure = MailFailure { reason: "never", status: Some(550), is_temporary: false };

/// A mail server for tests. It records e-mails, with the time of each try, and answers as the test says.
#[derive(Default)]
struct MailServer {
    tries: Mutex<Vec<(u64, Mail)>>,
    /// The next answers; after the last one, all are accepted.
    answers: Mutex<VecDeque<Result<(), MailFailure>>>,
    hangs: AtomicBool,
    clock: Mutex<Option<Clock>>,
}

impl MailSender for MailServer {
    fn send(&self, mail: Mail) -> BoxFuture<'static, Result<(), MailFailure>> {
        let at_ms = self.clock.lock().unwrap().map_or(0, |clock| clock.uptime_ms());
        self.tries.lock().unwrap().push((at_ms, mail));
        if self.hangs.load(Relaxed) {
            return Box::pin(pending());
        }
        Box::pin(ready(self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))))
    }
}

struct Fixture {
    hub: TestHub,
    server: Arc<MailServer>,
}

struct Ann {
    owner: AccountOwner,
    tokens: CreateAccountReply,
}

impl Fixture {
    async fn new() -> Self {
        let server = Arc::new(MailServer::default());
        let ports = Ports::with_log(Arc::new(MemoryLog::default())).mailing(server.clone());
        let hub = TestHub::on(ports, CreateInput::default()).await;
        *server.clock.lock().unwrap() = Some(hub.clock);
        Self { hub, server }
    }

    async fn account(&self) -> Ann {
        let tokens = self.hub.hub.open_account(None).await.unwrap();
        let owner = self.hub.hub.admit_owner(Some(&tokens.session_token)).await.unwrap();
        Ann { owner, tokens }
    }

    async fn attach(&self, ann: &Ann, address: &str) -> Result<(), Code> {
        let attached = self.hub.hub.attach_email(&ann.owner, address, Language::En).await.map_err(code)?;
        assert!(!attached.verified);
        self.hub.settle().await;
        Ok(())
    }

    /// The e-mails since the last call.
    fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.server.tries.lock().unwrap()).into_iter().map(|(_, mail)| mail).collect()
    }

    /// The only e-mail since the last call.
    fn mail(&self) -> Mail {
        let [mail] = self.take().try_into().unwrap_or_else(|mails: Vec<Mail>| panic!("{mails:?}"));
        mail
    }

    /// The code and the secret of the link of the only e-mail.
    fn code(&self) -> (String, String) {
        match self.mail().content {
            MailContent::Verification { code, link, .. } => (code, link),
            other => panic!("{}", other.kind()),
        }
    }

    async fn verified(&self, ann: &Ann, address: &str) {
        self.attach(ann, address).await.unwrap();
        let (code, _) = self.code();
        assert!(self.hub.hub.verify_email(&ann.owner, &code).await.unwrap().verified);
    }

    /// Asks for links, and returns those of the e-mail.
    async fn links(&self, address: &str) -> Vec<String> {
        self.hub.hub.request_recovery(address, true).unwrap();
        self.hub.settle().await;
        match self.take().pop().map(|mail| mail.content) {
            None => Vec::new(),
            Some(MailContent::Recovery(links)) => links.into_iter().map(|(_, link)| link).collect(),
            Some(other) => panic!("{}", other.kind()),
        }
    }

    async fn confirm(&self, link: &str) -> Result<String, Code> {
        self.hub.hub.confirm_recovery(link, None).await.map(|reply| reply.recovery_token).map_err(code)
    }

    async fn verify(&self, ann: &Ann, code_: &str) -> Code {
        code(self.hub.hub.verify_email(&ann.owner, code_).await.unwrap_err())
    }
}

fn code(error: HubError) -> Code {
    error.into_refusal().code
}

#[actix_rt::test]
async fn d42_a_link_recovers_the_account_once_and_ends_the_old_recovery_token() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.verified(&ann, "Ann@example.org").await;
    let links = fixture.links("ann@EXAMPLE.org").await;
    let recovery = fixture.confirm(&links[0]).await.unwrap();
    fixture.hub.settle().await;
    assert!(matches!(fixture.mail().content, MailContent::Recovered(_)), "the address is notified");
    assert_eq!(fixture.confirm(&links[0]).await.unwrap_err(), Code::Unauthorized);
    let hub = &fixture.hub.hub;
    assert_eq!(code(hub.recover_account(&ann.tokens.recovery_token, None).await.unwrap_err()), Code::Unauthorized);
    hub.recover_account(&recovery, None).await.unwrap();
    hub.admit_owner(Some(&ann.tokens.session_token)).await.expect("sessions stay");
}

#[actix_rt::test]
async fn d42_codes_and_links_are_valid_for_fifteen_minutes() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    let (first, _) = fixture.code();
    fixture.hub.pass(15 * MINUTE_MS).await;
    assert_eq!(fixture.verify(&ann, &first).await, Code::NotFound);
    assert_eq!(fixture.hub.hub.account(&ann.owner).await.unwrap().email, None);
    fixture.verified(&ann, "ann@example.org").await;
    let links = fixture.links("ann@example.org").await;
    fixture.hub.pass(15 * MINUTE_MS - 1).await;
    let more = fixture.links("ann@example.org").await;
    fixture.hub.pass(1).await;
    assert_eq!(fixture.confirm(&links[0]).await.unwrap_err(), Code::Unauthorized);
    fixture.hub.clock.jump(-(HOUR_MS as i64));
    assert_eq!(fixture.confirm(&more[0]).await.unwrap_err(), Code::Unauthorized, "from the future");
    fixture.hub.clock.jump(HOUR_MS as i64);
    fixture.confirm(&more[0]).await.unwrap();
}

#[actix_rt::test]
async fn d42_five_wrong_codes_void_a_code_and_a_new_code_voids_the_old() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    let (right, link) = fixture.code();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(fixture.verify(&ann, wrong).await, Code::Invalid);
    }
    assert_eq!(fixture.verify(&ann, &right).await, Code::NotFound);
    assert_eq!(code(fixture.hub.hub.verify_email_by_link(&link).await.unwrap_err()), Code::NotFound);
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    let (second, _) = fixture.code();
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    let (third, _) = fixture.code();
    if second != third {
        assert_eq!(fixture.verify(&ann, &second).await, Code::Invalid);
    }
    let shown = format!(" {} {}\n", &third[..3], &third[3..]);
    fixture.hub.hub.verify_email(&ann.owner, &shown).await.unwrap();
    assert_eq!(fixture.verify(&ann, &third).await, Code::NotFound, "a code is used once");
}

#[actix_rt::test]
async fn d42_five_accounts_share_an_address_and_each_gets_a_link() {
    let fixture = Fixture::new().await;
    let mut accounts = Vec::new();
    for n in 0..6 {
        let ann = fixture.account().await;
        fixture.attach(&ann, "ann@example.org").await.unwrap();
        // Of three accounts an hour the address gets a code; the others wait.
        let mails = fixture.take();
        assert_eq!(mails.len(), 1, "{n}");
        let Some(MailContent::Verification { link, .. }) = mails.into_iter().next().map(|mail| mail.content) else {
            panic!("no code")
        };
        match fixture.hub.hub.verify_email_by_link(&link).await {
            Ok(_) => accounts.push(ann),
            Err(error) => assert_eq!((n, code(error)), (5, Code::LimitReached)),
        }
        if n == 2 {
            fixture.hub.pass(HOUR_MS).await;
        }
    }
    let links = fixture.links("ann@example.org").await;
    assert_eq!(links.len(), 5);
    for link in &links {
        fixture.confirm(link).await.unwrap();
    }
    fixture.hub.settle().await;
    assert_eq!(fixture.take().len(), 5);
    fixture.hub.hub.close_account(&accounts[0].owner, false).await.unwrap();
    assert_eq!(fixture.links("ann@example.org").await.len(), 4, "an address goes with its account");
}

#[actix_rt::test]
async fn a_replaced_or_removed_address_is_notified_and_its_links_end() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.verified(&ann, "old@example.org").await;
    fixture.attach(&ann, "new@example.org").await.unwrap();
    let (code_, _) = fixture.code();
    let email = fixture.hub.hub.account(&ann.owner).await.unwrap().email.unwrap();
    assert!(email.verified && email.next.is_some(), "{email:?}");
    let old = fixture.links("old@example.org").await;
    fixture.hub.hub.verify_email(&ann.owner, &code_).await.unwrap();
    fixture.hub.settle().await;
    let notice = fixture.mail();
    assert!(notice.to.as_str() == "old@example.org" && matches!(notice.content, MailContent::Removed(_)));
    assert_eq!(fixture.confirm(&old[0]).await.unwrap_err(), Code::Unauthorized);
    assert!(fixture.links("old@example.org").await.is_empty());
    let new = fixture.links("new@example.org").await;
    fixture.hub.hub.remove_email(&ann.owner).await.unwrap();
    fixture.hub.settle().await;
    assert_eq!(fixture.mail().to.as_str(), "new@example.org");
    assert_eq!(fixture.confirm(&new[0]).await.unwrap_err(), Code::Unauthorized);
    assert_eq!(code(fixture.hub.hub.remove_email(&ann.owner).await.unwrap_err()), Code::NotFound);
    assert_eq!(fixture.hub.hub.account(&ann.owner).await.unwrap().email, None);
}

#[actix_rt::test]
async fn an_email_is_tried_four_times() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.server.answers.lock().unwrap().extend([Err(LATER), Err(LATER), Err(LATER)]);
    let begin_ms = fixture.hub.clock.uptime_ms();
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    assert_eq!(fixture.hub.hub.totals().mails.queued, 1);
    for _ in 0..125 {
        fixture.hub.pass(1000).await;
    }
    let at_ms: Vec<_> = fixture.server.tries.lock().unwrap().drain(..).map(|(at_ms, _)| at_ms - begin_ms).collect();
    // Time passes in steps of a second.
    let expected = [0, 5_000, 30_000, 120_000];
    assert!(at_ms.len() == 4 && at_ms.iter().zip(expected).all(|(at, ms)| (ms..=ms + 1000).contains(at)), "{at_ms:?}");
    fixture.server.answers.lock().unwrap().push_back(Err(NEVER));
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    fixture.hub.pass(200_000).await;
    assert_eq!(fixture.take().len(), 1, "a refusal is final");
    fixture.server.answers.lock().unwrap().extend([Err(LATER), Err(LATER), Err(LATER), Err(LATER)]);
    fixture.attach(&ann, "ann@example.org").await.unwrap();
    for _ in 0..200 {
        fixture.hub.pass(1000).await;
    }
    let totals = fixture.hub.hub.totals().mails;
    assert_eq!((totals.attempts_total, totals.sent_total, totals.failed_total, totals.queued), (9, 1, 2, 0));
}

#[actix_rt::test]
async fn d42_a_request_to_recover_is_answered_before_the_address_is_looked_up() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.verified(&ann, "ann@example.org").await;
    // The call is not async: it cannot wait for the store or the mail server. What follows runs in a task of its own.
    fixture.hub.hub.request_recovery("ann@example.org", true).unwrap();
    assert!(fixture.take().is_empty());
    fixture.hub.settle().await;
    assert_eq!(fixture.take().len(), 1);
    fixture.hub.hub.request_recovery("bob@example.org", true).unwrap();
    fixture.hub.hub.request_recovery("ann@example.org", false).unwrap();
    fixture.hub.settle().await;
    assert!(fixture.take().is_empty());
    for _ in 0..500 {
        fixture.hub.hub.request_recovery("ann@example.org", true).unwrap();
    }
    fixture.hub.settle().await;
    assert_eq!(fixture.take().len(), 2, "three an hour, whatever is asked");
}

#[actix_rt::test]
async fn a_full_queue_refuses_codes_and_drops_the_rest() {
    let fixture = Fixture::new().await;
    let ann = fixture.account().await;
    fixture.verified(&ann, "ann@example.org").await;
    fixture.server.hangs.store(true, Relaxed);
    for n in 0..50 {
        let other = fixture.account().await;
        fixture.attach(&other, &format!("a{n}@example.org")).await.unwrap();
    }
    let last = fixture.account().await;
    assert_eq!(fixture.attach(&last, "last@example.org").await.unwrap_err(), Code::Overloaded);
    fixture.hub.hub.request_recovery("ann@example.org", true).unwrap();
    fixture.hub.settle().await;
    let totals = fixture.hub.hub.totals().mails;
    assert_eq!((totals.queued, totals.attempts_total), (51, 1 + 4), "four are sent at the same time");
}

#[actix_rt::test]
async fn without_a_mail_server_there_is_no_email() {
    let hub = TestHub::new().await;
    let tokens = hub.hub.open_account(None).await.unwrap();
    let owner = hub.hub.admit_owner(Some(&tokens.session_token)).await.unwrap();
    let attached = hub.hub.attach_email(&owner, "ann@example.org", Language::En).await;
    assert_eq!(code(attached.unwrap_err()), Code::NotFound);
    assert_eq!(hub.hub.request_recovery("ann@example.org", true).unwrap_err().code, Code::NotFound);
    assert_eq!(hub.hub.account(&owner).await.unwrap().email, None);
}

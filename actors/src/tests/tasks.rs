//! Work on a hub: of many takers one has it.

use futures_util::future::join_all;
use rogerrat_domain::op::{Draft, Send, SendInput, Take};
use rogerrat_domain::{Code, MessageState, WaiterId, Wants};

use super::harness::{Agent, TestHub};
use crate::HubError;

const TAKERS: usize = 64;

/// `TAKE_ROUNDS=<n>` takes more often.
fn rounds() -> usize {
    std::env::var("TAKE_ROUNDS").ok().map_or(30, |text| text.parse().expect("a number"))
}

async fn send(test: &TestHub, by: &Agent, input: SendInput) -> u64 {
    let send = Send { session: by.session(), draft: Draft::check(input, None).unwrap() };
    test.hub.send(&test.at, send).await.unwrap().id
}

#[actix_rt::test]
async fn a11_of_64_takers_at_once_one_has_the_task() {
    let test = TestHub::new().await;
    let (asker, mut takers) = (test.join("asker").await, Vec::new());
    for n in 0..TAKERS {
        takers.push(test.join(&format!("w{n}")).await);
    }
    for round in 0..rounds() {
        let work = || SendInput { message: Some("x".into()), wants: Some(Wants::Work), ..SendInput::default() };
        let id = send(&test, &asker, SendInput { quiet: Some(true), ..work() }).await;
        // Half of them name the task, the others take what comes.
        let takes = takers.iter().enumerate().map(|(n, taker)| {
            let (session, id, waiter) = (taker.session(), (n % 2 == round % 2).then_some(id), WaiterId(0));
            let take = Take { session, id, fence: None, lease_ms: 60_000, thread: None, timeout_ms: 0, waiter };
            let test = &test;
            async move { (n, test.hub.take(&test.at, take).await) }
        });
        let mut winners = Vec::new();
        for (n, outcome) in join_all(takes).await {
            match outcome {
                Ok(Some(mut taken)) => {
                    assert_eq!((taken.task.id, taken.fence), (id, 1));
                    taken.guard.complete();
                    winners.push(n);
                }
                Ok(None) => {}
                Err(HubError::Refused(refusal)) => assert_eq!(refusal.code, Code::TaskTaken),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        let state = Some(MessageState::Done);
        let done = SendInput { reply_to: Some(id), state, fence: Some(1), ..SendInput::default() };
        send(&test, &takers[winners[0]], done).await;
    }
}

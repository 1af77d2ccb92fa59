//! Tests of tasks: each rule by an example. The simulation of tasks tries the table at random.

mod work;

use serde_json::{Value, json};

use super::{AnswersFormat, TaskReason, TaskResponse, TaskRow};
use crate::op::harness::{TestChannel, parse_draft};
use crate::op::{LookAtTask, LookUntil, Send, SendReply, Take, TakeOutcome, TaskOutcome};
use crate::{Code, MessageId, ReadResponse, Refusal, TaskState, WaiterId, limits};

impl TestChannel {
    pub(crate) fn post(&mut self, from: &str, body: &Value) -> Result<SendReply, Refusal> {
        self.try_send(from, parse_draft(body)?)
    }

    /// Asks as the interfaces do: sends a question that is not sent twice.
    pub(crate) fn question(&mut self, from: &str, to: &str, text: &str) -> SendReply {
        let input = serde_json::from_value(json!({"to": to, "message": text})).unwrap();
        let draft = crate::op::Draft::check_ask(input, None).unwrap();
        let session = self.session(from);
        self.ask(Send { session, draft }).unwrap()
    }

    pub(crate) fn look(&mut self, who: &str, id: MessageId, until: LookUntil) -> Result<TaskOutcome, Refusal> {
        self.next_waiter += 1;
        let (session, waiter) = (self.session(who), WaiterId(self.next_waiter));
        self.ask(LookAtTask { session, id, until, format: AnswersFormat::default(), timeout_ms: 45_000, waiter })
    }

    fn row(&mut self, who: &str, id: MessageId) -> TaskRow {
        match self.look(who, id, LookUntil::Now).unwrap() {
            TaskOutcome::Answered(response) => response.task,
            other => panic!("{other:?}"),
        }
    }

    /// Parks an ask that must park. Returns its id.
    fn park_ask(&mut self, who: &str, id: MessageId) -> WaiterId {
        assert!(matches!(self.look(who, id, LookUntil::Answered).unwrap(), TaskOutcome::Parked));
        WaiterId(self.next_waiter)
    }

    fn looked(&mut self, id: WaiterId) -> TaskResponse {
        *self.looks.remove(&id).expect("the wait ended").expect("it waited for a task")
    }

    pub(crate) fn take_task(
        &mut self,
        who: &str,
        id: Option<MessageId>,
        fence: Option<u32>,
    ) -> Result<TakeOutcome, Refusal> {
        self.next_waiter += 1;
        let (session, waiter) = (self.session(who), WaiterId(self.next_waiter));
        self.ask(Take { session, id, fence, lease_ms: 60_000, thread: None, timeout_ms: 0, waiter })
    }

    /// Takes a task and receives the answer. Returns its fence.
    pub(crate) fn takes(&mut self, who: &str, id: MessageId) -> u32 {
        match self.take_task(who, Some(id), None).unwrap() {
            TakeOutcome::Taken(taken) => {
                taken.guard.into_iter().for_each(crate::DeliveryToken::complete);
                self.tick();
                taken.fence
            }
            other => panic!("{other:?}"),
        }
    }
}

fn channel(members: &[&str]) -> TestChannel {
    let mut test = TestChannel::new();
    for who in members {
        test.join(who);
    }
    test
}

fn texts(row: &TaskRow) -> Vec<String> {
    let text = |json: &str| serde_json::from_str::<Value>(json).unwrap()["text"].as_str().unwrap().to_owned();
    row.answers.iter().map(|answer| text(answer.get())).collect()
}

fn work(test: &mut TestChannel, to: &str) -> MessageId {
    test.post("ann", &json!({"to": to, "wants": "work", "message": "fix it"})).unwrap().id
}

#[test]
fn a09_an_answer_closes_a_question_and_goes_to_its_asker() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let asked = test.post("ann", &json!({"to": "bob", "wants": "answer", "message": "ready?"})).unwrap();
    assert_eq!(asked.task.as_ref().unwrap().state, TaskState::Open);
    assert!(test.post("eve", &json!({"reply_to": asked.id, "state": "done"})).is_err(), "it is for bob");
    assert_eq!(test.look("eve", asked.id, LookUntil::Now).unwrap_err().code, Code::NotFound);
    let reply = test.post("bob", &json!({"reply_to": asked.id, "message": "yes"})).unwrap();
    assert_eq!((reply.to.as_str(), reply.task.unwrap().state), ("ann", TaskState::Done));
    let row = test.row("ann", asked.id);
    assert_eq!((row.state, texts(&row)), (TaskState::Done, vec!["yes".to_owned()]));
    assert_eq!(test.listen("ann").unwrap().texts, ["yes"], "it was dropped unread with the look");
    let late = test.post("bob", &json!({"reply_to": asked.id, "message": "no"})).unwrap();
    assert_eq!(late.task.unwrap().state, TaskState::Done, "a late reply is delivered and changes nothing");
    let refused = test.post("bob", &json!({"reply_to": asked.id, "state": "failed", "message": "no"})).unwrap_err();
    assert_eq!(refused.code, Code::TaskClosed);
}

#[test]
fn a10_an_ask_reads_its_answer_and_only_it() {
    let mut test = channel(&["ann", "bob", "eve"]);
    test.send("eve", "all", "before");
    let asked = test.question("ann", "bob", "ready?");
    let wait = test.park_ask("ann", asked.id);
    let poll = test.park("ann", crate::op::ReadInput { since: Some(asked.id), ..Default::default() });
    test.cancel_wait(poll);
    test.post("bob", &json!({"reply_to": asked.id, "message": "yes"})).unwrap();
    let response = test.looked(wait);
    assert_eq!((response.reason, texts(&response.task)), (TaskReason::Ready, vec!["yes".to_owned()]));
    response.guard.unwrap().complete();
    test.tick();
    assert_eq!(test.listen("ann").unwrap().texts, ["before"], "what lies below stays unread");
    assert!(test.listen("ann").is_none());
}

#[test]
fn a10_an_ask_wins_against_a_parked_poll_and_returns_what_it_did_not_deliver() {
    let mut test = channel(&["ann", "bob"]);
    let asked = test.question("ann", "bob", "ready?");
    let wait = test.park_ask("ann", asked.id);
    let poll = test.park("ann", crate::op::ReadInput::default());
    test.post("bob", &json!({"reply_to": asked.id, "message": "yes"})).unwrap();
    assert!(test.answer(poll).is_none());
    drop(test.looked(wait));
    test.tick();
    assert_eq!(test.answered(poll).texts, ["yes"]);
}

#[test]
fn a10_the_same_words_are_one_question_while_it_is_open_or_its_answer_is_unread() {
    let mut test = channel(&["ann", "bob"]);
    let first = test.question("ann", "bob", "ready?");
    let again = test.question("ann", "bob", "ready?");
    assert!(again.duplicate && again.id == first.id);
    assert_eq!(test.question("ann", "#2", "ready?").id, first.id, "the same member");
    assert_ne!(test.question("ann", "bob", "sure?").id, first.id);
    let to_all = test.question("ann", "all", "ready?").id;
    assert!(to_all != first.id && test.question("ann", "", "ready?").id == to_all);
    test.post("bob", &json!({"reply_to": first.id, "message": "yes"})).unwrap();
    assert_eq!(test.question("ann", "bob", "ready?").id, first.id, "the answer is still unread");
    test.listen("ann").unwrap();
    assert_ne!(test.question("ann", "bob", "ready?").id, first.id);
    let sent_twice = [(); 2].map(|()| test.post("ann", &json!({"to": "bob", "wants": "answer", "message": "x"})));
    assert!(!sent_twice[1].as_ref().unwrap().duplicate, "only an ask is recognised");
}

#[test]
fn a10_two_members_that_ask_each_other_both_finish() {
    let mut test = channel(&["ann", "bob"]);
    let first = test.question("ann", "bob", "a?");
    let ann = test.park_ask("ann", first.id);
    let second = test.question("bob", "ann", "b?");
    let response = test.looked(ann);
    assert_eq!((response.reason, response.interrupted_by.unwrap().as_str()), (TaskReason::Interrupted, "bob"));
    let TaskOutcome::Answered(early) = test.look("bob", second.id, LookUntil::Answered).unwrap() else { panic!() };
    assert_eq!(early.reason, TaskReason::Interrupted, "ann's question is unread");
    assert_eq!(test.listen("ann").unwrap().texts, ["b?"]);
    test.post("ann", &json!({"reply_to": second.id, "message": "b!"})).unwrap();
    test.listen("bob").unwrap();
    test.post("bob", &json!({"reply_to": first.id, "message": "a!"})).unwrap();
    assert_eq!((test.row("ann", first.id).state, test.row("bob", second.id).state), (TaskState::Done, TaskState::Done));
}

#[test]
fn a10_a_message_of_the_member_that_was_asked_ends_the_ask() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let asked = test.question("ann", "bob", "ready?");
    let wait = test.park_ask("ann", asked.id);
    test.send("eve", "ann", "hi");
    assert!(test.looks.is_empty());
    test.send("bob", "ann", "which one?");
    assert_eq!(test.looked(wait).reason, TaskReason::Interrupted);
}

#[test]
fn a10_several_answers_are_collected() {
    let mut test = channel(&["ann", "bob", "eve", "dan"]);
    let body = json!({"wants": "answer", "answers": 2, "message": "who?"});
    let asked = test.post("ann", &body).unwrap().id;
    let wait = test.park_ask("ann", asked);
    test.post("bob", &json!({"reply_to": asked, "message": "me"})).unwrap();
    let twice = test.post("bob", &json!({"reply_to": asked, "message": "me!", "state": "done"})).unwrap_err();
    assert_eq!(twice.code, Code::Forbidden);
    assert!(test.listen("ann").is_none(), "the answer is kept for the ask");
    test.post("eve", &json!({"reply_to": asked, "state": "rejected", "message": "not me"})).unwrap();
    let response = test.looked(wait);
    assert_eq!((response.task.state, texts(&response.task)), (TaskState::Done, vec!["me".into(), "not me".into()]));
    response.guard.unwrap().complete();
    test.tick();
    assert!(test.listen("ann").is_none());
    assert_eq!(test.post("dan", &json!({"reply_to": asked, "message": "me too"})).unwrap().to, "ann");
}

#[test]
fn a10_an_ask_without_an_answer_ends_at_its_timeout_and_expires_at_its_deadline() {
    let mut test = channel(&["ann", "bob"]);
    let asked = test.question("ann", "bob", "ready?");
    let wait = test.park_ask("ann", asked.id);
    test.at(45_000);
    assert_eq!(test.looked(wait).reason, TaskReason::TimedOut);
    test.at(limits::TASK_DEADLINE_ANSWER_MS - 1);
    test.join("ann");
    assert_eq!(test.row("ann", asked.id).state, TaskState::Open);
    test.at(limits::TASK_DEADLINE_ANSWER_MS);
    assert_eq!(test.row("ann", asked.id).state, TaskState::Expired);
}

#[test]
fn a09_its_sender_continues_a_task_that_waits_for_it() {
    let mut test = channel(&["ann", "bob"]);
    let id = work(&mut test, "bob");
    let fence = test.takes("bob", id);
    test.post("bob", &json!({"reply_to": id, "state": "input", "fence": fence, "message": "which?"})).unwrap();
    test.at(600_000);
    assert_eq!(test.row("ann", id).state, TaskState::Input, "no lease runs while it waits");
    let reply = test.post("ann", &json!({"reply_to": id, "message": "the first"})).unwrap();
    assert_eq!((reply.to.as_str(), reply.task.unwrap().state), ("bob", TaskState::Held));
    test.post("ann", &json!({"reply_to": id, "state": "cancelled"})).unwrap();
    assert_eq!(test.row("bob", id).state, TaskState::Cancelled);
}

#[test]
fn a09_a_result_is_not_refused_because_the_mailbox_of_its_sender_is_full() {
    let mut test = channel(&["ann", "bob"]);
    let id = work(&mut test, "bob");
    test.send_many("bob", "ann", limits::HELD_MESSAGES);
    assert_eq!(test.post("bob", &json!({"to": "ann", "message": "x"})).unwrap_err().code, Code::MailboxFull);
    test.post("bob", &json!({"reply_to": id, "state": "done", "message": "done"})).unwrap();
    assert_eq!(texts(&test.row("ann", id)), ["done"]);
}

#[test]
fn a09_a_step_with_words_is_not_accepted_for_a_full_mailbox_and_one_without_is() {
    let mut test = channel(&["ann", "bob"]);
    let id = work(&mut test, "bob");
    let fence = test.takes("bob", id);
    test.send_many("bob", "ann", limits::HELD_MESSAGES);
    for state in ["input", "working", "open"] {
        let before = test.row("ann", id).updated_at;
        let step = json!({"reply_to": id, "state": state, "fence": fence, "message": "x"});
        assert_eq!(test.post("bob", &step).unwrap_err().code, Code::MailboxFull, "{state}");
        assert_eq!(test.row("ann", id).updated_at, before, "nothing has changed");
    }
    test.post("bob", &json!({"reply_to": id, "state": "input", "fence": fence})).unwrap();
    assert_eq!(test.row("ann", id).state, TaskState::Input);
    while test.post("ann", &json!({"to": "bob", "message": "x"})).is_ok() {}
    let resume = json!({"reply_to": id, "message": "this one"});
    assert_eq!(test.post("ann", &resume).unwrap_err().code, Code::MailboxFull);
    let cancel = json!({"reply_to": id, "state": "cancelled", "message": "never mind"});
    assert_eq!(test.post("ann", &cancel).unwrap_err().code, Code::MailboxFull);
    test.post("ann", &json!({"reply_to": id, "state": "cancelled"})).unwrap();
    assert_eq!(test.row("bob", id).state, TaskState::Cancelled);
}

#[test]
fn a09_a_task_that_was_taken_or_answered_was_delivered() {
    let mut test = channel(&["ann", "bob"]);
    let id = work(&mut test, "all");
    assert!(!test.row("ann", id).delivered);
    test.takes("bob", id);
    assert!(test.row("ann", id).delivered);
    let question = test.post("ann", &json!({"wants": "answer", "answers": 2, "message": "x"})).unwrap().id;
    assert!(!test.row("ann", question).delivered);
    test.post("bob", &json!({"reply_to": question, "message": "y"})).unwrap();
    assert!(test.row("ann", question).delivered);
}

#[test]
fn a09_who_looks_for_a_task_that_is_not_kept_learns_why() {
    let mut test = channel(&["ann", "bob"]);
    let hint = |test: &mut TestChannel, id| {
        let refusal = test.look("ann", id, LookUntil::Now).unwrap_err();
        assert_eq!(refusal.code, Code::NotFound);
        format!("{:?}", refusal.hint)
    };
    let first = work(&mut test, "all");
    assert!(hint(&mut test, first + 1_000).contains("no message of this channel has that id"));
    test.post("ann", &json!({"reply_to": first, "state": "cancelled"})).unwrap();
    assert!(hint(&mut test, first - 1).contains("kept for a day"));
    for _ in 0..limits::TASKS_CLOSED {
        let id = work(&mut test, "all");
        test.post("ann", &json!({"reply_to": id, "state": "cancelled"})).unwrap();
    }
    assert!(hint(&mut test, first).contains("only the newest 500 closed tasks"));
}

#[test]
fn a09_a_late_reply_without_to_goes_to_the_other_end_as_long_as_the_question_is_in_memory() {
    let mut test = channel(&["ann", "bob", "eve"]);
    let id = test.post("ann", &json!({"to": "bob", "wants": "answer", "message": "the password?"})).unwrap().id;
    let quiet = json!({"wants": "work", "quiet": true, "deadline_seconds": 60, "message": "x"});
    let quiet = test.post("ann", &quiet).unwrap().id;
    while !test.channel.tasks.have_none() {
        test.at(test.now.uptime_ms + limits::SESSION_TTL_MS / 2);
        for who in ["ann", "bob", "eve"] {
            let _ = test.listen(who);
        }
    }
    let late = |id: MessageId| json!({"reply_to": id, "message": "hunter2"});
    let to = |test: &mut TestChannel, who: &str, body: &Value| test.post(who, body).unwrap().to;
    assert_eq!((to(&mut test, "bob", &late(id)), to(&mut test, "ann", &late(id))), ("ann".into(), "bob".into()));
    assert_eq!(to(&mut test, "bob", &json!({"to": "all", "reply_to": id, "message": "x"})), "all");
    // Neither was it a task of these, nor is it one that nobody was asked.
    let plain = test.post("ann", &json!({"to": "bob", "message": "x"})).unwrap().id;
    for (who, id) in [("eve", id), ("bob", plain), ("ann", quiet), ("bob", quiet), ("bob", id + 1_000_000)] {
        assert_eq!(to(&mut test, who, &late(id)), "all");
    }
    for _ in 0..limits::RING_MESSAGES {
        test.post("eve", &json!({"message": "x"})).unwrap();
    }
    assert_eq!(to(&mut test, "bob", &late(id)), "all", "nothing is known of it any more");
}

#[test]
fn a09_what_tasks_hold_is_bounded_and_goes_with_them() {
    let mut test = channel(&["ann", "bob"]);
    for _ in 0..limits::TASKS_OPEN_MEMBER {
        work(&mut test, "all");
    }
    let one_more = json!({"wants": "work", "message": "x"});
    assert_eq!(test.post("ann", &one_more).unwrap_err().code, Code::LimitReached);
    test.at(limits::TASK_DEADLINE_WORK_MS);
    // No two changes have the same time, so the last ones are some milliseconds later.
    test.at(test.now.uptime_ms + limits::TASK_KEEP_MS + limits::TASKS_OPEN_MEMBER as u64);
    assert!(test.channel.tasks.have_none() && test.channel.tasks.bytes == 0);
    test.channel.shrink();
    assert_eq!(test.channel.next_deadline_ms(), test.channel.next_deadline_ms());
}

#[test]
fn a09_the_fields_of_a_task_are_checked() {
    let mut test = channel(&["ann", "bob"]);
    for body in [
        json!({"to": "bob", "message": "x", "wants": "decision"}),
        json!({"to": "bob", "message": "x", "wants": "answer", "kind": "status"}),
        json!({"to": "bob", "message": "x", "wants": "answer", "answers": 2}),
        json!({"message": "x", "wants": "answer", "answers": 17}),
        json!({"to": "bob", "message": "x", "wants": "work", "quiet": true}),
        json!({"to": "bob", "message": "x", "wants": "work", "deadline_seconds": 2_592_001}),
        json!({"to": "bob", "message": "x", "wants": "work", "deadline_seconds": 0}),
        json!({"to": "bob", "message": "x", "state": "done"}),
        json!({"to": "bob", "message": "x", "fence": 1}),
        json!({"to": "bob", "message": "x", "quiet": true}),
        json!({"to": "ann", "message": "x", "wants": "answer"}),
        json!({"to": "bob", "data": "text"}),
        json!({"to": "bob", "data": ["x".repeat(17_000)]}),
    ] {
        assert_eq!(test.post("ann", &body).unwrap_err().code, Code::Invalid, "{body}");
    }
    let deep = (0..40).fold(json!([]), |inner, _| json!([inner]));
    assert_eq!(test.post("ann", &json!({"to": "bob", "data": deep})).unwrap_err().code, Code::Invalid);
}

#[test]
fn a09_data_is_delivered_with_a_message_and_changes_nothing_else_of_it() {
    let mut test = channel(&["ann", "bob"]);
    let data = json!({"a": 1, "attachments": [{"mime": "image/png", "data_base64": "AAAA"}], "text": "\n"});
    test.post("ann", &json!({"to": "bob", "data": data})).unwrap();
    let response: ReadResponse = test.poll("bob", crate::op::ReadInput::default()).unwrap();
    let message = &response.messages[0].message;
    for json in [message.json(), message.json_by_reference()] {
        assert_eq!(serde_json::from_slice::<Value>(&json).unwrap()["data"], data);
    }
    let frame = message.frame(1, false);
    assert!(crate::frame_by_reference(&frame).is_none());
}

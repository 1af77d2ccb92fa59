//! Tasks with the script: it asks, posts, takes and finishes like the command.

use rogerrat_testkit::{Agent, ClientCommand, Exit, Hub, client_env, wait_until};
use serde_json::json;

use super::kit::{ScriptUser, session_of};

/// What both print of the same question: the answers, with the times of the hub.
fn id_of(exit: &Exit) -> String {
    exit.err.trim().rsplit(' ').next().unwrap().to_owned()
}

fn answer(agent: &Agent, id: &str, text: &str) {
    let id: u64 = id.parse().unwrap();
    agent.try_send(&json!({"reply_to": id, "message": text})).ok();
}

#[test]
fn a10_the_script_asks_and_prints_the_answers_of_several() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "ann");
    let [bob, eve] = ["bob", "eve"].map(|who| channel.join(who));
    let early = user.run(&["ask", "all", "Which\nbranch?", "--answers", "2", "--timeout", "0"]);
    assert_eq!((early.code, early.out.as_str()), (Some(3), ""), "{early:?}");
    let id = id_of(&early);
    assert!(early.err.contains(&format!("go on with: {} ask --resume {id}", user.call())), "{}", early.err);
    answer(&bob, &id, "main");
    let one = user.run(&["ask", "--resume", &id, "--timeout", "0"]);
    assert!(one.code == Some(3) && one.out.ends_with("state done]: main\n"), "{one:?}");
    answer(&eve, &id, "next\r\u{1b}[2J");
    let both = user.run(&["ask", "--resume", &id]);
    assert_eq!((both.code, both.out.lines().count(), both.err.as_str()), (Some(0), 2, ""));
    assert!(both.out.ends_with("state done]: next\\r\\u{1b}[2J\n"), "{}", both.out);
    let origin = hub.origin();
    let session = session_of(&user, &channel, "ann").session;
    let theirs = ClientCommand::start(&["ask", "--resume", &id], &client_env(&channel, &origin, &session));
    assert_eq!(theirs.wait_for_exit().out, both.out);
    assert_eq!(user.run(&["ask", "bob", "x", "--resume", &id]).code, Some(2));
    assert_eq!(user.run(&["ask"]).code, Some(2));
}

#[test]
fn a11_the_script_posts_takes_and_finishes_work() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (ScriptUser::joined(*hub, &channel, "ann"), ScriptUser::joined(*hub, &channel, "bob"));
    let posted = ann.ok(&["task", "add", "fix\nit", "--quiet", "--thread", "ci", "--deadline", "600"]);
    let id = posted.trim().rsplit('#').next().unwrap().to_owned();
    assert!(posted == format!("posted #{id}\n") && bob.run(&["wait", "--timeout", "1"]).code == Some(3));
    assert_eq!(bob.run(&["take", "--thread", "other"]).code, Some(3));
    let taken = bob.ok(&["take", "--thread", "ci"]);
    assert!(taken.contains("[work; held by bob, fence 1, until ["), "{taken}");
    let origin = hub.origin();
    let session = session_of(&bob, &channel, "bob").session;
    let env = client_env(&channel, &origin, &session);
    for arguments in [&["task", "list"][..], &["task", "show", &id], &["task", "list", "--json", "--mine"]] {
        let theirs = ClientCommand::start(arguments, &env).wait_for_exit();
        assert_eq!((theirs.code, theirs.out), (Some(0), bob.ok(arguments)), "{arguments:?}");
    }
    let renewed = bob.ok(&["take", &id, "--fence", "1", "--lease", "60"]);
    assert!(renewed.contains("fence 1, until ["), "{renewed}");
    bob.run(&["take", &id, "--fence", "2"]).with_one_line(1, "(fence_stale)");
    std::fs::write(bob.home().join("fix.patch"), "--- a\n").unwrap();
    assert_eq!(
        bob.ok(&["finish", &id, "done", "patched", "--fence", "1", "--attach", "fix.patch"]),
        format!("#{id} is done\n")
    );
    let shown = ann.ok(&["task", "show", &id]);
    assert!(shown.contains("[work; done by bob, fence 1]: fix\\nit\n") && shown.ends_with(": patched\n"), "{shown}");
    let other = ann.ok(&["task", "add", "no"]).trim().rsplit('#').next().unwrap().to_owned();
    assert_eq!(ann.ok(&["task", "cancel", &other]), format!("#{other} is cancelled\n"));
    assert_eq!(bob.run(&["take"]).code, Some(3));
    wait_until("the list shows it", || ann.ok(&["task", "list", "--state", "cancelled"]).contains(&other));
    for wrong in [&["task"][..], &["task", "sing"], &["task", "list", "--state", "lost"], &["task", "show", "x"]] {
        assert_eq!(ann.run(wrong).code, Some(2), "{wrong:?}");
    }
}

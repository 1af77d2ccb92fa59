//! Every step of every member in every state, with every fence: each is done or refused as the model says, and a refused one
//! changes nothing.

use serde_json::{Value, json};

use crate::player::{NAMES, Player, STATES};

const LEASE_MS: u64 = 60_000;

/// Who does it: the index in `NAMES`. Tasks for one member are for `BOB`.
const ANN: usize = 0;
const BOB: usize = 1;
const EVE: usize = 2;

/// Brings a task of ann into a state.
type Path = fn(&mut Player, u64);

fn taken_by_bob(player: &mut Player, id: u64) {
    assert!(player.take_as(Some(id), BOB, None, LEASE_MS, true));
}

/// The states of work, each with a path to it.
const OF_WORK: [(&str, Path); 12] = [
    ("open", |_, _| {}),
    ("held", taken_by_bob),
    ("taken twice", |player, id| {
        taken_by_bob(player, id);
        taken_by_bob(player, id);
    }),
    ("given back unread", |player, id| {
        assert!(player.take_as(Some(id), BOB, None, LEASE_MS, false));
    }),
    ("open after a lease", |player, id| {
        taken_by_bob(player, id);
        player.pass_ms(LEASE_MS);
    }),
    ("handed on", |player, id| {
        taken_by_bob(player, id);
        assert!(player.reply_as(id, BOB, Some("open"), Some(1), Some(EVE)));
    }),
    ("input", |player, id| {
        taken_by_bob(player, id);
        assert!(player.reply_as(id, BOB, Some("input"), Some(1), None));
    }),
    ("done", |player, id| {
        taken_by_bob(player, id);
        assert!(player.reply_as(id, BOB, Some("done"), Some(1), None));
    }),
    ("failed after five leases", |player, id| {
        for _ in 0..5 {
            taken_by_bob(player, id);
            player.pass_ms(LEASE_MS);
        }
    }),
    ("rejected", |player, id| {
        taken_by_bob(player, id);
        assert!(player.reply_as(id, BOB, Some("rejected"), Some(1), None));
    }),
    ("cancelled", |player, id| assert!(player.reply_as(id, ANN, Some("cancelled"), None, None))),
    ("expired", |player, _| player.pass_ms(3_600_000)),
];

/// The states of questions, each with a path to it.
const OF_QUESTIONS: [(&str, Path); 7] = [
    ("open", |_, _| {}),
    ("answered by bob", |player, id| assert!(player.reply_as(id, BOB, None, None, None))),
    ("input", |player, id| assert!(player.reply_as(id, BOB, Some("input"), None, None))),
    ("failed by bob", |player, id| assert!(player.reply_as(id, BOB, Some("failed"), None, None))),
    ("rejected by bob", |player, id| assert!(player.reply_as(id, BOB, Some("rejected"), None, None))),
    ("cancelled", |player, id| assert!(player.reply_as(id, ANN, Some("cancelled"), None, None))),
    ("expired", |player, _| player.pass_ms(3_600_000)),
];

/// Does every step in one state. Returns how many were done and how many refused.
fn every_step(body: &Value, name: &str, path: Path) -> (u32, u32) {
    let (mut done, mut refused) = (0, 0);
    let steps = STATES.map(Some).into_iter().chain([None]).map(Some).chain([None]);
    for step in steps {
        for (who, by) in NAMES.iter().enumerate() {
            for fence in [None, Some(0), Some(1), Some(2)] {
                let mut player = Player::new(1);
                let id = player.open_as(ANN, body);
                path(&mut player, id);
                let before = player.stored();
                let is_done = match step {
                    // A fence needs a state.
                    Some(None) if fence.is_some() => continue,
                    Some(state) => player.reply_as(id, who, state, fence, None),
                    None => player.take_as(Some(id), who, fence, LEASE_MS, true),
                };
                player.compare();
                if is_done {
                    done += 1;
                } else {
                    refused += 1;
                    assert_eq!(player.stored(), before, "{body} {name}: {step:?} by {by} with {fence:?}");
                }
            }
        }
    }
    (done, refused)
}

#[test]
fn a09_every_step_is_done_or_refused_as_the_table_says_and_a_refused_one_changes_nothing() {
    let (mut done, mut refused) = (0, 0);
    let mut add = |body: &Value, states: &[(&str, Path)]| {
        for (name, path) in states {
            let (of_these, of_those) = every_step(body, name, *path);
            done += of_these;
            refused += of_those;
        }
    };
    let of = |wants: &str, to: &str| json!({"message": "x", "wants": wants, "to": to, "deadline_seconds": 3600});
    for to in ["bob", "all"] {
        add(&of("work", to), &OF_WORK);
    }
    add(&of("answer", "bob"), &OF_QUESTIONS);
    let mut several = of("answer", "all");
    several["answers"] = 2.into();
    add(&several, &OF_QUESTIONS);
    println!("{done} steps done, {refused} refused");
    assert!(done > 400 && refused > 3000, "{done} done, {refused} refused");
}

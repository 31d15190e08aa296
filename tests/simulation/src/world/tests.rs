//! Tests of the simulation: it passes on what stands, repeats itself, and notices planted bugs.

use super::*;

fn plan(seed: u64) -> Plan {
    Plan { seed, steps: 250, phones: 5, plant: None }
}

#[test]
fn a_seed_gives_the_same_run_twice() {
    let (first, second) = (World::run(plan(11)), World::run(plan(11)));
    assert_eq!(first, second);
    assert!(first.edits > 20 && first.requests > 10, "{} edits, {} requests", first.edits, first.requests);
    assert_ne!(World::run(plan(12)).run, first.run);
}

#[test]
fn a_lost_update_is_noticed() {
    let caught = (0..10).any(|seed| {
        let outcome = World::run(Plan { plant: Some(Plant::LostUpdate), ..plan(seed) });
        outcome.broken.iter().any(|breach| breach.contains("nowhere"))
    });
    assert!(caught);
}

#[test]
fn a_cursor_that_skips_a_commit_is_noticed() {
    let caught = (0..10).any(|seed| {
        let outcome = World::run(Plan { plant: Some(Plant::SkippedCommit), ..plan(seed) });
        outcome.broken.iter().any(|breach| breach.contains("differ"))
    });
    assert!(caught);
}

#[test]
fn a_skipped_commit_heals_where_digests_tell() {
    for seed in 0..4 {
        let outcome = World::run(Plan { plant: Some(Plant::SkippedCommitThatDigestsTell), ..plan(seed) });
        assert!(outcome.broken.is_empty(), "seed {seed}: {:?}", outcome.broken);
    }
}

#[test]
fn what_stands_passes() {
    for seed in 0..6 {
        let outcome = World::run(plan(seed));
        assert!(outcome.broken.is_empty(), "seed {seed}: {:?}", outcome.broken);
    }
}

//! The product keeps its word through power cuts; a store that does not wait for the disk is caught.

use super::*;

fn plan(seed: u64, plant: Option<PowerPlant>) -> PowerPlan {
    PowerPlan { seed, steps: 200, phones: 3, ground: Ground::Power, plant }
}

#[test]
fn nothing_acknowledged_is_lost_in_power_cuts() {
    for seed in 0..12 {
        let outcome = run(plan(seed, None));
        assert!(outcome.broken.is_empty(), "seed {seed}: {:?}", outcome.broken);
        assert!(outcome.edits > 20 && outcome.requests > 20, "seed {seed}: too little happened");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_processes_die_on_real_files() {
    for seed in 0..3 {
        let outcome = run(PowerPlan { ground: Ground::Files, ..plan(seed, None) });
        assert!(outcome.broken.is_empty(), "seed {seed}: {:?}", outcome.broken);
    }
}

#[test]
fn a_seed_gives_the_same_run_twice() {
    assert_eq!(run(plan(5, None)), run(plan(5, None)));
    assert_ne!(run(plan(5, None)).run, run(plan(6, None)).run);
}

#[test]
fn synchronous_off_is_caught_on_phones_and_on_the_server() {
    for plant in [PowerPlant::PhonesDoNotSync, PowerPlant::ServerDoesNotSync, PowerPlant::DisksLie] {
        let outcomes: Vec<Outcome> = (0..10).map(|seed| run(plan(seed, Some(plant)))).collect();
        // Lost outright, or so damaged that the store can't be opened or read.
        let lost = |breach: &String| {
            ["gone", "opening", "reading", "damaged"].iter().any(|sign| breach.contains(sign))
        };
        let caught = outcomes.iter().filter(|outcome| outcome.broken.iter().any(lost)).count();
        let told: Vec<_> = outcomes.iter().map(|outcome| &outcome.broken).collect();
        assert!(caught >= 9, "{plant:?}: caught with {caught} of 10 seeds: {told:?}");
        assert!(told.iter().any(|broken| broken.iter().any(|breach| breach.contains("gone"))), "{told:?}");
    }
}

//! Hints at reports of the same problem, where an event does not say all of it itself.

use gridwalk_model::event::Action;
use gridwalk_model::event::near::Near;
use gridwalk_model::records::Event;

use super::tests::{DAY, FIXER, elsewhere, facts, here, in_grid, report};
use super::*;
use crate::store::Store;
use crate::testkit::{at, jpeg, store};

/// What is hinted at for a report here and now.
fn hints(store: &mut Store, category: &str) -> Vec<NearReport> {
    let snapped = store.snap(&jpeg(96, 72), &facts(at(0), here(0.0)), &in_grid(), None, at(0)).unwrap();
    store.choose_category(snapped.draft, category, at(0)).unwrap().near
}

#[test]
fn an_event_that_does_not_say_when_it_was_seen_was_seen_when_it_was_written_down() {
    let mut store = store(1);
    for days in [2, 20] {
        let event = report(&mut store, "litter", 30.0, at(-days * DAY)).event;
        let told = store.get::<Event>(event).unwrap().unwrap().record;
        store.create(&Event { occurred_at: None, ..told }, at(-days * DAY)).unwrap();
        store.remove(event, at(-days * DAY)).unwrap();
    }
    let found = hints(&mut store, "litter");
    assert_eq!(found.iter().map(|hint| hint.near).collect::<Vec<_>>(), [Near { metres: 30, days: 2 }]);
}

#[test]
fn an_event_is_hinted_at_under_the_category_that_its_log_came_to() {
    let mut store = store(1);
    let sorted = report(&mut store, "noise", 10.0, at(-DAY)).event;
    elsewhere(&mut store, sorted, Action::Accept, at(-DAY + 1), Some(FIXER));
    assert!(hints(&mut store, "litter").is_empty());
    elsewhere(&mut store, sorted, Action::Classify, at(-DAY + 2), Some(FIXER));
    assert_eq!(hints(&mut store, "litter").iter().map(|hint| hint.event).collect::<Vec<_>>(), [sorted]);
    assert!(hints(&mut store, "noise").is_empty(), "it is none of these any more");
}

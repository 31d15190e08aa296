//! The categories that a report's second tap offers first.

use gridwalk_model::event::Category;
use gridwalk_model::{Kind, Value};

use crate::error::DeviceError;
use crate::store::Store;

impl Store {
    /// The categories of the worker's own events on this phone, the most recent first and each once, at most `limit`;
    /// then, as far as there is room, the deployment's first ones in their order. A category that the deployment's
    /// rules do not list (any more) is left out: it cannot be chosen.
    ///
    /// # Errors
    /// [`DeviceError::NotEnrolled`], failures of SQLite.
    pub fn recent_categories(&self, limit: usize) -> Result<Vec<Category>, DeviceError> {
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let rules = self.event_rules();
        let own = self.view().list_linked(Kind::Event.tag(), "reporter", user)?;
        let used = own
            .iter()
            .filter_map(|event| rules.category(event.fields.get("category").and_then(Value::as_text)));
        let mut out: Vec<&Category> = Vec::new();
        for category in used.chain(&rules.categories) {
            if out.len() >= limit {
                break;
            }
            if out.iter().all(|known| known.code != category.code) {
                out.push(category);
            }
        }
        Ok(out.into_iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use gridwalk_model::event::EventRules;
    use gridwalk_model::{RecordId, Timestamp};
    use gridwalk_replica::wire::RuleFiles;
    use gridwalk_replica::{Actor, Document};

    use super::*;
    use crate::store::{Body, Commit};
    use crate::testkit::{GRID, USER, at, device, fields, store};
    use crate::work::events::ReportDraft;

    fn reported(store: &mut Store, category: &str, now: Timestamp) {
        let report = ReportDraft {
            area: Some(GRID),
            address: Some("东门（虚构）".into()),
            no_photo_reason: Some("虚构".into()),
            ..ReportDraft::default()
        };
        let draft = store.begin_report(&report, now).unwrap();
        store.choose_category(draft, category, now).unwrap();
        store.send_report(draft, now).unwrap();
    }

    /// An event as it comes from the server: of somebody else, or of a category that no rule lists.
    fn written(store: &mut Store, category: &str, reporter: RecordId, now: Timestamp) {
        let mut event = fields(&[("category", category), ("address", "西门（虚构）")]);
        event.insert("area".into(), Value::from(GRID));
        event.insert("reporter".into(), Value::from(reporter));
        event.insert("occurred_at".into(), Value::Time(now));
        let id = RecordId::from_parts(now, [7; 10]);
        let actor = Actor::new(device(200), [2; 4]);
        let (document, change) = Document::create(id, Kind::Event, &event, actor, now).unwrap();
        let body = Body::Snapshot(&change.raw);
        store.write(Commit::Apply, |tx| tx.put_record(id, "event", None, &document, body).map(drop)).unwrap();
    }

    fn codes(store: &Store, limit: usize) -> Vec<String> {
        store.recent_categories(limit).unwrap().into_iter().map(|category| category.code).collect()
    }

    #[test]
    fn own_categories_come_first_the_latest_on_top_and_the_starter_ones_fill_up() {
        let mut store = store(1);
        let starter: Vec<String> =
            EventRules::default().categories.into_iter().map(|category| category.code).collect();
        assert!(starter.len() > 6);
        assert_eq!(codes(&store, 3), starter[..3], "before the first report");
        let [a, b, c] = [&starter[5], &starter[0], &starter[4]];
        for (n, category) in (0..).zip([a, b, a, c, c]) {
            reported(&mut store, category, at(n * 1_000));
        }
        written(&mut store, &starter[3], RecordId::from_bytes([9; 16]), at(90_000));
        written(&mut store, "no_such_category", USER, at(91_000));
        assert_eq!(codes(&store, 2), [c.clone(), a.clone()]);
        assert_eq!(codes(&store, 5), [c, a, b, &starter[1], &starter[2]].map(Clone::clone));
        let all = codes(&store, usize::MAX);
        assert_eq!(all.len(), starter.len(), "each once");
        assert!(codes(&store, 0).is_empty());
        // A phone that is started again, and begins a report of another category.
        let mut store = store.reopened().unwrap();
        reported(&mut store, b, at(92_000));
        assert_eq!(codes(&store, 3), [b, c, a].map(Clone::clone));
    }

    #[test]
    fn a_category_that_the_deployment_gave_up_is_not_offered() {
        let mut store = store(1);
        let mut rules = EventRules::default();
        let given_up = rules.categories.remove(2).code;
        let kept = rules.categories[4].code.clone();
        reported(&mut store, &kept, at(0));
        reported(&mut store, &given_up, at(1_000));
        assert_eq!(codes(&store, 2), [given_up.clone(), kept.clone()]);
        let files =
            RuleFiles { mark: vec![1; 8].into(), doors: None, field: None, events: Some(rules.to_json()) };
        assert!(store.take_rules(&files).unwrap());
        assert_eq!(codes(&store, 1), [kept]);
        assert!(!codes(&store, usize::MAX).contains(&given_up));
    }
}

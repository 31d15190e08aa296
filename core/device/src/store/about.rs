//! What a found record drags along: records that have no name of their own and are looked for by what they are about.
//!
//! They are found through the links that are kept anyway, so no name stands in the index twice and none goes stale.

use std::cmp::Reverse;

use gridwalk_model::{Kind, RecordId, Value};

use super::records::Listed;
use super::search::{Search, SearchPage, Tier};
use crate::error::DeviceError;

/// Kinds that are found by what they are about, in the order in which they are told; each with the fields that say it,
/// of which the first that is filled counts.
pub(super) const ABOUT: &[(Kind, &[&str])] = &[
    (Kind::RectificationOrder, &["inspection"]),
    (Kind::Task, &["target"]),
    (Kind::Event, &["place", "dwelling"]),
    (Kind::ServiceRecord, &["target"]),
    (Kind::Inspection, &["place"]),
    (Kind::Visit, &["target"]),
    (Kind::Submission, &["target"]),
];

/// Where a record stands among those about another: by its kind, then the latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    kind: usize,
    key: Reverse<i64>,
}

impl Place {
    /// As text, for a cursor.
    pub(super) fn to_text(self) -> String {
        format!("{}:{}", self.kind, self.key.0)
    }

    /// Reads [`Self::to_text`]; `None` if it is none.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (kind, key) = text.split_once(':')?;
        Some(Self { kind: kind.parse().ok()?, key: Reverse(key.parse().ok()?) })
    }
}

/// What a record is about.
fn subject(row: &Listed, fields: &[&str]) -> Option<RecordId> {
    fields.iter().find_map(|field| row.fields.get(*field).and_then(Value::as_link))
}

impl Search<'_> {
    /// Whether any of these kinds is looked for.
    pub(super) fn any_about(&self) -> bool {
        ABOUT.iter().any(|(kind, _)| self.wanted(kind.tag()))
    }

    /// Tells what is about a record, if it fits by its own texts; from the cursor on. Returns whether there was room for
    /// all.
    pub(super) fn about(&mut self, of: &Listed, page: &mut SearchPage) -> Result<bool, DeviceError> {
        if self.rank(of).is_none_or(|tier| tier > Tier::Part) {
            return Ok(true);
        }
        self.tell_about(of, page)
    }

    /// The same of a record that is known to fit by its own texts.
    pub(super) fn tell_about(&mut self, of: &Listed, page: &mut SearchPage) -> Result<bool, DeviceError> {
        let mut rows = Vec::new();
        self.collect(of.id, &mut rows)?;
        rows.sort_by_key(|(place, _)| *place);
        for (place, row) in rows {
            if self.cursor.within.is_some_and(|told| place <= told) {
                continue;
            }
            if page.hits.len() >= self.limit {
                return Ok(false);
            }
            self.tell(row, page)?;
            self.cursor.within = Some(place);
        }
        Ok(true)
    }

    /// What is about a record; an order is about the place of its inspection. What fits by its own texts is left to the
    /// other tiers.
    fn collect(&self, of: RecordId, out: &mut Vec<(Place, Listed)>) -> Result<(), DeviceError> {
        for (n, (kind, fields)) in ABOUT.iter().enumerate() {
            let leads_on = *kind == Kind::Inspection && self.wanted(Kind::RectificationOrder.tag());
            if !self.wanted(kind.tag()) && !leads_on {
                continue;
            }
            for field in *fields {
                for row in self.view.list_linked(kind.tag(), field, of)? {
                    if subject(&row, fields) != Some(of) {
                        continue;
                    }
                    let tier = self.rank(&row);
                    // One that fits by its own texts tells its orders itself.
                    if leads_on && tier.is_none_or(|tier| tier > Tier::Part) {
                        self.orders_of(row.id, out)?;
                    }
                    if self.wanted(kind.tag()) && tier.is_none() {
                        out.push((Place { kind: n, key: Reverse(row.key) }, row));
                    }
                }
            }
        }
        Ok(())
    }

    fn orders_of(&self, inspection: RecordId, out: &mut Vec<(Place, Listed)>) -> Result<(), DeviceError> {
        let (kind, field) = (Kind::RectificationOrder.tag(), "inspection");
        for row in self.view.list_linked(kind, field, inspection)? {
            if self.rank(&row).is_none() {
                out.push((Place { kind: 0, key: Reverse(row.key) }, row));
            }
        }
        Ok(())
    }
}

//! Visits on the list: those that [`crate::Store::visits_due`] tells as overdue or soon, read from the rows that follow
//! them. Whatever a list on a lit screen may show: a care visit, and not the need for it.

use gridwalk_model::Timestamp;
use gridwalk_model::due::{DueFact, DueKind, DueSource};
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::local_time::LocalTime;
use gridwalk_model::records::visit::VisitPurpose;
use gridwalk_model::visits::Why;
use jiff::ToSpan;
use jiff::civil::Date;

use super::{DueGroup, Line, with_delay};
use crate::error::DeviceError;
use crate::store::{DueRow, Store, VisitRow, day_in};

impl Store {
    pub(super) fn visit_lines(
        &self,
        now: Timestamp,
        rules: &FieldRules,
        limit: usize,
    ) -> Result<Vec<Line>, DeviceError> {
        let local = rules.local();
        let today = day_in(local, now)?;
        let through = today.saturating_add(i64::from(self.cadence()?.soon_days).days());
        let rows = self.view().visits_by(today, through, limit)?;
        Ok(rows.into_iter().map(|row| line(&row, today, local)).collect())
    }
}

fn line(row: &VisitRow, today: Date, local: LocalTime) -> Line {
    let due = local.end_of(row.day);
    let group = match row.day.cmp(&today) {
        std::cmp::Ordering::Less => DueGroup::Overdue,
        std::cmp::Ordering::Equal => DueGroup::Today,
        std::cmp::Ordering::Greater => DueGroup::Soon,
    };
    let late = row.day.until(today).map_or(0, |span| i64::from(span.get_days()));
    let (zh, en) = match &row.purpose {
        _ if row.agreed => (Why::Agreed.zh(), Why::Agreed.en()),
        VisitPurpose::Care => ("关爱走访", "Care visit"),
        VisitPurpose::Welcome => ("新入住尚未走访", "Newly moved in and not visited yet"),
        _ => ("日常走访", "Ordinary visit"),
    };
    let fact = DueFact { base: due, ..DueFact::new(DueSource::Cadence, DueKind::Visit, row.target) };
    let row = DueRow { record: row.target, fact };
    Line { row, due, group, reasons: vec![with_delay(zh, en, late)] }
}

//! How a record that was found is named in a row of results.

use gridwalk_model::describe::{Words, kind_name, value_text};
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::records::elements;
use gridwalk_model::{Kind, Value};

use super::today::own_title;
use crate::error::DeviceError;
use crate::store::{Listed, View};

impl View<'_> {
    /// What a record is called, and where it is.
    pub(crate) fn found_row(&self, listed: &Listed) -> Result<(Words, Words), DeviceError> {
        let title = self.found_title(listed)?;
        let whereabouts = self.whereabouts(listed)?;
        Ok((title, whereabouts))
    }

    fn found_title(&self, listed: &Listed) -> Result<Words, DeviceError> {
        let text = |name: &str| listed.fields.get(name).and_then(Value::as_text);
        let own = own_title(listed, self.event_rules());
        let title = match Kind::parse(&listed.kind) {
            Some(Kind::RectificationOrder) => items(listed),
            Some(Kind::ServiceRecord) => Words::same(text("request").unwrap_or_default()),
            Some(Kind::Inspection) => self.named_by(listed, "checklist")?,
            Some(Kind::Submission) => self.named_by(listed, "form")?,
            Some(Kind::Visit) => word(listed, "purpose"),
            Some(Kind::Task) if own.is_empty() => word(listed, "task_kind"),
            Some(Kind::Household) => word(listed, "household_kind"),
            _ => own,
        };
        Ok(if title.is_empty() { kind_name(&listed.kind) } else { title })
    }

    /// The name of what a record is an instance of.
    fn named_by(&self, listed: &Listed, field: &str) -> Result<Words, DeviceError> {
        let Some(of) = listed.fields.get(field).and_then(Value::as_link) else { return Ok(Words::default()) };
        let Some(of) = self.listed(of)? else { return Ok(Words::default()) };
        let text = |name: &str| of.fields.get(name).and_then(Value::as_text);
        let zh = text("name").unwrap_or_default();
        Ok(Words::new(zh, text("name_en").unwrap_or(zh)))
    }
}

/// The label of a code.
fn word(listed: &Listed, field: &str) -> Words {
    let rules = FieldRules::default();
    let said = listed.fields.get(field).filter(|value| !value.is_null());
    said.map(|value| value_text(&listed.kind, field, value, &rules)).unwrap_or_default()
}

/// The first item of an order, and how many more there are.
fn items(listed: &Listed) -> Words {
    let mut texts = elements(&listed.fields, "items").filter_map(|(_, value)| value.as_text());
    let Some(first) = texts.next() else { return Words::default() };
    match texts.count() {
        0 => Words::same(first),
        more => Words::new(format!("{first} 等{}项", more + 1), format!("{first} and {more} more")),
    }
}

//! Checks that a kind has beyond those of its single fields.

use jiff::{ToSpan, civil};

use super::{FieldError, Reason};
use crate::checklist::{Template, TemplateFault};
use crate::codes::{phone::Phone, resident_id, uscc};
use crate::label::LabelToken;
use crate::records::resident_id::IdDocument;
use crate::records::{Checklist, FieldValue, Form, Record, elements};
use crate::schema::Kind;
use crate::time::Timestamp;
use crate::value::Fields;
use crate::visits::Cadence;
use crate::visits::check::{is_refused, starts_something};

pub(super) fn check(kind: Kind, fields: &Fields, errors: &mut Vec<FieldError>) {
    let mut checks = Checks { fields, errors };
    match kind {
        Kind::Area => checks.order::<civil::Date>("valid_from", "valid_to"),
        Kind::Unit | Kind::Appellant => checks.phone(),
        Kind::Dwelling => {
            checks.some_place("address", &["estate", "building", "unit", "room", "address", "position"]);
        }
        Kind::Resident => {
            checks.phone();
            checks.order::<civil::Date>("birth_date", "died_on");
        }
        Kind::ResidentId => checks.id_number(),
        Kind::Residency => checks.order::<civil::Date>("from", "to"),
        Kind::Campaign => checks.order::<civil::Date>("from", "to"),
        Kind::Organization => {
            checks.phone();
            checks.uscc();
        }
        Kind::Place => checks.phone(),
        Kind::Checklist => {
            if elements(fields, "items").next().is_none() {
                checks.say("items", Reason::NoItems);
            }
            checks.template();
        }
        Kind::Form => {
            if elements(fields, "items").next().is_none() {
                checks.say("items", Reason::NoItems);
            }
            checks.form();
        }
        Kind::Inspection | Kind::Patrol => checks.order::<Timestamp>("started_at", "ended_at"),
        Kind::Event => {
            checks.some_place("position", &["position", "address", "place", "dwelling"]);
        }
        Kind::CareTag => checks.care_tag(),
        Kind::Submission
        | Kind::Household
        | Kind::RectificationOrder
        | Kind::BaseVerification
        | Kind::Task
        | Kind::ServiceRecord
        | Kind::Worker => {}
        Kind::Label => {
            if checks.text("token").is_some_and(|text| !LabelToken::is_canonical(&text)) {
                checks.say("token", Reason::NotALabel);
            }
        }
        Kind::Visit => checks.declined(),
        Kind::VisitCadence => {
            if checks.text("rules").is_some_and(|rules| Cadence::parse(&rules).is_err()) {
                checks.say("rules", Reason::NotAnEntry);
            }
        }
    }
}

struct Checks<'a> {
    fields: &'a Fields,
    errors: &'a mut Vec<FieldError>,
}

impl Checks<'_> {
    fn say(&mut self, field: &str, reason: Reason) {
        self.errors.push(FieldError::new(field, reason));
    }

    fn get<T: FieldValue>(&self, field: &str) -> Option<T> {
        T::from_value(self.fields.get(field)?).ok()
    }

    fn text(&self, field: &str) -> Option<String> {
        self.get::<String>(field).filter(|text| !text.trim().is_empty())
    }

    fn order<T: FieldValue + PartialOrd>(&mut self, from: &str, to: &str) {
        if let (Some(first), Some(last)) = (self.get::<T>(from), self.get::<T>(to))
            && last < first
        {
            self.say(to, Reason::EndBeforeStart);
        }
    }

    fn some_place(&mut self, field: &str, places: &[&str]) {
        let given = |place: &&str| self.fields.get(*place).is_some_and(|value| !super::is_blank(value));
        if !places.iter().any(given) {
            self.say(field, Reason::NoPlace);
        }
    }

    /// Declining is a complete result and triggers nothing (design text 1).
    fn declined(&mut self) {
        if !self.fields.get("result").is_some_and(is_refused) {
            return;
        }
        let next = self.fields.get("next_due").filter(|value| starts_something("next_due", value));
        let follows = next.map(|_| "next_due".to_owned());
        let answers = elements(self.fields, "answers").map(|(item, _)| format!("answers/{item}"));
        for field in follows.into_iter().chain(answers).collect::<Vec<_>>() {
            self.say(&field, Reason::TriggersNothing);
        }
    }

    fn template(&mut self) {
        // What cannot be read as a record is told by the checks of its fields.
        let Ok(record) = Checklist::from_fields(self.fields) else { return };
        self.item_faults(Template::from_record(&record).faults());
    }

    fn form(&mut self) {
        let Ok(record) = Form::from_fields(self.fields) else { return };
        self.item_faults(crate::forms::faults(&record));
    }

    fn item_faults(&mut self, faults: Vec<(String, TemplateFault)>) {
        for (item, fault) in faults {
            let field = if item.is_empty() { "items".to_owned() } else { format!("items/{item}") };
            self.say(&field, Reason::Template(fault));
        }
    }

    fn phone(&mut self) {
        if self.text("phone").is_some_and(|text| Phone::parse(&text).is_none()) {
            self.say("phone", Reason::OddPhone);
        }
    }

    fn uscc(&mut self) {
        if let Some(Err(error)) = self.text("uscc").map(|text| uscc::check(&text)) {
            self.say("uscc", Reason::Uscc(error));
        }
    }

    fn id_number(&mut self) {
        let document = self.get::<IdDocument>("document").unwrap_or(IdDocument::IdentityCard);
        if !matches!(document, IdDocument::IdentityCard | IdDocument::PermanentResidence) {
            return;
        }
        match self.text("number").map(|text| resident_id::check(&text)) {
            Some(Err(error)) => self.say("number", Reason::IdNumber(error)),
            // A foreigner's card names a country where others name a county.
            Some(Ok(id)) if !id.region_known && document == IdDocument::IdentityCard => {
                self.say("number", Reason::UnknownRegion);
            }
            _ => {}
        }
    }

    /// At most twelve months, so that a need is looked at anew every year.
    fn care_tag(&mut self) {
        self.order::<civil::Date>("from", "until");
        let last = self.get::<civil::Date>("from").and_then(|from| from.checked_add(12.months()).ok());
        if let (Some(last), Some(until)) = (last, self.get::<civil::Date>("until"))
            && until > last
        {
            self.say("until", Reason::TooFarAway);
        }
    }
}

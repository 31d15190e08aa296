//! Forms of campaigns: what is known is not asked again, and what changes goes into the record.
//!
//! A form's items are those of a checklist ([`ChecklistItem`]) with a `field` of the kind that it is about. What the
//! record says fills the item in advance; an answer that the worker gave goes back into that field when the form is
//! sent. Only plain fields that anybody with the record may edit can be mapped: no links, positions or sets, no records
//! of the sensitive class, and nothing that is fixed at creation.

use std::collections::BTreeMap;

use crate::checklist::{Answer, ChecklistItem, ItemKind, TemplateFault, item_faults_of};
use crate::codec;
use crate::forbidden;
use crate::records::Form;
use crate::schema::{FieldPolicy, FieldSchema, FieldType, Kind};
use crate::stream::AccessClass;
use crate::time::{DAY_MS, Timestamp};
use crate::value::{Fields, Value};

/// How long after its retirement a version is still taken, so that drafts can be finished.
pub const GRACE_MS: i64 = 90 * DAY_MS;

/// The kinds that a form may be about.
pub const TARGETS: &[Kind] =
    &[Kind::Dwelling, Kind::Household, Kind::Resident, Kind::Place, Kind::Organization];

/// Whether a form that was retired is still taken at `at`.
pub fn is_taken(retired_at: Option<Timestamp>, at: Timestamp) -> bool {
    retired_at.is_none_or(|retired| at <= retired.plus_millis(GRACE_MS))
}

/// The kind that a form is about; `None` for one that forms are not about, or of a newer schema.
pub fn target_of(form: &Form) -> Option<Kind> {
    Kind::parse(&form.target_kind).filter(|kind| TARGETS.contains(kind))
}

/// The items of a form by identifier; those that this build cannot read are left out.
pub fn items_of(form: &Form) -> BTreeMap<String, ChecklistItem> {
    let read = |(id, bytes): (&String, &Vec<u8>)| Some((id.clone(), codec::from_bytes(bytes).ok()?));
    form.items.iter().filter_map(read).collect()
}

/// Everything that is wrong with a form, by item; an empty name means the whole.
pub fn faults(form: &Form) -> Vec<(String, TemplateFault)> {
    let mut out = Vec::new();
    let names = [Some(form.name.as_str()), form.name_en.as_deref()];
    if names.into_iter().flatten().any(|text| forbidden::find(text).is_some()) {
        out.push((String::new(), TemplateFault::Forbidden));
    }
    let target = target_of(form);
    if target.is_none() {
        out.push((String::new(), TemplateFault::Field(form.target_kind.clone())));
    }
    let items = items_of(form);
    out.extend(item_faults_of(&items));
    for (id, item) in &items {
        let Some(name) = &item.field else { continue };
        if target.is_some_and(|kind| mapped(kind, item, name).is_none()) {
            out.push((id.clone(), TemplateFault::Field(name.clone())));
        }
    }
    out
}

/// The field that an item fills, if it may: its type has to suit the item's.
pub fn mapped(kind: Kind, item: &ChecklistItem, name: &str) -> Option<&'static FieldSchema> {
    let schema = kind.schema();
    let field = schema.fields.iter().find(|field| field.name == name)?;
    let open = !field.set && field.policy == FieldPolicy::Free && schema.class == AccessClass::Base;
    let suits = match item.kind {
        ItemKind::Text => matches!(field.ty, FieldType::Text { .. }),
        ItemKind::Choice => matches!(field.ty, FieldType::Text { .. } | FieldType::Code(_)),
        ItemKind::Number => matches!(field.ty, FieldType::Int { .. } | FieldType::Real { .. }),
        ItemKind::YesNo => field.ty == FieldType::Flag,
        ItemKind::Date => field.ty == FieldType::Date,
        // A newer build knows what suits.
        ItemKind::Other(_) => true,
        _ => false,
    };
    (open && suits).then_some(field)
}

/// What a record's fields answer in advance, by item.
pub fn prefill(
    kind: Kind,
    items: &BTreeMap<String, ChecklistItem>,
    fields: &Fields,
) -> BTreeMap<String, Answer> {
    let known = |(id, item): (&String, &ChecklistItem)| {
        let field = mapped(kind, item, item.field.as_deref()?)?;
        Some((id.clone(), answer_of(item, fields.get(field.name)?)?))
    };
    items.iter().filter_map(known).collect()
}

/// A field's value as an answer.
fn answer_of(item: &ChecklistItem, value: &Value) -> Option<Answer> {
    let mut answer = Answer::default();
    match (&item.kind, value) {
        (ItemKind::Choice, Value::Text(word)) => answer.choice = Some(word.clone()),
        (ItemKind::Text | ItemKind::Date, Value::Text(text)) if !text.is_empty() => {
            answer.text = Some(text.clone());
        }
        (ItemKind::Number, Value::Int(number)) => answer.number = Some(*number as f64),
        (ItemKind::Number, Value::Real(number)) => answer.number = Some(*number),
        (ItemKind::YesNo, Value::Flag(flag)) => {
            answer.choice = Some(if *flag { "yes" } else { "no" }.to_owned());
        }
        _ => return None,
    }
    Some(answer)
}

/// An answer as a field's value; `None` where it says nothing that the field could hold.
pub fn value_of(field: &FieldSchema, answer: &Answer) -> Option<Value> {
    let text = answer.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    match field.ty {
        FieldType::Text { .. } => text.or(answer.choice.as_deref()).map(Value::from),
        FieldType::Code(_) => answer.choice.as_deref().map(Value::from),
        FieldType::Date => text.map(Value::from),
        FieldType::Flag => answer.choice.as_deref().map(|word| Value::Flag(word == "yes")),
        FieldType::Real { .. } => answer.number.filter(|number| number.is_finite()).map(Value::Real),
        // Whole numbers up to 2^53 are exact; a fraction in a whole field is not taken.
        FieldType::Int { .. } => {
            let whole = answer.number.filter(|number| number.fract() == 0.0 && number.abs() < 9e15)?;
            Some(Value::Int(whole as i64))
        }
        FieldType::Time | FieldType::Link(_) | FieldType::Position | FieldType::Entry => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::categories::Severity;
    use crate::checklist::{Choice, EvidenceRule, Review, Scope, review};
    use crate::records::Record;
    use crate::validate::{Reason, validate};

    fn item(order: u32, kind: ItemKind, field: Option<&str>) -> ChecklistItem {
        let choice = |word: &str| Choice { word: word.into(), zh: "词".into(), en: None };
        ChecklistItem {
            order,
            zh: "虚构项".into(),
            en: None,
            choices: if kind == ItemKind::Choice {
                vec![choice("self"), choice("rented")]
            } else {
                Vec::new()
            },
            kind,
            unit: None,
            min: None,
            max: None,
            required_when: None,
            shown_when: None,
            severity: Severity::Low,
            evidence: EvidenceRule::None,
            basis: None,
            basis_en: None,
            passes_when: None,
            points: None,
            days: None,
            event_category: None,
            section_zh: None,
            section_en: None,
            unit_en: None,
            field: field.map(str::to_owned),
        }
    }

    fn form(items: &[(&str, ChecklistItem)]) -> Form {
        Form {
            code: "made_up".into(),
            version: 1,
            name: "虚构专项".into(),
            name_en: None,
            target_kind: "dwelling".into(),
            items: items.iter().map(|(id, item)| ((*id).into(), codec::to_bytes(item))).collect(),
            previous: None,
            retired_at: None,
        }
    }

    #[test]
    fn only_plain_open_fields_that_suit_are_mapped() {
        let form = form(&[
            ("floor", item(1, ItemKind::Number, Some("floor"))),
            ("rented", item(2, ItemKind::YesNo, Some("rented"))),
            ("room", item(3, ItemKind::Number, Some("room"))),
            ("area", item(4, ItemKind::Text, Some("area"))),
            ("none", item(5, ItemKind::Text, Some("shoe_size"))),
            ("free", item(6, ItemKind::Text, None)),
            ("newer", item(7, ItemKind::Other("map".into()), Some("remarks"))),
        ]);
        let faults: Vec<_> = faults(&form).into_iter().map(|(item, _)| item).collect();
        assert_eq!(faults, ["area", "none", "room"]);
        let told = validate(Kind::Form, &form.to_fields());
        assert!(
            told.iter().any(|error| error.reason == Reason::Template(TemplateFault::Field("area".into())))
        );
        for target in ["resident_id", "event", "spaceship"] {
            let odd = Form { target_kind: target.into(), ..form.clone() };
            assert!(super::faults(&odd).iter().any(|(item, _)| item.is_empty()), "{target}");
        }
        let asked = item(1, ItemKind::Text, None);
        let bad = Form {
            items: [("a".to_owned(), codec::to_bytes(&ChecklistItem { zh: "宗教信仰".into(), ..asked }))]
                .into(),
            ..form
        };
        assert_eq!(super::faults(&bad), [("a".to_owned(), TemplateFault::Forbidden)]);
    }

    #[test]
    fn what_is_known_fills_the_form_and_goes_back_unchanged() {
        let form = form(&[
            ("floor", item(1, ItemKind::Number, Some("floor"))),
            ("rented", item(2, ItemKind::YesNo, Some("rented"))),
            ("remarks", item(3, ItemKind::Text, Some("remarks"))),
        ]);
        let items = items_of(&form);
        let fields: Fields = [
            ("floor".to_owned(), Value::Int(-1)),
            ("rented".to_owned(), Value::Flag(true)),
            ("remarks".to_owned(), Value::from("虚构备注")),
        ]
        .into();
        let filled = prefill(Kind::Dwelling, &items, &fields);
        assert_eq!(filled.len(), 3);
        for (id, answer) in &filled {
            let field = mapped(Kind::Dwelling, &items[id], id).unwrap();
            assert_eq!(value_of(field, answer).as_ref(), fields.get(id.as_str()), "{id}");
        }
        let floor = mapped(Kind::Dwelling, &items["floor"], "floor").unwrap();
        assert_eq!(value_of(floor, &Answer { number: Some(1.5), ..Answer::default() }), None);
        assert_eq!(value_of(floor, &Answer::default()), None);
    }

    #[test]
    fn an_unknown_kind_of_item_blocks_nothing() {
        let form = form(&[("newer", item(1, ItemKind::Other("map".into()), None))]);
        let got: Review = review(&items_of(&form), &BTreeMap::new(), &Scope::default());
        assert!(got.is_complete() && got.needs_update.contains("newer"));
    }

    #[test]
    fn retired_versions_are_taken_for_90_days() {
        let at = Timestamp::from_millis;
        assert!(is_taken(None, at(i64::MAX)));
        assert!(is_taken(Some(at(0)), at(GRACE_MS)) && !is_taken(Some(at(0)), at(GRACE_MS + 1)));
    }
}

use proptest::prelude::*;

use super::*;
use crate::id::RecordId;
use crate::records::{CareTag, Dwelling, Organization, Record, Resident, ResidentId, care_tag::Need};
use crate::time::Timestamp;

fn id(byte: u8) -> RecordId {
    RecordId::from_bytes([byte; 16])
}

fn reasons(kind: Kind, fields: &Fields) -> Vec<(String, Reason)> {
    validate(kind, fields).into_iter().map(|error| (error.field, error.reason)).collect()
}

fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = fields(&[
        ("name", "  ".into()),
        ("sex", "x".into()),
        ("birth_date", "1990-02-30".into()),
        ("phone", "无".into()),
        ("provisional", 1i64.into()),
        ("merged_into", Value::Bytes(vec![1, 2])),
        ("remarks", "字".repeat(501).into()),
        ("source_keys/removed", "a".into()),
        ("newer", Value::Null),
    ]);
    let got = reasons(Kind::Resident, &bad);
    assert_eq!(
        got,
        [
            ("name".to_owned(), Reason::Missing),
            ("sex".to_owned(), Reason::UnknownWord),
            ("birth_date".to_owned(), Reason::NotADate),
            ("provisional".to_owned(), Reason::WrongType),
            ("merged_into".to_owned(), Reason::NotALink),
            ("source_keys/removed".to_owned(), Reason::BadElement),
            ("remarks".to_owned(), Reason::TooLong { max: 500 }),
            ("phone".to_owned(), Reason::OddPhone),
        ]
    );
    let errors = validate(Kind::Resident, &bad);
    assert_eq!(errors.iter().filter(|error| error.is_warning()).count(), 2);
    assert!(!is_acceptable(&errors));
}

#[test]
fn a_good_record_has_no_faults() {
    let good = fields(&[("name", "罗平".into()), ("sex", "male".into()), ("phone", "19900007832".into())]);
    assert_eq!(validate(Kind::Resident, &good), []);
    assert!(Resident::from_fields(&good).is_ok());
}

#[test]
fn numbers_are_kept_in_bounds() {
    let mut dwelling =
        fields(&[("area", id(1).into()), ("room", "0101".into()), ("area_m2", f64::NAN.into())]);
    let out = Reason::RealOutOfRange { min: 0.0, max: 100_000.0 };
    assert_eq!(reasons(Kind::Dwelling, &dwelling), [("area_m2".to_owned(), out)]);
    dwelling.insert("area_m2".into(), Value::Int(90));
    dwelling.insert("floor".into(), Value::Int(201));
    let out = Reason::IntOutOfRange { min: -10, max: 200 };
    assert_eq!(reasons(Kind::Dwelling, &dwelling), [("floor".to_owned(), out)]);
    assert_eq!(Dwelling::from_fields(&dwelling).unwrap().area_m2, Some(90.0));
}

#[test]
fn a_dwelling_and_an_event_are_somewhere() {
    let nowhere = fields(&[("area", id(1).into()), ("category", "litter".into())]);
    assert_eq!(reasons(Kind::Dwelling, &nowhere), [("address".to_owned(), Reason::NoPlace)]);
    assert_eq!(reasons(Kind::Event, &nowhere), [("position".to_owned(), Reason::NoPlace)]);
}

#[test]
fn codes_are_checked_as_hard_as_they_deserve() {
    let number = |text: &str, document: &str| {
        let fields =
            fields(&[("resident", id(1).into()), ("number", text.into()), ("document", document.into())]);
        validate(Kind::ResidentId, &fields)
    };
    let wrong = number("110105194912310021", "identity_card");
    assert_eq!(wrong[0].reason, Reason::IdNumber(crate::codes::resident_id::IdNumberError::CheckCharacter));
    assert!(!is_acceptable(&wrong));
    let unknown = number("990000193512237224", "identity_card");
    assert_eq!(unknown[0].reason, Reason::UnknownRegion);
    assert!(is_acceptable(&unknown));
    assert_eq!(number("990000193512237224", "permanent_residence"), []);
    assert_eq!(number("E12345678", "passport"), []);
    let organization = Organization::from_fields(&fields(&[
        ("area", id(1).into()),
        ("name", "示例公司".into()),
        ("uscc", "91350100M000100Y44".into()),
    ]))
    .unwrap();
    let errors = validate(Kind::Organization, &organization.to_fields());
    assert!(errors.len() == 1 && is_acceptable(&errors));
}

fn care_tag(until: &str) -> Fields {
    fields(&[
        ("resident", id(1).into()),
        ("need", "living_alone".into()),
        ("service", "每月走访".into()),
        ("purpose", "居家安全".into()),
        ("approver", id(2).into()),
        ("from", "2026-02-14".into()),
        ("until", until.into()),
    ])
}

#[test]
fn a_care_tag_needs_everything_and_ends_within_a_year() {
    assert_eq!(validate(Kind::CareTag, &care_tag("2027-02-14")), []);
    assert_eq!(reasons(Kind::CareTag, &care_tag("2027-02-15")), [("until".to_owned(), Reason::TooFarAway)]);
    assert_eq!(
        reasons(Kind::CareTag, &care_tag("2026-02-13")),
        [("until".to_owned(), Reason::EndBeforeStart)]
    );
    for field in ["resident", "need", "service", "purpose", "approver", "from", "until"] {
        let mut tag = care_tag("2026-12-31");
        tag.remove(field);
        assert_eq!(reasons(Kind::CareTag, &tag), [(field.to_owned(), Reason::Missing)]);
    }
    let mut other = care_tag("2026-12-31");
    other.insert("need".into(), "conduct".into());
    assert_eq!(reasons(Kind::CareTag, &other), [("need".to_owned(), Reason::NotOnClosedList)]);
    assert_eq!(CareTag::from_fields(&other).unwrap().need, Need::Other("conduct".into()));
}

/// One path each: what a person types, what a screen configures, what a file or another device brings.
#[test]
fn nothing_on_the_forbidden_list_is_entered_under_any_field_that_sorts_people() {
    let told = |kind: Kind, field: &str, text: &str| {
        let errors = validate(kind, &fields(&[(field, text.into())]));
        let found = errors.iter().find(|error| error.field == field && error.reason == Reason::Forbidden);
        found.is_some_and(|error| !error.is_warning())
    };
    for (kind, field, bad, good) in [
        (Kind::Resident, "resident_kind", "宗教人员", "蓝印户口"),
        (Kind::Resident, "sex", "petitioner", "unsaid"),
        (Kind::Residency, "relation", "重点人员", "叔侄"),
        (Kind::Place, "category", "宗教场所", "寺庙"),
        (Kind::Event, "category", "上访苗头", "寺庙消防隐患"),
        (Kind::ServiceRecord, "request", "了解其宗教信仰", "民族路邮局代取包裹"),
        (Kind::ServiceRecord, "service", "信访稳控", "每周送餐"),
        (Kind::Unit, "name", "重点人员管控组", "民族路社区居委会"),
        (Kind::Campaign, "name", "重点人员摸排", "冬季用气安全排查"),
        (Kind::Task, "title", "重点人员摸排", "到基督教堂门前查看井盖"),
        (Kind::CareTag, "purpose", "掌握上访动向", "防止跌倒风险"),
        (Kind::Checklist, "event_category", "维稳", "gas_hazard"),
    ] {
        assert!(told(kind, field, bad), "{kind:?}.{field} {bad}");
        assert!(!told(kind, field, good), "{kind:?}.{field} {good}");
    }
    for (kind, field) in [
        (Kind::Place, "name"),
        (Kind::Place, "address"),
        (Kind::Event, "description"),
        (Kind::Resident, "remarks"),
    ] {
        assert!(!told(kind, field, "宗教协会楼下井盖缺失"), "{kind:?}.{field} describes the world");
    }
}

#[test]
fn an_events_log_cannot_sort_it_where_its_field_cannot() {
    let mut entry =
        LogEntry::new(id(3), None, Timestamp::from_millis(1), id(4), crate::event::Action::Report);
    let key = format!("log/{}", entry.id.to_hex());
    let of = |entry: &LogEntry| {
        let content =
            fields(&[("area", id(1).into()), ("category", "litter".into()), ("address", "甲".into())]);
        let mut content = content;
        content.insert(key.clone(), entry.to_value());
        content
    };
    entry.category = Some("寺庙消防隐患".into());
    assert_eq!(validate(Kind::Event, &of(&entry)), []);
    assert_eq!(forbidden::in_fields(Kind::Event, &of(&entry)), None);
    entry.category = Some("信访".into());
    assert_eq!(reasons(Kind::Event, &of(&entry)), [(key.clone(), Reason::Forbidden)]);
    assert_eq!(forbidden::in_fields(Kind::Event, &of(&entry)), Some(key.clone()));
}

#[test]
fn a_declined_visit_has_no_answers_and_no_next_day() {
    let answer = codec::to_bytes(&Answer::default());
    let visit = |result: &str, more: &[(&str, Value)]| {
        let mut all = fields(&[
            ("target", id(1).into()),
            ("by", id(2).into()),
            ("at", Value::Time(Timestamp::from_millis(1))),
            ("result", result.into()),
        ]);
        all.extend(fields(more));
        all
    };
    let more = [("next_due", Value::from("2026-06-01")), ("answers/well", Value::Bytes(answer.clone()))];
    assert_eq!(validate(Kind::Visit, &visit("met", &more)), []);
    assert_eq!(validate(Kind::Visit, &visit("refused", &[])), []);
    let nothing = |field: &str| (field.to_owned(), Reason::TriggersNothing);
    assert_eq!(
        reasons(Kind::Visit, &visit("refused", &more)),
        [nothing("next_due"), nothing("answers/well")]
    );
    let taken_out = [("answers/well", Value::Bytes(answer)), ("answers/well/removed", Value::Flag(true))];
    assert_eq!(validate(Kind::Visit, &visit("refused", &taken_out)), []);
}

#[test]
fn reasons_speak_both_languages() {
    for reason in [Reason::Missing, Reason::TooLong { max: 5 }, Reason::NoItems, Reason::UnknownRegion] {
        assert!(!reason.zh().is_ascii());
        assert!(reason.en().is_ascii());
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Real),
        any::<String>().prop_map(Value::Text),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        any::<i64>().prop_map(|millis| Value::Time(Timestamp::from_millis(millis))),
    ]
}

proptest! {
    #[test]
    fn any_content_is_survived(
        kind in proptest::sample::select(Kind::ALL),
        values in proptest::collection::vec((any::<proptest::sample::Index>(), "[a-z/]{0,8}", any_value()), 0..12),
    ) {
        let mut content = Fields::new();
        for (index, element, value) in values {
            let field = &kind.schema().fields[index.index(kind.schema().fields.len())];
            let key = if field.set { format!("{}/{element}", field.name) } else { field.name.to_owned() };
            content.insert(key, value);
        }
        validate(kind, &content);
        let _ = ResidentId::from_fields(&content);
        crate::records::followers(kind.schema(), &content);
    }
}

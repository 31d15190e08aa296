use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::categories::{STARTER_CATEGORIES, Severity};
use crate::codec;
use crate::id::RecordId;
use crate::records::{Checklist, Kind, Record};
use crate::validate::{Reason, is_acceptable, validate};
use crate::value::Value;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");

/// Every starter template, as its file says.
fn starters() -> BTreeMap<String, Template> {
    let folder = std::fs::read_dir(format!("{SCHEMAS}/checklists")).unwrap();
    folder
        .map(|entry| {
            let path = entry.unwrap().path();
            let template = file::read(&std::fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str(), Some(template.code.as_str()));
            (template.code.clone(), template)
        })
        .collect()
}

fn item(kind: ItemKind) -> ChecklistItem {
    ChecklistItem {
        order: 1,
        zh: "灭火器压力正常".into(),
        en: None,
        kind,
        unit: None,
        min: None,
        max: None,
        choices: Vec::new(),
        required_when: None,
        shown_when: None,
        severity: Severity::General,
        evidence: EvidenceRule::OnFail,
        basis: None,
        basis_en: None,
        passes_when: None,
        points: None,
        days: None,
        event_category: None,
        section_zh: None,
        section_en: None,
        unit_en: None,
        field: None,
    }
}

fn template(items: &[(&str, ChecklistItem)]) -> Template {
    let items = (1u32..).zip(items).map(|(order, (id, item))| {
        let item = ChecklistItem { order, ..item.clone() };
        ((*id).to_owned(), item)
    });
    Template {
        code: "made_up".into(),
        version: 1,
        name: "虚构清单".into(),
        name_en: None,
        categories: BTreeSet::new(),
        remedy_days: 15,
        event_category: None,
        retired_at: None,
        items: items.collect(),
    }
}

fn choices(words: &[&str]) -> Vec<Choice> {
    words.iter().map(|word| Choice { word: (*word).into(), zh: "词".into(), en: None }).collect()
}

fn outcome(outcome: Outcome) -> Answer {
    Answer { outcome: Some(outcome), ..Answer::default() }
}

fn choose(word: &str) -> Answer {
    Answer { choice: Some(word.into()), ..Answer::default() }
}

fn number(number: f64) -> Answer {
    Answer { number: Some(number), ..Answer::default() }
}

fn answers<const N: usize>(all: [(&str, Answer); N]) -> BTreeMap<String, Answer> {
    all.map(|(id, answer)| (id.to_owned(), answer)).into()
}

fn look(template: &Template, answers: &BTreeMap<String, Answer>) -> Review {
    review(&template.items, answers, &Scope::default())
}

#[test]
fn a_failure_needs_a_photo_and_counts_in_the_score() {
    let heavy = ChecklistItem { points: Some(3), ..item(ItemKind::PassFail) };
    let plain = item(ItemKind::PassFail);
    let template = template(&[("a", heavy), ("b", plain.clone()), ("c", plain.clone()), ("d", plain)]);
    let given = answers([
        ("a", outcome(Outcome::Pass)),
        ("b", outcome(Outcome::Fail)),
        ("c", outcome(Outcome::NotApplicable)),
        ("stranger", outcome(Outcome::Fail)),
    ]);
    let review = look(&template, &given);
    assert_eq!(review.score, Some(75));
    assert_eq!(review.grade, Some(Grade::Rectify));
    assert_eq!(review.failed.keys().collect::<Vec<_>>(), ["b"]);
    let lacking = BTreeMap::from([("b".to_owned(), Lack::Photo), ("d".to_owned(), Lack::Answer)]);
    assert_eq!(review.lacking, lacking);
    assert_eq!(review.next(), Some("b"));
    assert_eq!(look(&template, &BTreeMap::new()).grade, None);
}

#[test]
fn conditions_hide_and_release_and_hidden_answers_count_nowhere() {
    let gas = ChecklistItem { choices: choices(&["yes", "no"]), ..item(ItemKind::Choice) };
    let hose =
        ChecklistItem { shown_when: Some("gas == 'yes'".into()), max: Some(2.0), ..item(ItemKind::Number) };
    let joint = ChecklistItem { shown_when: Some("hose > 1".into()), ..item(ItemKind::PassFail) };
    let remark = ChecklistItem { required_when: Some("gas == 'yes'".into()), ..item(ItemKind::Text) };
    let template = template(&[("gas", gas), ("hose", hose), ("joint", joint), ("remark", remark)]);
    assert_eq!(template.faults(), []);
    let no = answers([("gas", choose("no")), ("hose", number(3.5)), ("joint", outcome(Outcome::Fail))]);
    let got = look(&template, &no);
    assert_eq!((got.asked, got.failed.len(), got.lacking.len()), (vec!["gas".into(), "remark".into()], 0, 0));
    let yes = answers([("gas", choose("yes")), ("hose", number(3.5))]);
    let got = look(&template, &yes);
    assert_eq!(got.failed.keys().collect::<Vec<_>>(), ["hose"]);
    assert_eq!(got.lacking.get("remark"), Some(&Lack::Answer));
    assert_eq!(got.lacking.get("joint"), Some(&Lack::Answer));
    let odd = answers([("gas", choose("maybe"))]);
    assert_eq!(look(&template, &odd).lacking.get("gas"), Some(&Lack::Choice));
}

#[test]
fn a_limit_may_depend_on_another_answer() {
    let area = ChecklistItem { evidence: EvidenceRule::None, ..item(ItemKind::Number) };
    let count = ChecklistItem {
        passes_when: Some("extinguishers * 50 >= area && extinguishers >= 2".into()),
        ..item(ItemKind::Number)
    };
    let template = template(&[("area", area), ("extinguishers", count)]);
    assert_eq!(template.faults(), []);
    let of = |area: f64, count: f64| {
        look(&template, &answers([("area", number(area)), ("extinguishers", number(count))]))
    };
    assert_eq!(of(100.0, 2.0).score, Some(100));
    assert_eq!(of(101.0, 2.0).score, Some(0));
    assert_eq!(of(20.0, 1.0).score, Some(0));
    let unknown = look(&template, &answers([("extinguishers", number(9.0))]));
    assert_eq!(unknown.score, None, "nothing is judged against a limit that is not known");
}

#[test]
fn a_recheck_asks_what_had_failed_and_nothing_else() {
    let a = item(ItemKind::PassFail);
    let b = ChecklistItem { shown_when: Some("a == 'fail'".into()), ..item(ItemKind::PassFail) };
    let template = template(&[("a", a.clone()), ("b", b), ("c", a)]);
    let scope = Scope { only: Some(BTreeSet::from(["b".into()])), ..Scope::default() };
    let got = review(&template.items, &answers([("a", outcome(Outcome::Pass))]), &scope);
    assert_eq!(got.asked, ["b"]);
    assert_eq!(got.lacking.get("b"), Some(&Lack::Answer));
    let done = review(&template.items, &answers([("b", outcome(Outcome::Pass))]), &scope);
    assert_eq!((done.is_complete(), done.score), (true, Some(100)));
}

#[test]
fn faults_of_a_template_are_all_told() {
    let condition =
        |source: &str| ChecklistItem { shown_when: Some(source.into()), ..item(ItemKind::PassFail) };
    let template = template(&[
        ("Bad id", item(ItemKind::PassFail)),
        ("later", condition("b == 'pass'")),
        ("b", condition("later == 'maybe'")),
        ("c", condition("(later")),
        ("d", ChecklistItem { min: Some(2.0), max: Some(1.0), ..item(ItemKind::Number) }),
        ("e", ChecklistItem { choices: choices(&["x"]), ..item(ItemKind::Text) }),
        ("f", ChecklistItem { severity: Severity::Major, ..item(ItemKind::PassFail) }),
        ("g", ChecklistItem { zh: "店主的民族".into(), ..item(ItemKind::Text) }),
        ("h", ChecklistItem { zh: " ".into(), ..item(ItemKind::Other("map".into())) }),
        ("i", condition("place.category == 'shop'")),
    ]);
    let expected = [
        ("Bad id", TemplateFault::BadId),
        ("later", TemplateFault::UnknownName("b".into())),
        ("b", TemplateFault::UnknownWord("maybe".into())),
        ("c", TemplateFault::Condition(ConditionFault::End)),
        ("d", TemplateFault::Range),
        ("e", TemplateFault::Kind),
        ("g", TemplateFault::Forbidden),
        ("h", TemplateFault::NoText),
        ("f", TemplateFault::NoCategory),
    ];
    assert_eq!(template.faults(), expected.map(|(item, fault)| (item.to_owned(), fault)));
    let errors = validate(Kind::Checklist, &template.to_record().to_fields());
    assert!(!is_acceptable(&errors));
    assert!(
        errors
            .iter()
            .any(|error| error.field == "items/g"
                && error.reason == Reason::Template(TemplateFault::Forbidden))
    );
}

#[test]
fn items_and_answers_read_back() {
    let item = ChecklistItem {
        min: Some(0.5),
        choices: choices(&["有"]),
        passes_when: Some("a > 1".into()),
        ..item(ItemKind::Other("map".into()))
    };
    assert_eq!(codec::from_bytes(&codec::to_bytes(&item)), Ok(item));
    let answer = outcome(Outcome::Fail);
    assert_eq!(codec::from_bytes(&codec::to_bytes(&answer)), Ok(answer));
}

#[test]
fn the_starter_templates_are_sound_and_become_records() {
    let all = starters();
    let codes: Vec<_> = all.keys().map(String::as_str).collect();
    assert_eq!(codes, ["crowded_places", "estates", "production", "rented_rooms", "small_venues"]);
    let categories: BTreeSet<_> = STARTER_CATEGORIES.iter().map(|category| category.code).collect();
    for template in all.values() {
        assert!(template.name_en.is_some());
        for (id, item) in template.ordered() {
            let labels = item.en.is_some() && item.section_zh.is_some() == item.section_en.is_some();
            assert!(
                labels && item.choices.iter().all(|choice| choice.en.is_some()),
                "{}.{id}",
                template.code
            );
            let category = template.event_category(id).unwrap();
            assert!(categories.contains(category), "{}.{id}", template.code);
        }
        let record = template.to_record();
        assert_eq!(validate(Kind::Checklist, &record.to_fields()), []);
        let read = Checklist::from_fields(&record.to_fields()).unwrap();
        assert_eq!(&Template::from_record(&read), template);
    }
}

/// The limits that design 4 names, through the real files.
#[test]
fn the_starter_limits_judge_as_the_design_says() {
    let all = starters();
    let fails = |code: &str, item: &str, given: &[(&str, Answer)]| {
        let given = given.iter().map(|(id, answer)| ((*id).to_owned(), answer.clone())).collect();
        let review = look(&all[code], &given);
        assert!(review.asked.iter().any(|asked| asked == item), "{code}.{item} is asked");
        review.failed.get(item).cloned()
    };
    let venue = |item: &str, given: &[(&str, Answer)]| fails("small_venues", item, given);
    let size = ("area_m2", number(120.0));
    let floors = ("floors", number(1.0));
    let count = |n| ("extinguishers", number(n));
    assert_eq!(venue("extinguishers", &[size.clone(), floors.clone(), count(3.0)]), None);
    assert_eq!(venue("extinguishers", &[size.clone(), floors, count(2.0)]), Some(Severity::General));
    assert!(venue("extinguishers", &[size, ("floors", number(2.0)), count(3.0)]).is_some());
    let lpg = ("gas", choose("bottled"));
    assert_eq!(venue("lpg_kg", &[lpg.clone(), ("lpg_kg", number(101.0))]), Some(Severity::Major));
    assert_eq!(venue("lpg_kg", &[lpg.clone(), ("lpg_kg", number(100.0))]), None);
    assert_eq!(venue("lpg_bottles", &[lpg.clone(), ("lpg_bottles", number(5.0))]), Some(Severity::Major));
    assert!(venue("hose_m", &[lpg, ("hose_m", number(2.1))]).is_some());
    let room = |item: &str, given: &[(&str, Answer)]| fails("rented_rooms", item, given);
    assert!(room("m2_per_person", &[("m2_per_person", number(3.9))]).is_some());
    assert!(room("most_in_a_room", &[("most_in_a_room", number(3.0))]).is_some());
    let large = [("rooms", number(10.0)), ("people", number(4.0)), ("alarms", outcome(Outcome::Fail))];
    assert!(room("alarms", &large).is_some());
    let beds = [("sleeping_places", number(7.0)), ("permitted_places", number(6.0))];
    assert!(!look(&all["rented_rooms"], &answers(beds)).failed.is_empty());
}

/// Every limit in the files with the last number that passes and the first that does not, and what has to be said before
/// it is asked. The numbers are the design's, not read from the files.
#[test]
fn each_starter_limit_passes_at_its_number_and_fails_beyond() {
    let (bottled, shed, lift) = (("gas", "bottled"), ("charging_shed", "yes"), ("elevator", "yes"));
    type Limit = (&'static str, &'static str, f64, f64, Option<(&'static str, &'static str)>);
    let numbers: &[Limit] = &[
        ("small_venues", "lpg_kg", 100.0, 100.1, Some(bottled)),
        ("small_venues", "lpg_bottles", 4.0, 5.0, Some(bottled)),
        ("small_venues", "hose_m", 2.0, 2.1, Some(bottled)),
        ("small_venues", "stove_distance_m", 1.0, 0.9, Some(bottled)),
        ("rented_rooms", "m2_per_person", 4.0, 3.9, None),
        ("rented_rooms", "most_in_a_room", 2.0, 3.0, None),
        ("rented_rooms", "extinguishers", 2.0, 1.0, None),
        ("crowded_places", "months_since_drill", 6.0, 7.0, None),
        ("estates", "shed_distance_m", 6.0, 5.9, Some(shed)),
        ("estates", "shed_extinguishers", 2.0, 1.0, Some(shed)),
        ("estates", "hydrant_mpa", 0.1, 0.09, None),
        ("estates", "elevator_days_left", 0.0, -1.0, Some(lift)),
    ];
    let all = starters();
    let limited = all.values().flat_map(|template| template.items.values());
    let limited = limited.filter(|item| item.min.is_some() || item.max.is_some()).count();
    assert_eq!(limited, numbers.len(), "a limit that is not tried here");
    for (code, item, good, bad, before) in numbers {
        let failed = |given: f64| {
            let mut answers = answers([(*item, number(given))]);
            answers.extend(before.map(|(asked, word)| (asked.to_owned(), choose(word))));
            let review = look(&all[*code], &answers);
            assert!(review.asked.iter().any(|asked| asked == item), "{code}.{item} is asked");
            review.failed.contains_key(*item)
        };
        assert!(!failed(*good) && failed(*bad), "{code}.{item}");
    }
    let compared = [
        ("crowded_places", "exits_required", "exits", 3.0, 3.0, 2.0),
        ("production", "permitted_kg", "stored_kg", 50.0, 50.0, 51.0),
        ("rented_rooms", "permitted_places", "sleeping_places", 6.0, 6.0, 7.0),
    ];
    for (code, other, item, limit, good, bad) in compared {
        let failed = |given: f64| {
            let hazardous = ("hazardous", choose("yes"));
            look(&all[code], &answers([(other, number(limit)), (item, number(given)), hazardous]))
                .failed
                .contains_key(item)
        };
        assert!(!failed(good) && failed(bad), "{code}.{item}");
    }
}

#[test]
fn what_endangers_life_is_major_and_nothing_else() {
    let expected = BTreeMap::from([
        ("crowded_places", vec!["exits", "exits_free"]),
        ("estates", vec![]),
        ("production", vec!["nobody_lives_there", "stored_kg", "stored_separately"]),
        ("rented_rooms", vec!["no_odd_bedrooms", "separated"]),
        (
            "small_venues",
            vec!["exits_free", "lpg_bottles", "lpg_kg", "no_bottles_below", "nobody_lives_there"],
        ),
    ]);
    let all = starters();
    let major = all.iter().map(|(code, template)| {
        let items = template.items.iter().filter(|(_, item)| item.severity == Severity::Major);
        (code.as_str(), items.map(|(id, _)| id.as_str()).collect::<Vec<_>>())
    });
    assert_eq!(major.collect::<BTreeMap<_, _>>(), expected);
}

#[test]
fn photos_signatures_and_days_are_answers_of_their_own() {
    let always = ChecklistItem { evidence: EvidenceRule::Always, ..item(ItemKind::PassFail) };
    let template = template(&[
        ("always", always),
        ("date", item(ItemKind::Date)),
        ("photo", item(ItemKind::Photo)),
        ("signature", item(ItemKind::Signature)),
    ]);
    let shot = vec![RecordId::from_bytes([7; 16])];
    let lacking = |given: &[(&str, Answer)]| {
        let given = given.iter().map(|(id, answer)| ((*id).to_owned(), answer.clone())).collect();
        look(&template, &given).lacking
    };
    let text = |text: &str| Answer { text: Some(text.into()), ..Answer::default() };
    let with_photo = |answer: Answer| Answer { photos: shot.clone(), ..answer };
    let bare = lacking(&[
        ("always", outcome(Outcome::Pass)),
        ("date", text("gestern")),
        ("photo", text("a picture was taken")),
        ("signature", outcome(Outcome::Pass)),
    ]);
    let expected = [
        ("always", Lack::Photo),
        ("date", Lack::Answer),
        ("photo", Lack::Answer),
        ("signature", Lack::Answer),
    ];
    assert_eq!(bare, expected.map(|(id, lack)| (id.to_owned(), lack)).into());
    let full = lacking(&[
        ("always", with_photo(outcome(Outcome::Pass))),
        ("date", text("2026-11-02")),
        ("photo", with_photo(Answer::default())),
        ("signature", with_photo(Answer::default())),
    ]);
    assert_eq!(full, BTreeMap::new());
    let spared = lacking(&[("always", outcome(Outcome::NotApplicable))]);
    assert_eq!(spared.get("always"), None, "what does not apply needs no photo");
}

#[test]
fn campaigns_and_care_tags_that_must_not_be_are_refused() {
    let told = |kind: Kind, field: &str, text: &str| {
        let fields = [(field.to_owned(), Value::from(text))].into();
        validate(kind, &fields).iter().any(|error| error.field == field && error.reason == Reason::Forbidden)
    };
    assert!(told(Kind::Campaign, "name", "重点人员摸排"));
    assert!(told(Kind::Campaign, "matter", "Petitioner visits"));
    assert!(told(Kind::CareTag, "purpose", "掌握上访动向"));
    assert!(told(Kind::CareTag, "need", "宗教"));
    assert!(!told(Kind::Campaign, "name", "冬季用气安全排查"));
    assert!(!told(Kind::CareTag, "purpose", "防止跌倒风险"));
    assert!(!told(Kind::Task, "title", "复查：民族路小吃店（虚构）"), "streets may be called anything");
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let outcome =
        prop::option::of(prop::sample::select(&[Outcome::Pass, Outcome::Fail, Outcome::NotApplicable][..]));
    let word = prop::option::of(prop::sample::select(&["yes", "no", "bottled", "piped", "none"][..]));
    let number = prop::option::of(prop_oneof![-5.0..500.0f64, Just(f64::NAN), Just(f64::INFINITY)]);
    (outcome, number, word, any::<bool>()).prop_map(|(outcome, number, word, photo)| Answer {
        outcome,
        number,
        choice: word.map(str::to_owned),
        photos: photo.then(|| RecordId::from_bytes([1; 16])).into_iter().collect(),
        ..Answer::default()
    })
}

proptest! {
    /// Whatever is answered in whatever order, what a review says of itself is consistent.
    #[test]
    fn reviews_are_consistent(given in prop::collection::vec((any::<prop::sample::Index>(), any_answer()), 0..40)) {
        for template in starters().values() {
            let ids: Vec<_> = template.items.keys().cloned().collect();
            let given = given.iter().map(|(at, answer)| (at.get(&ids).clone(), answer.clone())).collect();
            let review = look(template, &given);
            let asked: BTreeSet<_> = review.asked.iter().cloned().collect();
            prop_assert_eq!(asked.len(), review.asked.len());
            prop_assert!(review.failed.keys().all(|item| review.answered.contains(item)));
            prop_assert!(review.answered.iter().chain(review.lacking.keys()).all(|item| asked.contains(item)));
            prop_assert!(review.score.is_none_or(|score| score <= 100));
            prop_assert_eq!(review.next().is_none(), review.is_complete());
            let major = review.failed.values().any(|severity| *severity == Severity::Major);
            prop_assert_eq!(review.grade == Some(Grade::Major), major);
        }
    }

    #[test]
    fn any_file_is_survived(text in "\\PC{0,60}") {
        prop_assert!(file::read(&text).is_err());
    }
}

#[test]
fn what_a_starter_item_rests_on_stands_in_both_languages_and_every_major_item_has_it() {
    for (code, template) in starters() {
        for (id, item) in &template.items {
            assert_eq!(item.basis.is_some(), item.basis_en.is_some(), "{code}: {id}");
            assert!(item.basis.is_some() || item.severity != Severity::Major, "{code}: {id}");
        }
    }
}

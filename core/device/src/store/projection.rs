//! What lists, links and search need to know of a record, drawn from its fields by tables.

use std::collections::BTreeSet;

use gridwalk_model::due::{self, DueFact};
use gridwalk_model::event::EventRules;
use gridwalk_model::records::elements;
use gridwalk_model::schema::FieldType;
use gridwalk_model::voice::VoiceRef;
use gridwalk_model::{Fields, Kind, RecordId, Value};

use super::due::ITSELF;
use super::tokens::{self, Form, Text};

/// Raised whenever the same fields give another projection: stores then draw all of them anew at opening.
pub(super) const VERSION: i64 = 6;

/// How records of a kind are listed and found.
struct Listing {
    kind: Kind,
    /// Fields that order a list.
    sort: &'static [&'static str],
    /// Whether the list begins with the latest.
    latest_first: bool,
    /// Texts that it is found by.
    find: &'static [Source],
}

/// Where the texts come from that a record is found by, and how they are found.
enum Source {
    /// One text, of these fields one after the other.
    Fields(Form, &'static [&'static str]),
    /// The name of the category whose code stands in a field, in both languages.
    Category(&'static str),
    /// What was said in each voice note of a set.
    Transcripts(&'static str),
    /// Each text of a set.
    Each(&'static str),
}

use Source::{Category, Each, Fields as Of, Transcripts};

const NAME: Source = Of(Form::Name, &["name"]);
const PHONE: Source = Of(Form::Phone, &["phone"]);
const ADDRESS: Source = Of(Form::Plain, &["address"]);
const NAME_EN: Source = Of(Form::Plain, &["name_en"]);
const REMARKS: Source = Of(Form::Plain, &["remarks"]);
const VOICES: Source = Transcripts("voices");

const LISTINGS: &[Listing] = &[
    Listing {
        kind: Kind::Area,
        sort: &["code"],
        latest_first: false,
        find: &[NAME, Of(Form::Plain, &["code"])],
    },
    Listing { kind: Kind::Unit, sort: &["name"], latest_first: false, find: &[NAME, PHONE] },
    Listing {
        kind: Kind::Dwelling,
        sort: &["estate", "building", "unit", "room", "address"],
        latest_first: false,
        find: &[
            Of(Form::Plain, &["estate", "building", "unit", "room"]),
            ADDRESS,
            Of(Form::Sound, &["estate"]),
        ],
    },
    Listing { kind: Kind::Resident, sort: &["name"], latest_first: false, find: &[NAME, PHONE] },
    Listing {
        kind: Kind::Organization,
        sort: &["name"],
        latest_first: false,
        find: &[NAME, Of(Form::Plain, &["uscc"]), PHONE],
    },
    Listing {
        kind: Kind::Place,
        sort: &["name"],
        latest_first: false,
        find: &[NAME, ADDRESS, Of(Form::Name, &["manager"]), PHONE],
    },
    Listing {
        kind: Kind::Event,
        sort: &["occurred_at"],
        latest_first: true,
        find: &[
            Of(Form::Plain, &["number"]),
            Of(Form::Plain, &["description"]),
            ADDRESS,
            Of(Form::Plain, &["external_number"]),
            Category("category"),
            VOICES,
        ],
    },
    Listing { kind: Kind::Worker, sort: &["name"], latest_first: false, find: &[NAME] },
    Listing { kind: Kind::Task, sort: &["due"], latest_first: false, find: &[Of(Form::Plain, &["title"])] },
    Listing { kind: Kind::Checklist, sort: &["title", "name"], latest_first: false, find: &[NAME, NAME_EN] },
    Listing {
        kind: Kind::Visit,
        sort: &["at", "started_at"],
        latest_first: true,
        find: &[Of(Form::Plain, &["note"]), VOICES],
    },
    Listing { kind: Kind::Inspection, sort: &["started_at"], latest_first: true, find: &[REMARKS, VOICES] },
    Listing { kind: Kind::Form, sort: &["name"], latest_first: false, find: &[NAME, NAME_EN] },
    Listing { kind: Kind::Submission, sort: &["started_at"], latest_first: true, find: &[] },
    Listing { kind: Kind::Patrol, sort: &["started_at"], latest_first: true, find: &[REMARKS] },
    Listing { kind: Kind::BaseVerification, sort: &["at"], latest_first: true, find: &[] },
    Listing { kind: Kind::Household, sort: &["household_kind"], latest_first: false, find: &[REMARKS] },
    Listing {
        kind: Kind::Campaign,
        sort: &["name"],
        latest_first: false,
        find: &[NAME, Of(Form::Plain, &["matter"])],
    },
    // Its findings stand in its items; by its place it is found through store/about.rs.
    Listing {
        kind: Kind::RectificationOrder,
        sort: &["deadline"],
        latest_first: false,
        find: &[Each("items")],
    },
    // Sensitive: told by the search that asks for a purpose only.
    Listing {
        kind: Kind::ServiceRecord,
        sort: &["at"],
        latest_first: false,
        find: &[Of(Form::Plain, &["request"]), Of(Form::Plain, &["service"]), Of(Form::Plain, &["outcome"])],
    },
    // Looked up by its token.
    Listing { kind: Kind::Label, sort: &["token"], latest_first: false, find: &[] },
    // Found as the person that it is about.
    Listing {
        kind: Kind::CareTag,
        sort: &["until"],
        latest_first: false,
        find: &[Of(Form::Need, &["need"])],
    },
];

/// What the store keeps beside a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Projection {
    /// Place in a list of the kind.
    pub(super) sort: String,
    /// Links to other records: field, target.
    pub(super) links: BTreeSet<(String, RecordId)>,
    /// Tokens of all texts, between spaces.
    pub(super) tokens: String,
    /// What it makes due, or settles.
    pub(super) due: BTreeSet<DueFact>,
}

/// Link from an event to each person with an entry in its log.
pub(crate) const ACTED: &str = "log";

/// Draws the projection of a record. Kinds that this build does not know have an empty one.
pub(super) fn project(kind_tag: &str, fields: &Fields, events: &EventRules) -> Projection {
    let Some(kind) = Kind::parse(kind_tag) else { return Projection::default() };
    let due = due::facts(kind, ITSELF, fields, events).into_iter().collect();
    let mut out = Projection { links: links(kind, fields), due, ..Projection::default() };
    let Some(listing) = LISTINGS.iter().find(|listing| listing.kind == kind) else { return out };
    out.sort = sort_text(listing, fields);
    let mut tokens = BTreeSet::new();
    texts_of(listing, fields, events).iter().for_each(|text| tokens::tokens(text, &mut tokens));
    out.tokens = tokens.into_iter().collect::<Vec<_>>().join(" ");
    out
}

/// The texts that a record is found by.
pub(super) fn texts(kind_tag: &str, fields: &Fields, events: &EventRules) -> Vec<Text> {
    let kind = Kind::parse(kind_tag);
    let listing = LISTINGS.iter().find(|listing| Some(listing.kind) == kind);
    listing.map(|listing| texts_of(listing, fields, events)).unwrap_or_default()
}

fn texts_of(listing: &Listing, fields: &Fields, events: &EventRules) -> Vec<Text> {
    listing.find.iter().flat_map(|source| source.raw(fields, events)).filter_map(text).collect()
}

/// A text that says something to search.
fn text((form, raw): (Form, String)) -> Option<Text> {
    let normal = tokens::normal(&raw);
    (!normal.is_empty()).then_some(Text { form, raw, normal })
}

impl Source {
    fn raw(&self, fields: &Fields, events: &EventRules) -> Vec<(Form, String)> {
        match self {
            Of(form, names) => {
                vec![(*form, names.iter().filter_map(|name| fields.get(*name)?.as_text()).collect())]
            }
            Category(field) => {
                let Some(code) = fields.get(*field).and_then(Value::as_text) else { return Vec::new() };
                let (zh, en) = events.label(code);
                vec![(Form::Plain, zh.to_owned()), (Form::Plain, en.to_owned())]
            }
            Transcripts(field) => elements(fields, field)
                .filter_map(|(_, value)| match value {
                    Value::Bytes(voice) => VoiceRef::from_bytes(voice).ok()?.transcript,
                    _ => None,
                })
                .map(|said| (Form::Plain, said))
                .collect(),
            Each(field) => elements(fields, field)
                .filter_map(|(_, value)| Some((Form::Plain, value.as_text()?.to_owned())))
                .collect(),
        }
    }

    /// The fields that it reads.
    #[cfg(test)]
    fn fields(&self) -> &[&'static str] {
        match self {
            Of(_, names) => names,
            Category(field) | Transcripts(field) | Each(field) => std::slice::from_ref(field),
        }
    }
}

fn links(kind: Kind, fields: &Fields) -> BTreeSet<(String, RecordId)> {
    let schema = kind.schema();
    let mut out = BTreeSet::new();
    for field in schema.fields.iter().filter(|field| matches!(field.ty, FieldType::Link(_))) {
        if field.set {
            for (_, value) in elements(fields, field.name) {
                out.extend(value.as_link().map(|target| (field.name.to_owned(), target)));
            }
        } else {
            out.extend(fields.get(field.name).and_then(Value::as_link).map(|to| (field.name.to_owned(), to)));
        }
    }
    if kind == Kind::Event {
        // By whoever acted on it, so that a worker's own acts are found on events of others.
        let (entries, _) = gridwalk_model::event::read_log(fields);
        out.extend(entries.into_iter().filter_map(|entry| Some((ACTED.to_owned(), entry.by?))));
    }
    out
}

fn sort_text(listing: &Listing, fields: &Fields) -> String {
    let mut out = String::new();
    for name in listing.sort {
        match fields.get(*name) {
            Some(Value::Text(text)) => natural(&mut out, text),
            Some(Value::Time(at)) => number(&mut out, at.millis(), listing.latest_first),
            Some(Value::Int(value)) => number(&mut out, *value, listing.latest_first),
            _ => {}
        }
        // Below every character of a text, so that "3" with all its rooms comes before "3a".
        out.push('\u{1}');
    }
    out
}

/// Numbers in a text are padded, so that 2 comes before 10.
fn natural(out: &mut String, text: &str) {
    let mut digits = String::new();
    let flush = |digits: &mut String, out: &mut String| {
        if !digits.is_empty() {
            out.extend(std::iter::repeat_n('0', 8usize.saturating_sub(digits.len())));
            out.push_str(digits);
            digits.clear();
        }
    };
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            flush(&mut digits, out);
            out.push(c);
        }
    }
    flush(&mut digits, out);
}

/// How the place in a list begins for records whose first ordering fields are these texts.
pub(crate) fn sort_prefix(path: &[&str]) -> String {
    let mut out = String::new();
    for text in path {
        natural(&mut out, text);
        out.push('\u{1}');
    }
    out
}

fn number(out: &mut String, value: i64, descending: bool) {
    let key = (value as u64) ^ (1 << 63);
    let key = if descending { !key } else { key };
    out.push_str(&format!("{key:016x}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
    }

    #[test]
    fn every_named_field_exists() {
        for listing in LISTINGS {
            let schema = listing.kind.schema();
            for name in listing.find.iter().flat_map(Source::fields) {
                assert!(schema.fields.iter().any(|f| f.name == *name), "{}: {name}", schema.tag);
            }
            let sorted = listing.sort.iter().any(|name| schema.fields.iter().any(|f| f.name == *name));
            assert!(sorted, "{} has no field to sort by", schema.tag);
        }
    }

    #[test]
    fn every_kind_is_found_or_there_is_a_reason_why_not() {
        for kind in Kind::ALL {
            let listing = LISTINGS.iter().find(|listing| listing.kind == *kind);
            let by_text = listing.is_some_and(|listing| !listing.find.is_empty());
            let about = super::super::about::ABOUT.iter().any(|(about, _)| about == kind);
            let why_not = match kind {
                Kind::ResidentId | Kind::Appellant => {
                    "numbers and callers are read for a purpose, never looked for"
                }
                Kind::Residency | Kind::BaseVerification => {
                    "stands with the door and the person, who are found"
                }
                Kind::VisitCadence => "a table of the deployment, without a screen of its own",
                Kind::Label => "found by its token",
                _ => "",
            };
            assert_eq!(by_text || about, why_not.is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn doors_are_listed_in_the_order_of_their_numbers() {
        let door = |building: &str, room: &str| {
            project(
                "dwelling",
                &fields(&[("estate", "阳光里"), ("building", building), ("room", room)]),
                &EventRules::default(),
            )
            .sort
        };
        assert!(door("2号楼", "101") < door("10号楼", "101"));
        assert!(door("2号楼", "99") < door("2号楼", "101"));
    }

    #[test]
    fn the_latest_event_comes_first() {
        let event = |millis: i64| {
            let at = gridwalk_model::Timestamp::from_millis(millis);
            project(
                "event",
                &Fields::from([("occurred_at".to_owned(), Value::Time(at))]),
                &EventRules::default(),
            )
            .sort
        };
        assert!(event(2_000) < event(1_000));
        assert!(event(1_000) < event(-1_000));
    }
}

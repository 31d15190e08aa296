//! What this product does not keep about people: words that no field, template, form, tag or code table may have.
//!
//! The list is that of the README's promise: no religion, ethnicity, political activity, petitioning or risk scores of
//! people, no face recognition, no registers of "key persons", no link to police systems.
//!
//! # Where the line is
//!
//! What is asked, configured, or sorted under is read: labels and words of lists, templates, forms, campaigns, care
//! tags, categories of places and events, requests for a service, names of units, labels of an imported ledger. There
//! a forbidden word would found a register. What only describes the world is not read: names and addresses of places,
//! titles of tasks, descriptions, remarks. A temple is a building that can burn: 寺庙消防隐患 may be reported, and the
//! place keeps its name. "宗教场所" as a category may not be, since it sorts by creed and not by building. Streets are
//! called 民族路 in many towns, so that [`find_beside_streets`] passes over them where addresses are to be expected.
//! An office for petitions or creeds is no unit here, although towns have one: nothing is routed to it.
//!
//! The one list serves record, importer, server and the tests that look through what is committed.

use crate::checklist::TemplateFault;
use crate::event::LogEntry;
use crate::records::Kind;
use crate::schema::{FieldSchema, FieldType};
use crate::validate::{Reason, validate};
use crate::value::{Fields, Value};

/// Words in normal form (small letters), in Chinese and English. Phrases where the bare word has an honest use: the
/// risk of a fall, or a regulation of a ministry.
const WORDS: &[&str] = &[
    // Religion.
    "宗教",
    "信仰",
    "信教",
    "邪教",
    "教徒",
    "religi",
    "faith group",
    // Origin.
    "民族",
    "种族",
    "族裔",
    "籍贯来源",
    "ethnic",
    "racial",
    "nationality group",
    // Political activity.
    "政治",
    "党派",
    "party membership",
    "politic",
    // Petitioning.
    "信访",
    "上访",
    "访民",
    "维稳",
    "涉稳",
    "petition",
    "stability maintenance",
    // Scores and registers of people.
    "人员风险",
    "风险人员",
    "个人风险",
    "风险人群",
    "风险评分",
    "风险评级",
    "信用评分",
    "社会评分",
    "重点人员",
    "重点人口",
    "特殊人群",
    "刑满释放",
    "刑释",
    "社区矫正",
    "吸毒人员",
    "risk score",
    "risk rating",
    "risk profile",
    "high-risk person",
    "high-risk people",
    "social score",
    "social credit score",
    "key person",
    "key population",
    // Face recognition.
    "人脸",
    "面部识别",
    "刷脸",
    "face recognition",
    "facial recognition",
    "face_recognition",
    // Police systems.
    "警务系统",
    "公安系统",
    "警务平台",
    "雪亮工程",
    "布控",
    "police system",
    "police database",
];

/// Words that only sound like one of these.
const HONEST: &[&str] = &["repetition", "competition"];

/// A word that streets, squares and villages are called by as well.
const ON_THE_MAP: &str = "民族";
/// What follows it in such a name.
const MAP_ENDINGS: &[&str] = &[
    "路", "街", "巷", "弄", "大道", "大街", "广场", "桥", "园", "宫", "社区", "小区", "新村", "村", "乡",
    "镇",
];

/// Fields of free text that are read, and whether addresses are to be expected in them. Words of lists are read
/// wherever they are not on their list; checklists and forms by item, see [`crate::checklist::TemplateFault`].
const READ: &[(Kind, &str, bool)] = &[
    (Kind::Campaign, "name", false),
    (Kind::Campaign, "matter", false),
    (Kind::CareTag, "service", false),
    (Kind::CareTag, "purpose", false),
    (Kind::Checklist, "code", false),
    (Kind::Checklist, "categories", false),
    (Kind::Checklist, "event_category", false),
    (Kind::Form, "code", false),
    (Kind::Place, "category", false),
    (Kind::Event, "category", false),
    (Kind::ServiceRecord, "request", true),
    (Kind::ServiceRecord, "service", true),
    (Kind::Unit, "name", true),
];

/// The first forbidden word in a text, whatever its case.
pub fn find(text: &str) -> Option<&'static str> {
    let mut text = text.to_lowercase();
    for honest in HONEST {
        if text.contains(honest) {
            text = text.replace(honest, " ");
        }
    }
    WORDS.iter().copied().find(|word| text.contains(word))
}

/// The same for a text that may name streets and villages: those names are passed over.
pub fn find_beside_streets(text: &str) -> Option<&'static str> {
    let mut text = text.to_owned();
    for ending in MAP_ENDINGS {
        text = text.replace(&format!("{ON_THE_MAP}{ending}"), " ");
    }
    find(&text)
}

/// Whether a field may not be written with this value. Elements of logs, and items of checklists and forms, are read
/// where they are decoded.
pub fn in_field(kind: Kind, field: &FieldSchema, value: &Value) -> bool {
    let Some(text) = value.as_text() else { return false };
    match field.ty {
        FieldType::Code(words) => !words.contains(&text) && find(text).is_some(),
        FieldType::Text { .. } => {
            let read = READ.iter().find(|(own, name, _)| *own == kind && *name == field.name);
            read.is_some_and(|(_, _, streets)| {
                if *streets { find_beside_streets(text) } else { find(text) }.is_some()
            })
        }
        _ => false,
    }
}

/// The first field among these that may not be written, items of checklists and forms included.
pub fn in_fields(kind: Kind, fields: &Fields) -> Option<String> {
    let bad = |(key, value): (&String, &Value)| {
        let field = kind.schema().field_of_key(key).is_some_and(|(field, _)| in_field(kind, field, value));
        (field || in_entry(kind, key, value)).then(|| key.clone())
    };
    fields.iter().find_map(bad).or_else(|| {
        let faulty = matches!(kind, Kind::Checklist | Kind::Form) && fields.contains_key("name");
        let told = if faulty { validate(kind, fields) } else { Vec::new() };
        told.into_iter()
            .find(|error| error.reason == Reason::Template(TemplateFault::Forbidden))
            .map(|error| error.field)
    })
}

/// Whether a log entry sorts its event under such a word.
fn in_entry(kind: Kind, key: &str, value: &Value) -> bool {
    let Value::Bytes(bytes) = value else { return false };
    if kind != Kind::Event || !key.starts_with("log/") {
        return false;
    }
    let category = LogEntry::from_bytes(bytes).ok().and_then(|entry| entry.category);
    category.is_some_and(|category| find(&category).is_some())
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found_and_honest_ones_are_not() {
        for text in [
            "宗教信仰",
            "Ethnic group",
            "是否上访户",
            "PETITIONER",
            "人员风险等级",
            "重点人员登记",
            "人脸比对",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
        for text in
            ["跌倒风险", "高空坠物风险", "Falling-object risk", "surface", "公安部令", "国家标准", "会议议题"]
        {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn a_temple_may_burn_and_a_street_may_be_called_anything() {
        for text in ["寺庙消防隐患", "教堂外墙脱落", "清真寺门前井盖缺失", "temple fire exit"]
        {
            assert_eq!(find(text), None, "{text}");
        }
        for text in ["民族路社区居委会", "到民族大街药店代取药", "民族小区物业", "民族路、民族村"]
        {
            assert!(find(text).is_some(), "{text}");
            assert_eq!(find_beside_streets(text), None, "{text}");
        }
        for text in ["民族路上访户", "登记民族成分", "民族事务科", "宗教场所"] {
            assert!(find_beside_streets(text).is_some(), "{text}");
        }
    }

    #[test]
    fn every_field_that_is_read_exists_and_holds_text() {
        for (kind, name, _) in READ {
            let field = kind.schema().fields.iter().find(|field| field.name == *name).unwrap();
            assert!(matches!(field.ty, FieldType::Text { .. }), "{kind:?}.{name}");
            assert!(in_field(*kind, field, &Value::from("宗教人员")));
            assert!(!in_field(*kind, field, &Value::from("独居老人上门服务")));
        }
    }
}

//! How a field and its value are shown to people, in Chinese and English.

use crate::field_rules::FieldRules;
use crate::geo::Position;
use crate::schema::{FieldSchema, FieldType, Kind, REMOVED_KEY};
use crate::value::Value;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// From both.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// A text that is the same in both.
    pub fn same(text: impl Into<String>) -> Self {
        let zh = text.into();
        Self { en: zh.clone(), zh }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.zh.is_empty()
    }

    /// Both, apart by a point in the middle; the other where one is empty.
    #[must_use]
    pub fn beside(self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self;
        }
        Self::new(format!("{} · {}", self.zh, other.zh), format!("{} · {}", self.en, other.en))
    }
}

/// The name of a kind of record; the word itself for a kind of a newer schema.
pub fn kind_name(tag: &str) -> Words {
    Kind::parse(tag).map_or_else(|| Words::same(tag), |kind| Words::new(kind.schema().zh, kind.schema().en))
}

/// The name of the field that a root key belongs to; the key itself for a field of a newer schema.
pub fn field_name(kind: &str, key: &str) -> Words {
    if key == REMOVED_KEY {
        return Words::new("删除", "Removal");
    }
    schema_of(kind, key).map_or_else(|| Words::same(key), |field| Words::new(field.zh, field.en))
}

fn schema_of(kind: &str, key: &str) -> Option<&'static FieldSchema> {
    Kind::parse(kind)?.schema().field_of_key(key).map(|(field, _)| field)
}

/// A value as a person reads it. Links and entries have no text of their own and are named by what they are; whoever
/// holds the linked record puts its title instead.
pub fn value_text(kind: &str, key: &str, value: &Value, rules: &FieldRules) -> Words {
    let field = schema_of(kind, key);
    match value {
        Value::Null => Words::new("（空）", "(empty)"),
        Value::Flag(true) if key == REMOVED_KEY => Words::new("已删除", "Removed"),
        Value::Flag(false) if key == REMOVED_KEY => Words::new("保留", "Kept"),
        Value::Flag(true) => Words::new("是", "Yes"),
        Value::Flag(false) => Words::new("否", "No"),
        Value::Int(number) => Words::same(number.to_string()),
        Value::Real(number) => Words::same(number.to_string()),
        Value::Text(text) => {
            let word = field.and_then(|field| field.words.iter().find(|word| word.word == text));
            word.map_or_else(|| Words::same(text.clone()), |word| Words::new(word.zh, word.en))
        }
        Value::Time(at) => Words::same(rules.local().text(*at)),
        Value::Bytes(bytes) => match field.map(|field| field.ty) {
            Some(FieldType::Position) => Position::from_bytes(bytes).map_or_else(
                |_| Words::new("（位置）", "(a position)"),
                |at| Words::same(format!("{:.5}, {:.5}", at.lat(), at.lon())),
            ),
            Some(FieldType::Link(_)) => Words::new("（关联记录）", "(a linked record)"),
            _ => Words::new("（附件）", "(an attachment)"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn fields_and_values_have_words_in_both_languages() {
        let rules = FieldRules::default();
        assert_eq!(kind_name("dwelling"), Words::new("实有房屋", "Dwelling"));
        assert_eq!(kind_name("hologram"), Words::same("hologram"));
        assert_eq!(field_name("dwelling", "remarks"), Words::new("备注", "Remarks"));
        assert_eq!(field_name("event", "photos/aa"), Words::new("照片", "Photos"));
        let occupied = value_text("dwelling", "occupancy", &Value::from("vacant"), &rules);
        assert_eq!(occupied, Words::new("空置", "Vacant"));
        let time = Value::Time(Timestamp::from_millis(1_772_499_600_000));
        assert_eq!(value_text("task", "due", &time, &rules), Words::same("2026-03-03 09:00"));
        assert_eq!(value_text("dwelling", "rented", &Value::Flag(true), &rules), Words::new("是", "Yes"));
        let link = value_text("task", "target", &Value::Bytes(vec![1; 16]), &rules);
        assert_eq!(link, Words::new("（关联记录）", "(a linked record)"));
    }
}

//! A worker's limits as a file: what an operator writes, and what is wrong with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{DayOfYear, FieldRules};

/// Why a file of limits cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldRulesError {
    /// Not JSON, or not an object.
    #[error("the limits for a worker's day are not a JSON object")]
    NotAnObject,
    /// A value that is missing, of another type, or out of its range.
    #[error("the limits for a worker's day have no usable `{field}`")]
    Field {
        /// Which.
        field: &'static str,
    },
}

impl FieldRulesError {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotAnObject => "工作参数文件不是 JSON 对象".into(),
            Self::Field { field } => format!("工作参数文件的“{field}”缺少或不正确"),
        }
    }
}

impl FieldRules {
    /// Reads a file of limits. Keys of a newer version are passed over.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FieldRulesError> {
        let Ok(Value::Object(all)) = serde_json::from_str(text) else {
            return Err(FieldRulesError::NotAnObject);
        };
        let days = |field| whole(&all, field, 0, 3_660);
        Ok(Self {
            utc_offset_minutes: whole(&all, "utc_offset_minutes", -840, 840)?,
            near_metres: whole(&all, "near_metres", 0, 10_000)?,
            near_days: days("near_days")?,
            site_metres: whole(&all, "site_metres", 1, 10_000)?,
            verify_days: days("verify_days")?,
            check_days: days("check_days")?,
            look_back_days: days("look_back_days")?,
            rejected_days: days("rejected_days")?,
            ahead_days: days("ahead_days")?,
            discarded_days: days("discarded_days")?,
            // Files from before there was such a limit stay good.
            media_late_days: match all.get("media_late_days") {
                None => Self::default().media_late_days,
                Some(_) => days("media_late_days")?,
            },
            fresh_days: days("fresh_days")?,
            tag_ends_days: days("tag_ends_days")?,
            seasons: seasons(&all)?,
            calls: calls(&all)?,
            call: match all.get("call") {
                None | Some(Value::Null) => None,
                Some(number) => Some(phone(number).ok_or(FieldRulesError::Field { field: "call" })?),
            },
        })
    }

    /// The file of these limits.
    pub fn to_json(&self) -> String {
        let all = json!({
            "utc_offset_minutes": self.utc_offset_minutes,
            "near_metres": self.near_metres,
            "near_days": self.near_days,
            "site_metres": self.site_metres,
            "verify_days": self.verify_days,
            "check_days": self.check_days,
            "look_back_days": self.look_back_days,
            "rejected_days": self.rejected_days,
            "ahead_days": self.ahead_days,
            "discarded_days": self.discarded_days,
            "media_late_days": self.media_late_days,
            "fresh_days": self.fresh_days,
            "tag_ends_days": self.tag_ends_days,
            "seasons": self.seasons.iter().map(|(category, day)| (category.clone(), day.to_string().into())).collect::<Map<_, _>>(),
            "calls": self.calls,
            "call": self.call,
        });
        format!("{all:#}\n")
    }
}

fn whole<T: TryFrom<i64>>(
    all: &Map<String, Value>,
    field: &'static str,
    min: i64,
    max: i64,
) -> Result<T, FieldRulesError> {
    let number = all.get(field).and_then(Value::as_i64).filter(|number| (min..=max).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or(FieldRulesError::Field { field })
}

fn calls(all: &Map<String, Value>) -> Result<BTreeMap<String, String>, FieldRulesError> {
    let wrong = FieldRulesError::Field { field: "calls" };
    let rows = all.get("calls").and_then(Value::as_object).ok_or(wrong.clone())?;
    rows.iter()
        .map(|(category, number)| Some((category.clone(), phone(number)?)))
        .collect::<Option<_>>()
        .ok_or(wrong)
}

fn seasons(all: &Map<String, Value>) -> Result<BTreeMap<String, DayOfYear>, FieldRulesError> {
    let wrong = FieldRulesError::Field { field: "seasons" };
    let rows = all.get("seasons").and_then(Value::as_object).ok_or(wrong.clone())?;
    rows.iter()
        .map(|(category, day)| Some((category.clone(), DayOfYear::parse(day.as_str()?)?)))
        .collect::<Option<_>>()
        .ok_or(wrong)
}

/// A number that can be dialled.
fn phone(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = (1..=24).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-".contains(&byte));
    good.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_file_states_the_defaults() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/rules/field.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(path, FieldRules::default().to_json()).unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, FieldRules::default().to_json());
        assert_eq!(FieldRules::parse(&text), Ok(FieldRules::default()));
    }

    #[test]
    fn unusable_limits_are_named_in_both_languages() {
        let with =
            |from: &str, to: &str| FieldRules::parse(&FieldRules::default().to_json().replace(from, to));
        let field = |field| Err(FieldRulesError::Field { field });
        assert_eq!(FieldRules::parse("1"), Err(FieldRulesError::NotAnObject));
        assert_eq!(FieldRules::parse("{}"), field("utc_offset_minutes"));
        assert_eq!(with("\"site_metres\": 100", "\"site_metres\": 0"), field("site_metres"));
        assert_eq!(with("\"near_days\": 14", "\"near_days\": 1.5"), field("near_days"));
        assert_eq!(with("06-01", "06-31"), field("seasons"));
        assert_eq!(with("\"12345\"", "\"call me\""), field("call"));
        assert_eq!(with("\"95598\"", "7"), field("calls"));
        assert_eq!(with("\"12345\"", "null").unwrap().call, None);
        let wrong = FieldRulesError::Field { field: "near_days" };
        assert!(wrong.zh().contains("near_days") && wrong.to_string().contains("near_days"));
    }
}

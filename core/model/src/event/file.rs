//! What a deployment decides about events as a file: what an operator writes, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::rules::{Category, EventRules, SlaRule};
use crate::calendar::{Calendar, Span};
use crate::categories::Severity;
use crate::event::SlaClass;
use crate::forbidden;

/// Most categories in a file: a screen cannot show more.
const CATEGORIES_MAX: usize = 500;
/// Longest code of a category, as an event's field has it.
const CODE_MAX: usize = 50;
/// Longest name, in characters.
const NAME_MAX: usize = 60;
/// Longest deadline, in minutes or workdays: ten years.
const MINUTES_MAX: i64 = 5_270_400;
const WORKDAYS_MAX: i64 = 3_660;

/// Why a file of rules for events cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRulesError {
    /// Not JSON, or not an object.
    #[error("the rules for events are not a JSON object")]
    NotAnObject,
    /// A value that is missing, of another type, or out of its range.
    #[error("the rules for events have no usable `{field}`")]
    Field {
        /// Which, with the way to it.
        field: String,
    },
    /// A code that two categories have.
    #[error("the rules for events name the category `{code}` twice")]
    Twice {
        /// Which.
        code: String,
    },
    /// Only what is of low severity may be settled by the finder.
    #[error("the rules for events let `{code}` be settled on the spot, which only low severity allows")]
    OnSpot {
        /// Which.
        code: String,
    },
    /// A word for what is not kept about people.
    #[error("the rules for events sort under `{text}`, which this product does not do")]
    Forbidden {
        /// The text that has it.
        text: String,
    },
    /// A line of the calendar that is of another form.
    #[error("the rules for events have no usable line {line} in `calendar`: `DATE[..DATE] off|work`")]
    Calendar {
        /// Number of the line, from 1.
        line: usize,
    },
}

impl EventRulesError {
    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotAnObject => "事件规则文件不是 JSON 对象".into(),
            Self::Field { field } => format!("事件规则文件的“{field}”缺少或不正确"),
            Self::Twice { code } => format!("事件规则文件中类别“{code}”重复"),
            Self::OnSpot { code } => format!("事件规则文件中类别“{code}”不是轻微，不能现场办结"),
            Self::Forbidden { text } => format!("事件规则文件的“{text}”含有本产品不收集的内容"),
            Self::Calendar { line } => {
                format!("事件规则文件的“calendar”第 {line} 行不正确，应为：日期[..日期] off|work")
            }
        }
    }
}

type Read<T> = Result<T, EventRulesError>;

impl EventRules {
    /// Reads a file of rules. Keys of a newer version are passed over. The limits that stand in the file of a worker's
    /// day are the starter ones, see [`Self::with_limits`].
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Read<Self> {
        let Ok(Value::Object(all)) = serde_json::from_str(text) else {
            return Err(EventRulesError::NotAnObject);
        };
        Ok(Self {
            categories: categories(&all)?,
            sla: deadlines(&all)?,
            calendar: calendar(&all)?,
            callback_tries: whole(&all, "", "callback_tries", 1, 100)?,
            free_returns: whole(&all, "", "free_returns", 0, 100)?,
            extensions: whole(&all, "", "extensions", 0, 100)?,
            clock_skew_minutes: whole(&all, "", "clock_skew_minutes", 0, 10_080)?,
            ..Self::default()
        })
    }

    /// The file of these rules.
    pub fn to_json(&self) -> String {
        let category = |row: &Category| {
            json!({
                "code": row.code,
                "zh": row.zh,
                "en": row.en,
                "group_zh": row.group_zh,
                "group_en": row.group_en,
                "severity": row.severity.word(),
                "on_spot": row.on_spot,
                "sla": row.sla.word(),
                "routing_zh": row.routing_zh,
                "routing_en": row.routing_en,
            })
        };
        let deadline = |(class, rule): (&SlaClass, &SlaRule)| {
            let row = json!({
                "respond": span_of(rule.respond),
                "handle": span_of(rule.handle),
                "red_times": rule.red_times,
            });
            (class.word().to_owned(), row)
        };
        let all = json!({
            "categories": self.categories.iter().map(category).collect::<Vec<_>>(),
            "deadlines": self.sla.iter().map(deadline).collect::<Map<_, _>>(),
            "calendar": self.calendar.lines(),
            "callback_tries": self.callback_tries,
            "free_returns": self.free_returns,
            "extensions": self.extensions,
            "clock_skew_minutes": self.clock_skew_minutes,
        });
        format!("{all:#}\n")
    }
}

fn wrong(way: &str, field: &str) -> EventRulesError {
    let dot = if way.is_empty() { "" } else { "." };
    EventRulesError::Field { field: format!("{way}{dot}{field}") }
}

fn whole<T: TryFrom<i64>>(all: &Map<String, Value>, way: &str, field: &str, min: i64, max: i64) -> Read<T> {
    let number = all.get(field).and_then(Value::as_i64).filter(|number| (min..=max).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| wrong(way, field))
}

fn categories(all: &Map<String, Value>) -> Read<Vec<Category>> {
    let rows = all.get("categories").and_then(Value::as_array);
    let rows = rows.filter(|rows| (1..=CATEGORIES_MAX).contains(&rows.len()));
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (index, row) in rows.ok_or_else(|| wrong("", "categories"))?.iter().enumerate() {
        let category = category(index, row)?;
        if !seen.insert(category.code.clone()) {
            return Err(EventRulesError::Twice { code: category.code });
        }
        out.push(category);
    }
    Ok(out)
}

fn category(index: usize, row: &Value) -> Read<Category> {
    let number = format!("categories[{index}]");
    let row = row.as_object().ok_or_else(|| wrong("", &number))?;
    let code = row.get("code").and_then(Value::as_str).filter(|code| is_code(code));
    let code = code.ok_or_else(|| wrong(&number, "code"))?.to_owned();
    // From here on the code says better which one it is.
    let way = format!("categories[{code}]");
    let name = |field: &str| {
        let text = row.get(field).and_then(Value::as_str);
        let text = text.filter(|text| !text.trim().is_empty() && text.chars().count() <= NAME_MAX);
        let text = text.filter(|text| !text.chars().any(char::is_control));
        text.map(str::to_owned).ok_or_else(|| wrong(&way, field))
    };
    let word = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    let out = Category {
        zh: name("zh")?,
        en: name("en")?,
        group_zh: name("group_zh")?,
        group_en: name("group_en")?,
        severity: known(Severity::CODES, word("severity"))
            .map(Severity::from_word)
            .ok_or_else(|| wrong(&way, "severity"))?,
        on_spot: row.get("on_spot").and_then(Value::as_bool).ok_or_else(|| wrong(&way, "on_spot"))?,
        sla: known(SlaClass::CODES, word("sla"))
            .map(SlaClass::from_word)
            .ok_or_else(|| wrong(&way, "sla"))?,
        routing_zh: name("routing_zh")?,
        routing_en: name("routing_en")?,
        code,
    };
    if out.on_spot && out.severity != Severity::Low {
        return Err(EventRulesError::OnSpot { code: out.code });
    }
    let texts = [&out.code, &out.zh, &out.en, &out.group_zh, &out.group_en, &out.routing_zh, &out.routing_en];
    let forbidden = texts.into_iter().find(|text| forbidden::find(text).is_some()).cloned();
    forbidden.map_or(Ok(out), |text| Err(EventRulesError::Forbidden { text }))
}

/// A code is a word that stays the same whatever the category is called.
fn is_code(code: &str) -> bool {
    (1..=CODE_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A word that this build knows: another one is a slip of the pen.
fn known(words: &[&'static str], wanted: &str) -> Option<&'static str> {
    words.iter().copied().find(|word| *word == wanted)
}

/// Every class has its deadlines; so a class that was forgotten is told, and none runs without end.
fn deadlines(all: &Map<String, Value>) -> Read<BTreeMap<SlaClass, SlaRule>> {
    let rows = all.get("deadlines").and_then(Value::as_object).ok_or_else(|| wrong("", "deadlines"))?;
    SlaClass::CODES
        .iter()
        .map(|class| {
            let row = rows.get(*class).and_then(Value::as_object);
            let row = row.ok_or_else(|| wrong("deadlines", class))?;
            let way = format!("deadlines.{class}");
            let rule = SlaRule {
                respond: span(row, &way, "respond")?,
                handle: span(row, &way, "handle")?,
                red_times: whole(row, &way, "red_times", 1, 100)?,
            };
            Ok((SlaClass::from_word(class), rule))
        })
        .collect()
}

/// Minutes of any day, or workdays: one of the two.
fn span(row: &Map<String, Value>, way: &str, field: &str) -> Read<Span> {
    let none = || wrong(way, field);
    let row = row.get(field).and_then(Value::as_object).ok_or_else(none)?;
    let inner = format!("{way}.{field}");
    match (row.contains_key("minutes"), row.contains_key("workdays")) {
        (true, false) => Ok(Span::Minutes(whole(row, &inner, "minutes", 1, MINUTES_MAX)?)),
        (false, true) => Ok(Span::Workdays(whole(row, &inner, "workdays", 1, WORKDAYS_MAX)?)),
        _ => Err(none()),
    }
}

fn span_of(span: Span) -> Value {
    match span {
        Span::Minutes(minutes) => json!({ "minutes": minutes }),
        Span::Workdays(days) => json!({ "workdays": days }),
    }
}

fn calendar(all: &Map<String, Value>) -> Read<Calendar> {
    let rows = all.get("calendar").and_then(Value::as_array).ok_or_else(|| wrong("", "calendar"))?;
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        // A line with a line in it would be told by the wrong number.
        let line = row.as_str().filter(|line| !line.contains('\n'));
        text.push_str(line.ok_or(EventRulesError::Calendar { line: index + 1 })?);
        text.push('\n');
    }
    Calendar::parse(&text).map_err(|error| EventRulesError::Calendar { line: error.line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(change: impl FnOnce(&mut Value)) -> Read<EventRules> {
        let mut all: Value = serde_json::from_str(&EventRules::default().to_json()).unwrap();
        change(&mut all);
        EventRules::parse(&all.to_string())
    }

    #[test]
    fn the_starter_file_states_the_defaults() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/rules/events.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(path, EventRules::default().to_json()).unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, EventRules::default().to_json());
        assert_eq!(EventRules::parse(&text), Ok(EventRules::default()));
        assert_eq!(changed(|all| all["newer"] = json!(1)), Ok(EventRules::default()));
    }

    #[test]
    fn a_new_category_and_another_deadline_are_read() {
        let rules = changed(|all| {
            let mut row = all["categories"][1].clone();
            row["code"] = json!("balcony_plants");
            row["zh"] = json!("阳台花盆");
            all["categories"].as_array_mut().unwrap().push(row);
            all["deadlines"]["ordinary"]["handle"] = json!({ "workdays": 3 });
            all["calendar"] = json!(["2027-01-01 off"]);
        })
        .unwrap();
        assert_eq!(rules.label("balcony_plants").0, "阳台花盆");
        assert_eq!(rules.label("of_a_newer_server"), ("of_a_newer_server", "of_a_newer_server"));
        assert!(rules.on_spot(Some("balcony_plants")));
        assert_eq!(rules.sla[&SlaClass::Ordinary].handle, Span::Workdays(3));
        assert!(rules.calendar.knows(2027) && !rules.calendar.knows(2026));
        assert_eq!(EventRules::parse(&rules.to_json()), Ok(rules));
    }

    #[test]
    fn what_is_wrong_is_named_with_the_way_to_it() {
        type Change = fn(&mut Value);
        let cases: [(Change, &str); 12] = [
            (|all| all["categories"] = json!([]), "`categories`"),
            (|all| all["categories"][2]["code"] = json!("E bike"), "`categories[2].code`"),
            (|all| all["categories"][0]["zh"] = json!(" "), "`categories[fire_exit_blocked].zh`"),
            (
                |all| all["categories"][0]["severity"] = json!("awful"),
                "`categories[fire_exit_blocked].severity`",
            ),
            (|all| all["categories"][0]["sla"] = json!("soon"), "`categories[fire_exit_blocked].sla`"),
            (|all| all["categories"][0]["on_spot"] = json!(true), "only low severity"),
            (|all| all["categories"][1]["code"] = json!("fire_exit_blocked"), "twice"),
            (|all| all["deadlines"]["urgent"] = Value::Null, "`deadlines.urgent`"),
            (|all| all["deadlines"]["complex"]["handle"] = json!({}), "`deadlines.complex.handle`"),
            (
                |all| all["deadlines"]["complex"]["handle"] = json!({ "workdays": 0 }),
                "`deadlines.complex.handle.workdays`",
            ),
            (|all| all["calendar"][1] = json!("2026-01-01 rest"), "line 2"),
            (|all| all["callback_tries"] = json!(0), "`callback_tries`"),
        ];
        for (change, named) in cases {
            let error = changed(change).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
            assert!(error.zh().starts_with("事件规则文件"), "{}", error.zh());
        }
        assert_eq!(EventRules::parse("[]"), Err(EventRulesError::NotAnObject));
    }

    #[test]
    fn no_category_sorts_by_what_is_not_kept() {
        for field in ["zh", "en", "group_zh", "routing_en"] {
            let refused = changed(|all| all["categories"][3][field] = json!("Petition office 信访"));
            assert!(matches!(refused, Err(EventRulesError::Forbidden { .. })), "{field}");
        }
        let refused = changed(|all| all["categories"][3]["code"] = json!("petition"));
        assert!(matches!(refused, Err(EventRulesError::Forbidden { .. })));
    }
}

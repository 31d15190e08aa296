//! An urgent report that is not sent: whom to call, and a text message without personal data.

use crate::event::EventRules;
use crate::field_rules::FieldRules;
use crate::geo::Position;
use crate::time::Timestamp;

/// What the message may say. There is no field for a name, a telephone, a door or the worker's own words: the message
/// leaves the system on an open channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UrgentFacts<'a> {
    /// Category.
    pub category: Option<&'a str>,
    /// Number of the event.
    pub number: Option<&'a str>,
    /// Name of the grid.
    pub grid: Option<&'a str>,
    /// Estate and building, without entrance and door.
    pub building: Option<&'a str>,
    /// When it was seen.
    pub at: Timestamp,
    /// Where.
    pub position: Option<Position>,
}

/// What the worker is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The number to call, and to which the message goes.
    pub number: String,
    /// The message in Chinese.
    pub sms_zh: String,
    /// The message in English.
    pub sms_en: String,
}

/// The call and the message; `None` where the deployment names no number.
pub fn call(facts: &UrgentFacts<'_>, rules: &FieldRules, events: &EventRules) -> Option<Call> {
    let by_category = facts.category.and_then(|category| rules.calls.get(category));
    let number = by_category.or(rules.call.as_ref())?.clone();
    let (zh, en) = facts.category.map_or(("紧急情况", "Emergency"), |code| events.label(code));
    let time = rules.local().text(facts.at);
    let place = [facts.grid, facts.building].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let point = facts.position.map(|position| format!("{:.5},{:.5}", position.lat(), position.lon()));
    let part = |label: &str, text: Option<&str>, end: &str| {
        text.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!("{label}{text}{end}"))
    };
    let sms_zh = format!(
        "【紧急】{zh}。时间：{time}。{}{}{}网络不通，系统尚未收到，请先行处置。",
        part("地点：", Some(&place), "。"),
        part("坐标（WGS-84）：", point.as_deref(), "。"),
        part("编号：", facts.number, "。"),
    );
    let sms_en = format!(
        "URGENT: {en}. Time: {time}. {}{}{}No network, not in the system yet: please act.",
        part("Place: ", Some(&place), ". "),
        part("Position (WGS-84): ", point.as_deref(), ". "),
        part("No. ", facts.number, ". "),
    );
    Some(Call { number, sms_zh, sms_en })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::PositionSource;

    #[test]
    fn the_message_says_what_where_and_when() {
        let facts = UrgentFacts {
            category: Some("gas_leak"),
            number: Some("K7Q2-20260303-001"),
            grid: Some("样例网格"),
            building: Some("阳光里3号楼"),
            at: Timestamp::from_millis(1_772_499_600_000),
            position: Position::wgs84(36.1, 120.47, Some(5.0), PositionSource::Gps).ok(),
        };
        let call = call(&facts, &FieldRules::default(), &EventRules::default()).unwrap();
        assert_eq!(call.number, "119");
        let zh = "【紧急】燃气泄漏。时间：2026-03-03 09:00。地点：样例网格 阳光里3号楼。坐标（WGS-84）：\
                  36.10000,120.47000。编号：K7Q2-20260303-001。网络不通，系统尚未收到，请先行处置。";
        assert_eq!(call.sms_zh, zh);
        assert!(call.sms_en.contains("Gas leak") && call.sms_en.contains("2026-03-03 09:00"));
    }

    #[test]
    fn the_number_is_data_and_unknown_facts_are_left_out() {
        let rules = FieldRules { call: Some("0532-0000000".into()), ..FieldRules::default() };
        let found = call(&UrgentFacts::default(), &rules, &EventRules::default()).unwrap();
        assert_eq!(found.number, "0532-0000000");
        assert!(!found.sms_zh.contains("地点") && !found.sms_zh.contains("编号"));
        let none = FieldRules { call: None, ..FieldRules::default() };
        assert_eq!(call(&UrgentFacts::default(), &none, &EventRules::default()), None);
    }
}

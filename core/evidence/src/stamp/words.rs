//! The wording of the stamp, in Chinese or in digits and Latin letters.

use super::facts::{PhotoSource, StampFacts, StampPlace, StampTime};
use super::font::StampFont;

/// Every character of the Chinese wording itself.
pub(super) const CHINESE: &str = "时间坐标网格人员事件照片北南纬东西经米相册导入无定位效°±…";
/// Every character that times, numbers and codes need.
pub(super) const LATIN: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-.:,/?";

/// Longest text of one fact, in characters.
const LONGEST: usize = 40;

/// A fact: a label, drawn dimmer, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) label: &'static str,
    pub(super) value: String,
}

/// The items of one stamp, in rows that start a new line.
pub(super) struct Words {
    pub(super) chinese: bool,
    /// Everything, for the photo.
    pub(super) full: Vec<Vec<Item>>,
    /// The selection for the preview.
    pub(super) short: Vec<Vec<Item>>,
    /// Characters of the facts that the font lacks.
    pub(super) missing: String,
}

impl Words {
    /// Puts the facts into words that `font` can draw; `None` if it lacks even digits.
    pub(super) fn new(facts: &StampFacts, photo_id: &str, font: &StampFont<'_>) -> Option<Self> {
        let can = |text: &str| text.chars().all(|c| font.covers(c));
        if !can(LATIN) {
            return None;
        }
        let chinese = can(CHINESE);
        let mut writer = Writer { font, chinese, missing: String::new() };
        let full = writer.full(facts, photo_id);
        let short = writer.short(facts);
        Some(Self { chinese, full, short, missing: writer.missing })
    }
}

struct Writer<'a> {
    font: &'a StampFont<'a>,
    chinese: bool,
    missing: String,
}

impl Writer<'_> {
    fn full(&mut self, facts: &StampFacts, photo_id: &str) -> Vec<Vec<Item>> {
        let time = format!("{}{}", self.time(facts.time, true), self.source(facts.source));
        let place = self.place(facts.place.as_ref());
        let mut rows = vec![vec![self.item("时间", "Time", time), self.item("坐标", "Position", place)]];
        rows.extend(self.grid(facts).map(|grid| vec![self.item("网格", "Grid", grid)]));
        let worker = self.clean(&facts.worker_code);
        let mut last = vec![self.item("人员", "Worker", worker)];
        if let Some(number) = &facts.event_number {
            let number = self.clean(number);
            last.push(self.item("事件", "Event", number));
        }
        let photo_id = self.clean(photo_id);
        last.push(self.item("照片", "Photo", photo_id));
        rows.push(last);
        rows
    }

    fn short(&mut self, facts: &StampFacts) -> Vec<Vec<Item>> {
        let plain = |value: String| Item { label: "", value };
        let time = format!("{}{}", self.time(facts.time, false), self.source(facts.source));
        let worker = self.clean(&facts.worker_code);
        let place = match &facts.place {
            Some(p) => format!("{:.5}, {:.5} {}{}", p.lat, p.lon, p.datum.name(), self.accuracy(p)),
            None => self.place(None),
        };
        let mut rows = vec![vec![plain(time), plain(worker)], vec![plain(place)]];
        rows.extend(self.grid(facts).map(|grid| vec![plain(grid)]));
        rows
    }

    fn item(&self, zh: &'static str, latin: &'static str, value: String) -> Item {
        Item { label: if self.chinese { zh } else { latin }, value }
    }

    fn time(&self, time: StampTime, with_offset: bool) -> String {
        let invalid = if self.chinese { "无效" } else { "?" };
        let Some(civil) = civil(time) else { return invalid.to_owned() };
        let civil = civil.strftime("%Y-%m-%d %H:%M:%S").to_string();
        if !with_offset {
            return civil;
        }
        let (sign, minutes) =
            (if time.utc_offset_minutes < 0 { '-' } else { '+' }, time.utc_offset_minutes.unsigned_abs());
        format!("{civil} {sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn source(&self, source: PhotoSource) -> &'static str {
        match (source, self.chinese) {
            (PhotoSource::Camera, _) => "",
            (PhotoSource::Gallery, true) => " 相册导入",
            (PhotoSource::Gallery, false) => " from gallery",
        }
    }

    /// Six decimals are a decimetre.
    fn place(&self, place: Option<&StampPlace>) -> String {
        let usable = place.filter(|p| p.lat.abs() <= 90.0 && p.lon.abs() <= 180.0);
        let Some(p) = usable else { return if self.chinese { "无定位" } else { "none" }.to_owned() };
        let (lat, lon, datum, accuracy) = (p.lat.abs(), p.lon.abs(), p.datum.name(), self.accuracy(p));
        if self.chinese {
            let ns = if p.lat < 0.0 { "南纬" } else { "北纬" };
            let ew = if p.lon < 0.0 { "西经" } else { "东经" };
            format!("{ns}{lat:.6}° {ew}{lon:.6}° {datum}{accuracy}")
        } else {
            let ns = if p.lat < 0.0 { 'S' } else { 'N' };
            let ew = if p.lon < 0.0 { 'W' } else { 'E' };
            format!("{lat:.6} {ns} {lon:.6} {ew} {datum}{accuracy}")
        }
    }

    /// Rounded up to a whole metre: a stamp must not promise more than was measured.
    fn accuracy(&self, place: &StampPlace) -> String {
        match place.accuracy_m.filter(|m| m.is_finite() && *m >= 0.0) {
            Some(metres) if self.chinese => format!(" ±{:.0}米", metres.ceil().max(1.0)),
            Some(metres) => format!(" +/-{:.0} m", metres.ceil().max(1.0)),
            None => String::new(),
        }
    }

    /// The name; its code where the name cannot be written, or where there is no name.
    fn grid(&mut self, facts: &StampFacts) -> Option<String> {
        let written = |text: &&String| self.chinese || tidy(text).chars().all(|c| self.font.covers(c));
        let chosen = facts.grid_name.as_ref().filter(written).or(facts.grid_code.as_ref());
        let chosen = chosen.or(facts.grid_name.as_ref()).cloned();
        chosen.map(|text| self.clean(&text)).filter(|text| !text.is_empty())
    }

    /// Tidies a text and puts a question mark for what the font lacks.
    fn clean(&mut self, text: &str) -> String {
        let ellipsis = if self.chinese { "…" } else { "..." };
        let tidy = tidy(text);
        let mut out = String::new();
        for c in tidy.chars().take(LONGEST) {
            if self.font.covers(c) {
                out.push(c);
            } else {
                out.push('?');
                if !self.missing.contains(c) {
                    self.missing.push(c);
                }
            }
        }
        if tidy.chars().nth(LONGEST).is_some() {
            out.push_str(ellipsis);
        }
        out
    }
}

/// Control characters and runs of blanks become one space; marks that change the direction of writing go.
fn tidy(text: &str) -> String {
    let direction = |c: &char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    let spaced: String =
        text.chars().filter(|c| !direction(c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn civil(time: StampTime) -> Option<jiff::civil::DateTime> {
    let offset = jiff::tz::Offset::from_seconds(i32::from(time.utc_offset_minutes) * 60).ok()?;
    Some(offset.to_datetime(jiff::Timestamp::from_millisecond(time.unix_ms).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{chinese_font, facts, latin_font};

    fn lines(rows: &[Vec<Item>]) -> Vec<String> {
        let item = |i: &Item| format!("{} {}", i.label, i.value).trim().to_owned();
        rows.iter().map(|row| row.iter().map(item).collect::<Vec<_>>().join(" | ")).collect()
    }

    #[test]
    fn the_stamp_in_chinese_states_every_fact() {
        let Some(bytes) = chinese_font() else { return };
        let font = StampFont::parse(&bytes).unwrap();
        let words = Words::new(&facts(), "7F3A9C21", &font).unwrap();
        assert!(words.chinese && words.missing.is_empty());
        assert_eq!(
            lines(&words.full),
            [
                "时间 2026-03-14 09:26:53 +08:00 | 坐标 北纬36.107421° 东经120.468912° WGS-84 ±8米",
                "网格 崂山区中韩街道东城社区第三网格",
                "人员 W0117 | 事件 SJ20260314-0042 | 照片 7F3A9C21",
            ]
        );
        assert_eq!(
            lines(&words.short),
            [
                "2026-03-14 09:26:53 | W0117",
                "36.10742, 120.46891 WGS-84 ±8米",
                "崂山区中韩街道东城社区第三网格"
            ]
        );
    }

    #[test]
    fn without_chinese_glyphs_the_code_stands_for_the_grid() {
        let Some(bytes) = latin_font() else { return };
        let font = StampFont::parse(&bytes).unwrap();
        let words = Words::new(&facts(), "7F3A9C21", &font).unwrap();
        assert!(!words.chinese && words.missing.is_empty());
        let full = lines(&words.full).join("\n");
        assert!(full.contains("Grid 370212004-G03"), "{full}");
        assert!(full.contains("36.107421 N 120.468912 E WGS-84 +/-8 m"), "{full}");
        let nameless = StampFacts { grid_code: None, ..facts() };
        let words = Words::new(&nameless, "7F3A9C21", &font).unwrap();
        assert!(words.missing.contains('崂'));
    }

    #[test]
    fn odd_facts_are_written_harmlessly() {
        let Some(bytes) = chinese_font() else { return };
        let font = StampFont::parse(&bytes).unwrap();
        let odd = StampFacts {
            time: StampTime { unix_ms: i64::MAX, utc_offset_minutes: i16::MIN },
            place: Some(StampPlace { lat: f64::NAN, lon: 1e9, ..facts().place.unwrap() }),
            worker_code: "A\u{202E}\n\tB\u{10FFFD}".into(),
            event_number: Some("号".repeat(90)),
            source: PhotoSource::Gallery,
            ..facts()
        };
        let words = Words::new(&odd, "", &font).unwrap();
        let full = lines(&words.full).join("\n");
        assert!(full.contains("时间 无效 相册导入") && full.contains("坐标 无定位"), "{full}");
        assert!(full.contains("人员 A B?"), "{full}");
        assert_eq!(words.missing, "\u{10FFFD}");
        assert!(full.contains(&format!("{}…", "号".repeat(40))), "{full}");
    }

    #[test]
    fn southern_and_western_places_say_so() {
        let Some(bytes) = chinese_font() else { return };
        let font = StampFont::parse(&bytes).unwrap();
        let place = StampPlace { lat: -3.5, lon: -70.25, accuracy_m: None, ..facts().place.unwrap() };
        let words = Words::new(&StampFacts { place: Some(place), ..facts() }, "x", &font).unwrap();
        assert!(lines(&words.full)[0].ends_with("坐标 南纬3.500000° 西经70.250000° WGS-84"));
    }
}

//! Times, spans and numbers in words, and free text without the numbers of people.

use gridwalk_model::Timestamp;
use gridwalk_model::codes::mask;
use gridwalk_model::local_time::LocalTime;
use gridwalk_model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use jiff::civil::Date;

use super::language::Lang;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The one place that says in which time the console speaks. China keeps one official time, eight hours ahead of UTC all
/// year and everywhere, so this is no setting and needs no table of time zones; whoever reads a case from another
/// country must read the same time as the people on site.
const LOCAL: LocalTime = LocalTime::CHINA;

/// Day and time; the year only where it is not the present one.
pub(super) fn time(lang: Lang, at: Timestamp, now: Timestamp) -> String {
    let Some(local_at) = LOCAL.civil(at) else { return "—".to_owned() };
    let this_year = LOCAL.civil(now).is_some_and(|now| now.year() == local_at.year());
    let (day, hour, minute) = (local_at.day(), local_at.hour(), local_at.minute());
    match lang {
        Lang::Zh => {
            let year = if this_year { String::new() } else { format!("{}年", local_at.year()) };
            format!("{year}{}月{day}日 {hour:02}:{minute:02}", local_at.month())
        }
        Lang::En => {
            let month = usize::try_from(local_at.month() - 1).ok().and_then(|month| MONTHS.get(month));
            let year = if this_year { String::new() } else { format!(" {}", local_at.year()) };
            format!("{day} {}{year} {hour:02}:{minute:02}", month.copied().unwrap_or_default())
        }
    }
}

/// The end of a day that a form names as `YYYY-MM-DD`.
pub(super) fn end_of_day(text: &str) -> Option<Timestamp> {
    let day: Date = text.trim().parse().ok()?;
    LOCAL.end_of(day)
}

/// Today as a form's date.
pub(super) fn today(now: Timestamp) -> String {
    LOCAL.day_of(now).map(|day| day.to_string()).unwrap_or_default()
}

/// A span, roughly: the largest unit of which there is at least one.
pub(super) fn span(lang: Lang, ms: i64) -> String {
    let ms = ms.max(0);
    let of = |unit: i64, zh: &str, en: &str| {
        let count = ms / unit;
        let plural = if count == 1 { "" } else { "s" };
        match lang {
            Lang::Zh => format!("{count} {zh}"),
            Lang::En => format!("{count} {en}{plural}"),
        }
    };
    if ms >= 2 * DAY_MS {
        of(DAY_MS, "天", "day")
    } else if ms >= HOUR_MS {
        of(HOUR_MS, "小时", "hour")
    } else {
        of(MINUTE_MS, "分钟", "minute")
    }
}

/// How long ago something was.
pub(super) fn ago(lang: Lang, at: Timestamp, now: Timestamp) -> String {
    let ms = now.millis().saturating_sub(at.millis());
    if ms < MINUTE_MS {
        return lang.t("刚刚", "just now").to_owned();
    }
    match lang {
        Lang::Zh => format!("{}前", span(lang, ms)),
        Lang::En => format!("{} ago", span(lang, ms)),
    }
}

/// How far a deadline is, before or after it.
pub(super) fn due(lang: Lang, due: Timestamp, now: Timestamp) -> String {
    let left = due.millis().saturating_sub(now.millis());
    match (lang, left >= 0) {
        (Lang::Zh, true) => format!("还剩 {}", span(lang, left)),
        (Lang::Zh, false) => format!("已超 {}", span(lang, left.saturating_neg())),
        (Lang::En, true) => format!("{} left", span(lang, left)),
        (Lang::En, false) => format!("{} late", span(lang, left.saturating_neg())),
    }
}

/// A size.
pub(super) fn size(bytes: u64) -> String {
    if bytes >= 1_000_000 {
        format!("{:.1} MB", bytes as f64 / 1_000_000.0)
    } else {
        format!("{} KB", bytes.div_ceil(1_000))
    }
}

/// Free text in which anything that could be a telephone or identity number is starred.
pub(super) fn without_numbers(text: &str) -> String {
    const SHORTEST: usize = 7;
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        let digit = c.filter(|c| c.is_ascii_digit() || (matches!(c, 'X' | 'x') && run.len() == 17));
        if let Some(digit) = digit {
            run.push(digit);
            continue;
        }
        if run.len() >= SHORTEST {
            out.push_str(&mask::phone(&run));
        } else {
            out.push_str(&run);
        }
        run.clear();
        out.extend(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn times_are_chinas_and_name_the_year_only_where_it_differs() {
        let now = at("2026-03-01T04:00:00Z");
        assert_eq!(time(Lang::Zh, at("2026-02-28T16:05:00Z"), now), "3月1日 00:05");
        assert_eq!(time(Lang::En, at("2025-12-31T15:59:00Z"), now), "31 Dec 2025 23:59");
        assert_eq!(time(Lang::Zh, Timestamp::from_millis(i64::MAX), now), "—");
        assert_eq!(end_of_day("2026-03-05"), Some(at("2026-03-05T15:59:59.999Z")));
        assert_eq!(end_of_day("soon"), None);
        assert_eq!(today(at("2026-02-28T16:05:00Z")), "2026-03-01");
    }

    #[test]
    fn spans_are_rough() {
        let now = at("2026-03-01T04:00:00Z");
        assert_eq!(ago(Lang::Zh, now.plus_millis(-30_000), now), "刚刚");
        assert_eq!(ago(Lang::En, now.plus_millis(-HOUR_MS), now), "1 hour ago");
        assert_eq!(ago(Lang::Zh, now.plus_millis(-47 * HOUR_MS), now), "47 小时前");
        assert_eq!(due(Lang::Zh, now.plus_millis(3 * DAY_MS), now), "还剩 3 天");
        assert_eq!(due(Lang::En, now.plus_millis(-2 * MINUTE_MS), now), "2 minutes late");
        assert_eq!(size(1_234), "2 KB");
        assert_eq!(size(2_500_000), "2.5 MB");
    }

    #[test]
    fn numbers_of_people_are_starred_in_free_text() {
        assert_eq!(without_numbers("3号楼2单元401，电话19900007832"), "3号楼2单元401，电话199****7832");
        assert_eq!(without_numbers("证号99000019351223722X。"), "证号990***********722X。");
        assert_eq!(without_numbers("X光机 2026"), "X光机 2026");
    }
}

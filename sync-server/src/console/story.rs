//! An event's log as a story: who did what and when, and what of it did not count.

use std::collections::BTreeMap;

use gridwalk_model::event::{Action, EventRules, Judged, LogEntry, Verdict};
use gridwalk_model::{RecordId, Timestamp};

use super::directory::Lookup;
use super::failure::Failure;
use super::language::Lang;
use super::wording;

/// An entry received this much later than it was made is said to have been made offline: 10 minutes.
const OFFLINE_MS: i64 = 10 * 60 * 1_000;

/// One entry in words.
pub(super) struct Line {
    pub(super) anchor: String,
    pub(super) action: String,
    pub(super) who: String,
    pub(super) unit: String,
    pub(super) at: String,
    /// When it came in, if much later.
    pub(super) received: Option<String>,
    /// Label and text.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) photos: usize,
    /// Why it did not count; empty if it did.
    pub(super) superseded: Vec<&'static str>,
    /// Remarks on an entry that counted.
    pub(super) remarks: Vec<&'static str>,
}

/// In which language, as of when, and by which names of categories it is told.
pub(super) type Telling<'r> = (Lang, Timestamp, &'r EventRules);

/// Tells the story, the latest first. Receipts of the server are told with the entries that they speak of.
pub(super) fn tell(
    entries: &[LogEntry],
    judged: &[Judged],
    lookup: Lookup<'_>,
    (lang, now, rules): Telling<'_>,
) -> Result<Vec<Line>, Failure> {
    let by_id: BTreeMap<RecordId, &LogEntry> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let receipts: BTreeMap<RecordId, Timestamp> = entries
        .iter()
        .filter(|entry| entry.action == Action::Received)
        .filter_map(|entry| Some((entry.entry?, entry.received_at?)))
        .collect();
    let mut out = Vec::new();
    for judged in judged.iter().rev().filter(|judged| judged.action != Action::Received) {
        if let Some(entry) = by_id.get(&judged.id) {
            let received = receipts.get(&entry.id).copied();
            out.push(line(entry, judged, received, lookup, (lang, now, rules))?);
        }
    }
    Ok(out)
}

fn line(
    entry: &LogEntry,
    judged: &Judged,
    received: Option<Timestamp>,
    lookup: Lookup<'_>,
    (lang, now, rules): Telling<'_>,
) -> Result<Line, Failure> {
    let who = match entry.by {
        Some(by) => lookup.person(by)?,
        None => lang.t("系统", "The system").to_owned(),
    };
    let late = received.filter(|received| received.millis() - entry.at.millis() > OFFLINE_MS);
    let flags: Vec<&'static str> = judged.flags.iter().map(|flag| lang.t(flag.zh(), flag.en())).collect();
    let counts = judged.verdict == Verdict::Applied;
    let (remarks, superseded) = if counts { (flags, Vec::new()) } else { (Vec::new(), flags) };
    Ok(Line {
        anchor: entry.id.to_hex(),
        action: lang.t(entry.action.zh(), entry.action.en()).to_owned(),
        who,
        unit: entry.unit.map(|unit| lookup.unit(unit)).transpose()?.unwrap_or_default(),
        at: wording::time(lang, entry.at, now),
        received: late.map(|received| wording::time(lang, received, now)),
        facts: facts(entry, lookup, (lang, now, rules))?,
        photos: entry.photos.len() + entry.after_photos.len(),
        superseded,
        remarks,
    })
}

fn facts(
    entry: &LogEntry,
    lookup: Lookup<'_>,
    (lang, now, rules): Telling<'_>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    let mut say = |zh: &'static str, en: &'static str, text: Option<String>| {
        out.extend(text.filter(|text| !text.is_empty()).map(|text| (lang.t(zh, en), text)));
    };
    let plain = |text: &Option<String>| text.as_deref().map(wording::without_numbers);
    say("交给", "To", entry.to_unit.map(|unit| lookup.unit(unit)).transpose()?);
    say("原因", "Reason", plain(&entry.reason));
    say("对外答复", "Reply to residents", plain(&entry.public_reply));
    say("内部说明", "Internal note", plain(&entry.internal_note));
    let category = entry.category.as_deref();
    say("类别", "Category", category.map(|code| super::events::category_name(lang, rules, Some(code))));
    let urgency = entry.urgency.as_ref();
    say("紧急程度", "Urgency", urgency.map(|class| lang.t(class.zh(), class.en()).to_owned()));
    say("期限", "Until", entry.until.map(|until| wording::time(lang, until, now)));
    let presence = entry.presence.as_ref();
    say("到场证明", "On site by", presence.map(|how| lang.t(how.zh(), how.en()).to_owned()));
    say("距离", "Distance", entry.distance_m.map(|metres| format!("{metres} m")));
    let solved = entry.solved.map(|solved| {
        if solved { lang.t("已解决", "Solved") } else { lang.t("未解决", "Not solved") }.to_owned()
    });
    say("评价", "Rating", solved);
    let level = entry.supervision.as_ref();
    say("督办级别", "Supervision", level.map(|level| lang.t(level.zh(), level.en()).to_owned()));
    say("包保责任人", "Sponsor", entry.sponsor.map(|sponsor| lookup.person(sponsor)).transpose()?);
    Ok(out)
}

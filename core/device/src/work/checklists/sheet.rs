//! A rectification order on paper: what is handed over to the people who have to put things right, and signed.
//!
//! It names the place, its firm and the person in charge, as the inspection did; no telephone, no resident, no photo.

use std::collections::BTreeSet;

use gridwalk_evidence::{Block, document};
use gridwalk_model::categories::Severity;
use gridwalk_model::checklist::{ChecklistItem, Template};
use gridwalk_model::describe::Words;
use gridwalk_model::records::{Checklist, Inspection, Organization, Place, RectificationOrder, Unit, Worker};
use gridwalk_model::{RecordId, Timestamp};
use jiff::civil::Date;

use super::orders::findings_of;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::{Store, day_in};

/// The languages of a printed order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SheetLanguage {
    /// Chinese alone.
    Chinese,
    /// English alone; what was written by people stays as it was written.
    English,
    /// Chinese, and English below it.
    #[default]
    Both,
}

impl SheetLanguage {
    /// The texts to print, one below the other; the same twice is printed once.
    fn lines(self, words: &Words) -> Vec<String> {
        let Words { zh, en } = words;
        match self {
            Self::Chinese => vec![zh.clone()],
            Self::English => vec![if en.is_empty() { zh.clone() } else { en.clone() }],
            Self::Both if en.is_empty() || en == zh => vec![zh.clone()],
            Self::Both => vec![zh.clone(), en.clone()],
        }
    }

    /// The texts in one line.
    fn line(self, zh: &str, en: &str) -> String {
        self.lines(&Words::new(zh, en)).join(" ")
    }
}

/// What an order is printed from.
struct Content {
    number: String,
    order: RectificationOrder,
    /// What is still to be put right.
    outstanding: BTreeSet<String>,
    inspection: Entry<Inspection>,
    template: Option<Template>,
    place: Place,
    organization: Option<String>,
    unit: Option<String>,
    inspector: Option<String>,
    issuer: Option<String>,
    inspected_on: Date,
    issued_on: Date,
}

/// The number of an order: the day of its issue and what tells it apart from others of the day. Made without a counter,
/// so that it is the same on every phone, and there at once without a network.
fn number(order: RecordId, issued_on: Date) -> String {
    let id = order.to_hex();
    let tail = id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_uppercase();
    format!("{:04}{:02}{:02}-{tail}", issued_on.year(), issued_on.month(), issued_on.day())
}

impl Store {
    /// An order as pages to print, hand over and sign, one SVG document each: number, place, who is responsible, every
    /// finding with its basis, the deadline, who issued it, room for signatures. What was put right since is marked.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`] if the order, its inspection or the place is not on this phone; failures of SQLite.
    pub fn order_sheet(&self, order: RecordId, language: SheetLanguage) -> Result<Vec<String>, DeviceError> {
        let content = self.order_content(order)?;
        let foot = format!("{} {}", language.line("整改通知书", "Rectification order"), content.number);
        Ok(document(&content.blocks(language), &foot))
    }

    fn order_content(&self, order: RecordId) -> Result<Content, DeviceError> {
        let entry = self.expect_record::<RectificationOrder>(order)?;
        let inspection = self.expect_record::<Inspection>(entry.record.inspection)?;
        let place = self.expect_record::<Place>(inspection.record.place)?.record;
        let template = self.get::<Checklist>(inspection.record.checklist)?;
        let organization = match place.organization {
            Some(id) => self.get::<Organization>(id)?.map(|found| found.record.name),
            None => None,
        };
        let unit = match entry.record.lead_unit {
            Some(id) => self.get::<Unit>(id)?.map(|found| found.record.name),
            None => None,
        };
        let worker = |id: RecordId| match self.get::<Worker>(id)? {
            Some(found) => Ok::<_, DeviceError>(Some(found.record.name)),
            None if self.identity().is_some_and(|own| own.user == id) => self.user_name(),
            None => Ok(None),
        };
        let time = self.field_rules()?.local();
        let local = |at: Timestamp| day_in(time, at);
        let issued_on = local(entry.record.issued_at)?;
        Ok(Content {
            number: number(order, issued_on),
            outstanding: self.outstanding_of(&entry)?,
            template: template.map(|found| Template::from_record(&found.record)),
            organization,
            unit,
            inspector: worker(inspection.record.inspector)?,
            issuer: worker(entry.record.issued_by)?,
            inspected_on: local(inspection.record.ended_at.unwrap_or(inspection.record.started_at))?,
            issued_on,
            order: entry.record,
            inspection,
            place,
        })
    }
}

impl Content {
    fn blocks(&self, language: SheetLanguage) -> Vec<Block> {
        let mut titles = language.lines(&Words::new("整改通知书", "Rectification order")).into_iter();
        let mut out: Vec<Block> = titles.next().map(Block::Title).into_iter().collect();
        out.extend(titles.map(Block::Subtitle));
        self.facts(language, &mut out);
        out.push(Block::Heading(language.line("未达到的要求", "Requirements that are not met")));
        for (n, (item, text)) in self.items().into_iter().enumerate() {
            out.push(self.finding(n + 1, item, text, language));
        }
        let by = self.order.deadline;
        let done = Words::new("以上各项均已符合要求。", "All of the above has been put right.");
        let ask = Words::new(
            format!("请于 {}（含当日）前完成整改。到期将对以上问题进行复查。", dated_zh(by)),
            format!("Please put the above right by {by}. It will be checked again then."),
        );
        let close = if self.outstanding.is_empty() { done } else { ask };
        out.push(Block::Heading(language.line("整改要求", "What is to be done")));
        out.extend(language.lines(&close).into_iter().map(Block::Paragraph));
        let who = [("签发人（签名）", "Issued by"), ("场所负责人（签收）", "Received by")];
        out.push(Block::Signatures {
            who: who.into_iter().map(|(zh, en)| language.line(zh, en)).collect(),
            date: language.line("日期", "Date"),
        });
        out
    }

    fn facts(&self, language: SheetLanguage, out: &mut Vec<Block>) {
        let template = self.template.as_ref().map(|template| {
            let en = template.name_en.clone().unwrap_or_default();
            let zh = format!("{}（第 {} 版）", template.name, template.version);
            Words::new(zh, if en.is_empty() { en } else { format!("{en} (version {})", template.version) })
        });
        let same = |text: &Option<String>| text.clone().map(Words::same);
        let day = |day: Date| Some(Words::new(dated_zh(day), day.to_string()));
        let facts = [
            (("编号", "Number"), Some(Words::same(self.number.clone()))),
            (("场所", "Place"), Some(Words::same(self.place.name.clone()))),
            (("地址", "Address"), same(&self.place.address)),
            (("责任单位", "Responsible"), same(&self.organization)),
            (("负责人", "Person in charge"), same(&self.place.manager)),
            (("检查日期", "Inspected on"), day(self.inspected_on)),
            (("检查清单", "Checklist"), template),
            (("检查人", "Inspector"), same(&self.inspector)),
            (("牵头部门", "Lead unit"), same(&self.unit)),
            (("签发人", "Issued by"), same(&self.issuer)),
            (("签发日期", "Issued on"), day(self.issued_on)),
            (("整改期限", "Deadline"), day(self.order.deadline)),
        ];
        for ((zh, en), words) in facts {
            let Some(words) = words.filter(|words| !words.zh.trim().is_empty()) else { continue };
            // Numbers and dates in one line; what is longer, one language below the other.
            let lines = language.lines(&words);
            let short = lines.iter().map(|line| line.chars().count()).sum::<usize>() <= 30;
            let lines = if short { vec![lines.join("　")] } else { lines };
            out.push(Block::Fact { label: language.line(zh, en), lines });
        }
    }

    /// The items in the order in which they were asked.
    fn items(&self) -> Vec<(&str, &str)> {
        let asked = |item: &str| self.item(item).map_or(u32::MAX, |item| item.order);
        let mut out: Vec<(&str, &str)> =
            self.order.items.iter().map(|(item, text)| (item.as_str(), text.as_str())).collect();
        out.sort_by_key(|(item, _)| (asked(item), *item));
        out
    }

    fn item(&self, item: &str) -> Option<&ChecklistItem> {
        self.template.as_ref()?.items.get(item)
    }

    fn finding(&self, number: usize, item: &str, text: &str, language: SheetLanguage) -> Block {
        let asked = self.item(item);
        let found = findings_of(&self.inspection.record).remove(item);
        let english = asked.and_then(|asked| asked.en.clone()).filter(|_| language != SheetLanguage::Chinese);
        let mut details: Vec<String> = english.into_iter().collect();
        if found.is_some_and(|found| found.severity == Severity::Major) {
            details.push(language.line("重大隐患", "Major hazard"));
        }
        if let Some(zh) = asked.and_then(|asked| asked.basis.clone()) {
            let en = asked.and_then(|asked| asked.basis_en.clone()).unwrap_or_default();
            let en = if en.is_empty() { en } else { format!("Basis: {en}") };
            details.extend(language.lines(&Words::new(format!("依据：{zh}"), en)));
        }
        if !self.outstanding.contains(item) {
            details.push(language.line("已整改", "Put right"));
        }
        Block::Entry { number, text: text.to_owned(), details }
    }
}

/// A day as it is written in Chinese.
fn dated_zh(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

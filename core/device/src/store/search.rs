//! Search: exact, then prefix, then by sound, then part, then what is about that, then needs, then with one mistake.

use std::collections::BTreeSet;

use gridwalk_model::describe::Words;
use gridwalk_model::{Fields, Kind, RecordId, Value};

use super::about::Place;
use super::rank::Query;
use super::records::{Listed, RecordState};
use super::tokens::Text;
use super::{Store, View, decode_fields, projection};
use crate::error::DeviceError;
use crate::keeping::sensitive::is_sensitive;

/// Records that the tiers beyond [`Tier::Part`] look at for one page. A query that nearly everything resembles ends
/// there: what comes so late helps nobody.
const LOOKED_AT: usize = 2_000;

/// Fields of a care tag.
const RESIDENT: &str = "resident";
const NEED: &str = "need";

/// How well a record fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// A name, address or number is what was asked for.
    Exact,
    /// One begins with it.
    Prefix,
    /// It is a name in full pinyin, or its first letters.
    SoundExact,
    /// A name begins with it as pinyin, with initials among full syllables or Chinese characters.
    SoundPrefix,
    /// Somewhere inside, as written or as pinyin; or its parts, in any order.
    Part,
    /// What it is about is told by one of the tiers before: the orders of a place, the visits to a person.
    About,
    /// A care tag of the person is what was asked for, perhaps also ended.
    Need,
    /// One character or letter is mistaken, missing or too many, two are swapped, or a name sounds the same.
    Typo,
}

impl Tier {
    const fn next(self) -> Option<Self> {
        Some(match self {
            Self::Exact => Self::Prefix,
            Self::Prefix => Self::SoundExact,
            Self::SoundExact => Self::SoundPrefix,
            Self::SoundPrefix => Self::Part,
            Self::Part => Self::About,
            Self::About => Self::Need,
            Self::Need => Self::Typo,
            Self::Typo => return None,
        })
    }
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCursor {
    pub(super) tier: Tier,
    /// The last record that was looked at.
    pub(super) key: i64,
    /// The last one that was told of those about the record after `key`.
    pub(super) within: Option<Place>,
}

impl SearchCursor {
    const fn start(tier: Tier) -> Self {
        Self { tier, key: -1, within: None }
    }

    /// As text, for callers that keep it as such.
    pub fn to_text(&self) -> String {
        let within = self.within.map(|place| format!(":{}", place.to_text())).unwrap_or_default();
        format!("{}:{}{within}", self.tier as u8, self.key)
    }

    /// Reads [`Self::to_text`]; `None` if it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        let (tier, rest) = text.split_once(':')?;
        let tier: u8 = tier.parse().ok()?;
        let tier = std::iter::successors(Some(Tier::Exact), |tier| tier.next()).find(|t| *t as u8 == tier)?;
        let (key, within) = match rest.split_once(':') {
            Some((key, place)) => (key, Some(Place::from_text(place)?)),
            None => (rest, None),
        };
        Some(Self { tier, key: key.parse().ok()?, within })
    }
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    /// The record.
    pub id: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// What it is called, or what it says in short, in Chinese and English.
    pub title: Words,
    /// Where it is or whom it is about: a door, a place, a person and their door. Empty where nothing more is known.
    pub whereabouts: Words,
    /// Its fields.
    pub fields: Fields,
    /// What else is to be known of it.
    pub state: RecordState,
    /// How well it fits.
    pub tier: Tier,
}

/// What search takes, in bytes: for benchmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchSize {
    /// The pages of the index.
    pub index: u64,
    /// The texts that are searched, in UTF-8.
    pub searched: u64,
    /// All texts of the records that are found by some text, in UTF-8.
    pub texts: u64,
    /// All texts of all records that are shown, in UTF-8.
    pub stored: u64,
}

/// A page of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPage {
    /// The records, best first.
    pub hits: Vec<SearchHit>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<SearchCursor>,
}

impl Store {
    /// Finds records of all kinds by names (as written, in pinyin, by initials), parts of addresses, texts and digits,
    /// and after them what is about what was found so: the orders and inspections of a place, the visits to a person.
    /// What is sensitive, services and needs, is found by [`Self::search_needs`] only. Parts between spaces must all be
    /// found, in any order. One mistaken character is forgiven, a digit never. `kinds` narrows the search; empty means
    /// every kind; a care tag is told as its resident. Pages by key: nothing is skipped or told twice if records are
    /// added in between.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn search(
        &self,
        text: &str,
        kinds: &[Kind],
        after: Option<&SearchCursor>,
        limit: usize,
    ) -> Result<SearchPage, DeviceError> {
        self.find(text, kinds, after, limit, false)
    }

    /// The same, with or without what is sensitive.
    pub(crate) fn find(
        &self,
        text: &str,
        kinds: &[Kind],
        after: Option<&SearchCursor>,
        limit: usize,
        sensitive: bool,
    ) -> Result<SearchPage, DeviceError> {
        let mut page = SearchPage::default();
        let Some(query) = Query::of(text) else { return Ok(page) };
        let tags: Vec<&str> = kinds.iter().map(|kind| kind.tag()).collect();
        let cursor = after.cloned().unwrap_or(SearchCursor::start(Tier::Exact));
        let mut search = Search { view: self.view(), query, tags, cursor, limit, sensitive, fitting: None };
        search.fitting = (after.is_none() && search.any_about()).then(BTreeSet::new);
        while search.tier(&mut page)? {
            let Some(tier) = search.cursor.tier.next() else { return Ok(page) };
            search.cursor = SearchCursor::start(tier);
        }
        page.next = Some(search.cursor);
        Ok(page)
    }

    /// What search takes. Reads every record: for benchmarks only.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn search_size(&self) -> Result<SearchSize, DeviceError> {
        let sql = "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE 'search\\_%' ESCAPE '\\'";
        let index: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
        let mut out = SearchSize { index: u64::try_from(index).unwrap_or(0), ..SearchSize::default() };
        let mut statement = self.connection.prepare("SELECT kind, fields FROM record WHERE hidden = 0")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, fields): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let fields = decode_fields(&fields)?;
            let texts = projection::texts(&kind, &fields, &self.event_rules);
            let all = fields.values().filter_map(Value::as_text).map(|text| text.len() as u64).sum::<u64>();
            out.stored += all;
            if !texts.is_empty() {
                out.searched += texts.iter().map(|text| text.raw.len() as u64).sum::<u64>();
                out.texts += all;
            }
        }
        Ok(out)
    }
}

/// A search under way.
pub(super) struct Search<'s> {
    pub(super) view: View<'s>,
    query: Query,
    /// The words for the kinds; empty for all.
    tags: Vec<&'static str>,
    pub(super) cursor: SearchCursor,
    pub(super) limit: usize,
    /// Whether services are found, and people by their needs.
    sensitive: bool,
    /// The keys of all records that fit by their own texts, where this call has been through all tiers of them; those of
    /// [`Tier::About`] lead on from them, and need not ask the index again.
    fitting: Option<BTreeSet<i64>>,
}

impl Search<'_> {
    /// Tells what one tier has from the cursor on. Returns whether it had room for all.
    fn tier(&mut self, page: &mut SearchPage) -> Result<bool, DeviceError> {
        if page.hits.len() >= self.limit {
            return Ok(false);
        }
        if self.cursor.tier == Tier::Need && !self.sensitive
            || self.cursor.tier == Tier::About && !self.any_about()
        {
            return Ok(true);
        }
        if self.cursor.tier == Tier::About
            && let Some(fitting) = self.fitting.take()
        {
            return self.about_all(fitting, page);
        }
        let Some(expression) = self.query.expression(self.cursor.tier) else { return Ok(true) };
        let view = self.view;
        let sql = "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid > ?2 ORDER BY rowid";
        let mut statement = view.connection.prepare_cached(sql)?;
        let mut rows = statement.query((expression, self.cursor.key))?;
        let mut looked_at = 0;
        while let Some(row) = rows.next()? {
            if page.hits.len() >= self.limit {
                return Ok(false);
            }
            looked_at += 1;
            if self.cursor.tier > Tier::Part && looked_at > LOOKED_AT {
                return Ok(true);
            }
            let key = row.get(0)?;
            let Some(found) = view.listed_by_key(key)? else { continue };
            if self.cursor.tier == Tier::About {
                if !self.about(&found, page)? {
                    return Ok(false);
                }
            } else {
                let need = self.cursor.tier == Tier::Need;
                let told = if need { self.by_need(&found)? } else { self.by_text(found) };
                if let Some(row) = told {
                    self.tell(row, page)?;
                }
            }
            self.cursor = SearchCursor { key, ..SearchCursor::start(self.cursor.tier) };
        }
        Ok(true)
    }

    /// [`Tier::About`], from the records that the tiers before have been through.
    fn about_all(&mut self, fitting: BTreeSet<i64>, page: &mut SearchPage) -> Result<bool, DeviceError> {
        for key in fitting.into_iter().take(LOOKED_AT) {
            if page.hits.len() >= self.limit {
                return Ok(false);
            }
            let Some(found) = self.view.listed_by_key(key)? else { continue };
            if !self.tell_about(&found, page)? {
                return Ok(false);
            }
            self.cursor = SearchCursor { key, ..SearchCursor::start(Tier::About) };
        }
        Ok(true)
    }

    /// Puts a record on the page.
    pub(super) fn tell(&self, row: Listed, page: &mut SearchPage) -> Result<(), DeviceError> {
        let (title, whereabouts) = self.view.found_row(&row)?;
        let Listed { id, kind, fields, state, .. } = row;
        page.hits.push(SearchHit { id, kind, title, whereabouts, fields, state, tier: self.cursor.tier });
        Ok(())
    }

    /// How well a record fits by its own texts.
    pub(super) fn rank(&self, row: &Listed) -> Option<Tier> {
        self.query.rank(&projection::texts(&row.kind, &row.fields, self.view.event_rules))
    }

    /// Whether records of a kind are looked for, and may be told.
    pub(super) fn wanted(&self, kind: &str) -> bool {
        (self.tags.is_empty() || self.tags.contains(&kind)) && (self.sensitive || !is_sensitive(kind))
    }

    /// The record, if this is the first tier that tells it.
    fn by_text(&mut self, row: Listed) -> Option<Listed> {
        let wanted = self.wanted(&row.kind);
        let fits = (wanted || self.fitting.is_some()) && self.rank(&row) == Some(self.cursor.tier);
        if let Some(fitting) = self.fitting.as_mut().filter(|_| fits) {
            fitting.insert(row.key);
        }
        (fits && wanted).then_some(row)
    }

    /// The resident of a care tag, unless their own texts or an earlier tag tell them.
    fn by_need(&self, tag: &Listed) -> Result<Option<Listed>, DeviceError> {
        let Some(of) = tag.fields.get(RESIDENT).and_then(Value::as_link) else { return Ok(None) };
        if !self.wanted(Kind::Resident.tag()) {
            return Ok(None);
        }
        let Some(resident) = self.view.shown(of)? else { return Ok(None) };
        let texts = projection::texts(&resident.kind, &resident.fields, self.view.event_rules);
        if self.query.rank(&texts).is_some() {
            return Ok(None);
        }
        let first = self.first_tag(of, &texts)?;
        Ok((first == Some(tag.key)).then_some(resident))
    }

    /// The key of the first tag of a person that is what is looked for.
    fn first_tag(&self, person: RecordId, texts: &[Text]) -> Result<Option<i64>, DeviceError> {
        let tags = self.view.list_linked(Kind::CareTag.tag(), RESIDENT, person)?;
        let names = |tag: &&Listed| {
            tag.fields
                .get(NEED)
                .and_then(Value::as_text)
                .is_some_and(|need| self.query.names_need(need, texts))
        };
        Ok(tags.iter().filter(names).map(|tag| tag.key).min())
    }
}

#[cfg(test)]
impl Store {
    /// Records that have tokens.
    pub(crate) fn search_rows_for_test(&self) -> i64 {
        self.connection.query_row("SELECT count(*) FROM search_docsize", [], |row| row.get(0)).unwrap()
    }
}

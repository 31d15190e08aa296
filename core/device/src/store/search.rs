//! Search: exact, then prefix, then part.

use gridwalk_model::{Fields, RecordId};

use super::records::{Listed, RecordState};
use super::{Store, View, projection, tokens};
use crate::error::DeviceError;

/// How well a record fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// A name, address or number is what was asked for.
    Exact,
    /// One begins with it.
    Prefix,
    /// Somewhere inside.
    Part,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCursor {
    tier: Tier,
    term: String,
    key: i64,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    /// The record.
    pub id: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// Its fields.
    pub fields: Fields,
    /// What else is to be known of it.
    pub state: RecordState,
    /// How well it fits.
    pub tier: Tier,
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
    /// Finds records by any name, part of an address, or digits. Parts between spaces must all be found. `kinds`
    /// narrows the search; empty means every kind. Pages by key: nothing is skipped or told twice if records are
    /// added in between.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn search(
        &self,
        text: &str,
        kinds: &[gridwalk_model::Kind],
        after: Option<&SearchCursor>,
        limit: usize,
    ) -> Result<SearchPage, DeviceError> {
        let wanted = tokens::normal(text);
        let Some(query) = tokens::query(text) else { return Ok(SearchPage::default()) };
        let tags: Vec<&str> = kinds.iter().map(|kind| kind.tag()).collect();
        let mut cursor =
            after.cloned().unwrap_or(SearchCursor { tier: Tier::Exact, term: String::new(), key: -1 });
        let mut page = SearchPage::default();
        loop {
            let room = limit.saturating_sub(page.hits.len());
            if room == 0 {
                page.next = Some(cursor);
                return Ok(page);
            }
            // Hits of other kinds are passed over, so ask for a little more than there is room for.
            let batch = if tags.is_empty() { room } else { room.saturating_mul(2).max(32) };
            let found = self.view().search_tier(&cursor, &wanted, &query, batch)?;
            let exhausted = found.len() < batch;
            for (term, key) in found {
                if page.hits.len() == limit {
                    page.next = Some(cursor);
                    return Ok(page);
                }
                cursor = SearchCursor { tier: cursor.tier, term, key };
                let Some(row) = self.view().listed_by_key(key)? else { continue };
                if (tags.is_empty() || tags.contains(&row.kind.as_str())) && first_of(&row, &wanted, &cursor)
                {
                    page.hits.push(hit(row, cursor.tier));
                }
            }
            if exhausted {
                let tier = match cursor.tier {
                    Tier::Exact => Tier::Prefix,
                    Tier::Prefix => Tier::Part,
                    Tier::Part => return Ok(page),
                };
                cursor = SearchCursor { tier, term: String::new(), key: -1 };
            }
        }
    }
}

/// A record whose name and address both begin with what was asked for is told once, by the first of the two.
fn first_of(row: &Listed, wanted: &str, cursor: &SearchCursor) -> bool {
    if cursor.tier != Tier::Prefix {
        return true;
    }
    let terms = projection::project(&row.kind, &row.fields).terms;
    terms.iter().find(|term| term.starts_with(wanted)).is_none_or(|first| *first == cursor.term)
}

fn hit(row: Listed, tier: Tier) -> SearchHit {
    SearchHit { id: row.id, kind: row.kind, fields: row.fields, state: row.state, tier }
}

impl View<'_> {
    /// The next of one tier as (term, record key), in their order.
    fn search_tier(
        &self,
        after: &SearchCursor,
        wanted: &str,
        query: &str,
        limit: usize,
    ) -> Result<Vec<(String, i64)>, DeviceError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = match after.tier {
            Tier::Exact => {
                "SELECT term, record FROM term WHERE term = ?1 AND record > ?3 AND ?2 = ?2 AND ?4 = ?4
                 ORDER BY record LIMIT ?5"
            }
            Tier::Prefix => {
                "SELECT term, record FROM term
                 WHERE term > ?1 AND term < ?1 || char(1114111) AND (term, record) > (?2, ?3) AND ?4 = ?4
                 ORDER BY term, record LIMIT ?5"
            }
            // What an earlier tier told is passed over.
            Tier::Part => {
                "SELECT '', s.rowid FROM search s
                 WHERE s.search MATCH ?4 AND s.rowid > ?3 AND ?2 = ?2 AND NOT EXISTS (
                     SELECT 1 FROM term t
                     WHERE t.record = s.rowid AND t.term >= ?1 AND t.term < ?1 || char(1114111))
                 ORDER BY s.rowid LIMIT ?5"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((wanted, &after.term, after.key, query, limit), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

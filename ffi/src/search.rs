//! Search.

use gridwalk_device::store::{SearchCursor, SearchHit, SearchPage, Tier};
use gridwalk_model::describe::Words;

use crate::device::Device;
use crate::error::GridwalkError;
use crate::mirror::limit;
use crate::records::RecordEntry;
use crate::schema::kind_of;

/// How well a record fits, best first.
#[uniffi::remote(Enum)]
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

/// A record that was found.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct FoundRecord {
    /// The record.
    pub entry: RecordEntry,
    /// What it is called, or what it says in short.
    pub title: Words,
    /// Where it is or whom it is about: a door, a place, a person and their door. Empty where nothing more is known.
    pub whereabouts: Words,
    /// How well it fits.
    pub tier: Tier,
}

/// A page of what was found.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct FoundPage {
    /// The records, best first.
    pub found: Vec<FoundRecord>,
    /// To be given back for the next page; none at the end.
    pub next: Option<SearchCursor>,
}

impl From<SearchHit> for FoundRecord {
    fn from(core: SearchHit) -> Self {
        let SearchHit { id, kind, title, whereabouts, fields, state, tier } = core;
        let fields = crate::values::told(&kind, fields);
        Self { entry: RecordEntry { id, kind, fields, state }, title, whereabouts, tier }
    }
}

impl From<SearchPage> for FoundPage {
    fn from(core: SearchPage) -> Self {
        let SearchPage { hits, next } = core;
        Self { found: crate::mirror::many(hits), next }
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Finds records by names (as written, in pinyin, by initials), parts of addresses, digits, and people by their
    /// needs. Parts between spaces must all be found. One mistaken character is forgiven, a digit never. `kinds` narrows
    /// it; empty means all. Pages of at most 1,000, by key as in `records`.
    pub async fn search(
        &self,
        text: String,
        kinds: Vec<String>,
        after: Option<SearchCursor>,
        limit: u32,
    ) -> Result<FoundPage, GridwalkError> {
        let kinds = kinds.iter().map(|kind| kind_of(kind)).collect::<Result<Vec<_>, _>>()?;
        let limit = self::limit(limit);
        Ok(self.call(async move |core| core.search(&text, &kinds, after, limit).await).await?.into())
    }
}

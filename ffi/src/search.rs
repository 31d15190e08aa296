//! Search.

use gridwalk_device::store::{SearchCursor, SearchHit, SearchPage, Tier};

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
    /// A name begins with it as pinyin.
    SoundPrefix,
    /// Somewhere inside.
    Part,
    /// A care tag of the person is what was asked for.
    Need,
    /// One character is mistaken, missing or too many.
    Typo,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct FoundRecord {
    /// The record.
    pub entry: RecordEntry,
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
        let SearchHit { id, kind, fields, state, tier } = core;
        let fields = crate::values::told(&kind, fields);
        Self { entry: RecordEntry { id, kind, fields, state }, tier }
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

//! Which streams a record belongs to: one pure function of accepted content and links, used by the server to
//! decide and by the phone to guess.

use std::collections::BTreeSet;

use crate::id::RecordId;
use crate::schema::{Kind, KindSchema, PlacementRule};
use crate::stream::StreamId;
use crate::value::Fields;

/// What placement needs to know of other records.
pub trait Links {
    /// The areas in which a record is placed now; empty if it is unknown.
    fn areas_of(&self, record: RecordId) -> BTreeSet<RecordId>;

    /// The records of `kind` that name `record` in `field`, are current and not removed.
    fn current_referrers(&self, record: RecordId, kind: Kind, field: &str) -> Vec<RecordId>;
}

/// The areas that a record belongs to.
pub fn areas(schema: &KindSchema, id: RecordId, fields: &Fields, links: &dyn Links) -> BTreeSet<RecordId> {
    let link = |field: &str| fields.get(field).and_then(|value| value.as_link());
    match schema.placement {
        PlacementRule::Org => BTreeSet::new(),
        PlacementRule::Own(field) => link(field).into_iter().collect(),
        PlacementRule::Inherit(field) => link(field).map(|at| links.areas_of(at)).unwrap_or_default(),
        PlacementRule::Referrers { kind, field } => {
            links.current_referrers(id, kind, field).into_iter().flat_map(|at| links.areas_of(at)).collect()
        }
    }
}

/// The streams that a record belongs to. Empty while nothing places it: the server then keeps it where the
/// device that made it said.
pub fn streams(schema: &KindSchema, id: RecordId, fields: &Fields, links: &dyn Links) -> BTreeSet<StreamId> {
    if schema.placement == PlacementRule::Org {
        return BTreeSet::from([StreamId::Org]);
    }
    let mut out: BTreeSet<StreamId> = areas(schema, id, fields, links)
        .into_iter()
        .map(|area| StreamId::Area { area, class: schema.class })
        .collect();
    out.extend(crate::records::followers(schema, fields));
    out
}

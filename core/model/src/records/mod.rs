//! The kinds of record, one file each, and what can be said of all of them.

mod entries;
mod field_value;

#[cfg(test)]
mod tests;

pub mod appellant;
pub mod area;
pub mod base_verification;
pub mod campaign;
pub mod care_tag;
pub mod checklist;
pub mod dwelling;
pub mod event;
pub mod form;
pub mod household;
pub mod inspection;
pub mod label;
pub mod organization;
pub mod patrol;
pub mod place;
pub mod rectification_order;
pub mod residency;
pub mod resident;
pub mod resident_id;
pub mod service_record;
pub mod submission;
pub mod task;
pub mod unit;
pub mod visit;
pub mod visit_cadence;
pub mod worker;

pub use appellant::Appellant;
pub use area::Area;
pub use base_verification::BaseVerification;
pub use campaign::Campaign;
pub use care_tag::CareTag;
pub use checklist::Checklist;
pub use dwelling::Dwelling;
pub(crate) use entries::is_closed;
pub use entries::{check_creation, check_entry, check_field, followers};
pub use event::Event;
pub(crate) use field_value::{FieldReader, write_one, write_set};
pub use field_value::{FieldValue, elements, parse_date};
pub use form::Form;
pub use household::Household;
pub use inspection::Inspection;
pub use label::Label;
pub use organization::Organization;
pub use patrol::Patrol;
pub use place::Place;
pub use rectification_order::RectificationOrder;
pub use residency::Residency;
pub use resident::Resident;
pub use resident_id::ResidentId;
pub use service_record::ServiceRecord;
pub use submission::Submission;
pub use task::Task;
pub use unit::Unit;
pub use visit::Visit;
pub use visit_cadence::VisitCadence;
pub use worker::Worker;

use crate::schema::KindSchema;
use crate::validate::FieldError;
use crate::value::Fields;

/// A kind of record as a plain type.
pub trait Record: Sized {
    /// What the kind's records consist of.
    const SCHEMA: &'static KindSchema;

    /// Reads a record. Fields of a newer schema are left aside; the document keeps them.
    ///
    /// # Errors
    /// Every field that is missing or of another type. Limits and codes are checked by
    /// [`crate::validate::validate`].
    fn from_fields(fields: &Fields) -> Result<Self, Vec<FieldError>>;

    /// The fields as they stand in a document, without the identity keys.
    fn to_fields(&self) -> Fields;
}

macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        /// A kind of record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $( #[doc = concat!("See [`", stringify!($name), "`](struct@", stringify!($name), ").")] $name, )*
        }

        impl Kind {
            /// Every kind that this build knows.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What its records consist of.
            pub const fn schema(self) -> &'static KindSchema {
                match self {
                    $( Self::$name => <$name as Record>::SCHEMA, )*
                }
            }
        }
    };
}

kinds! {
    Area,
    Unit,
    Dwelling,
    Household,
    Resident,
    ResidentId,
    Residency,
    Organization,
    Place,
    Checklist,
    Inspection,
    RectificationOrder,
    Event,
    Appellant,
    BaseVerification,
    Visit,
    Patrol,
    Task,
    Campaign,
    CareTag,
    Worker,
    Form,
    Submission,
    ServiceRecord,
    VisitCadence,
    Label,
}

impl Kind {
    /// The word for it in a document's `kind` and on the wire.
    pub const fn tag(self) -> &'static str {
        self.schema().tag
    }

    /// Reads the word; `None` for a kind of a newer schema.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.tag() == tag)
    }
}

//! The labels of what is computed, in both languages: one function a list.

use gridwalk_device::work::events::Sending;
use gridwalk_model::checklist::{Grade, Lack};
use gridwalk_model::describe::Words;
use gridwalk_model::doors::{DoorState, Doubt, Likeness};
use gridwalk_model::due::{DueKind, DueSource};
use gridwalk_model::event::site::Away;
use gridwalk_model::event::{Flag, State};
use gridwalk_model::indicators::{Exclusion, FigureName};
use gridwalk_model::visits::{DueState, Why};

macro_rules! labels {
    ($($(#[$doc:meta])* $function:ident($core:ty);)*) => {
        $(
            $(#[$doc])*
            #[uniffi::export]
            pub fn $function(value: $core) -> Words {
                Words::new(value.zh(), value.en())
            }
        )*
    };
}

labels! {
    /// The label of a door's state, in both languages.
    door_state_label(DoorState);
    /// The label of a reason why a residency is not believed, in both languages.
    doubt_label(Doubt);
    /// The label of what speaks for one person, in both languages.
    likeness_label(Likeness);
    /// The label of an event's state, in both languages.
    event_state_label(State);
    /// The label of why an entry of a log does not count, or with what remark it does, in both languages.
    event_flag_label(Flag);
    /// The label of why nothing shows that somebody is on site, in both languages.
    site_away_label(Away);
    /// The label of what is to be done, in both languages.
    due_kind_label(DueKind);
    /// The label of why something is due, in both languages.
    due_source_label(DueSource);
    /// The label of how a visit stands, in both languages.
    due_state_label(DueState);
    /// The label of a figure, in both languages.
    figure_label(FigureName);
    /// The label of why something does not count in a figure, in both languages.
    exclusion_label(Exclusion);
    /// The label of what an inspection lacks, in both languages.
    lack_label(Lack);
    /// The label of an inspection's outcome, in both languages.
    grade_label(Grade);
    /// The label of why somebody is visited, in both languages.
    visit_reason_label(Why);
}

/// How far a report has come, for a chip on a screen, in both languages.
#[uniffi::export]
pub fn sending_label(sending: Sending) -> Words {
    sending.words()
}

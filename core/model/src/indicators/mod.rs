//! Indicators: figures that never stand alone. Each has its numerator, its denominator, what was left out and why, and
//! behind every one counted thing the records that show it (design text 4). None of them ranks people.

pub mod figure;
pub mod week;

pub use figure::{Counted, Exclusion, Figure, FigureName};
pub use week::{
    DoorFact, EventFact, InspectionFact, OrderFact, PatrolFact, Touch, VisitMade, Week, WeekFacts, my_week,
};

//! QR labels on doors, places and buildings: made, printed, scanned, voided.
//!
//! | subject | file |
//! | --- | --- |
//! | making, voiding, replacing | `make` |
//! | from a code to the record that it opens, without the network | `scan` |
//! | what stands on a sheet to print | `print` |
//!
//! A label is a record ([`gridwalk_model::records::Label`]) in the grid of what it hangs on, so that every phone of the
//! grid opens it. Its token is random and says nothing: [`gridwalk_model::label`].

mod make;
mod print;
#[cfg(test)]
mod random_tests;
mod scan;
#[cfg(test)]
mod tests;

pub use make::{HangsOn, MadeLabel};
pub use scan::ScannedLabel;

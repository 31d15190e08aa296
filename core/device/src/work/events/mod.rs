//! Events as a worker lives with them.
//!
//! A report takes three calls: [`Store::snap`], [`Store::choose_category`], [`Store::send_report`]. Before the last it
//! is a draft of this phone; with the last it is an event with a number, and its photos follow by themselves
//! ([`Store::photos_to_attach`]). From then on the worker's acts are entries of the event's log.
//!
//! | subject | file |
//! | --- | --- |
//! | a deployment's limits | `rules` |
//! | drafts and the tray of unsent ones | `draft` |
//! | in whose grid a position lies | `own_grid` |
//! | which categories are offered first | `recent` |
//! | sending, near duplicates | `report` |
//! | numbers | `number` |
//! | photos on their way into an event | `photos` |
//! | acts | `acts`, `on_site` |
//! | what became of it | `follow`, `unsent` |
//!
//! [`Store::snap`]: crate::Store::snap
//! [`Store::choose_category`]: crate::Store::choose_category
//! [`Store::send_report`]: crate::Store::send_report
//! [`Store::photos_to_attach`]: crate::Store::photos_to_attach

mod acts;
mod draft;
mod follow;
#[cfg(test)]
mod near_tests;
mod number;
mod on_site;
mod own_grid;
mod photos;
#[cfg(test)]
mod random_tests;
mod recent;
mod report;
mod rules;
#[cfg(test)]
mod site_tests;
#[cfg(test)]
mod tests;
mod unsent;

pub use acts::WorkerAct;
pub use draft::{Draft, DraftPhoto, DraftTray, ReportDraft, SnapContext, Snapped};
pub use follow::{EventStory, MyReport, StoryLine};
pub use on_site::{LookBack, SiteClaim, SiteVerification};
pub use own_grid::{GridAt, NeighbourGrid};
pub use photos::PendingPhoto;
pub use report::{NearReport, SentReport, Sorted};
pub use unsent::{NotSent, Sending};

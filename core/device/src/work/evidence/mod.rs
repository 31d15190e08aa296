//! Evidence: photos that were used before, regions that nobody is to recognise, the signed chain, voice notes.
//!
//! | subject | module |
//! | --- | --- |
//! | photos that this phone used before | [`reuse`] |
//! | signature and place in the chain | `chain` |
//! | regions marked with a finger | `blur` |
//! | photos taken off a record | `removal` |
//! | voice notes, and those taken off a record | `voice` |
//! | voice notes of drafts | `draft_voices` |

pub(crate) mod blur;
mod chain;
mod draft_voices;
mod removal;
pub mod reuse;
mod voice;

pub use draft_voices::DraftVoice;
pub use removal::RemovedPhoto;
pub use reuse::ReusedPhoto;
pub use voice::{RemovedVoice, VoiceFacts};

#[cfg(test)]
mod removal_random_tests;
#[cfg(test)]
mod removal_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod voice_tests;

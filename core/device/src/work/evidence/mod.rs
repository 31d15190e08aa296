//! Evidence: photos that were used before, regions that nobody is to recognise, the signed chain, voice notes.
//!
//! | subject | module |
//! | --- | --- |
//! | photos that this phone used before | [`reuse`] |
//! | signature and place in the chain | `chain` |
//! | regions marked with a finger | `blur` |
//! | voice notes | `voice` |

pub(crate) mod blur;
mod chain;
pub mod reuse;
mod voice;

pub use reuse::ReusedPhoto;
pub use voice::VoiceFacts;

#[cfg(test)]
mod tests;

//! House-keeping: what keeps a phone small, alive and private while the worker works.
//!
//! | question | module |
//! | --- | --- |
//! | how much may be kept, and for how long | [`KeepingLimits`] |
//! | what is put off while storage or battery is low | [`PhoneState`], [`Saving`] |
//! | what goes, in which order | [`Kept`], [`crate::Store::keep_house`] |
//! | training without consequences | [`crate::Store::begin_practice`] |
//! | who looked at what is sensitive | [`SensitiveRead`], [`crate::Store::read_sensitive`] |
//! | the PIN of the app's lock | [`PinKeyStore`], [`PinTries`], [`crate::Device::lock`] |
//! | locked by the deployment: seal, hand in, wipe | `seal.rs` |
//!
//! Nothing here asks the machine: free space and the battery's charge are told by the shell. Nothing here deletes what
//! the server has not confirmed, tracks after their days excepted.

mod house;
mod leftovers;
mod limits;
mod mode;
mod pin;
mod practice;
mod seal;
#[cfg(test)]
mod seal_tests;
pub(crate) mod sensitive;
#[cfg(test)]
mod tests;

pub(crate) use house::Evict;
pub use house::Kept;
pub use limits::KeepingLimits;
pub use mode::{PhoneState, Saving};
pub use pin::{PinKeyStore, PinRules, PinTries};
pub(crate) use seal::{LOCKED, WIPE};
pub use sensitive::SensitiveRead;

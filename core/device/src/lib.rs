#![forbid(unsafe_code)]
//! What a phone runs: the encrypted store, search, photos, and the sync engine with its HTTP transport.
//!
//! | question | module |
//! | --- | --- |
//! | where things are kept | [`store`] |
//! | how records are read and edited | [`edit`] |
//! | what a gridworker does in a day | [`work`] |
//! | how phone and server are brought together | [`sync`] |
//! | how the phone is kept small, alive and private | [`keeping`] |
//! | how bytes travel | [`net`] |
//! | who asks for time, randomness and keys | [`clock`], [`keys`] |
//!
//! [`Store`] and [`Engine`] are synchronous and do no network I/O: the simulation drives thousands of them on one
//! thread. [`Device`](device) puts a store on a thread of its own and connects it to the network.

pub mod clock;
pub mod device;
pub mod edit;
pub mod error;
pub mod keeping;
pub mod keys;
pub mod net;
pub mod photo;
pub mod store;
pub mod sync;
mod testkit;
pub mod work;

pub use clock::{Clock, Entropy, SeededEntropy, SystemClock, SystemEntropy};
pub use device::{Device, DeviceOptions};
pub use edit::{Candidate, ConflictEntry, Edits, Entry, Page, PageCursor};
pub use error::DeviceError;
pub use keys::{DataKey, DeviceKey, KeyStore};
pub use net::NetError;
pub use store::{Encryption, Faults, Store, StoreConfig, StoreLocation};
pub use sync::{Effect, Engine, EngineConfig, Event, Status};

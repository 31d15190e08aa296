//! Sealed work of locked devices, and the keys that it is sealed with.

use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::sealed::SealingKeys;

use super::Stored;
use super::access::DeviceNo;

/// A package, without its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// Number in the store.
    pub no: i64,
    /// Whose it is.
    pub device: DeviceNo,
    /// The name that the device gave it.
    pub name: [u8; 16],
    /// How many parts it has.
    pub of: u32,
    /// Bytes of the parts that are here.
    pub bytes: u64,
    /// When the first part came.
    pub begun_at: Timestamp,
    /// When the last one came.
    pub whole_at: Option<Timestamp>,
    /// What an administrator decided, when, and who.
    pub settled: Option<Settled>,
}

/// What became of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whether its changes were offered to the records. What could not be admitted is in quarantine.
    pub accepted: bool,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: RecordId,
}

/// Reading sealed work.
pub trait SealedReads {
    /// The server's keys; `None` before the first start.
    fn sealing_keys(&self) -> Stored<Option<SealingKeys>>;
    /// A package by its number.
    fn package(&self, no: i64) -> Stored<Option<PackageRow>>;
    /// A package by the name that its device gave it.
    fn package_named(&self, device: DeviceNo, name: &[u8; 16]) -> Stored<Option<PackageRow>>;
    /// All packages, the latest first: one of each locked device.
    fn packages(&self) -> Stored<Vec<PackageRow>>;
    /// One part.
    fn part(&self, package: i64, part: u32) -> Stored<Option<Vec<u8>>>;
    /// The lowest part that is missing.
    fn missing_part(&self, package: i64) -> Stored<u32>;
}

/// Writing sealed work.
pub trait SealedWrites {
    /// Keeps the server's keys. The first ones stand.
    fn insert_sealing_keys(&mut self, keys: &SealingKeys, at: Timestamp) -> Stored<()>;
    /// Begins a package; returns its number.
    fn insert_package(&mut self, device: DeviceNo, name: &[u8; 16], of: u32, at: Timestamp) -> Stored<i64>;
    /// Keeps a part in place of the one that is there.
    fn put_part(&mut self, package: i64, part: u32, body: &[u8]) -> Stored<()>;
    /// Notes that all of a package is here.
    fn close_package(&mut self, package: i64, at: Timestamp) -> Stored<()>;
    /// Notes what was decided.
    fn settle_package(&mut self, package: i64, settled: &Settled) -> Stored<()>;
    /// Removes the parts of a package. That there was one stays.
    fn drop_parts(&mut self, package: i64) -> Stored<()>;
}

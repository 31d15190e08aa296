//! Bounds on what a document and a change may hold.

/// A document's saved size from which the editor warns, in bytes.
pub const DOCUMENT_WARN_BYTES: usize = 192 * 1024;
/// A document's saved size beyond which edits are refused, in bytes.
pub const DOCUMENT_MAX_BYTES: usize = 256 * 1024;
/// Longest change, in bytes.
pub const CHANGE_MAX_BYTES: usize = 64 * 1024;
/// Most writes in one change.
pub const CHANGE_MAX_OPS: usize = 2_000;
/// Longest text or byte value, in bytes.
pub const VALUE_MAX_BYTES: usize = 16 * 1024;
/// Longest root key, in bytes.
pub const KEY_MAX_BYTES: usize = 128;
/// Most dependencies of one change: more concurrent heads than this are not made by honest devices.
pub const CHANGE_MAX_DEPS: usize = 64;
/// Most foreign actors that one change may name.
pub const CHANGE_MAX_ACTORS: usize = 256;
/// Largest operation counter. Automerge 0.12 panics near `u32::MAX`.
pub const MAX_OP_COUNTER: u64 = 1 << 30;
/// Farthest moment that a change may name, before or after 1970: the end of the year 9999, in milliseconds. Automerge
/// 0.12 keeps the differences between neighbours, and panics where one does not fit into 64 bits.
pub const MAX_TIME_MS: u64 = 253_402_300_799_999;
/// Most changes that one document may hold.
pub const DOCUMENT_MAX_CHANGES: usize = 20_000;
/// A request body as received, in bytes.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// A request body after decompression, in bytes.
pub const INFLATED_MAX_BYTES: usize = 8 * 1024 * 1024;
/// zstd window of a request body, as a power of two (8 MiB).
pub const WINDOW_LOG_MAX: u32 = 23;

//! Identifiers and times as they cross the boundary: texts and numbers under names of their own.
//!
//! | name | crosses as |
//! | --- | --- |
//! | `RecordId` | text, the UUID with hyphens in lower case |
//! | `DeviceId` | text, 24 hexadecimal digits |
//! | `ContentHash` | text, 64 hexadecimal digits: SHA-256 of a photo, track or voice note |
//! | `Timestamp` | whole number, milliseconds since 1970-01-01T00:00:00Z |
//!
//! Objects would be safer against mixing them up, but each would be a handle that the other side has to release.

use gridwalk_model::{ContentHash, DeviceId, RecordId, Timestamp};

use crate::error::GridwalkError;

uniffi::custom_type!(RecordId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| GridwalkError::bad_argument("id"))?),
});

uniffi::custom_type!(DeviceId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| GridwalkError::bad_argument("device"))?),
});

uniffi::custom_type!(ContentHash, String, {
    remote,
    lower: |hash| hash.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| GridwalkError::bad_argument("hash"))?),
});

uniffi::custom_type!(Timestamp, i64, {
    remote,
    lower: |at| at.millis(),
    try_lift: |millis| Ok(Timestamp::from_millis(millis)),
});

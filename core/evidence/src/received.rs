//! The check of a photo on receipt: it is what the phone's side of this crate makes, and nothing else rides along.

use crate::decode::decode;
use crate::error::EvidenceError;
use crate::format::{PhotoFormat, recognise};
use crate::hash::sha256;
use crate::header::Header;
use crate::jpeg_segments::{EOI, Segments};
use crate::limits::Limits;

/// What a received file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedPhoto {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// Checks that the bytes are a stored photo: a JPEG that decodes to its last row, not larger than `limits` allow, without
/// metadata and without anything after its end.
///
/// # Errors
/// The first rule that does not hold. Sizes are checked before anything is decoded.
pub fn is_stored_photo(bytes: &[u8], limits: &Limits) -> Result<ReceivedPhoto, EvidenceError> {
    check(bytes, limits.stored_max_bytes, limits.stored_long_edge, limits)
}

/// Checks that the bytes are a preview; as [`is_stored_photo`] with the preview's limits.
///
/// # Errors
/// The first rule that does not hold.
pub fn is_preview(bytes: &[u8], limits: &Limits) -> Result<ReceivedPhoto, EvidenceError> {
    check(bytes, limits.preview_max_bytes, limits.preview_long_edge, limits)
}

fn check(
    bytes: &[u8],
    max_bytes: u64,
    max_edge: u32,
    limits: &Limits,
) -> Result<ReceivedPhoto, EvidenceError> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > max_bytes {
        return Err(EvidenceError::TooManyBytes { bytes: length, limit: max_bytes });
    }
    let found = recognise(bytes)?;
    if found != PhotoFormat::Jpeg {
        return Err(EvidenceError::NotJpeg { found });
    }
    let header = Header::read(found, bytes)?;
    let (width, height) = (header.width, header.height);
    if width.max(height) > max_edge {
        return Err(EvidenceError::NotDownscaled { width, height, max_edge });
    }
    // A scaled panorama may be lower than a photo that a camera may give.
    header.check(&Limits { min_edge: 1, ..*limits })?;
    nothing_rides_along(bytes)?;
    decode(found, &header, bytes, limits)?;
    Ok(ReceivedPhoto { width, height, sha256: sha256(bytes) })
}

fn nothing_rides_along(bytes: &[u8]) -> Result<(), EvidenceError> {
    for segment in Segments::new(bytes) {
        match segment.marker {
            0xE1..=0xEF | 0xFE => return Err(EvidenceError::CarriesMetadata { marker: segment.marker }),
            EOI if segment.end < bytes.len() => {
                let extra = u64::try_from(bytes.len() - segment.end).unwrap_or(u64::MAX);
                return Err(EvidenceError::TrailingBytes { bytes: extra });
            }
            EOI => return Ok(()),
            _ => {}
        }
    }
    Err(EvidenceError::Damaged { format: PhotoFormat::Jpeg, reason: "no end of image".into() })
}

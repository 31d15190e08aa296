//! From pixels to JPEG. Nothing is written beside the picture: no EXIF, no comment, no thumbnail.

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::error::EvidenceError;
use crate::limits::Limits;
use crate::scale::{fitted, shrink_rgb};

/// Qualities tried for a preview, best first.
const PREVIEW_QUALITIES: [u8; 9] = [80, 72, 64, 56, 48, 40, 32, 24, 16];

/// A JPEG file with colour at half resolution (4:2:0), in one scan.
///
/// Huffman tables stay the standard ones: optimised tables would save 5 %, but this encoder then writes a scan for each component,
/// which is rare in baseline files and not read rightly by every decoder.
pub(crate) fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, EvidenceError> {
    let failed = |reason: String| EvidenceError::Encode { reason };
    let width = u16::try_from(picture.width()).map_err(|e| failed(e.to_string()))?;
    let height = u16::try_from(picture.height()).map_err(|e| failed(e.to_string()))?;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(picture, width, height, ColorType::Rgb).map_err(|e| failed(e.to_string()))?;
    Ok(out)
}

/// A preview within [`Limits::preview_max_bytes`]: lower quality until it fits, then fewer pixels. Returns the bytes and the size.
pub(crate) fn preview(picture: &RgbImage, limits: &Limits) -> Result<(Vec<u8>, (u32, u32)), EvidenceError> {
    let fits = |bytes: &Vec<u8>| u64::try_from(bytes.len()).is_ok_and(|n| n <= limits.preview_max_bytes);
    for quality in PREVIEW_QUALITIES {
        let bytes = jpeg(picture, quality)?;
        if fits(&bytes) {
            return Ok((bytes, picture.dimensions()));
        }
    }
    for share in [4, 2] {
        let edge = limits.preview_long_edge.saturating_mul(share) / 5;
        let size = fitted(picture.width(), picture.height(), edge);
        let bytes = jpeg(&shrink_rgb(picture, size)?, 32)?;
        if fits(&bytes) {
            return Ok((bytes, size));
        }
    }
    Err(EvidenceError::PreviewTooLarge { limit: limits.preview_max_bytes })
}

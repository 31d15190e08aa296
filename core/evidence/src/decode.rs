//! From bytes to pixels, within limits that were checked on the header.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{png::PngDecoder, webp::WebPDecoder};
use image::{DynamicImage, ImageDecoder, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

use crate::error::EvidenceError;
use crate::format::PhotoFormat;
use crate::header::Header;
use crate::limits::Limits;

/// Scans of a progressive JPEG that are followed. Cameras and encoders use about ten; each more costs a pass over the picture.
const MAX_SCANS: usize = 32;

/// Decodes a file whose header passed [`Header::check`]. The result is RGB or RGBA with 8 bits a channel, not yet upright.
///
/// A panic in a third-party decoder on hostile bytes must not take the caller down, so it is caught and becomes an error.
pub(crate) fn decode(
    format: PhotoFormat,
    header: &Header,
    bytes: &[u8],
    limits: &Limits,
) -> Result<DynamicImage, EvidenceError> {
    let decoding = AssertUnwindSafe(|| match format {
        PhotoFormat::Jpeg => jpeg(bytes, limits).map(DynamicImage::ImageRgb8),
        PhotoFormat::Png => {
            let decoder = PngDecoder::with_limits(Cursor::new(bytes), image_limits(limits));
            decoder.and_then(DynamicImage::from_decoder).map_err(|e| damaged(format, &e))
        }
        PhotoFormat::WebP => WebPDecoder::new(Cursor::new(bytes))
            .and_then(|mut decoder| {
                decoder.set_limits(image_limits(limits))?;
                DynamicImage::from_decoder(decoder)
            })
            .map_err(|e| damaged(format, &e)),
    });
    let picture = catch_unwind(decoding).unwrap_or(Err(EvidenceError::DecoderFault { format }))?;
    if (picture.width(), picture.height()) != (header.width, header.height) {
        return Err(EvidenceError::Damaged { format, reason: "size differs from the header".into() });
    }
    Ok(eight_bit(picture))
}

/// Header errors are forgiven as far as pictures of real cameras need it; missing or broken picture data is not.
fn jpeg(bytes: &[u8], limits: &Limits) -> Result<RgbImage, EvidenceError> {
    let format = PhotoFormat::Jpeg;
    let edge = usize::try_from(limits.max_edge).unwrap_or(usize::MAX);
    let options = DecoderOptions::default()
        .set_max_width(edge)
        .set_max_height(edge)
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| damaged(format, &e))?;
    let strict = decoder.options().set_strict_mode(true);
    decoder.set_options(strict);

    let no_header = || EvidenceError::Damaged { format, reason: "no usable header".into() };
    let info = decoder.info().ok_or_else(no_header)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let mut pixels = Vec::new();
    let length = decoder.output_buffer_size().ok_or_else(no_header)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > limits.max_pixels.saturating_mul(3) {
        return Err(no_header());
    }
    pixels.try_reserve_exact(length).map_err(|_| EvidenceError::OutOfMemory { width, height })?;
    pixels.resize(length, 0);
    decoder.decode_into(&mut pixels).map_err(|e| damaged(format, &e))?;
    RgbImage::from_raw(width, height, pixels).ok_or_else(no_header)
}

fn image_limits(limits: &Limits) -> image::Limits {
    let mut out = image::Limits::default();
    out.max_image_width = Some(limits.max_edge);
    out.max_image_height = Some(limits.max_edge);
    out.max_alloc = Some(limits.max_memory);
    out
}

fn damaged(format: PhotoFormat, error: &impl std::fmt::Display) -> EvidenceError {
    EvidenceError::Damaged { format, reason: error.to_string().trim_matches('"').to_owned() }
}

fn eight_bit(picture: DynamicImage) -> DynamicImage {
    match picture {
        DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => picture,
        other if other.color().has_alpha() => DynamicImage::ImageRgba8(other.into_rgba8()),
        other => DynamicImage::ImageRgb8(other.into_rgb8()),
    }
}

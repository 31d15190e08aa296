//! Sizes from the header alone: nothing is inflated before the limits are known to hold.

use crate::error::EvidenceError;
use crate::format::{ForeignFormat, PhotoFormat};
use crate::jpeg_segments::{SOS, Segments};
use crate::limits::Limits;

/// What the header states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bytes that decoding needs at its peak, estimated: pixels out plus what the decoder keeps beside them.
    pub(crate) decode_memory: u64,
}

impl Header {
    /// Reads the header of a file whose format is known.
    pub(crate) fn read(format: PhotoFormat, bytes: &[u8]) -> Result<Self, EvidenceError> {
        let header = match format {
            PhotoFormat::Jpeg => jpeg(bytes)?,
            PhotoFormat::Png => png(bytes),
            PhotoFormat::WebP => webp(bytes),
        };
        header
            .filter(|h| h.width > 0 && h.height > 0)
            .ok_or_else(|| EvidenceError::Damaged { format, reason: "no usable header".into() })
    }

    /// Holds the header against the limits.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), EvidenceError> {
        let Self { width, height, decode_memory } = *self;
        let (max_pixels, max_edge, min_edge) = (limits.max_pixels, limits.max_edge, limits.min_edge);
        if pixels(width, height) > max_pixels || width.max(height) > max_edge {
            return Err(EvidenceError::TooLarge { width, height, max_pixels, max_edge });
        }
        if decode_memory > limits.max_memory {
            let (estimate, limit) = (decode_memory, limits.max_memory);
            return Err(EvidenceError::TooMuchMemory { width, height, estimate, limit });
        }
        if width.min(height) < min_edge {
            return Err(EvidenceError::TooSmall { width, height, min_edge });
        }
        Ok(())
    }
}

fn pixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Size, sampling and coding of a JPEG, up to its first scan.
struct Frame<'a> {
    /// Second byte of the frame's marker, which says how it is coded.
    marker: u8,
    bits: u8,
    height: u32,
    width: u32,
    /// Three bytes each: number, sampling factors, quantisation table.
    components: &'a [u8],
    /// Components in the first scan.
    in_first_scan: usize,
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut frame = None;
        for segment in Segments::new(bytes) {
            let payload = segment.payload;
            match segment.marker {
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    frame = Some(Self {
                        marker: segment.marker,
                        bits: *payload.first()?,
                        height: be16(payload, 1)?,
                        width: be16(payload, 3)?,
                        components: payload.get(6..)?,
                        in_first_scan: 0,
                    });
                }
                SOS => return Some(Self { in_first_scan: usize::from(*payload.first()?), ..frame? }),
                _ => {}
            }
        }
        None
    }

    fn progressive(&self) -> bool {
        self.marker == 0xC2
    }

    fn by_component(&self) -> bool {
        self.in_first_scan < self.components.len() / 3
    }

    fn sampling(&self) -> impl Iterator<Item = (u8, u8)> {
        self.components.chunks_exact(3).filter_map(|c| c.get(1)).map(|hv| (hv >> 4, hv & 0x0F))
    }

    /// Whether the decoder in use reads this kind. It decodes sequential frames that come component by component wrongly, without an
    /// error, if a component has fewer rows than another (seen in zune-jpeg 0.5.15), so these must not reach it.
    fn is_usual(&self) -> bool {
        let rows_left_out = self.sampling().any(|(_, v)| v > 1);
        matches!(self.marker, 0xC0..=0xC2)
            && self.bits == 8
            && (self.progressive() || !self.by_component() || !rows_left_out)
    }

    /// Samples per pixel over all components: 1.5 for 4:2:0, 3 for 4:4:4.
    fn samples_per_pixel(&self) -> f64 {
        let (mut most, mut sum) = ((1, 1), 0.0);
        for (h, v) in self.sampling() {
            most = (most.0.max(h), most.1.max(v));
            sum += f64::from(h) * f64::from(v);
        }
        sum / (f64::from(most.0) * f64::from(most.1))
    }
}

/// Three bytes a pixel come out; frames in several scans make the decoder keep all coefficients as well, two bytes each.
fn jpeg(bytes: &[u8]) -> Result<Option<Header>, EvidenceError> {
    let Some(frame) = Frame::read(bytes) else { return Ok(None) };
    if !frame.is_usual() {
        return Err(EvidenceError::Unsupported { found: ForeignFormat::UnusualJpeg });
    }
    let all = pixels(frame.width, frame.height);
    let keeps = frame.progressive() || frame.by_component();
    let coefficients = if keeps { (all as f64 * frame.samples_per_pixel() * 2.0) as u64 } else { 0 };
    Ok(Some(Header { width: frame.width, height: frame.height, decode_memory: all * 3 + coefficients }))
}

/// The first chunk must be IHDR. Transparency may add a channel, a palette grows to four.
fn png(bytes: &[u8]) -> Option<Header> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let (width, height) = (be32(bytes, 16)?, be32(bytes, 20)?);
    let (depth, colour) = (*bytes.get(24)?, *bytes.get(25)?);
    let channels = if colour == 0 { 2 } else { 4 };
    let sample = if depth == 16 { 2 } else { 1 };
    let plain = depth == 8 && matches!(colour, 2 | 6);
    let converted = if plain { 0 } else { 4 };
    let decode_memory = pixels(width, height).saturating_mul(channels * sample + converted);
    Some(Header { width, height, decode_memory })
}

/// Lossy (`VP8 `), lossless (`VP8L`) and extended (`VP8X`) files keep their size in different places. Four channels out and up to
/// four beside them.
fn webp(bytes: &[u8]) -> Option<Header> {
    let body = bytes.get(20..)?;
    let (width, height) = match bytes.get(12..16)? {
        b"VP8 " if body.get(3..6)? == [0x9D, 0x01, 0x2A] => {
            (le16(body, 6)? & 0x3FFF, le16(body, 8)? & 0x3FFF)
        }
        b"VP8L" if *body.first()? == 0x2F => {
            let bits = le16(body, 1)? | le16(body, 3)? << 16;
            ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
        b"VP8X" => (le24(body, 4)? + 1, le24(body, 7)? + 1),
        _ => return None,
    };
    Some(Header { width, height, decode_memory: pixels(width, height).saturating_mul(8) })
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    Some(le16(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ColorType, ImageEncoder, RgbImage};

    #[test]
    fn sizes_of_all_formats_are_read() {
        let picture = RgbImage::new(123, 77);
        let mut png_bytes = Vec::new();
        image::codecs::png::PngEncoder::new(&mut png_bytes)
            .write_image(&picture, 123, 77, ColorType::Rgb8.into())
            .unwrap();
        let mut webp_bytes = Vec::new();
        image::codecs::webp::WebPEncoder::new_lossless(&mut webp_bytes)
            .write_image(&picture, 123, 77, ColorType::Rgb8.into())
            .unwrap();
        let mut jpeg_bytes = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut jpeg_bytes, 80);
        encoder.encode(&picture, 123, 77, jpeg_encoder::ColorType::Rgb).unwrap();
        let given = [
            (PhotoFormat::Png, png_bytes, 3),
            (PhotoFormat::WebP, webp_bytes, 8),
            (PhotoFormat::Jpeg, jpeg_bytes, 3),
        ];
        for (format, bytes, at_least) in given {
            let header = Header::read(format, &bytes).unwrap();
            assert_eq!((header.width, header.height), (123, 77), "{format:?}");
            assert!(header.decode_memory >= 123 * 77 * at_least, "{format:?} {header:?}");
        }
    }

    #[test]
    fn progressive_files_are_known_to_need_more_memory() {
        let picture = RgbImage::new(200, 100);
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
        encoder.set_progressive(true);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        encoder.encode(&picture, 200, 100, jpeg_encoder::ColorType::Rgb).unwrap();
        let header = Header::read(PhotoFormat::Jpeg, &bytes).unwrap();
        assert_eq!(header.decode_memory, 200 * 100 * (3 + 3));
    }

    #[test]
    fn a_frame_by_component_with_rows_left_out_is_not_read() {
        let bytes = |sampling| {
            crate::test_support::jpeg_with(&RgbImage::new(200, 100), |e| {
                e.set_sampling_factor(sampling);
                // Makes this encoder write a scan for each component.
                e.set_optimized_huffman_tables(true);
            })
        };
        let refused =
            Header::read(PhotoFormat::Jpeg, &bytes(jpeg_encoder::SamplingFactor::F_2_2)).unwrap_err();
        assert_eq!(refused, EvidenceError::Unsupported { found: ForeignFormat::UnusualJpeg });
        let header = Header::read(PhotoFormat::Jpeg, &bytes(jpeg_encoder::SamplingFactor::F_1_1)).unwrap();
        assert_eq!(header.decode_memory, 200 * 100 * (3 + 6));
    }

    #[test]
    fn lossy_and_extended_webp_headers_are_read() {
        let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x80\x02\xe0\x01";
        let header = Header::read(PhotoFormat::WebP, lossy).unwrap();
        assert_eq!((header.width, header.height), (640, 480));
        let extended = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0";
        let header = Header::read(PhotoFormat::WebP, extended).unwrap();
        assert_eq!((header.width, header.height), (640, 480));
    }
}

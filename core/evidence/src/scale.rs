//! Down-scaling, and turning upright.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::error::EvidenceError;

/// The size that fits into `long_edge` with the same proportions; never larger than the given one, never zero.
pub(crate) fn fitted(width: u32, height: u32, long_edge: u32) -> (u32, u32) {
    let long = width.max(height).max(1);
    let target = long_edge.clamp(1, u32::from(u16::MAX));
    if long <= target {
        return (width.max(1), height.max(1));
    }
    let scale = |edge: u32| {
        let rounded = (u64::from(edge) * u64::from(target) + u64::from(long) / 2) / u64::from(long);
        u32::try_from(rounded).unwrap_or(target).max(1)
    };
    (scale(width), scale(height))
}

/// Scales to fit `long_edge`; whatever is transparent becomes white.
pub(crate) fn shrink(picture: DynamicImage, long_edge: u32) -> Result<RgbImage, EvidenceError> {
    let size = fitted(picture.width(), picture.height(), long_edge);
    match picture {
        DynamicImage::ImageRgba8(rgba) => {
            let scaled = if rgba.dimensions() == size {
                rgba.into_raw()
            } else {
                resample(rgba.as_raw(), rgba.dimensions(), size, PixelType::U8x4)?
            };
            rgb(size, on_white(&scaled))
        }
        other => {
            let picture = other.into_rgb8();
            if picture.dimensions() == size { Ok(picture) } else { shrink_rgb(&picture, size) }
        }
    }
}

/// Scales to exactly `size`.
pub(crate) fn shrink_rgb(picture: &RgbImage, size: (u32, u32)) -> Result<RgbImage, EvidenceError> {
    rgb(size, resample(picture.as_raw(), picture.dimensions(), size, PixelType::U8x3)?)
}

/// Turns and mirrors by the EXIF orientation (1 to 8; others change nothing).
pub(crate) fn upright(picture: RgbImage, orientation: u8) -> RgbImage {
    match Orientation::from_exif(orientation) {
        None | Some(Orientation::NoTransforms) => picture,
        Some(turn) => {
            let mut turned = DynamicImage::ImageRgb8(picture);
            turned.apply_orientation(turn);
            turned.into_rgb8()
        }
    }
}

fn resample(
    pixels: &[u8],
    (width, height): (u32, u32),
    size: (u32, u32),
    kind: PixelType,
) -> Result<Vec<u8>, EvidenceError> {
    let failed = |e: String| EvidenceError::Encode { reason: e };
    let source = ImageRef::new(width, height, pixels, kind).map_err(|e| failed(e.to_string()))?;
    let mut scaled = Image::new(size.0, size.1, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&source, &mut scaled, &options).map_err(|e| failed(e.to_string()))?;
    Ok(scaled.into_vec())
}

fn on_white(rgba: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rgba.len() / 4 * 3);
    for pixel in rgba.chunks_exact(4) {
        let [r, g, b, a] = pixel else { continue };
        let over = |c: u8| ((u32::from(c) * u32::from(*a) + 255 * (255 - u32::from(*a)) + 127) / 255) as u8;
        out.extend_from_slice(&[over(*r), over(*g), over(*b)]);
    }
    out
}

fn rgb((width, height): (u32, u32), pixels: Vec<u8>) -> Result<RgbImage, EvidenceError> {
    RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| EvidenceError::Encode { reason: "size and pixels disagree".into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn transparent_pixels_become_white() {
        let clear = image::RgbaImage::from_pixel(4, 4, image::Rgba([10, 20, 30, 0]));
        let got = shrink(DynamicImage::ImageRgba8(clear), 4).unwrap();
        assert!(got.pixels().all(|p| p.0 == [255, 255, 255]));
    }

    proptest! {
        #[test]
        fn a_fitted_size_keeps_proportions_and_never_grows(w in 1u32..20_000, h in 1u32..20_000, edge in 1u32..4_000) {
            let (fw, fh) = fitted(w, h, edge);
            prop_assert!(fw >= 1 && fh >= 1 && fw <= w && fh <= h);
            prop_assert_eq!(fw.max(fh), edge.min(w.max(h)));
            let exact = f64::from(w.min(h)) * f64::from(fw.max(fh)) / f64::from(w.max(h));
            prop_assert!((f64::from(fw.min(fh)) - exact.max(1.0)).abs() <= 0.5 + 1e-9);
        }
    }
}

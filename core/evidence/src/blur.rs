//! Regions that a worker marks with a finger are made unrecognisable. Nothing here looks for faces or anything else.
//!
//! A region becomes at most [`CELLS`] fields along its longer edge, each in the mean of its pixels: what remains of a
//! face or a plate is fewer than [`CELLS`]² colours, from which nothing can be brought back. It happens before the
//! picture is stamped and encoded, so no file with the pixels is ever made; preview and photo are made from the same.

use image::{Rgb, RgbImage};

/// Regions of one picture that a caller should take; a finger does not mark more. A cost, not a safeguard: whatever is
/// passed on is made unrecognisable.
pub const MAX_REGIONS: usize = 32;

/// Fields along the longer edge of a region.
const CELLS: u32 = 5;

/// Shortest edge of a field in pixels of the stored picture, so that a small region is not merely coarse.
const MIN_CELL: u32 = 16;

/// Parts of an edge of the picture.
const WHOLE: u32 = 10_000;

/// A rectangle on the upright picture, in ten-thousandths of its width and height, from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Left edge, in ten-thousandths of the width.
    pub left: u16,
    /// Upper edge, in ten-thousandths of the height.
    pub top: u16,
    /// Width, in ten-thousandths of the picture's width.
    pub width: u16,
    /// Height, in ten-thousandths of the picture's height.
    pub height: u16,
}

impl Region {
    /// The pixels that it covers, those that it only touches included; `None` if there are none.
    fn pixels(&self, (width, height): (u32, u32)) -> Option<(u32, u32, u32, u32)> {
        let span = |from: u16, length: u16, edge: u32| {
            let (from, length, edge) = (u64::from(from), u64::from(length), u64::from(edge));
            let start = from * edge / u64::from(WHOLE);
            let end = ((from + length) * edge).div_ceil(u64::from(WHOLE)).min(edge);
            let start = u32::try_from(start).ok()?;
            let end = u32::try_from(end).ok()?;
            (length > 0 && end > start).then_some((start, end))
        };
        let (left, right) = span(self.left, self.width, width)?;
        let (top, bottom) = span(self.top, self.height, height)?;
        Some((left, top, right, bottom))
    }
}

/// Makes the regions unrecognisable. One that lies outside of the picture changes nothing. Returns how many did.
pub(crate) fn pixelate(picture: &mut RgbImage, regions: &[Region]) -> usize {
    let mut done = 0;
    for region in regions {
        let Some((left, top, right, bottom)) = region.pixels(picture.dimensions()) else { continue };
        let cell = (right - left).max(bottom - top).div_ceil(CELLS).max(MIN_CELL);
        for y in (top..bottom).step_by(cell as usize) {
            for x in (left..right).step_by(cell as usize) {
                let (x_end, y_end) = ((x + cell).min(right), (y + cell).min(bottom));
                level(picture, (x, y), (x_end, y_end));
            }
        }
        done += 1;
    }
    done
}

/// Gives a field the mean of its pixels, rounded down to steps of 8 so that hidden detail does not survive in it.
fn level(picture: &mut RgbImage, (left, top): (u32, u32), (right, bottom): (u32, u32)) {
    let mut sum = [0u64; 3];
    let mut count = 0u64;
    for y in top..bottom {
        for x in left..right {
            for (sum, value) in sum.iter_mut().zip(picture.get_pixel(x, y).0) {
                *sum += u64::from(value);
            }
            count += 1;
        }
    }
    let mean = sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX) & !7);
    for y in top..bottom {
        for x in left..right {
            picture.put_pixel(x, y, Rgb(mean));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::test_support::picture;

    #[test]
    fn a_region_keeps_a_handful_of_colours_and_the_rest_stays() {
        let before = picture(400, 300);
        let mut after = before.clone();
        let region = Region { left: 2_500, top: 2_000, width: 5_000, height: 4_000 };
        assert_eq!(pixelate(&mut after, &[region]), 1);
        let mut inside = BTreeSet::new();
        for (x, y, pixel) in after.enumerate_pixels() {
            if (100..300).contains(&x) && (60..180).contains(&y) {
                inside.insert(pixel.0);
            } else {
                assert_eq!(pixel, before.get_pixel(x, y), "({x}, {y}) lies outside");
            }
        }
        assert!(inside.len() <= 15, "{} colours", inside.len());
    }

    #[test]
    fn two_pictures_that_differ_inside_by_detail_become_the_same() {
        // Text of another number, as stripes of another rhythm with the same mean.
        let stripes = |wide: u32| {
            RgbImage::from_fn(640, 480, |x, y| {
                let on = (x / wide + y / wide).is_multiple_of(2);
                Rgb([if on { 200 } else { 40 }; 3])
            })
        };
        let all = Region { left: 0, top: 0, width: 10_000, height: 10_000 };
        let (mut one, mut other) = (stripes(1), stripes(2));
        pixelate(&mut one, &[all]);
        pixelate(&mut other, &[all]);
        assert_eq!(one, other);
    }

    proptest! {
        #[test]
        fn any_rectangle_is_taken(
            left in 0u16.., top in 0u16.., width in 0u16.., height in 0u16..,
            size in (1u32..80, 1u32..80),
        ) {
            let mut picture = picture(size.0, size.1);
            let region = Region { left, top, width, height };
            let done = pixelate(&mut picture, &[region]);
            let inside = left < 10_000 && top < 10_000 && width > 0 && height > 0;
            prop_assert_eq!(done == 1, inside);
        }
    }
}

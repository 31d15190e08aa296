//! A camera's frame, checked and brought to a size that is worth looking at.

use image::GrayImage;

use super::QrError;

/// Pixels of the largest frame that is looked at: 12 megapixels, a still picture.
const MAX_PIXELS: u64 = 4_096 * 3_072;
/// Longest edge that a code is looked for in. A label that fills a third of such a frame has modules of 8 pixels.
const WORK_EDGE: u32 = 1_280;

/// The luma plane of a frame, as cameras deliver it (the Y of YUV): rows from the top, each padded to `stride` bytes.
#[derive(Clone, Copy, Debug)]
pub struct LumaFrame<'a> {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// The bytes; the last row need not be padded.
    pub luma: &'a [u8],
}

impl LumaFrame<'_> {
    /// The frame as a picture of its own, averaged down to a long edge of at most 1,280 pixels.
    pub(super) fn picture(&self) -> Result<GrayImage, QrError> {
        let rows = self.rows()?;
        let step = self.width.max(self.height).div_ceil(WORK_EDGE).max(1);
        let (width, height) = (self.width / step, self.height / step);
        let side = step as usize;
        let mut out = Vec::with_capacity(width as usize * height as usize);
        let mut sums = vec![0u32; width as usize];
        for band in rows.chunks_exact(side) {
            sums.fill(0);
            for row in band {
                for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(side)) {
                    *sum += pixels.iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
                }
            }
            out.extend(sums.iter().map(|sum| (sum / (step * step)) as u8));
        }
        GrayImage::from_raw(width, height, out).ok_or(QrError::FrameSize { bytes: self.luma.len() })
    }

    fn rows(&self) -> Result<Vec<&[u8]>, QrError> {
        let pixels = u64::from(self.width) * u64::from(self.height);
        if pixels > MAX_PIXELS {
            return Err(QrError::FrameTooLarge { pixels, limit: MAX_PIXELS });
        }
        let wrong = QrError::FrameSize { bytes: self.luma.len() };
        let width = self.width as usize;
        if pixels == 0 || self.stride < width {
            return Err(wrong);
        }
        let row = |n: usize| {
            let from = n.checked_mul(self.stride)?;
            self.luma.get(from..from.checked_add(width)?)
        };
        (0..self.height as usize).map(row).collect::<Option<_>>().ok_or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_left_out_and_large_frames_are_averaged() {
        let luma = [10, 20, 99, 30, 40];
        let frame = LumaFrame { width: 2, height: 2, stride: 3, luma: &luma };
        assert_eq!(frame.picture().unwrap().into_raw(), [10, 20, 30, 40]);
        let luma: Vec<u8> = (0..2_562u32 * 4).map(|n| if n % 2 == 0 { 100 } else { 200 }).collect();
        let frame = LumaFrame { width: 2_562, height: 4, stride: 2_562, luma: &luma };
        let picture = frame.picture().unwrap();
        assert_eq!(picture.dimensions(), (854, 1));
        assert!(picture.pixels().all(|pixel| matches!(pixel.0, [130..=170])));
    }

    #[test]
    fn sizes_that_lie_are_told() {
        let of = |width, height, stride, bytes: usize| {
            LumaFrame { width, height, stride, luma: &vec![0; bytes] }.picture().map(drop)
        };
        assert_eq!(of(4, 4, 4, 16), Ok(()));
        assert_eq!(of(4, 4, 4, 15), Err(QrError::FrameSize { bytes: 15 }));
        assert_eq!(of(4, 4, 3, 16), Err(QrError::FrameSize { bytes: 16 }));
        assert_eq!(of(0, 4, 3, 16), Err(QrError::FrameSize { bytes: 16 }));
        assert_eq!(of(4, 4, usize::MAX, 16), Err(QrError::FrameSize { bytes: 16 }));
        assert!(matches!(of(u32::MAX, u32::MAX, 4, 16), Err(QrError::FrameTooLarge { .. })));
        assert!(matches!(of(1, 12_582_913, 4, 16), Err(QrError::FrameTooLarge { .. })));
    }
}

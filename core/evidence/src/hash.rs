//! The two hashes of a photo: SHA-256 names the bytes, the perceptual hash finds the same picture in other bytes.

use image::RgbImage;
use sha2::{Digest as _, Sha256};

use crate::error::EvidenceError;
use crate::scale::shrink_rgb;

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A 64-bit difference hash ("dHash"): the picture is reduced to 9 × 8 grey fields, and each bit says whether a field is brighter
/// than its right neighbour; rows from the top, the first bit is the highest.
///
/// Made from the upright picture before the stamp is drawn, so the same file hashes the same under any stamp. Scaling and
/// compressing change few bits; cropping and turning change many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PerceptualHash(pub u64);

impl PerceptualHash {
    /// At most this many differing bits suggest the same picture. A suggestion to a person, never a verdict.
    pub const SAME_PICTURE: u32 = 6;

    pub(crate) fn of(picture: &RgbImage) -> Result<Self, EvidenceError> {
        let fields = shrink_rgb(picture, (9, 8))?;
        let grey: Vec<u32> = fields.pixels().map(|p| luma(p.0)).collect();
        let mut bits = 0u64;
        for row in grey.chunks_exact(9) {
            for (left, right) in row.iter().zip(row.iter().skip(1)) {
                bits = bits << 1 | u64::from(left > right);
            }
        }
        Ok(Self(bits))
    }

    /// How many of the 64 bits differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// Brightness by ITU-R BT.601, in thousandths.
fn luma([r, g, b]: [u8; 3]) -> u32 {
    299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brightening_picture_has_no_bit_and_a_darkening_one_has_all() {
        let brighter = RgbImage::from_fn(90, 80, |x, _| image::Rgb([(x * 2) as u8; 3]));
        assert_eq!(PerceptualHash::of(&brighter).unwrap().0, 0);
        let darker = image::imageops::flip_horizontal(&brighter);
        assert_eq!(PerceptualHash::of(&darker).unwrap().0, u64::MAX);
        assert_eq!(PerceptualHash(0).distance(PerceptualHash(u64::MAX)), 64);
        assert_eq!(PerceptualHash(0b1011).distance(PerceptualHash(0b0010)), 2);
    }

    #[test]
    fn sha256_is_the_standard_one() {
        let hex: String = sha256(b"abc").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

//! Whether a photo was used before: the same file, or a picture that looks the same. A word to a person, never a
//! verdict; what is flagged is stored and sent like anything else.

use crate::hash::PerceptualHash;

/// How a photo resembles one that was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Looks the same; so many of 64 bits differ.
    Near(u32),
    /// The same file.
    Same,
}

/// What is compared of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print {
    /// SHA-256 of the file as the camera wrote it.
    pub original: [u8; 32],
    /// Hash of the picture.
    pub perceptual: PerceptualHash,
}

impl Print {
    /// How this photo resembles another; `None` if it does not.
    pub fn likeness(&self, other: &Self) -> Option<Likeness> {
        if self.original == other.original {
            return Some(Likeness::Same);
        }
        let distance = self.perceptual.distance(other.perceptual);
        self.perceptual.looks_like(other.perceptual).then_some(Likeness::Near(distance))
    }
}

impl PerceptualHash {
    /// Whether two pictures are likely the same one: both hashes are telling, and hardly differ.
    pub fn looks_like(self, other: Self) -> bool {
        self.is_telling() && other.is_telling() && self.distance(other) <= Self::SAME_PICTURE
    }

    /// Whether the hash says anything: pictures of one brightness, of darkness, or with a single slope all have nearly
    /// the same one, and would all be taken for one another.
    pub fn is_telling(self) -> bool {
        (8..=56).contains(&self.0.count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{facts, jpeg_with, picture};
    use crate::{Limits, prepare};

    fn print_of(file: &[u8]) -> Print {
        let photo = prepare(file, &facts(), None, &Limits::default()).unwrap();
        Print { original: photo.original_sha256, perceptual: photo.perceptual }
    }

    #[test]
    fn the_same_picture_is_known_in_another_file_and_another_picture_is_not() {
        let one = picture(800, 600);
        let file = jpeg_with(&one, |_| {});
        let sent_on = {
            let small = image::imageops::thumbnail(&one, 500, 375);
            jpeg_with(&small, |encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2))
        };
        let first = print_of(&file);
        assert_eq!(first.likeness(&print_of(&file)), Some(Likeness::Same));
        assert!(matches!(first.likeness(&print_of(&sent_on)), Some(Likeness::Near(_))));
        let turned = jpeg_with(&image::imageops::rotate180(&one), |_| {});
        assert_eq!(first.likeness(&print_of(&turned)), None);
        assert!(Likeness::Same > Likeness::Near(0));
    }

    #[test]
    fn dark_pictures_are_not_taken_for_one_another() {
        let dark = Print { original: [1; 32], perceptual: PerceptualHash(0) };
        let other = Print { original: [2; 32], perceptual: PerceptualHash(1) };
        assert_eq!(dark.likeness(&other), None);
        assert_eq!(dark.likeness(&Print { original: [1; 32], ..other }), Some(Likeness::Same));
    }
}

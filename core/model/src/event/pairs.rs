//! Photos before and after, side by side.

use crate::id::RecordId;
use crate::photo::{PhotoRef, PhotoRole};

/// Two photos of one spot, or one that has no counterpart yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The photo that shows the problem.
    pub before: Option<RecordId>,
    /// The photo that shows it put right.
    pub after: Option<RecordId>,
    /// Both are the same picture, which shows nothing.
    pub same_picture: bool,
}

/// Pairs photos: first those that name their counterpart, then the rest in the order in which they were taken. Photos
/// of the surroundings stand for "before" where they were taken before any "after". `look_alike` judges two perceptual
/// hashes; the same file is the same picture without it.
pub fn pairs(photos: &[(RecordId, PhotoRef)], look_alike: impl Fn(u64, u64) -> bool) -> Vec<Pair> {
    let mut sorted: Vec<&(RecordId, PhotoRef)> = photos.iter().collect();
    sorted.sort_by_key(|(id, photo)| (photo.taken_at, *id));
    let (afters, mut befores): (Vec<_>, Vec<_>) =
        sorted.into_iter().partition(|(_, photo)| photo.role == PhotoRole::After);
    let mut out: Vec<(Option<Named<'_>>, Option<Named<'_>>)> = Vec::new();
    let mut alone = Vec::new();
    for after in afters {
        match befores.iter().position(|(id, _)| after.1.pair == Some(*id)) {
            Some(at) => out.push((Some(befores.remove(at)), Some(after))),
            None => alone.push(after),
        }
    }
    let mut rest = befores.into_iter();
    for after in alone {
        out.push((rest.next(), Some(after)));
    }
    out.extend(rest.map(|before| (Some(before), None)));
    out.sort_by_key(|(before, after)| (*before).or(*after).map(|(id, photo)| (photo.taken_at, *id)));
    out.into_iter()
        .map(|(before, after)| Pair {
            before: before.map(|(id, _)| *id),
            after: after.map(|(id, _)| *id),
            same_picture: before.zip(after).is_some_and(|(one, other)| {
                let near = one.1.perceptual.zip(other.1.perceptual).is_some_and(|(a, b)| look_alike(a, b));
                near || same_file(&one.1, &other.1)
            }),
        })
        .collect()
}

/// A photo with the element that names it.
type Named<'p> = &'p (RecordId, PhotoRef);

fn same_file(one: &PhotoRef, other: &PhotoRef) -> bool {
    one.hash == other.hash || (one.original_hash.is_some() && one.original_hash == other.original_hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ContentHash;
    use crate::photo::PhotoSource;
    use crate::time::Timestamp;

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 16])
    }

    fn photo(n: u8, role: PhotoRole, pair: Option<RecordId>) -> (RecordId, PhotoRef) {
        let photo = PhotoRef {
            hash: ContentHash::from_bytes([n; 32]),
            preview_hash: None,
            original_hash: None,
            bytes: 1,
            taken_at: Some(Timestamp::from_millis(i64::from(n))),
            position: None,
            role,
            source: PhotoSource::Camera,
            width: 1,
            height: 1,
            perceptual: None,
            mock_location: None,
            signature: None,
            pair,
            link: None,
            reuse: None,
            blurred: None,
        };
        (id(n), photo)
    }

    #[test]
    fn named_counterparts_come_first_and_the_rest_follows_in_order() {
        let photos = [
            photo(1, PhotoRole::Before, None),
            photo(2, PhotoRole::Before, None),
            photo(3, PhotoRole::Scene, None),
            photo(4, PhotoRole::After, Some(id(2))),
            photo(5, PhotoRole::After, None),
        ];
        let found: Vec<_> =
            pairs(&photos, |_, _| false).into_iter().map(|pair| (pair.before, pair.after)).collect();
        assert_eq!(found, [(Some(id(1)), Some(id(5))), (Some(id(2)), Some(id(4))), (Some(id(3)), None)]);
    }

    #[test]
    fn the_same_picture_twice_is_told() {
        let mut before = photo(1, PhotoRole::Before, None);
        let mut after = photo(2, PhotoRole::After, None);
        after.1.hash = before.1.hash;
        assert!(pairs(&[before.clone(), after.clone()], |_, _| false)[0].same_picture);
        // Encoded anew: other bytes, and hardly another picture.
        after.1.hash = ContentHash::from_bytes([8; 32]);
        (before.1.perceptual, after.1.perceptual) = (Some(6), Some(7));
        let near = |a: u64, b: u64| (a ^ b).count_ones() <= 1;
        assert!(pairs(&[before.clone(), after.clone()], near)[0].same_picture);
        assert!(!pairs(&[before.clone(), after.clone()], |_, _| false)[0].same_picture);
        after.1.perceptual = None;
        assert!(!pairs(&[before, after], |_, _| true)[0].same_picture);
        let lone = pairs(&[photo(2, PhotoRole::After, Some(id(9)))], |_, _| false);
        assert_eq!(lone, [Pair { before: None, after: Some(id(2)), same_picture: false }]);
    }
}

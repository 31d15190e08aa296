//! Whether two sides hold the same records: one sum for each stream.

use gridwalk_model::RecordId;
use sha2::{Digest as _, Sha256};

use crate::change::ChangeHash;

/// Fingerprint of a record's state: the first 16 bytes of SHA-256 over its identifier and its heads in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a record with these heads, which may come in any order.
    pub fn of(record: RecordId, heads: &[ChangeHash]) -> Self {
        let mut sorted: Vec<&ChangeHash> = heads.iter().collect();
        sorted.sort_unstable();
        let mut hasher = Sha256::new();
        hasher.update(record.as_bytes());
        for head in sorted {
            hasher.update(head.0);
        }
        let full: [u8; 32] = hasher.finalize().into();
        let mut out = [0u8; 16];
        out.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        Self(out)
    }
}

/// Digest of a stream: the wrapping sum of its records' fingerprints as 128-bit numbers, so that one record's
/// change costs one subtraction and one addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamDigest(u128);

impl StreamDigest {
    /// Reads the stored form.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The stored form, big-endian.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// With one more record.
    #[must_use]
    pub const fn with(self, record: Fingerprint) -> Self {
        Self(self.0.wrapping_add(u128::from_be_bytes(record.0)))
    }

    /// Without a record that was in it.
    #[must_use]
    pub const fn without(self, record: Fingerprint) -> Self {
        Self(self.0.wrapping_sub(u128::from_be_bytes(record.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_heads_and_of_records_does_not_matter() {
        let id = RecordId::from_bytes([1; 16]);
        let (a, b) = (ChangeHash([1; 32]), ChangeHash([2; 32]));
        assert_eq!(Fingerprint::of(id, &[a, b]), Fingerprint::of(id, &[b, a]));
        assert_ne!(Fingerprint::of(id, &[a]), Fingerprint::of(id, &[b]));
        let (x, y) = (Fingerprint([0xff; 16]), Fingerprint([7; 16]));
        let sum = StreamDigest::default().with(x).with(y);
        assert_eq!(sum, StreamDigest::default().with(y).with(x));
        assert_eq!(sum.without(x), StreamDigest::default().with(y));
        assert_eq!(StreamDigest::from_bytes(sum.to_bytes()), sum);
    }
}

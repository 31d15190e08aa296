//! What a locked phone hands in: its unsent work, sealed for the server it was enrolled with.
//!
//! A package has parts, and a part is one message of HPKE (RFC 9180; base mode, X25519, HKDF-SHA-256,
//! ChaCha20-Poly1305). Whose part it is, and which, is bound into it, so that no part serves in another place. The
//! phone holds the public key only: once its work is sealed, neither the phone nor whoever finds the package can
//! read it.

use std::convert::Infallible;

use gridwalk_model::DeviceId;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng,
};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::wire::Bytes16;

/// Heading of everything that is sealed.
const INFO: &[u8] = b"gridwalk sealed v1";
/// Bytes of an encapsulated key, which stands before the sealed content.
const ENCAPPED: usize = 32;

/// Most parts of a package.
pub const PARTS_MAX: u32 = 4_096;
/// Most bytes of a part, sealed.
pub const PART_MAX_BYTES: usize = 320 * 1024;

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is none.
    #[error("not a sealing key")]
    Key,
    /// It was sealed for another key or another place, or altered.
    #[error("sealed part does not open")]
    Closed,
    /// It opens, and is not what a part holds.
    #[error("sealed part cannot be read")]
    Unreadable,
}

/// The place of a part: bound into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The phone.
    pub device: DeviceId,
    /// Random name of the package.
    pub package: [u8; 16],
    /// Number of the part, from 0.
    pub part: u32,
    /// How many parts the package has.
    pub of: u32,
}

impl Place {
    fn bytes(&self) -> Vec<u8> {
        let (part, of) = (self.part.to_be_bytes(), self.of.to_be_bytes());
        [self.device.as_bytes().as_slice(), &self.package, &part, &of].concat()
    }
}

/// The server's two keys.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKeys {
    /// Stays on the server.
    pub secret: [u8; 32],
    /// Given to every phone.
    pub public: [u8; 32],
}

impl SealingKeys {
    /// Makes the keys from 32 random bytes.
    pub fn from_random(random: &[u8; 32]) -> Self {
        let (secret, public) = X25519HkdfSha256::derive_keypair(random);
        Self { secret: secret.to_bytes().into(), public: public.to_bytes().into() }
    }

    /// Opens a part.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<SealedItem>, SealError> {
        let secret = Deserializable::from_bytes(&self.secret).map_err(|_| SealError::Key)?;
        let (encapped, body) = sealed.split_at_checked(ENCAPPED).ok_or(SealError::Closed)?;
        let encapped = Deserializable::from_bytes(encapped).map_err(|_| SealError::Closed)?;
        let plain = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &encapped,
            INFO,
            body,
            &place.bytes(),
        );
        minicbor::decode(&plain.map_err(|_| SealError::Closed)?).map_err(|_| SealError::Unreadable)
    }
}

/// Seals items for the server; `random` must never have been used before.
///
/// # Errors
/// [`SealError::Key`]; [`SealError::Unreadable`] for items that do not encode.
pub fn seal(
    public: &[u8],
    place: &Place,
    items: &[SealedItem],
    random: [u8; 32],
) -> Result<Vec<u8>, SealError> {
    let public = Deserializable::from_bytes(public).map_err(|_| SealError::Key)?;
    let plain = minicbor::to_vec(items).map_err(|_| SealError::Unreadable)?;
    let (encapped, body) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        INFO,
        &plain,
        &place.bytes(),
        &mut Given { random, taken: 0 },
    )
    .map_err(|_| SealError::Key)?;
    Ok([encapped.to_bytes().as_slice(), &body].concat())
}

/// Randomness that was given from outside, drawn out by SHA-256.
struct Given {
    random: [u8; 32],
    taken: u64,
}

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out)?;
        Ok(u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out)?;
        Ok(u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(32) {
            let block = Sha256::new().chain_update(self.random).chain_update(self.taken.to_be_bytes());
            self.taken += 1;
            for (to, from) in chunk.iter_mut().zip(block.finalize()) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}

/// One thing that a phone had not sent.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum SealedItem {
    /// A change without a final verdict.
    #[n(0)]
    Change(#[n(0)] SealedChange),
    /// A piece of a medium without a receipt.
    #[n(1)]
    Medium(#[n(0)] SealedPiece),
    /// A piece of a camera's file that was not sorted yet.
    #[n(2)]
    Original(#[n(0)] SealedPiece),
    /// A report, a visit or a patrol that was begun and not ended.
    #[n(3)]
    Draft(#[n(0)] SealedDraft),
    /// A piece of the sound of a voice note of a draft. No record refers to it, so it is no medium.
    #[n(4)]
    Sound(#[n(0)] SealedPiece),
}

/// A change without a final verdict.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct SealedChange {
    /// The record.
    #[n(0)]
    pub record: Bytes16,
    /// The word for its kind.
    #[n(1)]
    pub kind: String,
    /// The bytes.
    #[n(2)]
    pub raw: ByteVec,
    /// The stream that a new record probably belongs to.
    #[n(3)]
    pub hint: Option<ByteVec>,
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct SealedPiece {
    /// SHA-256 of a medium; for an original its number, 8 bytes; for a sound the name that its voice note would have had
    /// in the record, 16 bytes.
    #[n(0)]
    pub name: ByteVec,
    /// How many bytes the whole has.
    #[n(1)]
    pub bytes: u64,
    /// Where the piece begins.
    #[n(2)]
    pub offset: u64,
    /// The bytes.
    #[n(3)]
    pub body: ByteVec,
    /// When it was made, in milliseconds since 1970.
    #[n(4)]
    pub at: i64,
    /// The report that an original or a sound belongs to.
    #[n(5)]
    pub draft: Option<i64>,
    /// The visit that a sound belongs to.
    #[n(6)]
    pub visit: Option<i64>,
}

/// What was begun and not ended.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct SealedDraft {
    /// `report`, `visit` or `patrol`.
    #[n(0)]
    pub what: String,
    /// Its number on the phone.
    #[n(1)]
    pub n: i64,
    /// When it was begun.
    #[n(2)]
    pub at: i64,
    /// What it is about: the dwelling, the place, the resident, the grid.
    #[n(3)]
    pub target: Option<Bytes16>,
    /// What the worker had entered, for a person to read: a line each.
    #[n(4)]
    pub text: String,
    /// The phone's own form of it, byte for byte.
    #[n(5)]
    pub body: ByteVec,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> SealingKeys {
        SealingKeys::from_random(&[7; 32])
    }

    fn place() -> Place {
        Place { device: DeviceId::from_bytes([1; 12]), package: [2; 16], part: 3, of: 4 }
    }

    fn items() -> Vec<SealedItem> {
        vec![SealedItem::Draft(SealedDraft {
            what: "report".into(),
            n: 1,
            at: 2,
            target: None,
            text: "路灯不亮（虚构）".into(),
            body: vec![1, 2, 3].into(),
        })]
    }

    #[test]
    fn what_was_sealed_opens_with_the_secret_in_its_place_only() {
        let keys = keys();
        let sealed = seal(&keys.public, &place(), &items(), [9; 32]).unwrap();
        assert_eq!(keys.open(&place(), &sealed), Ok(items()));
        let others = [
            Place { device: DeviceId::from_bytes([5; 12]), ..place() },
            Place { package: [5; 16], ..place() },
            Place { part: 2, ..place() },
            Place { of: 5, ..place() },
        ];
        for other in others {
            assert_eq!(keys.open(&other, &sealed), Err(SealError::Closed), "{other:?}");
        }
        let stranger = SealingKeys::from_random(&[8; 32]);
        assert_eq!(stranger.open(&place(), &sealed), Err(SealError::Closed));
    }

    #[test]
    fn an_altered_or_shortened_part_does_not_open() {
        let keys = keys();
        let sealed = seal(&keys.public, &place(), &items(), [9; 32]).unwrap();
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(keys.open(&place(), &bad).is_err(), "byte {at}");
        }
        for len in 0..sealed.len() {
            assert_eq!(keys.open(&place(), &sealed[..len]), Err(SealError::Closed), "{len} bytes");
        }
    }

    #[test]
    fn nothing_of_the_content_shows_and_no_two_are_alike() {
        let keys = keys();
        let one = seal(&keys.public, &place(), &items(), [9; 32]).unwrap();
        let two = seal(&keys.public, &place(), &items(), [10; 32]).unwrap();
        assert_ne!(one, two);
        let text = "路灯".as_bytes();
        assert!(!one.windows(text.len()).any(|window| window == text));
        assert_eq!(seal(&[1; 31], &place(), &items(), [9; 32]), Err(SealError::Key));
    }
}

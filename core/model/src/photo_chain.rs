//! The chain of evidence: each photo and voice note of a phone is signed together with the hash of the one before.
//! There is one chain for both, in the order in which they were attached.
//!
//! The signed message is the whole reference without its signature, with the record and the name under which it
//! stands there: a fact that is altered, a reference that is moved to another record, or one that is left out is seen.
//! No hash and no signature is computed here; phone and server bring SHA-256 and P-256.

use minicbor::{Decode, Encode};

use crate::id::{ContentHash, RecordId};
use crate::photo::PhotoRef;
use crate::voice::VoiceRef;

/// How the message of this build is made up. Messages of another version are not judged.
pub const CHAIN_VERSION: u8 = 1;

/// First bytes of every message, so that the device key never signs the same bytes for two purposes.
const PHOTO: &[u8] = b"gridwalk photo\0";
const VOICE: &[u8] = b"gridwalk voice\0";

/// The place of a photo or voice note in the chain of its phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChainLink {
    /// How the signed message is made up, [`CHAIN_VERSION`].
    #[n(0)]
    pub version: u8,
    /// Which of the phone's photos and voice notes it is, from 1.
    #[n(1)]
    pub number: u64,
    /// SHA-256 of the message of the one before; none for the first.
    #[n(2)]
    pub previous: Option<ContentHash>,
}

impl ChainLink {
    /// The link that follows on the last one of a phone: its number and the hash of its message.
    pub fn after(last: Option<(u64, ContentHash)>) -> Self {
        Self {
            version: CHAIN_VERSION,
            number: last.map_or(1, |(number, _)| number.saturating_add(1)),
            previous: last.map(|(_, hash)| hash),
        }
    }
}

/// A reference that has a place in the chain.
pub trait Chained: Clone {
    /// Its place; none of what older builds attached.
    fn link(&self) -> Option<ChainLink>;

    /// The device's signature, `r ‖ s`.
    fn signature(&self) -> Option<&[u8]>;

    /// The same with another place and signature.
    #[must_use]
    fn signed(&self, link: Option<ChainLink>, signature: Option<Vec<u8>>) -> Self;

    /// What the phone signs: everything but the signature, and where it stands. ECDSA over its SHA-256; the same
    /// SHA-256 is the `previous` of the next link.
    fn signed_message(&self, record: RecordId, element: RecordId) -> Vec<u8>;
}

fn message(purpose: &[u8], record: RecordId, element: RecordId, unsigned: &[u8]) -> Vec<u8> {
    [purpose, record.as_bytes(), element.as_bytes(), unsigned].concat()
}

impl Chained for PhotoRef {
    fn link(&self) -> Option<ChainLink> {
        self.link
    }

    fn signature(&self) -> Option<&[u8]> {
        self.signature.as_deref()
    }

    fn signed(&self, link: Option<ChainLink>, signature: Option<Vec<u8>>) -> Self {
        Self { link, signature, ..self.clone() }
    }

    fn signed_message(&self, record: RecordId, element: RecordId) -> Vec<u8> {
        message(PHOTO, record, element, &self.signed(self.link, None).to_bytes())
    }
}

impl Chained for VoiceRef {
    fn link(&self) -> Option<ChainLink> {
        self.link
    }

    fn signature(&self) -> Option<&[u8]> {
        self.signature.as_deref()
    }

    fn signed(&self, link: Option<ChainLink>, signature: Option<Vec<u8>>) -> Self {
        Self { link, signature, ..self.clone() }
    }

    fn signed_message(&self, record: RecordId, element: RecordId) -> Vec<u8> {
        message(VOICE, record, element, &self.signed(self.link, None).to_bytes())
    }
}

labels! {
    /// What can be said of the place of a photo or voice note in the chain of its phone.
    ChainState {
        /// It carries no signature: the phone's keystore failed, or the build is older.
        Unsigned = "unsigned", "未签名", "Not signed";
        /// Signed in a way that this build does not know.
        Unchecked = "unchecked", "签名未核验", "Signature not checked";
        /// The facts were altered, or another key signed them.
        Altered = "altered", "签名不符", "Signature does not fit";
        /// The one before it is not here: on its way, refused, or held back.
        Gap = "gap", "前一份证据未到", "The evidence before it is missing";
        /// The one before it is another than the phone said, or two stand in the same place.
        Forked = "forked", "证据链不一致", "Chain does not fit together";
        /// Signed, and the one before it is the one that the phone named.
        Whole = "whole", "签名有效", "Signed, chain whole";
    }
}

/// A link as the server kept it when it landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptLink {
    /// The link itself.
    pub link: ChainLink,
    /// SHA-256 of its message.
    pub hash: ContentHash,
    /// Whether the signature was that of the phone's key.
    pub fits: bool,
}

/// Judges a link by the phone's links that bear its number (itself among them) and by those that bear the number
/// before.
pub fn judge(kept: &KeptLink, same: &[KeptLink], before: &[KeptLink]) -> ChainState {
    if kept.link.version != CHAIN_VERSION {
        return ChainState::Unchecked;
    }
    if !kept.fits {
        return ChainState::Altered;
    }
    // What somebody else wrote under this phone's name must not put the phone's own photos in doubt.
    let trusted = |links: &[KeptLink]| -> Vec<ContentHash> {
        links.iter().filter(|other| other.fits).map(|other| other.hash).collect()
    };
    if trusted(same).iter().any(|hash| *hash != kept.hash) {
        return ChainState::Forked;
    }
    match (kept.link.number, kept.link.previous) {
        (1, None) => ChainState::Whole,
        (_, None) => ChainState::Forked,
        (_, Some(previous)) => match trusted(before).as_slice() {
            [] => ChainState::Gap,
            found if found.iter().all(|hash| *hash == previous) => ChainState::Whole,
            _ => ChainState::Forked,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> ContentHash {
        ContentHash::from_bytes([n; 32])
    }

    fn kept(number: u64, previous: Option<u8>, own: u8) -> KeptLink {
        let link = ChainLink { version: CHAIN_VERSION, number, previous: previous.map(hash) };
        KeptLink { link, hash: hash(own), fits: true }
    }

    #[test]
    fn a_chain_is_whole_has_a_gap_or_does_not_fit() {
        let (first, second) = (kept(1, None, 1), kept(2, Some(1), 2));
        assert_eq!(judge(&first, &[first], &[]), ChainState::Whole);
        assert_eq!(judge(&second, &[second], &[first]), ChainState::Whole);
        assert_eq!(judge(&second, &[second], &[]), ChainState::Gap);
        let other = kept(1, None, 9);
        assert_eq!(judge(&second, &[second], &[other]), ChainState::Forked, "another one stands before it");
        assert_eq!(judge(&first, &[first, other], &[]), ChainState::Forked, "two first ones");
        assert_eq!(judge(&kept(2, None, 2), &[], &[first]), ChainState::Forked, "begins anew in the middle");
    }

    #[test]
    fn what_does_not_bear_the_signature_counts_for_nothing() {
        let (first, second) = (kept(1, None, 1), kept(2, Some(1), 2));
        let forged = KeptLink { fits: false, ..kept(1, None, 9) };
        assert_eq!(judge(&forged, &[first, forged], &[]), ChainState::Altered);
        assert_eq!(judge(&first, &[first, forged], &[]), ChainState::Whole);
        assert_eq!(judge(&second, &[second], &[first, forged]), ChainState::Whole);
        assert_eq!(judge(&second, &[second], &[forged]), ChainState::Gap);
        let newer = KeptLink { link: ChainLink { version: 2, ..second.link }, ..forged };
        assert_eq!(judge(&newer, &[], &[]), ChainState::Unchecked);
    }

    #[test]
    fn links_count_from_one() {
        assert_eq!(ChainLink::after(None), kept(1, None, 0).link);
        assert_eq!(ChainLink::after(Some((1, hash(7)))), kept(2, Some(7), 0).link);
    }
}

//! References to voice notes: what a record keeps of a note, whose sound is a blob of its own.

use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::id::{ContentHash, RecordId};
use crate::photo_chain::ChainLink;
use crate::records::elements;
use crate::time::Timestamp;
use crate::value::{Fields, Value};

/// Longest transcript, in characters.
pub const TRANSCRIPT_MAX: usize = 1_000;

words! {
    /// How a voice note is encoded.
    VoiceFormat {
        /// Opus in Ogg (RFC 7845).
        Opus = "opus", "Opus", "Opus";
        /// AAC in ADTS frames (ISO/IEC 13818-7).
        Aac = "aac", "AAC", "AAC";
    }
}

/// One element of a record's `voices`: written once, never altered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VoiceRef {
    /// SHA-256 of the sound.
    #[n(0)]
    pub hash: ContentHash,
    /// Its size in bytes.
    #[n(1)]
    pub bytes: u64,
    /// Its length in milliseconds, as the file tells it.
    #[n(2)]
    pub millis: u32,
    /// How it is encoded.
    #[n(3)]
    pub format: VoiceFormat,
    /// When it was recorded, by the phone's clock.
    #[n(4)]
    pub recorded_at: Timestamp,
    /// What the platform's recogniser made of it, or the worker typed: at most [`TRANSCRIPT_MAX`] characters.
    #[n(5)]
    pub transcript: Option<String>,
    /// The device's signature, `r ‖ s`; see [`crate::photo_chain::Chained`].
    #[cbor(n(6), with = "minicbor::bytes")]
    pub signature: Option<Vec<u8>>,
    /// Its place in the chain of the phone's evidence.
    #[n(7)]
    pub link: Option<ChainLink>,
}

impl VoiceRef {
    /// The encoded form.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Reads the encoded form; keys of a newer version are skipped.
    ///
    /// # Errors
    /// Where the bytes stop being a reference.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let voice: Self = codec::from_bytes(bytes)?;
        let long = voice.transcript.as_ref().is_some_and(|text| text.chars().count() > TRANSCRIPT_MAX);
        if long { Err(CodecError { at: bytes.len() }) } else { Ok(voice) }
    }
}

/// The voice notes that a record has, as [`crate::photo::shown_photos`] gives its photos.
pub fn shown_voices(fields: &Fields) -> impl Iterator<Item = (RecordId, VoiceRef)> + use<'_> {
    elements(fields, "voices").filter_map(|(element, value)| {
        let Value::Bytes(bytes) = value else { return None };
        Some((element.parse().ok()?, VoiceRef::from_bytes(bytes).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_message_covers_every_fact_and_the_place_but_not_the_signature() {
        use crate::id::RecordId;
        use crate::photo_chain::Chained as _;
        let (record, element) = (RecordId::from_bytes([8; 16]), RecordId::from_bytes([9; 16]));
        let voice = VoiceRef {
            hash: ContentHash::from_bytes([1; 32]),
            bytes: 40_000,
            millis: 12_340,
            format: VoiceFormat::Aac,
            recorded_at: Timestamp::from_millis(1_700_000_000_000),
            transcript: Some("虚构".into()),
            signature: None,
            link: Some(ChainLink::after(None)),
        };
        let signed = voice.signed_message(record, element);
        let message = |other: VoiceRef| other.signed_message(record, element);
        assert_eq!(message(VoiceRef { signature: Some(vec![1; 64]), ..voice.clone() }), signed);
        assert_ne!(message(VoiceRef { transcript: Some("改过".into()), ..voice.clone() }), signed);
        assert_ne!(message(VoiceRef { millis: 1, ..voice.clone() }), signed);
        assert_ne!(message(VoiceRef { link: None, ..voice.clone() }), signed);
        assert_ne!(voice.signed_message(element, record), signed, "moved to another record");
    }

    #[test]
    fn a_reference_reads_back_and_a_transcript_has_a_limit() {
        let voice = VoiceRef {
            hash: ContentHash::from_bytes([1; 32]),
            bytes: 40_000,
            millis: 12_340,
            format: VoiceFormat::Opus,
            recorded_at: Timestamp::from_millis(1_700_000_000_000),
            transcript: Some("楼道堆放杂物（虚构）".into()),
            signature: Some(vec![3; 64]),
            link: Some(ChainLink::after(None)),
        };
        assert_eq!(VoiceRef::from_bytes(&voice.to_bytes()), Ok(voice.clone()));
        let older = VoiceRef { signature: None, link: None, ..voice.clone() };
        assert!(older.to_bytes().len() + 70 < voice.to_bytes().len(), "absent facts take no room");
        assert_eq!(VoiceRef::from_bytes(&older.to_bytes()), Ok(older));
        let long = VoiceRef { transcript: Some("字".repeat(TRANSCRIPT_MAX + 1)), ..voice };
        assert!(VoiceRef::from_bytes(&long.to_bytes()).is_err());
        assert!(VoiceRef::from_bytes(&long.to_bytes()[..20]).is_err());
    }
}

//! References to voice notes: what a record keeps of a note, whose sound is a blob of its own.

use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::id::ContentHash;
use crate::time::Timestamp;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_and_a_transcript_has_a_limit() {
        let voice = VoiceRef {
            hash: ContentHash::from_bytes([1; 32]),
            bytes: 40_000,
            millis: 12_340,
            format: VoiceFormat::Opus,
            recorded_at: Timestamp::from_millis(1_700_000_000_000),
            transcript: Some("楼道堆放杂物（虚构）".into()),
        };
        assert_eq!(VoiceRef::from_bytes(&voice.to_bytes()), Ok(voice.clone()));
        let long = VoiceRef { transcript: Some("字".repeat(TRANSCRIPT_MAX + 1)), ..voice };
        assert!(VoiceRef::from_bytes(&long.to_bytes()).is_err());
        assert!(VoiceRef::from_bytes(&long.to_bytes()[..20]).is_err());
    }
}

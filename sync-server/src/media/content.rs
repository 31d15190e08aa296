//! What may be published: photos as our phones make them, voice notes, tracks. Nothing else becomes a blob, so
//! that nobody can use the server to pass files around.

use gridwalk_evidence::{EvidenceError, Limits, inspect_voice, is_stored_photo};
use gridwalk_model::ContentHash;
use gridwalk_model::geo::track::Path;

pub use gridwalk_evidence::VOICE_MAX_BYTES;

/// Longest track, in bytes: some 200,000 fixes.
pub const TRACK_MAX_BYTES: u64 = 1024 * 1024;

/// What a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A stamped photo, or its preview.
    Photo,
    /// A voice note: Opus in Ogg.
    Opus,
    /// A voice note: AAC in ADTS frames.
    Aac,
    /// The encoded track of a patrol.
    Track,
}

impl Form {
    /// What the first bytes of a published medium say.
    pub fn of_published(first: &[u8]) -> Self {
        match first {
            [0xff, 0xd8, ..] => Self::Photo,
            [b'O', b'g', b'g', b'S', ..] => Self::Opus,
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Self::Aac,
            _ => Self::Track,
        }
    }

    /// Media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Photo => "image/jpeg",
            Self::Opus => "audio/ogg",
            Self::Aac => "audio/aac",
            Self::Track => "application/octet-stream",
        }
    }
}

/// Why a medium is not published.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ContentError {
    /// Another hash than announced.
    #[error("the file's SHA-256 is not the announced one")]
    WrongHash,
    /// Begins like a photo and is not a stored one.
    #[error("{0}")]
    Photo(EvidenceError),
    /// Begins like a voice note and is damaged, too long or carries something else.
    #[error("not a voice note of at most {VOICE_MAX_BYTES} bytes")]
    Voice,
    /// None of what is taken.
    #[error("neither a stored photo nor a voice note nor a track")]
    Unknown,
}

impl ContentError {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::WrongHash => "文件的 SHA-256 与申报的不一致".to_owned(),
            Self::Photo(error) => error.zh(),
            Self::Voice => format!("语音已损坏或超过 {VOICE_MAX_BYTES} 字节"),
            Self::Unknown => "既不是已处理的照片，也不是语音或轨迹".to_owned(),
        }
    }

    /// A word for logs and the audit.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::WrongHash => "wrong-hash",
            Self::Photo(_) => "photo",
            Self::Voice => "voice",
            Self::Unknown => "unknown",
        }
    }
}

/// The longest medium that can ever be published.
pub fn longest(limits: &Limits) -> u64 {
    limits.stored_max_bytes.max(VOICE_MAX_BYTES).max(TRACK_MAX_BYTES)
}

/// Checks a whole medium.
///
/// # Errors
/// Why it is not published.
pub fn check(bytes: &[u8], hash: &ContentHash, limits: &Limits) -> Result<Form, ContentError> {
    if gridwalk_evidence::sha256(bytes) != *hash.as_bytes() {
        return Err(ContentError::WrongHash);
    }
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let form = Form::of_published(bytes);
    match form {
        Form::Photo => is_stored_photo(bytes, limits).map(|_| form).map_err(ContentError::Photo),
        Form::Opus | Form::Aac => inspect_voice(bytes).map(|_| form).map_err(|_| ContentError::Voice),
        Form::Track if len <= TRACK_MAX_BYTES && Path::from_bytes(bytes).is_ok() => Ok(form),
        Form::Track => Err(ContentError::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(serial: u8, body: &[u8]) -> Vec<u8> {
        let mut out = b"OggS\0\x02".to_vec();
        out.extend([0; 8]);
        out.extend([serial, 0, 0, 0]);
        out.extend([0; 8]);
        out.extend([1, u8::try_from(body.len()).unwrap()]);
        out.extend(body);
        out
    }

    fn frame(payload: usize) -> Vec<u8> {
        let len = payload + 7;
        let mut out = vec![0xff, 0xf1, 0x50, (len >> 11) as u8, (len >> 3) as u8, (len << 5) as u8, 0xfc];
        out.resize(len, 7);
        out
    }

    fn found(bytes: &[u8]) -> Result<Form, ContentError> {
        let hash = ContentHash::from_bytes(gridwalk_evidence::sha256(bytes));
        check(bytes, &hash, &Limits::default())
    }

    #[test]
    fn voice_notes_are_taken_whole_and_bare() {
        let opus = [page(1, b"OpusHead\x01"), page(1, b"OpusTags"), page(1, &[9; 200])].concat();
        assert_eq!(found(&opus), Ok(Form::Opus));
        let aac = [frame(300), frame(2_000)].concat();
        assert_eq!(found(&aac), Ok(Form::Aac));
        for sound in [opus, aac] {
            assert_eq!(found(&sound[..sound.len() - 1]), Err(ContentError::Voice));
            assert_eq!(found(&[&sound[..], b"x"].concat()), Err(ContentError::Voice));
            assert_eq!(found(&sound.repeat(100_000)), Err(ContentError::Voice), "too long");
        }
        let video = [page(1, b"OpusHead\x01"), page(2, b"\x80theora")].concat();
        assert_eq!(found(&video), Err(ContentError::Voice));
    }

    #[test]
    fn tracks_are_taken_and_other_files_are_not() {
        assert_eq!(found(&Path::default().to_bytes()), Ok(Form::Track));
        for bytes in [&b""[..], b"%PDF-1.7", b"<html>", b"PK\x03\x04", &[0; 5_000]] {
            assert_eq!(found(bytes), Err(ContentError::Unknown));
        }
        assert!(matches!(found(&[0xff, 0xd8, 0xff]), Err(ContentError::Photo(_))));
    }

    #[test]
    fn another_hash_is_refused_before_anything_is_decoded() {
        let wrong = ContentHash::from_bytes([0; 32]);
        assert_eq!(check(&[0xff, 0xd8], &wrong, &Limits::default()), Err(ContentError::WrongHash));
    }
}

//! Voice notes: which files are taken, and how long they are. Phone and server ask this same question.
//!
//! Only the containers are read, never the sound. A note is Opus in Ogg pages or AAC in ADTS frames, from its first
//! byte to its last, so that nothing else can ride along.

/// Longest voice note, in bytes (design text 5).
pub const VOICE_MAX_BYTES: u64 = 120 * 1024;

/// Longest voice note, in milliseconds: 60 s (design text 5), and the half second by which a recorder overshoots.
pub const VOICE_MAX_MS: u32 = 60_500;

/// How a voice note is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceFormat {
    /// Opus in Ogg.
    Opus,
    /// AAC in ADTS frames.
    Aac,
}

/// What a voice note's file tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoiceNote {
    /// How it is encoded.
    pub format: VoiceFormat,
    /// Length in milliseconds.
    pub millis: u32,
}

/// Why a file is not taken as a voice note, in words for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    /// Too many bytes.
    #[error("the voice note has {bytes} bytes, {VOICE_MAX_BYTES} are allowed; record a shorter one")]
    TooManyBytes {
        /// Length of the file.
        bytes: u64,
    },
    /// Too long.
    #[error("the voice note lasts {} s, {} are allowed; record a shorter one", millis / 1000, VOICE_MAX_MS / 1000)]
    TooLong {
        /// Length in milliseconds.
        millis: u32,
    },
    /// Neither format, damaged, or with something else in it.
    #[error("the file is no voice note (Opus in Ogg, or AAC), or it is damaged; record it again")]
    Unreadable,
}

impl VoiceError {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::TooManyBytes { bytes } => {
                format!("语音过大：{bytes} 字节，上限 {VOICE_MAX_BYTES} 字节，请录短一些")
            }
            Self::TooLong { millis } => {
                format!("语音过长：{} 秒，上限 {} 秒，请录短一些", millis / 1000, VOICE_MAX_MS / 1000)
            }
            Self::Unreadable => "不是语音文件（Ogg Opus 或 AAC），或已损坏，请重新录制".into(),
        }
    }
}

/// Checks a whole voice note and says how long it is.
///
/// # Errors
/// Why it is not taken.
pub fn inspect_voice(bytes: &[u8]) -> Result<VoiceNote, VoiceError> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > VOICE_MAX_BYTES {
        return Err(VoiceError::TooManyBytes { bytes: length });
    }
    let (format, millis) = if bytes.starts_with(b"OggS") {
        (VoiceFormat::Opus, opus_millis(bytes))
    } else {
        (VoiceFormat::Aac, adts_millis(bytes))
    };
    let millis = u32::try_from(millis.ok_or(VoiceError::Unreadable)?).unwrap_or(u32::MAX);
    if millis > VOICE_MAX_MS {
        return Err(VoiceError::TooLong { millis });
    }
    Ok(VoiceNote { format, millis })
}

/// Samples in a second of Opus, whatever was recorded (RFC 7845, section 4).
const OPUS_RATE: u64 = 48_000;

struct OggPage<'a> {
    granule: u64,
    serial: [u8; 4],
    body: &'a [u8],
    after: &'a [u8],
}

/// The first page (RFC 3533), and what follows it.
fn ogg_page(bytes: &[u8]) -> Option<OggPage<'_>> {
    let (header, rest) = bytes.split_first_chunk::<27>()?;
    let [b'O', b'g', b'g', b'S', 0, ..] = header else { return None };
    let granule = u64::from_le_bytes(header.get(6..14)?.try_into().ok()?);
    let serial = header.get(14..18)?.try_into().ok()?;
    let (table, rest) = rest.split_at_checked(usize::from(*header.last()?))?;
    let (body, after) = rest.split_at_checked(table.iter().map(|&lace| usize::from(lace)).sum())?;
    Some(OggPage { granule, serial, body, after })
}

/// Length of a file of Ogg pages that all belong to one Opus stream.
fn opus_millis(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes;
    let mut stream: Option<([u8; 4], u64)> = None;
    let mut last = 0;
    while !rest.is_empty() {
        let page = ogg_page(rest)?;
        match stream {
            None if page.body.starts_with(b"OpusHead") => {
                let skipped = page.body.get(10..12).and_then(|skip| skip.try_into().ok());
                stream = Some((page.serial, skipped.map_or(0, |skip| u64::from(u16::from_le_bytes(skip)))));
            }
            Some((serial, _)) if serial == page.serial => {}
            _ => return None,
        }
        // All ones: no packet ends on this page.
        if page.granule != u64::MAX {
            last = last.max(page.granule);
        }
        rest = page.after;
    }
    let (_, skipped) = stream?;
    Some(last.saturating_sub(skipped).saturating_mul(1000) / OPUS_RATE)
}

/// Sampling rates by their index (ISO/IEC 14496-3, table 1.18).
const AAC_RATES: [u64; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Length of a file of ADTS frames (ISO/IEC 13818-7): each block holds 1,024 samples.
fn adts_millis(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes;
    let mut micros = 0u64;
    while !rest.is_empty() {
        let [0xff, second, profile, third, fourth, fifth, blocks, ..] = *rest else { return None };
        let len = usize::from(third & 3) << 11 | usize::from(fourth) << 3 | usize::from(fifth >> 5);
        let (_, after) = rest.split_at_checked(len)?;
        if second & 0xf6 != 0xf0 || len < 7 {
            return None;
        }
        let rate = AAC_RATES.get(usize::from(profile >> 2 & 0x0f))?;
        micros += (u64::from(blocks & 3) + 1) * 1_024 * 1_000_000 / rate;
        rest = after;
    }
    (!bytes.is_empty()).then_some(micros / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(serial: u8, granule: u64, body: &[u8]) -> Vec<u8> {
        let mut out = b"OggS\0\x02".to_vec();
        out.extend(granule.to_le_bytes());
        out.extend([serial, 0, 0, 0]);
        out.extend([0; 8]);
        out.extend([1, u8::try_from(body.len()).unwrap()]);
        out.extend(body);
        out
    }

    /// A made-up note with the usual pre-skip of 312 samples.
    fn opus(millis: u64) -> Vec<u8> {
        let head = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";
        let end = 312 + millis * 48;
        [page(1, 0, head), page(1, 0, b"OpusTags"), page(1, u64::MAX, &[9; 200]), page(1, end, &[9; 200])]
            .concat()
    }

    /// Frames of 16 kHz, 64 ms each.
    fn aac(frames: usize) -> Vec<u8> {
        let len = 107;
        let mut out = vec![0xff, 0xf1, 0x60, (len >> 11) as u8, (len >> 3) as u8, (len << 5) as u8, 0xfc];
        out.resize(len, 7);
        out.repeat(frames)
    }

    #[test]
    fn the_length_is_read_from_the_file() {
        assert_eq!(inspect_voice(&opus(12_340)), Ok(VoiceNote { format: VoiceFormat::Opus, millis: 12_340 }));
        assert_eq!(inspect_voice(&aac(100)), Ok(VoiceNote { format: VoiceFormat::Aac, millis: 6_400 }));
        assert_eq!(inspect_voice(&opus(61_000)), Err(VoiceError::TooLong { millis: 61_000 }));
        assert_eq!(inspect_voice(&aac(1_000)), Err(VoiceError::TooLong { millis: 64_000 }));
        let long = aac(2_000);
        assert_eq!(inspect_voice(&long), Err(VoiceError::TooManyBytes { bytes: long.len() as u64 }));
    }

    #[test]
    fn damage_and_other_files_are_refused_in_both_languages() {
        for sound in [opus(1_000), aac(10)] {
            assert_eq!(inspect_voice(&sound[..sound.len() - 1]), Err(VoiceError::Unreadable));
            assert_eq!(inspect_voice(&[&sound[..], b"x"].concat()), Err(VoiceError::Unreadable));
        }
        let video = [opus(1_000), page(2, 0, b"\x80theora")].concat();
        for bytes in [&b""[..], b"RIFF\0\0\0\0WAVE", b"ID3\x04", b"\0\0\0\x18ftypM4A ", &video] {
            assert_eq!(inspect_voice(bytes), Err(VoiceError::Unreadable));
        }
        assert!(VoiceError::TooLong { millis: 61_000 }.zh().contains("61 秒"));
        assert!(VoiceError::TooLong { millis: 61_000 }.to_string().contains("61 s"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(rest in proptest::collection::vec(any::<u8>(), 0..400), kind in 0usize..3) {
            let starts: [&[u8]; 3] = [b"OggS\0", &[0xff, 0xf1], b""];
            let _ = inspect_voice(&[starts[kind], &rest].concat());
        }
    }
}

//! Which kind of file it is, by its first bytes alone; names and endings are not asked.

use crate::error::EvidenceError;

/// A picture format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoFormat {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless.
    WebP,
}

impl PhotoFormat {
    /// The usual name of the format, the same in both languages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
        }
    }
}

/// A kind of file that is recognised but not read, so that its refusal can say what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForeignFormat {
    /// HEIF or HEIC, the usual format of iPhones and of some Android cameras.
    Heif,
    /// A kind of JPEG that cameras do not write: arithmetic, lossless, 12-bit, or by component with rows of colour left out.
    UnusualJpeg,
    /// AVIF.
    Avif,
    /// JPEG XL.
    JpegXl,
    /// GIF.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF, and the raw formats of cameras that build on it.
    Tiff,
    /// MP4, MOV or another film.
    Video,
    /// PDF.
    Pdf,
    /// None of the above.
    Unknown,
}

impl ForeignFormat {
    /// The name in English.
    pub fn name(self) -> &'static str {
        match self {
            Self::Heif => "HEIC/HEIF",
            Self::UnusualJpeg => "an unusual kind of JPEG",
            Self::Avif => "AVIF",
            Self::JpegXl => "JPEG XL",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF or camera raw",
            Self::Video => "video",
            Self::Pdf => "PDF",
            Self::Unknown => "not a known picture",
        }
    }

    /// The name in Chinese.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::UnusualJpeg => "特殊编码的 JPEG",
            Self::Tiff => "TIFF 或相机 RAW",
            Self::Video => "视频",
            Self::Unknown => "无法识别",
            other => other.name(),
        }
    }

    /// What a person can do about it, in English.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Heif => {
                "convert it to JPEG and add it again (on an iPhone: Settings, Camera, Formats, Most Compatible)"
            }
            Self::Video => "take a photo or a still of it",
            Self::Pdf => "photograph the page instead",
            Self::Unknown => "choose a photo in JPEG, PNG or WebP",
            Self::UnusualJpeg => "save it again as an ordinary JPEG, or take a screenshot of it",
            _ => "save it as JPEG and add it again",
        }
    }

    /// What a person can do about it, in Chinese.
    pub fn advice_zh(self) -> &'static str {
        match self {
            Self::Heif => "请先转换为 JPEG 再添加（iPhone：设置 → 相机 → 格式 → 兼容性最佳）",
            Self::Video => "请拍照或截取画面",
            Self::Pdf => "请对该页拍照",
            Self::Unknown => "请选择 JPEG、PNG 或 WebP 照片",
            Self::UnusualJpeg => "请用相册另存为普通 JPEG，或截图后再添加",
            _ => "请另存为 JPEG 再添加",
        }
    }
}

/// Says which format the bytes begin like.
pub(crate) fn recognise(bytes: &[u8]) -> Result<PhotoFormat, EvidenceError> {
    if bytes.is_empty() {
        return Err(EvidenceError::Empty);
    }
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Ok(PhotoFormat::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(PhotoFormat::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(PhotoFormat::WebP);
    }
    Err(EvidenceError::Unsupported { found: foreign(bytes) })
}

fn foreign(bytes: &[u8]) -> ForeignFormat {
    if bytes.get(4..8) == Some(b"ftyp") {
        return match bytes.get(8..12) {
            Some(b"avif" | b"avis") => ForeignFormat::Avif,
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"heif" | b"mif1" | b"msf1") => {
                ForeignFormat::Heif
            }
            _ => ForeignFormat::Video,
        };
    }
    let starts: [(&[u8], ForeignFormat); 8] = [
        (b"\0\0\0\x0cJXL ", ForeignFormat::JpegXl),
        (&[0xFF, 0x0A], ForeignFormat::JpegXl),
        (b"GIF8", ForeignFormat::Gif),
        (b"BM", ForeignFormat::Bmp),
        (b"II*\0", ForeignFormat::Tiff),
        (b"MM\0*", ForeignFormat::Tiff),
        (b"%PDF", ForeignFormat::Pdf),
        (b"\x1a\x45\xdf\xa3", ForeignFormat::Video),
    ];
    starts
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map_or(ForeignFormat::Unknown, |(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> ForeignFormat {
        match recognise(bytes) {
            Err(EvidenceError::Unsupported { found }) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(recognise(&[0xFF, 0xD8, 0xFF, 0xE1]).unwrap(), PhotoFormat::Jpeg);
        assert_eq!(recognise(b"\x89PNG\r\n\x1a\n....").unwrap(), PhotoFormat::Png);
        assert_eq!(recognise(b"RIFF\0\0\0\0WEBPVP8 ").unwrap(), PhotoFormat::WebP);
        assert_eq!(refused(b"\0\0\0\x18ftypheic"), ForeignFormat::Heif);
        assert_eq!(refused(b"\0\0\0\x18ftypmif1"), ForeignFormat::Heif);
        assert_eq!(refused(b"\0\0\0\x18ftypavif"), ForeignFormat::Avif);
        assert_eq!(refused(b"\0\0\0\x18ftypqt  "), ForeignFormat::Video);
        assert_eq!(refused(b"RIFF\0\0\0\0WAVE"), ForeignFormat::Unknown);
        assert_eq!(refused(b"BM1234"), ForeignFormat::Bmp);
        assert!(matches!(recognise(b""), Err(EvidenceError::Empty)));
    }
}

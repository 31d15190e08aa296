//! Why a file is not taken as evidence, in words for a person.

use crate::format::{ForeignFormat, PhotoFormat};

/// Why a photo, a font or a received file was refused.
///
/// `Display` is the English message and [`EvidenceError::zh`] the Chinese one; both say what to do. No variant carries anything
/// out of the picture but sizes. The bytes that were given are never changed by a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The file has no bytes.
    #[error("the file is empty; take the photo again")]
    Empty,
    /// The file is longer than [`crate::Limits::max_input_bytes`], or than a stored photo or preview may be.
    #[error("the file has {bytes} bytes, {limit} are allowed; choose a lower camera resolution")]
    TooManyBytes {
        /// Length of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A format that is not read.
    #[error("the file is {}; {}", found.name(), found.advice())]
    Unsupported {
        /// What it seems to be.
        found: ForeignFormat,
    },
    /// The header states more pixels or a longer edge than allowed.
    #[error(
        "the picture is {width} × {height} pixels; at most {max_pixels} pixels and {max_edge} on an edge are \
         allowed; choose a lower camera resolution"
    )]
    TooLarge {
        /// Width that the header states.
        width: u32,
        /// Height that the header states.
        height: u32,
        /// Pixels allowed.
        max_pixels: u64,
        /// Edge allowed.
        max_edge: u32,
    },
    /// Decoding would need more memory than allowed, by an estimate from the header.
    #[error(
        "decoding the picture ({width} × {height}) would need about {estimate} bytes of memory, {limit} are allowed; \
         choose a lower camera resolution"
    )]
    TooMuchMemory {
        /// Width that the header states.
        width: u32,
        /// Height that the header states.
        height: u32,
        /// Bytes needed, estimated.
        estimate: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Too few pixels to show anything.
    #[error("the picture is only {width} × {height} pixels; at least {min_edge} on each edge are needed")]
    TooSmall {
        /// Width that the header states.
        width: u32,
        /// Height that the header states.
        height: u32,
        /// Edge needed.
        min_edge: u32,
    },
    /// The bytes break the rules of their own format, or end too early.
    #[error("the {} file is damaged or incomplete ({reason}); the original stays where it was, take the photo again", format.name())]
    Damaged {
        /// The format it begins like.
        format: PhotoFormat,
        /// What the decoder says, in English.
        reason: String,
    },
    /// The decoder itself failed on these bytes; they are damaged or hostile.
    #[error("the {} file cannot be decoded; the original stays where it was, take the photo again", format.name())]
    DecoderFault {
        /// The format it begins like.
        format: PhotoFormat,
    },
    /// There was not enough memory for the pixels.
    #[error("not enough memory for a picture of {width} × {height} pixels; close other apps and try again")]
    OutOfMemory {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
    },
    /// The output could not be made.
    #[error("the picture could not be written as JPEG ({reason})")]
    Encode {
        /// What the encoder says, in English.
        reason: String,
    },
    /// No quality and size of the preview stays within [`crate::Limits::preview_max_bytes`].
    #[error("the preview does not fit into {limit} bytes")]
    PreviewTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The bytes are not a font with outlines.
    #[error("the stamp's font cannot be read (face {index})")]
    Font {
        /// Face within a collection.
        index: u32,
    },
    /// A received photo is not JPEG.
    #[error("a stored photo must be JPEG, this one is {}", found.name())]
    NotJpeg {
        /// What it is.
        found: PhotoFormat,
    },
    /// A received photo is larger than stored photos are.
    #[error("a stored photo has at most {max_edge} pixels on an edge, this one is {width} × {height}")]
    NotDownscaled {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
        /// Edge allowed.
        max_edge: u32,
    },
    /// A received photo carries metadata; a stored one carries none.
    #[error("a stored photo carries no metadata, this one has a segment {marker:#04x}")]
    CarriesMetadata {
        /// Second byte of the JPEG marker.
        marker: u8,
    },
    /// A received photo has bytes after its end.
    #[error("{bytes} bytes follow after the end of the picture")]
    TrailingBytes {
        /// How many.
        bytes: u64,
    },
}

impl EvidenceError {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Empty => "文件为空，请重新拍照".into(),
            Self::TooManyBytes { bytes, limit } => {
                format!("文件过大：{bytes} 字节，上限 {limit} 字节，请降低相机分辨率")
            }
            Self::Unsupported { found } => {
                format!("不支持的文件格式（{}），{}", found.name_zh(), found.advice_zh())
            }
            Self::TooLarge { width, height, max_pixels, max_edge } => format!(
                "图片尺寸 {width}×{height} 过大（上限 {max_pixels} 像素，单边 {max_edge}），请降低相机分辨率"
            ),
            Self::TooMuchMemory { width, height, estimate, limit } => format!(
                "图片 {width}×{height} 解码约需 {estimate} 字节内存，上限 {limit} 字节，请降低相机分辨率"
            ),
            Self::TooSmall { width, height, min_edge } => {
                format!("图片尺寸 {width}×{height} 过小，每边至少 {min_edge} 像素")
            }
            Self::Damaged { format, .. } => {
                format!("{} 文件已损坏或不完整，原文件未改动，请重新拍照", format.name())
            }
            Self::DecoderFault { format } => {
                format!("{} 文件无法解码，原文件未改动，请重新拍照", format.name())
            }
            Self::OutOfMemory { width, height } => {
                format!("内存不足，无法处理 {width}×{height} 的图片，请关闭其他应用后重试")
            }
            Self::Encode { reason } => format!("无法生成 JPEG（{reason}）"),
            Self::PreviewTooLarge { limit } => format!("预览图无法压缩到 {limit} 字节以内"),
            Self::Font { index } => format!("无法读取水印字体（第 {index} 个字面）"),
            Self::NotJpeg { found } => format!("存储的照片必须是 JPEG，收到的是 {}", found.name()),
            Self::NotDownscaled { width, height, max_edge } => {
                format!("存储的照片单边最多 {max_edge} 像素，收到的是 {width}×{height}")
            }
            Self::CarriesMetadata { marker } => {
                format!("存储的照片不得带有元数据，收到的文件含有段 {marker:#04x}")
            }
            Self::TrailingBytes { bytes } => format!("图片结尾之后还有 {bytes} 字节多余数据"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_heic_says_what_to_do_in_both_languages() {
        let error = EvidenceError::Unsupported { found: ForeignFormat::Heif };
        assert!(error.to_string().contains("convert it to JPEG"), "{error}");
        assert!(error.zh().contains("转换为 JPEG"), "{}", error.zh());
    }
}

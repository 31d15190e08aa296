//! Photo evidence: bytes in, bytes out.
//!
//! [`prepare()`] takes a camera's file and makes of it what is stored and sent: upright, scaled to 1,920 pixels, stamped (水印), as JPEG
//! without metadata, with a preview of at most 24 KB, SHA-256 hashes and a perceptual hash. [`inspect`] says what a file is without
//! decoding it; [`is_stored_photo`] is the check on receipt.
//!
//! | step | module |
//! | --- | --- |
//! | which format, or why not | `format` |
//! | size and memory from the header, before anything is inflated | `header`, `jpeg_segments`, [`Limits`] |
//! | time, place, orientation | `exif_facts` |
//! | pixels | `decode`, `scale` |
//! | regions made unrecognisable | `blur` |
//! | stamp | `stamp` |
//! | used before? | `perceptual` |
//! | JPEG, preview, hashes | `encode`, `hash` |
//! | receipt | `received` |
//! | voice notes | `voice` |
//! | QR labels: frames of a camera, sheets to print | `qr` |
//! | documents of text to print and sign | `paper` |
//!
//! No I/O, no clock, no randomness: the caller brings the file, the facts and the font's bytes. All functions may be called from
//! any thread.
#![forbid(unsafe_code)]

mod blur;
mod decode;
mod encode;
mod error;
mod exif_facts;
mod format;
mod hash;
mod header;
mod jpeg_segments;
mod limits;
mod paper;
mod perceptual;
mod prepare;
mod qr;
mod received;
mod scale;
mod stamp;
mod svg;
mod voice;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod prepare_tests;
#[cfg(test)]
mod real_files_tests;
#[cfg(test)]
mod test_support;

pub use blur::{MAX_REGIONS, Region};
pub use error::EvidenceError;
pub use exif_facts::{CaptureTime, ExifDatum, ExifFacts, ExifNote, ExifPosition, TimeField};
pub use format::{ForeignFormat, PhotoFormat};
pub use hash::{PerceptualHash, sha256};
pub use limits::Limits;
pub use paper::{Block, document};
pub use perceptual::{Likeness, Print};
pub use prepare::{Encoded, Inspection, Photo, inspect, prepare, prepare_blurred, short_id};
pub use qr::{LabelSheet, LumaFrame, QrError, SheetLabel, read_codes};
pub use received::{ReceivedPhoto, is_preview, is_stored_photo};
pub use stamp::{
    PhotoSource, StampDatum, StampFacts, StampFont, StampOutcome, StampPlace, StampTime,
    system_font_candidates,
};
pub use voice::{VOICE_MAX_BYTES, VOICE_MAX_MS, VoiceError, VoiceFormat, VoiceNote, inspect_voice};

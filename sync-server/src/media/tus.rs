//! tus 1.0 without HTTP: what the headers of a request say, and which headers an answer has.
//!
//! Core protocol and the extensions creation, creation-with-upload, checksum, expiration and termination
//! (<https://tus.io/protocols/resumable-upload>). `Upload-Metadata` must name the SHA-256 of the whole
//! (`sha256 <base64>` of the 32 bytes, or of their 64 hex digits); other metadata is not kept.

use data_encoding::BASE64;
use gridwalk_model::{ContentHash, Timestamp};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::error::Refusal;

/// The version spoken.
pub const VERSION: &str = "1.0.0";
/// The extensions spoken.
pub const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
/// The algorithms for chunks.
pub const ALGORITHMS: &str = "sha1,sha256";
/// The media type of chunks.
pub const CHUNK_TYPE: &str = "application/offset+octet-stream";
/// Headers that a request may have once.
pub const FIELDS: [&str; 8] = [
    "tus-resumable",
    "upload-length",
    "upload-defer-length",
    "upload-metadata",
    "upload-offset",
    "upload-checksum",
    "content-type",
    "content-length",
];
/// Longest `Upload-Metadata`, in bytes.
const METADATA_MAX: usize = 4_096;

/// The headers of a request.
pub trait Fields {
    /// A header, by its name in lower case.
    fn field(&self, name: &str) -> Option<&str>;
}

/// What a creation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// SHA-256 of the whole.
    pub hash: ContentHash,
    /// Length of the whole.
    pub bytes: u64,
    /// The first bytes, if the request carries any.
    pub chunk: Option<Chunk>,
}

/// What is said of the bytes that a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where they belong.
    pub offset: u64,
    /// How many they are, if it is known before.
    pub len: Option<u64>,
    /// What they are to hash to.
    pub checksum: Option<Checksum>,
}

/// An algorithm for chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1, which every tus client speaks. It guards against accidents only.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// What a chunk is to hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How.
    pub algorithm: Algorithm,
    /// To what.
    pub digest: Vec<u8>,
}

/// Hashes a chunk as it comes.
#[derive(Clone, Debug)]
pub enum ChunkHasher {
    /// SHA-1.
    Sha1(Sha1),
    /// SHA-256.
    Sha256(Sha256),
}

impl Algorithm {
    const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Begins.
    pub fn hasher(self) -> ChunkHasher {
        match self {
            Self::Sha1 => ChunkHasher::Sha1(Sha1::new()),
            Self::Sha256 => ChunkHasher::Sha256(Sha256::new()),
        }
    }
}

impl ChunkHasher {
    /// Takes some bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// Ends.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// Checks the version. Needed for everything but `OPTIONS`.
///
/// # Errors
/// [`Refusal::Version`].
pub fn check_version(fields: &dyn Fields) -> Result<(), Refusal> {
    if fields.field("tus-resumable") == Some(VERSION) { Ok(()) } else { Err(Refusal::Version) }
}

/// Reads a creation.
///
/// # Errors
/// The first header that is not as it should be; [`Refusal::TooLarge`] beyond `max_bytes`.
pub fn read_creation(fields: &dyn Fields, max_bytes: u64) -> Result<Creation, Refusal> {
    if fields.field("upload-defer-length").is_some() {
        return Err(Refusal::BadHeader("Upload-Defer-Length is not supported"));
    }
    let bytes = fields.field("upload-length").and_then(number);
    let bytes =
        bytes.filter(|bytes| *bytes > 0).ok_or(Refusal::BadHeader("Upload-Length is not a length"))?;
    if bytes > max_bytes {
        return Err(Refusal::TooLarge);
    }
    let hash = fields.field("upload-metadata").and_then(announced_hash);
    let hash = hash.ok_or(Refusal::BadHeader("Upload-Metadata must name the sha256 of the whole"))?;
    let len = content_length(fields)?;
    let chunk = match (fields.field("content-type"), len) {
        (None, None | Some(0)) => None,
        (Some(media_type), _) if is_chunk(media_type) => Some(read_chunk(fields, 0, bytes)?),
        (Some(_), None | Some(0)) => None,
        _ => return Err(Refusal::ContentType),
    };
    Ok(Creation { hash, bytes, chunk })
}

/// Reads what is said of the bytes of a `PATCH`.
///
/// # Errors
/// The first header that is not as it should be.
pub fn read_patch(fields: &dyn Fields) -> Result<Chunk, Refusal> {
    if !fields.field("content-type").is_some_and(is_chunk) {
        return Err(Refusal::ContentType);
    }
    let offset = fields.field("upload-offset").and_then(number);
    let offset = offset.ok_or(Refusal::BadHeader("Upload-Offset is not an offset"))?;
    read_chunk(fields, offset, u64::MAX)
}

fn read_chunk(fields: &dyn Fields, offset: u64, max_len: u64) -> Result<Chunk, Refusal> {
    let len = content_length(fields)?;
    if len.is_some_and(|len| len > max_len) {
        return Err(Refusal::TooLarge);
    }
    let checksum = fields.field("upload-checksum").map(read_checksum).transpose()?;
    Ok(Chunk { offset, len, checksum })
}

fn content_length(fields: &dyn Fields) -> Result<Option<u64>, Refusal> {
    let bad = Refusal::BadHeader("Content-Length is not a length");
    fields.field("content-length").map(|text| number(text).ok_or(bad)).transpose()
}

fn read_checksum(text: &str) -> Result<Checksum, Refusal> {
    let (name, digest) = text.split_once(' ').ok_or(Refusal::BadHeader("Upload-Checksum cannot be read"))?;
    let algorithm = match name {
        "sha1" => Algorithm::Sha1,
        "sha256" => Algorithm::Sha256,
        _ => return Err(Refusal::BadHeader("Upload-Checksum must be sha1 or sha256")),
    };
    let digest =
        BASE64.decode(digest.trim().as_bytes()).ok().filter(|digest| digest.len() == algorithm.len());
    let digest = digest.ok_or(Refusal::BadHeader("Upload-Checksum has no digest of this algorithm"))?;
    Ok(Checksum { algorithm, digest })
}

fn is_chunk(media_type: &str) -> bool {
    media_type.split(';').next().is_some_and(|bare| bare.trim().eq_ignore_ascii_case(CHUNK_TYPE))
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u64> {
    let plain = (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// The value of `sha256` in `Upload-Metadata`. Keys are unique, values are base64.
fn announced_hash(metadata: &str) -> Option<ContentHash> {
    if metadata.len() > METADATA_MAX {
        return None;
    }
    let mut values = metadata.split(',').filter_map(|pair| {
        let (key, value) = pair.trim().split_once(' ')?;
        (key == "sha256").then_some(value.trim())
    });
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let bytes = BASE64.decode(value.as_bytes()).ok()?;
    ContentHash::from_slice(&bytes).or_else(|| std::str::from_utf8(&bytes).ok()?.parse().ok())
}

/// An answer: status, headers, text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub text: String,
}

impl Reply {
    fn new(status: u16) -> Self {
        Self { status, headers: vec![("tus-resumable", VERSION.to_owned())], text: String::new() }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    fn expiring(self, at: Option<Timestamp>) -> Self {
        match at.and_then(http_date) {
            Some(date) => self.with("upload-expires", date),
            None => self,
        }
    }

    /// To `OPTIONS`.
    pub fn options(max_bytes: u64) -> Self {
        Self::new(204)
            .with("tus-version", VERSION)
            .with("tus-extension", EXTENSIONS)
            .with("tus-max-size", max_bytes)
            .with("tus-checksum-algorithm", ALGORITHMS)
    }

    /// To a creation. `offset` is where the upload stands after the bytes that came with it.
    pub fn created(location: &str, offset: Option<u64>, expires: Option<Timestamp>) -> Self {
        let reply = Self::new(201).with("location", location).expiring(expires);
        match offset {
            Some(offset) => reply.with("upload-offset", offset),
            None => reply,
        }
    }

    /// To `HEAD`.
    pub fn stands(hash: &ContentHash, offset: u64, bytes: u64, expires: Option<Timestamp>) -> Self {
        Self::new(200)
            .with("upload-offset", offset)
            .with("upload-length", bytes)
            .with("upload-metadata", format_args!("sha256 {}", BASE64.encode(hash.as_bytes())))
            .with("cache-control", "no-store")
            .expiring(expires)
    }

    /// To `PATCH`.
    pub fn advanced(offset: u64, expires: Option<Timestamp>) -> Self {
        Self::new(204).with("upload-offset", offset).expiring(expires)
    }

    /// To `DELETE`.
    pub fn terminated() -> Self {
        Self::new(204)
    }

    /// To what is refused.
    pub fn refused(refusal: &Refusal, max_bytes: u64) -> Self {
        let mut reply = Self::new(refusal.status()).with("cache-control", "no-store");
        reply.text = refusal.to_string();
        match refusal {
            Refusal::Version => reply.with("tus-version", VERSION),
            Refusal::TooLarge => reply.with("tus-max-size", max_bytes),
            Refusal::Offset { offset } => reply.with("upload-offset", offset),
            Refusal::TooManyOpen => reply.with("retry-after", 60),
            _ => reply,
        }
    }
}

/// A date as HTTP writes it (RFC 9110).
fn http_date(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

#[cfg(test)]
#[path = "tus_tests.rs"]
mod tests;

//! Reading and writing encoded entries: CBOR maps with integer keys, so that keys of a newer version are skipped.

use std::convert::Infallible;

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::id::{ContentHash, RecordId};
use crate::time::Timestamp;

/// Bytes that are not the encoded entry that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry cannot be read at byte {at}")]
pub struct CodecError {
    /// Where reading stopped.
    pub at: usize,
}

/// Encodes an entry.
pub fn to_bytes<T: Encode<()>>(entry: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let written: Result<(), EncodeError<Infallible>> = minicbor::encode(entry, &mut out);
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
    out
}

/// Reads an entry that fills `bytes` to the end.
///
/// # Errors
/// Where the bytes stop being such an entry, or go on after it.
pub fn from_bytes<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, CodecError> {
    let mut decoder = Decoder::new(bytes);
    let entry = decoder.decode().map_err(|_| CodecError { at: decoder.position() })?;
    if decoder.position() == bytes.len() { Ok(entry) } else { Err(CodecError { at: decoder.position() }) }
}

macro_rules! as_bytes {
    ($ty:ty, $what:literal) => {
        impl<C> Encode<C> for $ty {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $ty {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                Self::from_slice(d.bytes()?).ok_or_else(|| DecodeError::message($what))
            }
        }
    };
}

as_bytes!(RecordId, "not an identifier");
as_bytes!(ContentHash, "not a hash");

impl<C> Encode<C> for Timestamp {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.i64(self.millis())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Timestamp {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        d.i64().map(Self::from_millis)
    }
}

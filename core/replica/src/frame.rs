//! The frame around a body: CBOR in zstd, with bounds that hold before anything is inflated or allocated.

use std::io::Read;

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode};

use crate::limits;

/// zstd level: the lowest that still finds the repetitions between records of one batch.
const LEVEL: i32 = 3;
/// How deep arrays may nest; ours nest six deep.
const MAX_DEPTH: usize = 12;

/// How many items one body may have. An item costs its sender one byte and its reader up to some fifty; the largest
/// honest bodies (fingerprints, three items in 36 bytes) have under 700,000.
const MAX_ITEMS: usize = 1 << 20;

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than allowed, as received or inflated.
    #[error("body is too large")]
    TooLarge,
    /// Not a zstd frame, a damaged one, or one that needs too large a window.
    #[error("body is not a readable zstd frame")]
    Zstd,
    /// Not the CBOR that the contract asks for.
    #[error("body is not the expected CBOR")]
    Cbor,
}

/// Encodes a body.
pub fn encode<T: Encode<()>>(body: &T) -> Result<Vec<u8>, FrameError> {
    let cbor = minicbor::to_vec(body).map_err(|_| FrameError::Cbor)?;
    zstd::bulk::compress(&cbor, LEVEL).map_err(|_| FrameError::Zstd)
}

/// Decodes a body of at most [`limits::BODY_MAX_BYTES`].
pub fn decode<T: for<'b> Decode<'b, ()>>(frame: &[u8]) -> Result<T, FrameError> {
    decode_within(frame, limits::BODY_MAX_BYTES)
}

/// Decodes a body of at most `max_frame` bytes that inflates to at most [`limits::INFLATED_MAX_BYTES`].
pub fn decode_within<T: for<'b> Decode<'b, ()>>(frame: &[u8], max_frame: usize) -> Result<T, FrameError> {
    if frame.len() > max_frame {
        return Err(FrameError::TooLarge);
    }
    let cbor = inflate(frame)?;
    check_form(&cbor)?;
    minicbor::decode(&cbor).map_err(|_| FrameError::Cbor)
}

fn inflate(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(frame).map_err(|_| FrameError::Zstd)?.single_frame();
    decoder.window_log_max(limits::WINDOW_LOG_MAX).map_err(|_| FrameError::Zstd)?;
    let mut out = Vec::new();
    let limit = limits::INFLATED_MAX_BYTES as u64;
    let read = decoder.by_ref().take(limit + 1).read_to_end(&mut out).map_err(|_| FrameError::Zstd)?;
    if read as u64 > limit {
        return Err(FrameError::TooLarge);
    }
    // One frame is the whole body.
    if decoder.finish().is_empty() { Ok(out) } else { Err(FrameError::Zstd) }
}

/// The form that the contract allows: definite lengths, no maps, no tags, bounded nesting, one item. Array lengths
/// are claims; an array can't have more items than there are bytes left.
fn check_form(cbor: &[u8]) -> Result<(), FrameError> {
    let mut decoder = Decoder::new(cbor);
    let mut open: Vec<u64> = vec![1];
    let mut items = 0;
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        items += 1;
        if items > MAX_ITEMS {
            return Err(FrameError::TooLarge);
        }
        match decoder.datatype().map_err(|_| FrameError::Cbor)? {
            Type::Array => {
                let len = decoder.array().ok().flatten().ok_or(FrameError::Cbor)?;
                if open.len() >= MAX_DEPTH || len > cbor.len() as u64 {
                    return Err(FrameError::Cbor);
                }
                open.push(len);
            }
            Type::ArrayIndef
            | Type::BytesIndef
            | Type::StringIndef
            | Type::Map
            | Type::MapIndef
            | Type::Tag => {
                return Err(FrameError::Cbor);
            }
            _ => decoder.skip().map_err(|_| FrameError::Cbor)?,
        }
    }
    if decoder.position() == cbor.len() { Ok(()) } else { Err(FrameError::Cbor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = zstd::bulk::compress(&vec![0u8; limits::INFLATED_MAX_BYTES + 1], 19).unwrap();
        assert!(bomb.len() < 2_000);
        assert_eq!(decode::<Vec<u32>>(&bomb), Err(FrameError::TooLarge));
    }

    #[test]
    fn many_small_items_are_refused_before_they_are_made() {
        let mut cbor = vec![0x9a, 0, 0x70, 0, 0];
        cbor.extend(std::iter::repeat_n(0x40, 0x70_0000));
        let bomb = zstd::bulk::compress(&cbor, 3).unwrap();
        assert!(cbor.len() < limits::INFLATED_MAX_BYTES && bomb.len() < 2_000);
        assert_eq!(decode::<Vec<minicbor::bytes::ByteVec>>(&bomb), Err(FrameError::TooLarge));
    }

    #[test]
    fn forms_outside_the_contract_are_refused() {
        let framed = |cbor: &[u8]| zstd::bulk::compress(cbor, 3).unwrap();
        assert_eq!(decode::<Vec<u32>>(&framed(&[0x82, 1, 2])), Ok(vec![1, 2]));
        assert_eq!(decode::<Vec<u32>>(&framed(&[0x9f, 1, 0xff])), Err(FrameError::Cbor), "indefinite");
        assert_eq!(decode::<Vec<u32>>(&framed(&[0x81, 1, 0])), Err(FrameError::Cbor), "trailing");
        assert_eq!(decode::<Vec<u32>>(&framed(&[0xa0])), Err(FrameError::Cbor), "map");
        let claim = [0x9b, 0, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(decode::<Vec<u32>>(&framed(&claim)), Err(FrameError::Cbor), "claimed length");
        assert_eq!(decode::<Vec<u32>>(&framed(&[0x81; 4_000])), Err(FrameError::Cbor), "nesting");
        let mut two = framed(&[0x80]);
        two.extend(framed(&[0x80]));
        assert_eq!(decode::<Vec<u32>>(&two), Err(FrameError::Zstd), "second frame");
        assert_eq!(decode::<Vec<u32>>(b"plain"), Err(FrameError::Zstd));
    }
}

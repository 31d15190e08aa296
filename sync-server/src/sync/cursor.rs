//! Cursors as devices hold them.
//!
//! A cursor ahead of the store proves that the store was rolled back, and then the whole deployment starts a new
//! epoch. So no device may be able to claim one at will: the lower 16 bits are a check that only this server can
//! compute. To devices a cursor stays what the protocol says, a number that grows.

use gridwalk_model::StreamId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const CHECK_BITS: u32 = 16;

/// The cursor that is sent for a sequence number. Zero stays zero: nothing was pulled yet.
pub fn seal(key: &[u8; 32], stream: &StreamId, seq: u64) -> u64 {
    if seq == 0 { 0 } else { (seq << CHECK_BITS) | u64::from(check(key, stream, seq)) }
}

/// The sequence number in a cursor; `None` if this server never sent it.
pub fn open(key: &[u8; 32], stream: &StreamId, cursor: u64) -> Option<u64> {
    if cursor == 0 {
        return Some(0);
    }
    let seq = cursor >> CHECK_BITS;
    (seq != 0 && cursor == seal(key, stream, seq)).then_some(seq)
}

fn check(key: &[u8; 32], stream: &StreamId, seq: u64) -> u16 {
    // A key of any length is good for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return 0 };
    mac.update(&stream.to_bytes());
    mac.update(&seq.to_be_bytes());
    let full = mac.finalize().into_bytes();
    let [high, low, ..] = full.0;
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use gridwalk_model::RecordId;

    use super::*;

    #[test]
    fn cursors_grow_with_their_numbers_and_cannot_be_made_up() {
        let key = [7; 32];
        let stream = StreamId::Unit(RecordId::from_bytes([1; 16]));
        assert_eq!((seal(&key, &stream, 0), open(&key, &stream, 0)), (0, Some(0)));
        let mut last = 0;
        for seq in 1..200 {
            let sealed = seal(&key, &stream, seq);
            assert!(sealed > last);
            last = sealed;
            assert_eq!(open(&key, &stream, sealed), Some(seq));
            assert_eq!(open(&key, &stream, sealed ^ 1), None);
            assert_ne!(seal(&[8; 32], &stream, seq), sealed);
        }
        assert_eq!(open(&key, &StreamId::Org, last), None, "a cursor is good for its own stream only");
        assert_eq!(open(&key, &stream, u64::MAX), None);
        assert_eq!(open(&key, &stream, 5), None);
    }
}

//! Variable-length integers, as in Protocol Buffers: seven bits a byte, lowest first; signed ones by zigzag.

/// Appends an unsigned integer: 1 to 10 bytes.
pub(super) fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer; small magnitudes are short.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads integers from untrusted bytes. Every method answers `None` at the end, or for a form that the writer
/// would not have chosen (too long or beyond 64 bits), so that equal values have equal bytes.
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                return None;
            }
            value |= bits << shift;
            self.at += 1;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { None } else { Some(value) };
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let zigzag = self.unsigned()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// A number of things that follow, each at least `least_bytes` long: never more than the bytes left can hold.
    pub(super) fn count(&mut self, least_bytes: usize) -> Option<usize> {
        let count = usize::try_from(self.unsigned()?).ok()?;
        (count <= self.left() / least_bytes.max(1)).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn overlong_cut_and_oversized_forms_are_refused() {
        let read = |bytes: &[u8]| Reader::new(bytes).unsigned();
        assert_eq!(read(&[0x80, 0x00]), None);
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[]), None);
        let mut max = vec![0xff; 9];
        max.push(1);
        assert_eq!(read(&max), Some(u64::MAX));
        max[9] = 2;
        assert_eq!(read(&max), None);
        assert_eq!(read(&[0x80; 12]), None);
    }

    #[test]
    fn counts_are_bounded_by_what_is_left() {
        assert_eq!(Reader::new(&[2, 0, 0, 0, 0]).count(2), Some(2));
        assert_eq!(Reader::new(&[3, 0, 0, 0, 0]).count(2), None);
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0]).count(1), None);
    }

    proptest! {
        #[test]
        fn values_read_back_and_bytes_are_unique(signed in any::<i64>(), bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut out = Vec::new();
            put_signed(&mut out, signed);
            prop_assert_eq!(Reader::new(&out).signed(), Some(signed));
            let mut reader = Reader::new(&bytes);
            if let Some(value) = reader.unsigned() {
                let mut again = Vec::new();
                put_unsigned(&mut again, value);
                prop_assert_eq!(&bytes[..reader.at()], &again[..]);
            }
        }
    }
}

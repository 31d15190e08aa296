//! Walks the segments of a JPEG file without decoding anything.

/// Start of image.
pub(crate) const SOI: u8 = 0xD8;
/// End of image.
pub(crate) const EOI: u8 = 0xD9;
/// Start of scan; compressed data follows it.
pub(crate) const SOS: u8 = 0xDA;

/// One segment: its marker's second byte, its payload, and where the payload ends in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    pub(crate) payload: &'a [u8],
    pub(crate) end: usize,
}

/// The segments in order. Compressed data after a start of scan is stepped over. Ends at the end of image or where the
/// structure breaks.
pub(crate) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    done: bool,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, done: false }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Moves to the next marker, over fill bytes, stray bytes and compressed data, and past it.
    fn next_marker(&mut self) -> Option<u8> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at = self.at.checked_add(rest.iter().position(|b| *b == 0xFF)?)?.checked_add(1)?;
            match self.byte(self.at)? {
                0xFF => {}
                0x00 | 0x01 | 0xD0..=0xD7 => self.at += 1,
                marker => {
                    self.at += 1;
                    return Some(marker);
                }
            }
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.done {
            return None;
        }
        let marker = self.next_marker()?;
        if marker == SOI || marker == EOI {
            self.done = marker == EOI;
            return Some(Segment { marker, payload: &[], end: self.at });
        }
        let length = usize::from(u16::from_be_bytes([self.byte(self.at)?, self.byte(self.at + 1)?]));
        let end = self.at.checked_add(length.max(2))?;
        let payload = self.bytes.get(self.at + 2..end)?;
        self.at = end;
        Some(Segment { marker, payload, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_walked_over_compressed_data_to_the_end() {
        let bytes = [
            &[0xFF, SOI][..],
            &[0xFF, 0xE0, 0, 4, 1, 2],
            &[0xFF, 0xFF, SOS, 0, 3, 9],
            &[5, 0xFF, 0x00, 6, 0xFF, 0xD0, 7],
            &[0xFF, EOI, 1, 2, 3],
        ]
        .concat();
        let markers: Vec<_> = Segments::new(&bytes).map(|s| (s.marker, s.payload.to_vec())).collect();
        assert_eq!(markers, [(SOI, vec![]), (0xE0, vec![1, 2]), (SOS, vec![9]), (EOI, vec![])]);
        assert_eq!(Segments::new(&bytes).last().unwrap().end, bytes.len() - 3);
    }

    #[test]
    fn a_length_beyond_the_file_ends_the_walk() {
        assert_eq!(Segments::new(&[0xFF, SOI, 0xFF, 0xE1, 0xFF, 0xFF, 1]).count(), 1);
    }
}

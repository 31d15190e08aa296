//! Automerge's column encodings, decoded one value at a time.
//!
//! A run claims a length that costs no bytes, so nothing here is expanded ahead of demand: the caller asks for as
//! many values as it is prepared to take, and then asks whether the column is used up.

use super::Malformed;
use super::reader::Reader;

/// What a run-length encoded column holds.
pub(super) trait Item<'a>: Copy {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed>;
}

impl<'a> Item<'a> for u64 {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        reader.unsigned()
    }
}

impl<'a> Item<'a> for i64 {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        reader.signed()
    }
}

impl<'a> Item<'a> for &'a str {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let len = reader.unsigned()?;
        std::str::from_utf8(reader.take(len)?).map_err(|_| Malformed::Utf8)
    }
}

#[derive(Clone, Copy, Debug)]
enum Run<T> {
    Repeat(T, u64),
    Literal(u64),
    Null(u64),
}

/// A run-length encoded column: runs of one value, runs of literals, runs of nothing.
#[derive(Clone, Debug)]
pub(super) struct Rle<'a, T> {
    reader: Reader<'a>,
    run: Option<Run<T>>,
}

impl<'a, T: Item<'a>> Rle<'a, T> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), run: None }
    }

    /// The next value; `Ok(None)` for an absent one, and an error past the end.
    pub(super) fn next(&mut self) -> Result<Option<T>, Malformed> {
        loop {
            match self.run.take() {
                Some(Run::Repeat(value, left)) if left > 0 => {
                    self.run = Some(Run::Repeat(value, left - 1));
                    return Ok(Some(value));
                }
                Some(Run::Literal(left)) if left > 0 => {
                    self.run = Some(Run::Literal(left - 1));
                    return T::read(&mut self.reader).map(Some);
                }
                Some(Run::Null(left)) if left > 0 => {
                    self.run = Some(Run::Null(left - 1));
                    return Ok(None);
                }
                _ => self.run = Some(self.read_run()?),
            }
        }
    }

    fn read_run(&mut self) -> Result<Run<T>, Malformed> {
        match self.reader.signed()? {
            0 => match self.reader.unsigned()? {
                0 => Err(Malformed::Column),
                count => Ok(Run::Null(count)),
            },
            count if count < 0 => Ok(Run::Literal(count.unsigned_abs())),
            count => Ok(Run::Repeat(T::read(&mut self.reader)?, count.unsigned_abs())),
        }
    }

    /// The value after the last must not exist: no bytes and no run may be left.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        let left = match self.run {
            Some(Run::Repeat(_, left) | Run::Literal(left) | Run::Null(left)) => left,
            None => 0,
        };
        if left == 0 && self.reader.is_empty() { Ok(()) } else { Err(Malformed::Column) }
    }
}

/// A column of numbers stored as differences.
#[derive(Clone, Debug)]
pub(super) struct Delta<'a> {
    differences: Rle<'a, i64>,
    last: i64,
}

impl<'a> Delta<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { differences: Rle::new(bytes), last: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<i64>, Malformed> {
        let Some(difference) = self.differences.next()? else { return Ok(None) };
        self.last = self.last.checked_add(difference).ok_or(Malformed::Number)?;
        Ok(Some(self.last))
    }

    pub(super) fn finish(self) -> Result<(), Malformed> {
        self.differences.finish()
    }
}

/// A column of flags: lengths of alternating runs, beginning with false. Returns whether all `count` are false.
pub(super) fn all_false(bytes: &[u8], count: u64) -> Result<bool, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.is_empty() {
        return Ok(true);
    }
    let falses = reader.unsigned()?;
    Ok(falses == count && reader.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_literals_and_gaps_come_out_in_order() {
        // 3 × 7, literals 1 2, two absent
        let mut column = Rle::<u64>::new(&[3, 7, 0x7e, 1, 2, 0, 2]);
        let read: Vec<_> = (0..7).map(|_| column.next().unwrap()).collect();
        assert_eq!(read, [Some(7), Some(7), Some(7), Some(1), Some(2), None, None]);
        assert_eq!(column.clone().next(), Err(Malformed::Length));
        assert_eq!(column.finish(), Ok(()));
    }

    #[test]
    fn a_claim_of_a_billion_values_costs_nothing_and_is_seen() {
        let mut column = Rle::<u64>::new(&[0x80, 0x94, 0xeb, 0xdc, 0x03, 1]);
        assert_eq!(column.next(), Ok(Some(1)));
        assert_eq!(column.finish(), Err(Malformed::Column));
    }

    #[test]
    fn an_empty_run_of_nothing_does_not_spin() {
        assert_eq!(Rle::<u64>::new(&[0, 0]).next(), Err(Malformed::Column));
    }

    #[test]
    fn differences_add_up_and_overflow_is_refused() {
        let mut column = Delta::new(&[0x7d, 5, 1, 0x7f]);
        assert_eq!((column.next(), column.next(), column.next()), (Ok(Some(5)), Ok(Some(6)), Ok(Some(5))));
        let max = [0x7e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 1];
        let mut column = Delta::new(&max);
        assert_eq!(column.next(), Ok(Some(i64::MAX)));
        assert_eq!(column.next(), Err(Malformed::Number));
    }
}

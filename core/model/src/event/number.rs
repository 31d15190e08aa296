//! Event numbers, issued on the phone without asking anybody.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// The number of an event: the device's code, the day, and a sequence within the day.
///
/// Written `K7Q2-20260214-003`. The server gives each device a code of its own at enrolment, so that two phones
/// never issue the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventNumber {
    device_code: String,
    day: Date,
    sequence: u32,
}

/// A text that is not an event number, or a device code that cannot stand in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event number")]
pub struct EventNumberError;

impl EventNumber {
    /// A number.
    ///
    /// # Errors
    /// If the device code has not 1 to 12 digits and capital letters, the year not four digits, or the sequence
    /// is 0.
    pub fn new(device_code: &str, day: Date, sequence: u32) -> Result<Self, EventNumberError> {
        let code = (1..=12).contains(&device_code.len())
            && device_code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if code && day.year() >= 1000 && sequence > 0 {
            Ok(Self { device_code: device_code.to_owned(), day, sequence })
        } else {
            Err(EventNumberError)
        }
    }

    /// The device's code.
    pub fn device_code(&self) -> &str {
        &self.device_code
    }

    /// The day, in the deployment's local time.
    pub fn day(&self) -> Date {
        self.day
    }

    /// The sequence within the day, from 1.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }
}

impl fmt::Display for EventNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device_code, day, sequence } = self;
        write!(f, "{device_code}-{:04}{:02}{:02}-{sequence:03}", day.year(), day.month(), day.day())
    }
}

impl FromStr for EventNumber {
    type Err = EventNumberError;

    fn from_str(text: &str) -> Result<Self, EventNumberError> {
        let mut parts = text.split('-');
        let (Some(code), Some(day), Some(sequence), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(EventNumberError);
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number =
            |text: Option<&str>| text.and_then(|text| text.parse::<i16>().ok()).ok_or(EventNumberError);
        if day.len() != 8 || !digits(day) || sequence.len() < 3 || !digits(sequence) {
            return Err(EventNumberError);
        }
        let small = |text| number(text).and_then(|part| i8::try_from(part).map_err(|_| EventNumberError));
        let day = Date::new(number(day.get(..4))?, small(day.get(4..6))?, small(day.get(6..))?)
            .map_err(|_| EventNumberError)?;
        let number = Self::new(code, day, sequence.parse().map_err(|_| EventNumberError)?)?;
        if number.to_string() == text { Ok(number) } else { Err(EventNumberError) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_written_and_read() {
        let number = EventNumber::new("K7Q2", Date::constant(2026, 2, 14), 3).unwrap();
        assert_eq!(number.to_string(), "K7Q2-20260214-003");
        assert_eq!("K7Q2-20260214-003".parse(), Ok(number));
        assert_eq!(
            EventNumber::new("K7Q2", Date::constant(2026, 2, 14), 1234).unwrap().to_string().len(),
            18
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "K7Q2",
            "K7Q2-20260230-003",
            "k7q2-20260214-003",
            "K7Q2-20260214-3",
            "K-2026021-003",
            "K7Q2-20260214-0003",
            "K7Q2-20260214-000",
            "K7-Q2-20260214-003",
            "网格-20260214-003",
        ] {
            assert_eq!(text.parse::<EventNumber>(), Err(EventNumberError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC{0,30}") {
            if let Ok(number) = text.parse::<EventNumber>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }
    }
}

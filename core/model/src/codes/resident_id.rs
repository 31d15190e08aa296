//! Resident identity numbers (GB 11643): 17 digits and a check character.
//!
//! Permanent residence cards of foreigners have the same shape and begin with 9.

use jiff::civil::Date;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// The first two digits of division codes in use.
const PROVINCES: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
    61, 62, 63, 64, 65, 71, 81, 82, 83,
];

/// Why a text is not an identity number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdNumberError {
    /// Not 18 characters.
    #[error("not 18 characters")]
    Length,
    /// Something else than 17 digits and a digit or X.
    #[error("other characters than digits")]
    Character,
    /// The digits of the birth date are no date.
    #[error("no valid birth date")]
    BirthDate,
    /// The check character does not fit the digits.
    #[error("wrong check character")]
    CheckCharacter,
    /// A spreadsheet kept it as a number: the last digits are lost for good.
    #[error("last digits lost by a spreadsheet")]
    LostDigits,
}

/// What an identity number says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdNumber {
    /// The number, with a large X.
    pub number: String,
    /// Day of birth.
    pub birth_date: Date,
    /// Whether the number is a man's.
    pub male: bool,
    /// Whether it stands on a foreigner's permanent residence card.
    pub foreigner: bool,
    /// Whether its region is a province in use. If not, that is a warning, not an error.
    pub region_known: bool,
}

/// The check character that fits the first 17 digits; `None` if they are not 17 digits.
pub fn check_character(digits: &str) -> Option<char> {
    let mut sum = 0;
    let mut count = 0;
    for (index, c) in digits.chars().enumerate() {
        sum += c.to_digit(10)? * WEIGHTS.get(index)?;
        count += 1;
    }
    let check = usize::try_from(sum % 11).ok().and_then(|rest| CHECKS.get(rest).copied());
    check.filter(|_| count == WEIGHTS.len())
}

/// Checks a number as it is written; see [`super::normalise`] for what people type.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str) -> Result<IdNumber, IdNumberError> {
    if looks_like_a_float(text) {
        return Err(IdNumberError::LostDigits);
    }
    let chars: Vec<char> = text.chars().map(|c| c.to_ascii_uppercase()).collect();
    let Some((last, digits)) = chars.split_last().filter(|(_, digits)| digits.len() == 17) else {
        return Err(IdNumberError::Length);
    };
    let digits: String = digits.iter().collect();
    let expected = check_character(&digits).ok_or(IdNumberError::Character)?;
    if !last.is_ascii_digit() && *last != 'X' {
        return Err(IdNumberError::Character);
    }
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<i16>().ok());
    if *last != expected {
        // A spreadsheet keeps 15 digits of a number and fills up with zeros.
        let zeros = digits.ends_with("00") && *last == '0';
        return Err(if zeros { IdNumberError::LostDigits } else { IdNumberError::CheckCharacter });
    }
    let small = |range| part(range).and_then(|number| i8::try_from(number).ok());
    let birth_date = match (part(6..10), small(10..12), small(12..14)) {
        (Some(year @ 1800..), Some(month), Some(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    let province = small(0..2).and_then(|province| u8::try_from(province).ok());
    Ok(IdNumber {
        birth_date: birth_date.ok_or(IdNumberError::BirthDate)?,
        male: part(16..17).is_some_and(|digit| digit % 2 == 1),
        foreigner: digits.starts_with('9'),
        region_known: province.is_some_and(|province| PROVINCES.contains(&province)),
        number: format!("{digits}{last}"),
    })
}

/// `3.70212E+17`, or a number with a fraction.
fn looks_like_a_float(text: &str) -> bool {
    let text = text.trim();
    let float = text.contains(['.', 'E', 'e']) && text.contains(|c: char| c.is_ascii_digit());
    float && text.parse::<f64>().is_ok_and(|number| number.abs() >= 1e9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_standard_passes() {
        let id = check("11010519491231002x").unwrap();
        assert_eq!(id.number, "11010519491231002X");
        assert_eq!(id.birth_date, Date::constant(1949, 12, 31));
        assert!(!id.male && !id.foreigner && id.region_known);
    }

    #[test]
    fn an_unassigned_region_is_no_error() {
        let id = check("990000193512237224").unwrap();
        assert!(!id.region_known && id.foreigner && !id.male);
    }

    #[test]
    fn each_fault_is_named() {
        for (text, error) in [
            ("", IdNumberError::Length),
            ("110105491231002", IdNumberError::Length),
            ("11010519491231002XX", IdNumberError::Length),
            ("1101051949123100二X", IdNumberError::Character),
            ("11010519491231002Y", IdNumberError::Character),
            ("110105194912310021", IdNumberError::CheckCharacter),
            ("110105194912310000", IdNumberError::LostDigits),
            ("1.10105E+17", IdNumberError::LostDigits),
            ("110105194912310020.0", IdNumberError::LostDigits),
        ] {
            assert_eq!(check(text), Err(error), "{text}");
        }
        let digits = "11010519490231002";
        let bad_date = format!("{digits}{}", check_character(digits).unwrap());
        assert_eq!(check(&bad_date), Err(IdNumberError::BirthDate));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_or_two_swapped_ones_are_found(
            serial in 0u32..1000,
            day in 1u32..29,
            at in 0usize..17,
            other in 0u8..10,
        ) {
            let digits = format!("370212198001{day:02}{serial:03}");
            let good = format!("{digits}{}", check_character(&digits).unwrap());
            prop_assert!(check(&good).is_ok());
            let mut wrong: Vec<char> = good.chars().collect();
            wrong[at] = char::from(b'0' + other);
            let wrong: String = wrong.into_iter().collect();
            prop_assert_eq!(check(&wrong).is_ok(), wrong == good);
            let mut swapped: Vec<char> = good.chars().collect();
            swapped.swap(at, at + 1);
            let swapped: String = swapped.into_iter().collect();
            prop_assert_eq!(check(&swapped).is_ok(), swapped == good);
        }
    }
}

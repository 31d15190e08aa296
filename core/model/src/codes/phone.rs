//! Telephone numbers of mainland China.

/// What sort of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhoneKind {
    /// 11 digits, from 13 to 19.
    Mobile,
    /// Area code and 7 or 8 digits, perhaps an extension; or 7 or 8 digits alone.
    Landline,
    /// 400 and 800 numbers.
    Service,
    /// Three to six digits: 110, 12345, 95598.
    Short,
}

/// A number whose shape is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// The digits without country code, blanks and signs; an extension after `-`.
    pub digits: String,
    /// What sort.
    pub kind: PhoneKind,
}

impl Phone {
    /// Reads a number; `None` if its shape is not known, which warns and does not refuse.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = super::normalise(text);
        if let Some(kind) = kind_of(&bare_digits(&plain)?) {
            return Some(Self { digits: bare_digits(&plain)?, kind });
        }
        let (main, extension) = plain.split_once('转').or_else(|| plain.rsplit_once('-'))?;
        let digits = bare_digits(main)?;
        let kind =
            kind_of(&digits).filter(|kind| matches!(kind, PhoneKind::Landline | PhoneKind::Service))?;
        let inside =
            (1..=6).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_digit());
        inside.then(|| Self { digits: format!("{digits}-{extension}"), kind })
    }
}

/// The digits without signs and country code; `None` if there is anything else but an extension.
fn bare_digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | '(' | ')' | '转')).collect();
    let digits = digits.strip_prefix("+86").or_else(|| digits.strip_prefix("0086")).unwrap_or(&digits);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.to_owned())
}

fn kind_of(digits: &str) -> Option<PhoneKind> {
    let bytes = digits.as_bytes();
    match (bytes, bytes.len()) {
        ([b'1', b'3'..=b'9', ..], 11) => Some(PhoneKind::Mobile),
        ([b'4' | b'8', b'0', b'0', ..], 10) => Some(PhoneKind::Service),
        ([b'0', b'1'..=b'9', ..], 10..=12) => Some(PhoneKind::Landline),
        ([b'2'..=b'9', ..], 7 | 8) => Some(PhoneKind::Landline),
        ([b'1' | b'9', ..], 3..=6) => Some(PhoneKind::Short),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_known_in_whatever_dress() {
        for (text, digits, kind) in [
            ("19900007832", "19900007832", PhoneKind::Mobile),
            ("+86 199-0000-7832", "19900007832", PhoneKind::Mobile),
            ("１９９００００７８３２", "19900007832", PhoneKind::Mobile),
            ("0532-88990000", "053288990000", PhoneKind::Landline),
            ("(0532) 88990000转123", "053288990000-123", PhoneKind::Landline),
            ("88990000", "88990000", PhoneKind::Landline),
            ("400-820-8820", "4008208820", PhoneKind::Service),
            ("12345", "12345", PhoneKind::Short),
        ] {
            assert_eq!(Phone::parse(text), Some(Phone { digits: digits.into(), kind }), "{text}");
        }
        for text in ["", "无", "1234567890123", "12900007832", "199000078", "0", "+86", "转1"] {
            assert_eq!(Phone::parse(text), None, "{text}");
        }
    }
}

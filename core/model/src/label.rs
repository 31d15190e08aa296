//! Tokens of QR labels: 128 random bits that say nothing, in a form that survives being read aloud and typed in.
//!
//! A label's code holds an address of the residents' page, so that any camera opens a report about the right door; the
//! phone takes only the token out of it. A token is a weak proof of presence: whoever photographs a label has it.

use std::fmt;
use std::str::FromStr;

/// Digits of Crockford's base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 16 bytes and their check.
const CODED_BYTES: usize = 18;
/// Digits of a token; the last holds one bit too many, which is 0.
const CODED_DIGITS: usize = 29;
/// Path of the residents' page for a label, between the server's address and the token.
pub const LABEL_PATH: &str = "/r/";
/// Characters of a scanned text that are looked at; an address of ours is shorter.
const SCAN_CHARS: usize = 1_024;

/// The token of a label.
///
/// As text: 26 digits of base 32 and a check of 16 bits (CRC-16/CCITT-FALSE), 29 digits in all. The check finds every
/// single wrong digit and every two neighbours that changed places: both are bursts of at most 10 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelToken([u8; 16]);

/// A text that is not the token of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the token of a label")]
pub struct NotALabel;

impl LabelToken {
    /// A token of these random bytes.
    pub const fn from_random(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The token in what a camera read: an address of any server that ends in `/r/` and a token, or a bare token.
    ///
    /// The server's name is not looked at: it may have been another when the label was printed, and a token that nobody
    /// gave out is not found anyway.
    ///
    /// # Errors
    /// [`NotALabel`] for every other text.
    pub fn from_scan(text: &str) -> Result<Self, NotALabel> {
        let text = text.trim();
        if text.len() > SCAN_CHARS {
            return Err(NotALabel);
        }
        match text.rsplit_once(LABEL_PATH) {
            Some((_, rest)) => rest.split(['?', '#', '/']).next().unwrap_or_default().parse(),
            None => text.parse(),
        }
    }

    /// What a label's code says: the address of the residents' page for this token.
    pub fn url(&self, server: &str) -> String {
        format!("{}{LABEL_PATH}{self}", server.trim_end_matches('/'))
    }

    /// Whether a text is written as records keep it.
    pub fn is_canonical(text: &str) -> bool {
        text.parse::<Self>().is_ok_and(|token| token.to_string() == text)
    }

    /// The text form in groups, for people who type it in.
    pub fn grouped(&self) -> String {
        let mut out = String::with_capacity(CODED_DIGITS + 5);
        for (n, digit) in self.to_string().chars().enumerate() {
            if n > 0 && n % 5 == 0 {
                out.push('-');
            }
            out.push(digit);
        }
        out
    }
}

impl fmt::Display for LabelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = crc16(&self.0).to_be_bytes();
        let (mut buffer, mut bits) = (0u32, 0u32);
        for byte in self.0.iter().chain(&check) {
            buffer = buffer << 8 | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                write_digit(f, buffer >> bits)?;
            }
        }
        write_digit(f, buffer << (5 - bits))
    }
}

fn write_digit(f: &mut fmt::Formatter<'_>, value: u32) -> fmt::Result {
    let digit = DIGITS.get((value & 31) as usize).copied().unwrap_or(b'0');
    fmt::Write::write_char(f, char::from(digit))
}

impl fmt::Debug for LabelToken {
    /// Not the token itself: whoever has it can pretend to have been at the door.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LabelToken(..)")
    }
}

impl FromStr for LabelToken {
    type Err = NotALabel;

    /// Reads the text form; small letters, blanks and hyphens are fine, and I, L, O are read as the digits that they
    /// look like.
    fn from_str(text: &str) -> Result<Self, NotALabel> {
        let mut coded = [0u8; CODED_BYTES];
        let mut out = coded.iter_mut();
        let (mut buffer, mut bits, mut digits) = (0u32, 0u32, 0usize);
        for c in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            digits += 1;
            if digits > CODED_DIGITS {
                return Err(NotALabel);
            }
            buffer = (buffer << 5 | digit(c)?) & 0xfff;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                *out.next().ok_or(NotALabel)? = (buffer >> bits & 0xff) as u8;
            }
        }
        let left_over = buffer & ((1 << bits) - 1);
        let (token, check) = coded.split_last_chunk::<2>().ok_or(NotALabel)?;
        let token: [u8; 16] = token.try_into().map_err(|_| NotALabel)?;
        let whole = digits == CODED_DIGITS && left_over == 0 && crc16(&token) == u16::from_be_bytes(*check);
        if whole { Ok(Self(token)) } else { Err(NotALabel) }
    }
}

fn digit(c: char) -> Result<u32, NotALabel> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = DIGITS.iter().position(|digit| char::from(*digit) == c).ok_or(NotALabel)?;
    u32::try_from(at).map_err(|_| NotALabel)
}

/// CRC-16/CCITT-FALSE: polynomial x¹⁶ + x¹² + x⁵ + 1, beginning with ones. Any burst of at most 16 bits changes it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_is_the_one_of_its_catalogue() {
        assert_eq!(crc16(b"123456789"), 0x29b1);
    }

    #[test]
    fn only_addresses_of_labels_are_taken() {
        let token = LabelToken::from_random(*b"a made-up label!");
        let text = token.to_string();
        assert_eq!((text.len(), token.grouped().len()), (29, 34));
        assert_eq!(token.url("https://grid.example/"), format!("https://grid.example/r/{text}"));
        for good in [
            text.clone(),
            format!(" {} ", token.grouped().to_lowercase()),
            format!("https://grid.example/r/{text}"),
            format!("HTTPS://OLD.EXAMPLE/r/{text}?from=camera#top"),
            format!("https://grid.example/r/r/{text}/"),
        ] {
            assert_eq!(LabelToken::from_scan(&good), Ok(token), "{good}");
        }
        for bad in [
            String::new(),
            "https://grid.example/r/".into(),
            format!("https://grid.example/q/{text}"),
            format!("{text}0"),
            text.get(1..).unwrap_or_default().into(),
            "x".repeat(5_000),
            "WIFI:S:guest;T:WPA;P:guest;;".into(),
            format!("{}扫", text.get(..28).unwrap_or_default()),
        ] {
            assert_eq!(LabelToken::from_scan(&bad), Err(NotALabel), "{bad}");
        }
        assert!(LabelToken::is_canonical(&text) && !LabelToken::is_canonical(&text.to_lowercase()));
        assert!(!format!("{token:?}").contains(&text), "no token in a log");
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_a_slip_is_noticed(
            random in any::<[u8; 16]>(),
            at in 0usize..29,
            digit in 0usize..32,
        ) {
            let token = LabelToken::from_random(random);
            let text = token.to_string();
            prop_assert_eq!(text.parse(), Ok(token));
            let mut wrong: Vec<char> = text.chars().collect();
            wrong[at] = char::from(DIGITS[digit]);
            let wrong: String = wrong.into_iter().collect();
            prop_assert_eq!(wrong == text, wrong.parse::<LabelToken>().is_ok());
            let mut swapped: Vec<char> = text.chars().collect();
            swapped.swap(at, (at + 1).min(28));
            let swapped: String = swapped.into_iter().collect();
            prop_assert_eq!(swapped == text, swapped.parse::<LabelToken>().is_ok());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,64}") {
            let _ = LabelToken::from_scan(&text);
        }
    }
}

//! Unified social credit codes (GB 32100): 18 characters, the last a check character.
//!
//! Codes in use exist that fail the check, so a failure warns and does not refuse.

const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// What is odd about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsccError {
    /// Not 18 characters.
    #[error("not 18 characters")]
    Length,
    /// A character that such codes do not use: I, O, S, V, Z, or anything else.
    #[error("a character that such codes do not use")]
    Character,
    /// The check character does not fit.
    #[error("wrong check character")]
    CheckCharacter,
}

fn value(c: char) -> Option<u32> {
    ALPHABET.find(c).and_then(|at| u32::try_from(at).ok())
}

/// The check character that fits the first 17; `None` if they are not 17 or use other characters.
pub fn check_character(body: &str) -> Option<char> {
    let mut weight = 1;
    let mut sum = 0;
    let mut count = 0;
    for c in body.chars() {
        if count == 17 {
            return None;
        }
        sum += value(c)? * weight;
        weight = weight * 3 % 31;
        count += 1;
    }
    let check = (31 - sum % 31) % 31;
    ALPHABET.chars().nth(usize::try_from(check).ok()?).filter(|_| count == 17)
}

/// Checks a code as it is written.
///
/// # Errors
/// The first thing that is odd about it.
pub fn check(text: &str) -> Result<(), UsccError> {
    let chars: Vec<char> = text.chars().collect();
    let Some((last, body)) = chars.split_last().filter(|(_, body)| body.len() == 17) else {
        return Err(UsccError::Length);
    };
    if chars.iter().any(|c| value(*c).is_none()) {
        return Err(UsccError::Character);
    }
    let body: String = body.iter().collect();
    if check_character(&body) == Some(*last) { Ok(()) } else { Err(UsccError::CheckCharacter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_code_passes_and_each_fault_is_named() {
        assert_eq!(check("91350100M000100Y43"), Ok(()));
        assert_eq!(check("91350100M000100Y4"), Err(UsccError::Length));
        assert_eq!(check("91350100M000100Y44"), Err(UsccError::CheckCharacter));
        for bad in ['I', 'O', 'S', 'V', 'Z', 'a', '网'] {
            let text: String = "91350100M000100Y4".chars().chain([bad]).collect();
            assert_eq!(check(&text), Err(UsccError::Character));
        }
    }

    #[test]
    fn any_single_wrong_character_is_found() {
        let good: Vec<char> = "91350100M000100Y43".chars().collect();
        for at in 0..good.len() {
            for other in ALPHABET.chars().filter(|other| *other != good[at]) {
                let mut wrong = good.clone();
                wrong[at] = other;
                let wrong: String = wrong.into_iter().collect();
                assert_eq!(check(&wrong), Err(UsccError::CheckCharacter), "{wrong}");
            }
        }
    }
}

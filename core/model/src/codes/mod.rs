//! Codes that people and offices write, how they are checked, and how they are shown.
//!
//! Nothing here slices the bytes of a text that was not checked: any Unicode is survived.
//!
//! | code | module | source |
//! | --- | --- | --- |
//! | division and grid | [`area_code`] | statistical division code, 15 digits with the grid |
//! | resident identity number | [`resident_id`] | GB 11643 |
//! | unified social credit code | [`uscc`] | GB 32100 |
//! | telephone | [`phone`] | numbering plan of mainland China |
//! | what is shown of them | [`mask`] | |

pub mod area_code;
pub mod mask;
pub mod phone;
pub mod resident_id;
pub mod uscc;

/// Turns full-width letters, digits and signs into plain ones, drops blanks, and makes letters large: what a
/// person means who typed a code on a Chinese keyboard.
pub fn normalise(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\u{feff}' | '\u{200b}'))
        .map(|c| {
            let plain = match c {
                '\u{ff01}'..='\u{ff5e}' => {
                    u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c)
                }
                other => other,
            };
            plain.to_ascii_uppercase()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_typed_becomes_what_was_meant() {
        assert_eq!(normalise(" １１０１０５ｘ\u{3000}"), "110105X");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let plain = normalise(&text);
            area_code::AreaCode::parse(&text);
            let _ = resident_id::check(&text);
            let _ = resident_id::check(&plain);
            let _ = uscc::check(&text);
            let _ = phone::Phone::parse(&text);
            for masked in [mask::id_number(&text), mask::phone(&text), mask::name(&text)] {
                prop_assert_eq!(masked.chars().count(), text.chars().count());
            }
        }
    }
}

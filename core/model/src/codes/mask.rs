//! What is shown of personal data where the whole is not needed.

/// Keeps the first `head` and the last `tail` characters and stars the rest; all of it, if it is not longer
/// than both together.
fn keep(text: &str, head: usize, tail: usize) -> String {
    let count = text.chars().count();
    let kept = |at: usize| count > head + tail && (at < head || at >= count - tail);
    text.chars().enumerate().map(|(at, c)| if kept(at) { c } else { '*' }).collect()
}

/// An identity number: first 3 and last 4 characters.
pub fn id_number(text: &str) -> String {
    keep(text, 3, 4)
}

/// A telephone number: first 3 and last 4 characters.
pub fn phone(text: &str) -> String {
    keep(text, 3, 4)
}

/// A name, for everybody but the assigned gridworker: the first character.
pub fn name(text: &str) -> String {
    keep(text, 1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_left() {
        assert_eq!(id_number("990000193512237224"), "990***********7224");
        assert_eq!(phone("19900007832"), "199****7832");
        assert_eq!(phone("12345"), "*****");
        assert_eq!(name("罗平"), "罗*");
        assert_eq!(name("欧阳小平"), "欧***");
        assert_eq!(name("罗"), "*");
        assert_eq!(name(""), "");
    }
}

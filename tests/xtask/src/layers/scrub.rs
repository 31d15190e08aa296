//! Rust source with comments and literals blanked out, so that searching finds code only. Lines stay where they are.

/// Blanks comments, string literals and character literals.
pub fn without_comments_and_strings(source: &str) -> String {
    let mut scrubber = Scrubber { rest: source, out: String::with_capacity(source.len()) };
    while !scrubber.rest.is_empty() {
        scrubber.step();
    }
    scrubber.out
}

/// Blanks what follows `#[cfg(test)]` up to the end of its item; expects source that is scrubbed already.
pub fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        out.push_str(before);
        let end = end_of_item(after);
        blank(&mut out, after.get(..end).unwrap_or(after));
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Where the item that starts here ends: after its `;`, or after the brace that closes its first brace.
pub fn end_of_item(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

fn blank(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

struct Scrubber<'a> {
    rest: &'a str,
    out: String,
}

impl Scrubber<'_> {
    fn step(&mut self) {
        let in_word = self.out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(comment_length(self.rest));
        } else if !in_word && let Some(length) = raw_string_length(self.rest) {
            self.blank(length);
        } else if self.rest.starts_with('"') {
            self.blank(string_length(self.rest));
        } else if let Some(length) = character_length(self.rest) {
            self.blank(length);
        } else if let Some(c) = self.rest.chars().next() {
            self.out.push(c);
            self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }

    fn blank(&mut self, length: usize) {
        blank(&mut self.out, self.rest.get(..length).unwrap_or(self.rest));
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#` and their byte and C forms, if one starts here.
fn raw_string_length(text: &str) -> Option<usize> {
    let after_letters = text.strip_prefix("br").or(text.strip_prefix("cr")).or(text.strip_prefix('r'))?;
    let hashes = after_letters.len() - after_letters.trim_start_matches('#').len();
    let body = after_letters.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; `None` for a lifetime.
fn character_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    if let Some(escape) = body.strip_prefix('\\') {
        let kind = escape.chars().next()?;
        let end = escape.get(kind.len_utf8()..)?.find('\'')?;
        return Some(2 + kind.len_utf8() + end + 1);
    }
    let c = body.chars().next()?;
    body.get(c.len_utf8()..)?.starts_with('\'').then_some(2 + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        without_comments_and_strings(source).split_whitespace().map(String::from).collect()
    }

    #[test]
    fn comments_of_all_kinds_vanish() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(words("/// doc 'quote\nfn x"), ["fn", "x"]);
    }

    #[test]
    fn literals_of_all_kinds_vanish() {
        assert_eq!(words(r##"a "b \" c" d r#"e " f"# g b"h" i"##), ["a", "d", "g", "b", "i"]);
        assert_eq!(words(r"a '{' b '\'' c '\\' d '中' e '\u{4e2d}' f"), ["a", "b", "c", "d", "e", "f"]);
    }

    #[test]
    fn lifetimes_and_raw_names_stay() {
        assert_eq!(words("fn x<'a>(y: &'a str) for 'b"), ["fn", "x<'a>(y:", "&'a", "str)", "for", "'b"]);
        assert_eq!(words("bar\"x\" y"), ["bar", "y"]);
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "a\n/* b\nc */ d\n\"e\nf\" g\n";
        assert_eq!(without_comments_and_strings(source).lines().count(), source.lines().count());
    }

    #[test]
    fn test_items_vanish_to_their_end() {
        let code = "a\n#[cfg(test)]\nmod tests { x { y } }\nb\n#[cfg(test)] use z;\nc";
        assert_eq!(without_tests(code).split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

//! SPDX licence expressions, as far as Cargo manifests use them: `AND`, `OR`, `WITH`, parentheses, and the old `/`.

/// Whether an expression can be met with the allowed licences alone. An entry of `allowed` is an identifier, or
/// an identifier `WITH` an exception. The error says what could not be read.
pub fn is_met(expression: &str, allowed: &[String]) -> Result<bool, String> {
    let tokens = tokens(expression);
    let mut reader = Reader { tokens: &tokens, allowed };
    let met = reader.either()?;
    match reader.tokens.first() {
        None => Ok(met),
        Some(extra) => Err(format!("unexpected `{extra}`")),
    }
}

/// Every licence an expression names (with its exception), once each.
pub fn names(expression: &str) -> Vec<String> {
    let tokens = tokens(expression);
    let mut names: Vec<String> = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        if matches!(token.as_str(), "AND" | "OR" | "(" | ")") {
            continue;
        }
        let mut name = token.clone();
        if let [with, exception, after @ ..] = rest
            && with == "WITH"
        {
            name = format!("{token} WITH {exception}");
            rest = after;
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn tokens(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(String::from).collect()
}

struct Reader<'a> {
    tokens: &'a [String],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn either(&mut self) -> Result<bool, String> {
        let mut met = self.both()?;
        while self.skip("OR") {
            met |= self.both()?;
        }
        Ok(met)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut met = self.one()?;
        while self.skip("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.skip("(") {
            let met = self.either()?;
            return if self.skip(")") { Ok(met) } else { Err("a parenthesis is not closed".into()) };
        }
        let name = self.identifier()?;
        if self.skip("WITH") {
            let exception = self.identifier()?;
            return Ok(self.allowed.contains(&format!("{name} WITH {exception}")));
        }
        Ok(self.allowed.contains(&name))
    }

    fn identifier(&mut self) -> Result<String, String> {
        match self.tokens.split_first() {
            Some((token, rest)) if !matches!(token.as_str(), "AND" | "OR" | "WITH" | "(" | ")") => {
                self.tokens = rest;
                Ok(token.clone())
            }
            Some((token, _)) => Err(format!("a licence was expected before `{token}`")),
            None => Err("a licence was expected at the end".into()),
        }
    }

    fn skip(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((token, rest)) if token == word => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str, allowed: &[&str]) -> Result<bool, String> {
        is_met(expression, &allowed.iter().map(|name| (*name).to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn or_needs_one_and_needs_all() {
        assert_eq!(met("MIT OR GPL-3.0", &["MIT"]), Ok(true));
        assert_eq!(met("MIT/Apache-2.0", &["Apache-2.0"]), Ok(true));
        assert_eq!(met("MIT AND GPL-3.0", &["MIT"]), Ok(false));
        assert_eq!(met("GPL-3.0", &["MIT"]), Ok(false));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert_eq!(met("GPL-3.0 AND ISC OR MIT", &["MIT"]), Ok(true));
        assert_eq!(met("MIT OR ISC AND GPL-3.0", &["MIT"]), Ok(true));
        assert_eq!(met("(MIT OR ISC) AND GPL-3.0", &["MIT", "ISC"]), Ok(false));
        assert_eq!(met("(MIT OR Apache-2.0) AND Unicode-3.0", &["MIT", "Unicode-3.0"]), Ok(true));
    }

    #[test]
    fn an_exception_must_itself_be_allowed() {
        let expression = "Apache-2.0 WITH LLVM-exception";
        assert_eq!(met(expression, &["Apache-2.0"]), Ok(false));
        assert_eq!(met(expression, &["Apache-2.0 WITH LLVM-exception"]), Ok(true));
    }

    #[test]
    fn nonsense_is_an_error_not_a_pass() {
        for expression in ["", "MIT OR", "(MIT", "MIT MIT", "AND MIT", "MIT WITH"] {
            assert!(met(expression, &["MIT"]).is_err(), "{expression}");
        }
    }

    #[test]
    fn names_are_listed_once_with_exceptions() {
        let expected = ["Apache-2.0 WITH LLVM-exception", "MIT", "ISC"];
        assert_eq!(names("Apache-2.0 WITH LLVM-exception OR (MIT AND ISC) OR MIT"), expected);
    }
}

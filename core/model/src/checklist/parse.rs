//! Reading a condition. Bounded: see [`super::condition`].

use std::iter::Peekable;
use std::str::CharIndices;

/// Longest condition, in bytes.
pub(super) const MAX_BYTES: usize = 600;
/// Most nodes of a condition: with them its work is bounded too, since nothing repeats.
const MAX_NODES: usize = 120;
/// Deepest nesting of parentheses and signs.
const MAX_DEPTH: usize = 12;

/// A condition that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("condition, at byte {at}: {}", .fault.en())]
pub struct ConditionError {
    /// Where, in bytes from the start.
    pub at: usize,
    /// What is wrong.
    pub fault: ConditionFault,
}

labels! {
    /// What is wrong with a condition.
    ConditionFault {
        /// It is longer, larger or deeper than allowed.
        TooLarge = "too_large", "条件过长或过于复杂", "too long or too complicated";
        /// A sign that does not belong there.
        Unexpected = "unexpected", "条件有语法错误", "not understood here";
        /// It stops too early.
        End = "end", "条件不完整", "not complete";
        /// A number that cannot be read.
        Number = "number", "数字无法识别", "not a number";
    }
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
}

/// A condition as a tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Flag(bool),
    Number(f64),
    Text(String),
    Name(String),
    /// `answered(name)`.
    Answered(String),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Sign(&'static str),
}

const SIGNS: &[&str] =
    &["||", "&&", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "(", ")", "[", "]", ","];

pub(super) fn parse(source: &str) -> Result<Expr, ConditionError> {
    if source.len() > MAX_BYTES {
        return Err(ConditionError { at: MAX_BYTES, fault: ConditionFault::TooLarge });
    }
    let tokens = tokens(source)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), end: source.len(), nodes: 0, depth: 0 };
    let expr = parser.or()?;
    match parser.tokens.next() {
        None => Ok(expr),
        Some((at, _)) => Err(ConditionError { at, fault: ConditionFault::Unexpected }),
    }
}

fn tokens(source: &str) -> Result<Vec<(usize, Token)>, ConditionError> {
    let mut out = Vec::new();
    let mut chars = source.char_indices().peekable();
    while let Some(&(at, c)) = chars.peek() {
        if c.is_ascii_whitespace() {
            chars.next();
        } else if c.is_ascii_digit() {
            let text = take_while(&mut chars, |c| c.is_ascii_digit() || c == '.');
            let number = text.parse().map_err(|_| ConditionError { at, fault: ConditionFault::Number })?;
            out.push((at, Token::Number(number)));
        } else if c.is_ascii_alphabetic() || c == '_' {
            let name = take_while(&mut chars, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
            out.push((at, Token::Name(name)));
        } else if matches!(c, '\'' | '"') {
            chars.next();
            // No escapes: a word that needs one is not a word of a choice.
            let text = take_while(&mut chars, |next| next != c);
            if chars.next().is_none() {
                return Err(ConditionError { at: source.len(), fault: ConditionFault::End });
            }
            out.push((at, Token::Text(text)));
        } else {
            let rest = source.get(at..).unwrap_or_default();
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or(ConditionError { at, fault: ConditionFault::Unexpected })?;
            chars.by_ref().take(sign.len()).for_each(|_| ());
            out.push((at, Token::Sign(sign)));
        }
    }
    Ok(out)
}

fn take_while(chars: &mut Peekable<CharIndices<'_>>, wanted: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    while let Some((_, c)) = chars.next_if(|(_, c)| wanted(*c)) {
        out.push(c);
    }
    out
}

struct Parser {
    tokens: Peekable<std::vec::IntoIter<(usize, Token)>>,
    end: usize,
    nodes: usize,
    depth: usize,
}

type Level = fn(&mut Parser) -> Result<Expr, ConditionError>;

impl Parser {
    fn at(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |(at, _)| *at)
    }

    fn fail<T>(&mut self, fault: ConditionFault) -> Result<T, ConditionError> {
        let fault = if self.tokens.peek().is_none() { ConditionFault::End } else { fault };
        Err(ConditionError { at: self.at(), fault })
    }

    fn sign(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|(_, token)| matches!(token, Token::Sign(sign) if *sign == wanted)).is_some()
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ConditionError> {
        if self.sign(wanted) { Ok(()) } else { self.fail(ConditionFault::Unexpected) }
    }

    fn node(&mut self, expr: Expr) -> Result<Expr, ConditionError> {
        self.nodes += 1;
        let at = self.at();
        if self.nodes > MAX_NODES {
            return Err(ConditionError { at, fault: ConditionFault::TooLarge });
        }
        Ok(expr)
    }

    fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, ConditionError>,
    ) -> Result<T, ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let at = self.at();
            return Err(ConditionError { at, fault: ConditionFault::TooLarge });
        }
        let out = work(self)?;
        self.depth -= 1;
        Ok(out)
    }

    fn chain(&mut self, signs: &[(&str, Op)], next: Level) -> Result<Expr, ConditionError> {
        let mut left = next(self)?;
        loop {
            let Some((_, op)) = signs.iter().find(|(sign, _)| self.sign(sign)) else { return Ok(left) };
            let right = next(self)?;
            left = self.node(Expr::Binary(*op, Box::new(left), Box::new(right)))?;
        }
    }

    fn or(&mut self) -> Result<Expr, ConditionError> {
        self.chain(&[("||", Op::Or)], Self::and)
    }

    fn and(&mut self) -> Result<Expr, ConditionError> {
        self.chain(&[("&&", Op::And)], Self::relation)
    }

    /// One comparison at most: CEL's `a < b < c` means nothing useful.
    fn relation(&mut self) -> Result<Expr, ConditionError> {
        const SIGNS: &[(&str, Op)] =
            &[("==", Op::Eq), ("!=", Op::Ne), ("<=", Op::Le), (">=", Op::Ge), ("<", Op::Lt), (">", Op::Gt)];
        let left = self.sum()?;
        if self.tokens.next_if(|(_, token)| *token == Token::Name("in".into())).is_some() {
            let list = self.list()?;
            return self.node(Expr::In(Box::new(left), list));
        }
        let Some((_, op)) = SIGNS.iter().find(|(sign, _)| self.sign(sign)) else { return Ok(left) };
        let right = self.sum()?;
        self.node(Expr::Binary(*op, Box::new(left), Box::new(right)))
    }

    fn list(&mut self) -> Result<Vec<Expr>, ConditionError> {
        self.expect("[")?;
        let mut out = Vec::new();
        if self.sign("]") {
            return Ok(out);
        }
        loop {
            match self.primary()? {
                value @ (Expr::Flag(_) | Expr::Number(_) | Expr::Text(_)) => out.push(value),
                _ => return self.fail(ConditionFault::Unexpected),
            }
            if self.sign("]") {
                return Ok(out);
            }
            self.expect(",")?;
        }
    }

    fn sum(&mut self) -> Result<Expr, ConditionError> {
        self.chain(&[("+", Op::Add), ("-", Op::Sub)], Self::product)
    }

    fn product(&mut self) -> Result<Expr, ConditionError> {
        self.chain(&[("*", Op::Mul), ("/", Op::Div)], Self::unary)
    }

    fn unary(&mut self) -> Result<Expr, ConditionError> {
        if self.sign("!") {
            let inner = self.deeper(Self::unary)?;
            return self.node(Expr::Not(Box::new(inner)));
        }
        if self.sign("-") {
            let inner = self.deeper(Self::unary)?;
            return self.node(Expr::Minus(Box::new(inner)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, ConditionError> {
        if self.sign("(") {
            let inner = self.deeper(Self::or)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let word = self.tokens.next_if(|(_, token)| {
            matches!(token, Token::Number(_) | Token::Text(_))
                || matches!(token, Token::Name(name) if name != "in")
        });
        let Some((_, token)) = word else { return self.fail(ConditionFault::Unexpected) };
        let expr = match token {
            Token::Number(number) => Expr::Number(number),
            Token::Text(text) => Expr::Text(text),
            Token::Name(name) if name == "true" => Expr::Flag(true),
            Token::Name(name) if name == "false" => Expr::Flag(false),
            Token::Name(name) if name == "answered" => {
                self.expect("(")?;
                let Some((_, Token::Name(of))) =
                    self.tokens.next_if(|(_, token)| matches!(token, Token::Name(_)))
                else {
                    return self.fail(ConditionFault::Unexpected);
                };
                self.expect(")")?;
                Expr::Answered(of)
            }
            Token::Name(name) => Expr::Name(name),
            Token::Sign(_) => return self.fail(ConditionFault::Unexpected),
        };
        self.node(expr)
    }
}

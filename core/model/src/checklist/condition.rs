//! Conditions: when an item is shown, when it has to be answered, when it passes.
//!
//! The language is a subset of CEL (the Common Expression Language): `||`, `&&`, `!`, comparisons, `in` with a list of
//! literals, `+ - * /` over numbers, literals, names, parentheses, and one function, `answered(item)`. A name is an
//! item's identifier or a fact about the place such as `place.category`. A pass-or-fail item has the words `pass`,
//! `fail` and `na`; a choice has its word, a number its number, a text its text, a photo `true`. All numbers are
//! CEL's doubles.
//!
//! What is not known (an item without an answer, a name that nothing has, a comparison of a text with a number) makes
//! a result unknown rather than an error, as in CEL's partial evaluation: `false && unknown` is false, `true || unknown`
//! is true, everything else is unknown. An unknown condition does not hold.
//!
//! # Why not a library
//! The maintained crate is `cel` (MIT). Conditions come from outside the phone, so that reading one must neither run away
//! nor end the process, and version 0.15 cannot promise that. Measured without optimisation: 20 nested parentheses
//! overflow a stack of 1 MiB, 40 one of 2 MiB, far below its own limit of 96 levels, and an overflow aborts (its issue
//! 212 is open). Evaluation has no bound on work, and comprehensions nest. It brings a generated ANTLR parser with its
//! runtime, nom, uuid and three more crates for a twentieth of the language. `evalexpr` is under the AGPL. Here a
//! condition has at most 600 bytes, 120 nodes and 12 levels, nothing repeats or grows, and every text is survived (tested
//! with random ones). A condition within the subset reads the same in any CEL implementation, but that a whole number in
//! arithmetic would be written `50.0` there, so that a library can take its place later.

use std::collections::BTreeMap;

use super::parse::{self, ConditionError, Expr, Op};
use crate::place_categories::category_code;

/// A value that a condition sees.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text or a word.
    Text(String),
}

/// The fact that is a category of a place: a code of [`crate::place_categories`], or a word that it does not have.
pub const PLACE_CATEGORY: &str = "place.category";

/// Facts beside the answers, by name: [`PLACE_CATEGORY`].
pub type Facts = BTreeMap<String, Known>;

/// A condition that was read and is within its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    expr: Expr,
}

impl Condition {
    /// Reads a condition. Words that it compares with [`PLACE_CATEGORY`] stand for their category, whichever word of the
    /// table they are.
    ///
    /// # Errors
    /// Where it cannot be read, or that it is too large.
    pub fn parse(source: &str) -> Result<Self, ConditionError> {
        let mut expr = parse::parse(source)?;
        name_categories(&mut expr);
        Ok(Self { expr })
    }

    /// What it comes to with these values; `None` where that is unknown, or no yes or no.
    pub fn evaluate(&self, value_of: &dyn Fn(&str) -> Option<Known>) -> Option<bool> {
        flag(&evaluate(&self.expr, value_of)?)
    }

    /// Every name that it asks for.
    pub fn names(&self) -> Vec<&str> {
        let mut out = Vec::new();
        walk(&self.expr, &mut |expr| {
            if let Expr::Name(name) | Expr::Answered(name) = expr {
                out.push(name.as_str());
            }
        });
        out
    }

    /// Every word that a name is compared with.
    pub fn compared_words(&self) -> Vec<(&str, &str)> {
        let mut out = Vec::new();
        walk(&self.expr, &mut |expr| match expr {
            Expr::Binary(Op::Eq | Op::Ne, left, right) => match (&**left, &**right) {
                (Expr::Name(name), Expr::Text(word)) | (Expr::Text(word), Expr::Name(name)) => {
                    out.push((name.as_str(), word.as_str()));
                }
                _ => {}
            },
            Expr::In(left, list) => {
                if let Expr::Name(name) = &**left {
                    out.extend(list.iter().filter_map(|value| match value {
                        Expr::Text(word) => Some((name.as_str(), word.as_str())),
                        _ => None,
                    }));
                }
            }
            _ => {}
        });
        out
    }
}

fn walk<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    match expr {
        Expr::Not(inner) | Expr::Minus(inner) => walk(inner, see),
        Expr::In(left, _) => walk(left, see),
        Expr::Binary(_, left, right) => {
            walk(left, see);
            walk(right, see);
        }
        Expr::Flag(_) | Expr::Number(_) | Expr::Text(_) | Expr::Name(_) | Expr::Answered(_) => {}
    }
}

/// Writes the code in place of each word that the category of a place is compared with.
fn name_categories(expr: &mut Expr) {
    let is_category = |expr: &Expr| matches!(expr, Expr::Name(name) if name == PLACE_CATEGORY);
    let code = |expr: &mut Expr| {
        if let Expr::Text(word) = expr {
            *word = category_code(word).to_owned();
        }
    };
    match expr {
        Expr::Not(inner) | Expr::Minus(inner) => name_categories(inner),
        Expr::In(left, list) if is_category(left) => list.iter_mut().for_each(code),
        Expr::Binary(Op::Eq | Op::Ne, left, right) if is_category(left) => code(right),
        Expr::Binary(Op::Eq | Op::Ne, left, right) if is_category(right) => code(left),
        Expr::In(inner, _) => name_categories(inner),
        Expr::Binary(_, left, right) => {
            name_categories(left);
            name_categories(right);
        }
        Expr::Flag(_) | Expr::Number(_) | Expr::Text(_) | Expr::Name(_) | Expr::Answered(_) => {}
    }
}

const fn flag(value: &Known) -> Option<bool> {
    if let Known::Flag(flag) = value { Some(*flag) } else { None }
}

const fn number(value: &Known) -> Option<f64> {
    if let Known::Number(number) = value { Some(*number) } else { None }
}

fn evaluate(expr: &Expr, value_of: &dyn Fn(&str) -> Option<Known>) -> Option<Known> {
    match expr {
        Expr::Flag(flag) => Some(Known::Flag(*flag)),
        Expr::Number(number) => Some(Known::Number(*number)),
        Expr::Text(text) => Some(Known::Text(text.clone())),
        Expr::Name(name) => value_of(name),
        Expr::Answered(name) => Some(Known::Flag(value_of(name).is_some())),
        Expr::Not(inner) => Some(Known::Flag(!flag(&evaluate(inner, value_of)?)?)),
        Expr::Minus(inner) => Some(Known::Number(-number(&evaluate(inner, value_of)?)?)),
        Expr::In(left, list) => {
            let left = evaluate(left, value_of)?;
            let any = list.iter().any(|one| evaluate(one, value_of).as_ref() == Some(&left));
            Some(Known::Flag(any))
        }
        Expr::Binary(op @ (Op::Or | Op::And), left, right) => {
            let decisive = *op == Op::Or;
            let left = evaluate(left, value_of).as_ref().and_then(flag);
            if left == Some(decisive) {
                return Some(Known::Flag(decisive));
            }
            let right = evaluate(right, value_of).as_ref().and_then(flag);
            if right == Some(decisive) {
                return Some(Known::Flag(decisive));
            }
            (left.is_some() && right.is_some()).then_some(Known::Flag(!decisive))
        }
        Expr::Binary(op, left, right) => binary(*op, &evaluate(left, value_of)?, &evaluate(right, value_of)?),
    }
}

fn binary(op: Op, left: &Known, right: &Known) -> Option<Known> {
    match (op, left, right) {
        (Op::Eq, Known::Text(_), Known::Text(_)) | (Op::Eq, Known::Flag(_), Known::Flag(_)) => {
            return Some(Known::Flag(left == right));
        }
        (Op::Ne, Known::Text(_), Known::Text(_)) | (Op::Ne, Known::Flag(_), Known::Flag(_)) => {
            return Some(Known::Flag(left != right));
        }
        _ => {}
    }
    let (left, right) = (number(left)?, number(right)?);
    let compared = match op {
        Op::Eq => left == right,
        Op::Ne => left != right,
        Op::Lt => left < right,
        Op::Le => left <= right,
        Op::Gt => left > right,
        Op::Ge => left >= right,
        Op::Add => return finite(left + right),
        Op::Sub => return finite(left - right),
        Op::Mul => return finite(left * right),
        Op::Div => return finite(left / right),
        Op::Or | Op::And => return None,
    };
    Some(Known::Flag(compared))
}

/// A division by zero or an overflow is not known rather than infinite: no limit is met by accident.
fn finite(number: f64) -> Option<Known> {
    number.is_finite().then_some(Known::Number(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checklist::ConditionFault;

    fn holds(source: &str) -> Option<bool> {
        Condition::parse(source).unwrap().evaluate(&|name| match name {
            "gas" => Some(Known::Text("bottled".into())),
            "area" => Some(Known::Number(120.0)),
            "place.category" => Some(Known::Text("restaurant".into())),
            "photo" => Some(Known::Flag(true)),
            _ => None,
        })
    }

    #[test]
    fn conditions_mean_what_cel_says() {
        for (source, expected) in [
            ("gas == 'bottled'", Some(true)),
            ("gas != \"bottled\"", Some(false)),
            ("gas in ['piped', 'bottled']", Some(true)),
            ("gas in []", Some(false)),
            ("!(gas == 'piped') && area >= 100", Some(true)),
            ("area / 50 > 2 && area / 50 <= 3", Some(true)),
            ("1 + 2 * 3 == 7", Some(true)),
            ("10 - 4 - 3 == 3", Some(true)),
            ("-area < 0", Some(true)),
            ("true || false && false", Some(true)),
            ("place.category == 'restaurant'", Some(true)),
            ("place.category == '饭店'", Some(true)),
            ("!('小餐饮' != place.category)", Some(true)),
            ("place.category in ['加油站', '餐馆']", Some(true)),
            ("place.category in ['加油站', '天文台']", Some(false)),
            ("photo", Some(true)),
            ("answered(gas) && !answered(hose)", Some(true)),
            ("hose > 2", None),
            ("!(hose > 2)", None),
            ("hose > 2 || true", Some(true)),
            ("hose > 2 && false", Some(false)),
            ("hose > 2 && true", None),
            ("gas > 2", None),
            ("gas == 2", None),
            ("area", None),
            ("area / 0 > 1", None),
        ] {
            assert_eq!(holds(source), expected, "{source}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let error = |source: &str| Condition::parse(source).unwrap_err();
        let at = |at, fault| ConditionError { at, fault };
        assert_eq!(error("gas == "), at(7, ConditionFault::End));
        assert_eq!(error("gas = 'x'"), at(4, ConditionFault::Unexpected));
        assert_eq!(error("gas 'x'"), at(4, ConditionFault::Unexpected));
        assert_eq!(error("gas == 'x"), at(9, ConditionFault::End));
        assert_eq!(error("1.2.3 > 1"), at(0, ConditionFault::Number));
        assert_eq!(error("(a"), at(2, ConditionFault::End));
        assert_eq!(error("a in [b]").fault, ConditionFault::Unexpected);
        assert_eq!(error("a < b < c"), at(6, ConditionFault::Unexpected));
        assert_eq!(error("").fault, ConditionFault::End);
        assert_eq!(error("网格"), at(0, ConditionFault::Unexpected));
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let fault = |source: &str| Condition::parse(source).unwrap_err().fault;
        assert_eq!(fault(&format!("{}a{}", "(".repeat(13), ")".repeat(13))), ConditionFault::TooLarge);
        assert_eq!(fault(&"!".repeat(500)), ConditionFault::TooLarge);
        assert_eq!(fault(&"a".repeat(601)), ConditionFault::TooLarge);
        assert_eq!(fault(&["a"; 100].join("||")), ConditionFault::TooLarge);
        assert!(Condition::parse(&format!("{}a{}", "(".repeat(12), ")".repeat(12))).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(source in "\\PC{0,80}") {
            if let Ok(condition) = Condition::parse(&source) {
                let _ = condition.evaluate(&|_| Some(Known::Number(1.0)));
            }
        }

        #[test]
        fn anything_of_the_language_is_survived(
            words in prop::collection::vec(
                prop::sample::select(&["a", "1", "'x'", "(", ")", "[", "]", "&&", "||", "!", "-", "<", "in", ",", "answered"][..]),
                0..200,
            )
        ) {
            if let Ok(condition) = Condition::parse(&words.join(" ")) {
                let _ = condition.evaluate(&|_| Some(Known::Flag(true)));
            }
        }
    }
}

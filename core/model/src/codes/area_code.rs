//! Division codes: province, city and county by two digits each, street and community by three, and three more
//! for the grid in the practice of Shandong.

/// What a street-level code stands for, by its three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreetKind {
    /// 街道, 001 to 099.
    Street,
    /// 镇, 100 to 199.
    Town,
    /// 乡, 200 to 399.
    Township,
    /// Something like one: development zones, farms.
    Similar,
}

/// The level that a code reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodeLevel {
    /// 省, 2 digits.
    Province,
    /// 市, 4 digits.
    City,
    /// 区县, 6 digits.
    County,
    /// 街道/镇/乡, 9 digits.
    Street,
    /// 社区/村, 12 digits.
    Community,
    /// 网格, 15 digits.
    Grid,
}

impl CodeLevel {
    const LENGTHS: [(usize, Self); 6] = [
        (2, Self::Province),
        (4, Self::City),
        (6, Self::County),
        (9, Self::Street),
        (12, Self::Community),
        (15, Self::Grid),
    ];

    /// How many digits a code of this level has.
    pub fn digits(self) -> usize {
        Self::LENGTHS.iter().find(|(_, level)| *level == self).map_or(0, |(digits, _)| *digits)
    }
}

/// A code of an area. One of another length or with other characters is text that nobody takes apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AreaCode {
    /// A code that follows the scheme.
    Division {
        /// Its digits.
        digits: String,
        /// How far it reaches.
        level: CodeLevel,
    },
    /// Any other.
    Opaque(String),
}

impl AreaCode {
    /// Reads a code. Never fails: what is unknown is opaque.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let level = CodeLevel::LENGTHS.iter().find(|(digits, _)| *digits == text.len());
        match level {
            Some((_, level)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Division { digits: text.to_owned(), level: *level }
            }
            _ => Self::Opaque(text.to_owned()),
        }
    }

    /// The code as it was written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Division { digits, .. } => digits,
            Self::Opaque(text) => text,
        }
    }

    /// The code of the area above; `None` at the top and for opaque codes.
    pub fn parent(&self) -> Option<Self> {
        let Self::Division { level, .. } = self else { return None };
        let above = CodeLevel::LENGTHS.iter().rev().find(|(_, other)| other < level)?;
        self.at_level(above.1)
    }

    /// The code of the area of that level in which this one lies, itself included.
    pub fn at_level(&self, level: CodeLevel) -> Option<Self> {
        match self {
            Self::Division { digits, level: own } if level <= *own => {
                Some(Self::Division { digits: digits.get(..level.digits())?.to_owned(), level })
            }
            _ => None,
        }
    }

    /// Whether `other` lies in this area, or is it.
    pub fn contains(&self, other: &Self) -> bool {
        match self {
            Self::Division { level, .. } => other.at_level(*level).as_ref() == Some(self),
            Self::Opaque(_) => self == other,
        }
    }

    /// What the street part of the code stands for.
    pub fn street_kind(&self) -> Option<StreetKind> {
        let Self::Division { digits, .. } = self else { return None };
        match digits.get(6..9)?.parse::<u16>().ok()? {
            1..=99 => Some(StreetKind::Street),
            100..=199 => Some(StreetKind::Town),
            200..=399 => Some(StreetKind::Township),
            _ => Some(StreetKind::Similar),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_code_names_all_the_areas_above_it() {
        let grid = AreaCode::parse("370212001001003");
        let chain: Vec<_> = std::iter::successors(Some(grid.clone()), AreaCode::parent)
            .map(|code| code.as_str().to_owned())
            .collect();
        assert_eq!(chain, ["370212001001003", "370212001001", "370212001", "370212", "3702", "37"]);
        assert!(AreaCode::parse("370212").contains(&grid));
        assert!(!AreaCode::parse("370213").contains(&grid));
        assert_eq!(grid.street_kind(), Some(StreetKind::Street));
        assert_eq!(AreaCode::parse("370305104").street_kind(), Some(StreetKind::Town));
        assert_eq!(AreaCode::parse("370305201").street_kind(), Some(StreetKind::Township));
    }

    #[test]
    fn other_codes_are_left_alone() {
        for text in ["37021", "3702120010010031", "37021A", "网格", "３７０２１２"] {
            let code = AreaCode::parse(text);
            assert_eq!(code, AreaCode::Opaque(text.to_owned()));
            assert_eq!(code.parent(), None);
            assert!(code.contains(&code));
        }
    }
}

//! The report on a file of areas before it is imported: what is invalid, and where areas and their parents disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

use super::geojson::{AreaFeature, AreaFile, FeatureProblem};
use super::overlay::{Piece, Tolerance, gaps, outside, overlap};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information; common where only part of a hierarchy is in the file.
    Note,
    /// Positions near the place will be assigned doubtfully.
    Warning,
    /// The area cannot be imported as it is.
    Error,
}

/// One thing that the report says.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A feature that could not be read.
    Unreadable(FeatureProblem),
    /// Several features have the same code.
    DuplicateCode {
        /// The code.
        code: String,
        /// The numbers of the features, from 0.
        features: Vec<usize>,
    },
    /// An area is above itself, directly or by way of others.
    ParentCycle {
        /// The area.
        code: String,
    },
    /// The parent is not in the file, so that containment and gaps could not be checked.
    ParentAbsent {
        /// The missing parent.
        parent: String,
        /// How many areas name it.
        children: usize,
    },
    /// An area sticks out of its parent.
    OutsideParent {
        /// The area.
        code: String,
        /// Its parent.
        parent: String,
        /// Where, largest first.
        pieces: Vec<Piece>,
    },
    /// Two areas under the same parent share ground.
    Overlap {
        /// The area that comes first in the file.
        code: String,
        /// The other one.
        other: String,
        /// Where, largest first.
        pieces: Vec<Piece>,
    },
    /// Ground of an area that has children belongs to none of them.
    Gap {
        /// The parent.
        code: String,
        /// Where, largest first.
        pieces: Vec<Piece>,
    },
}

impl Finding {
    /// How grave it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Unreadable(_) | Self::DuplicateCode { .. } | Self::ParentCycle { .. } => Severity::Error,
            Self::OutsideParent { .. } | Self::Overlap { .. } | Self::Gap { .. } => Severity::Warning,
            Self::ParentAbsent { .. } => Severity::Note,
        }
    }

    /// The text in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Unreadable(problem) => problem.zh(),
            Self::DuplicateCode { code, features } => {
                let numbers: Vec<String> = features.iter().map(|index| (index + 1).to_string()).collect();
                format!("编码{code}重复,见第{}个要素", numbers.join("、"))
            }
            Self::ParentCycle { code } => format!("{code}的上级关系成环"),
            Self::ParentAbsent { parent, children } => {
                format!("文件中没有上级{parent}({children}个区域以它为上级),未检查包含关系和空隙")
            }
            Self::OutsideParent { code, parent, pieces } => {
                format!("{code}超出上级{parent}的范围:{}", pieces_zh(pieces))
            }
            Self::Overlap { code, other, pieces } => format!("{code}与{other}重叠:{}", pieces_zh(pieces)),
            Self::Gap { code, pieces } => format!("{code}内有不属于任何下级的空隙:{}", pieces_zh(pieces)),
        }
    }

    /// The text in English.
    pub fn en(&self) -> String {
        match self {
            Self::Unreadable(problem) => problem.en(),
            Self::DuplicateCode { code, features } => {
                let numbers: Vec<String> = features.iter().map(|index| (index + 1).to_string()).collect();
                format!("code {code} occurs more than once: features {}", numbers.join(", "))
            }
            Self::ParentCycle { code } => format!("{code} is above itself"),
            Self::ParentAbsent { parent, children } => format!(
                "parent {parent} of {children} areas is not in the file: containment and gaps not checked"
            ),
            Self::OutsideParent { code, parent, pieces } => {
                format!("{code} sticks out of its parent {parent}: {}", pieces_en(pieces))
            }
            Self::Overlap { code, other, pieces } => {
                format!("{code} overlaps {other}: {}", pieces_en(pieces))
            }
            Self::Gap { code, pieces } => {
                format!("ground in {code} belongs to none of its parts: {}", pieces_en(pieces))
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

fn pieces_zh(pieces: &[Piece]) -> String {
    let total: f64 = pieces.iter().map(|piece| piece.area_m2).sum();
    let at = pieces.first().map(|piece| piece.at).unwrap_or_default();
    format!("{}处共{total:.0}平方米,最大一处在经度{:.6}、纬度{:.6}附近", pieces.len(), at.lon, at.lat)
}

fn pieces_en(pieces: &[Piece]) -> String {
    let total: f64 = pieces.iter().map(|piece| piece.area_m2).sum();
    let at = pieces.first().map(|piece| piece.at).unwrap_or_default();
    format!(
        "{total:.0} m² in {} pieces, the largest near longitude {:.6}, latitude {:.6}",
        pieces.len(),
        at.lon,
        at.lat
    )
}

/// What was found, and how much was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundaryReport {
    /// The findings, gravest first, then in the order of the file.
    pub findings: Vec<Finding>,
    /// How many areas there are at each level.
    pub levels: BTreeMap<String, usize>,
    /// How many pairs of neighbours were compared.
    pub pairs: usize,
}

impl BoundaryReport {
    /// Checks a file of areas: codes, parents, containment, overlaps of siblings, gaps within parents.
    ///
    /// Coordinates in the findings are WGS-84.
    pub fn new(file: &AreaFile, tolerance: &Tolerance) -> Self {
        let mut findings: Vec<Finding> = file.problems.iter().cloned().map(Finding::Unreadable).collect();
        let mut levels = BTreeMap::new();
        for area in &file.areas {
            *levels.entry(area.level.clone()).or_insert(0) += 1;
        }
        let by_code = check_codes(&file.areas, &mut findings);
        check_cycles(&file.areas, &by_code, &mut findings);
        let mut pairs = 0;
        for (parent, children) in families(&file.areas) {
            pairs += check_siblings(&children, tolerance, &mut findings);
            let Some(parent) = parent else { continue };
            match by_code.get(parent) {
                Some(parent) => check_within(parent, &children, tolerance, &mut findings),
                None => findings
                    .push(Finding::ParentAbsent { parent: parent.to_owned(), children: children.len() }),
            }
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        Self { findings, levels, pairs }
    }

    /// Whether nothing stands in the way of the import.
    pub fn can_import(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity() < Severity::Error)
    }
}

/// The areas by code; the first one where a code repeats.
fn check_codes<'a>(
    areas: &'a [AreaFeature],
    findings: &mut Vec<Finding>,
) -> BTreeMap<&'a str, &'a AreaFeature> {
    let mut by_code: BTreeMap<&str, Vec<&AreaFeature>> = BTreeMap::new();
    for area in areas {
        by_code.entry(&area.code).or_default().push(area);
    }
    for (code, same) in by_code.iter().filter(|(_, same)| same.len() > 1) {
        let features = same.iter().map(|area| area.index).collect();
        findings.push(Finding::DuplicateCode { code: (*code).to_owned(), features });
    }
    by_code.into_iter().filter_map(|(code, same)| Some((code, *same.first()?))).collect()
}

fn check_cycles(areas: &[AreaFeature], by_code: &BTreeMap<&str, &AreaFeature>, findings: &mut Vec<Finding>) {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for area in areas {
        let mut way: BTreeSet<&str> = BTreeSet::new();
        let mut at = Some(area);
        while let Some(here) = at.filter(|here| !done.contains(here.code.as_str())) {
            if !way.insert(&here.code) {
                findings.push(Finding::ParentCycle { code: here.code.clone() });
                break;
            }
            at = here.parent.as_deref().and_then(|parent| by_code.get(parent).copied());
        }
        done.extend(way);
    }
}

/// The areas by parent, in the order of the file.
fn families(areas: &[AreaFeature]) -> BTreeMap<Option<&str>, Vec<&AreaFeature>> {
    let mut families: BTreeMap<Option<&str>, Vec<&AreaFeature>> = BTreeMap::new();
    for area in areas {
        families.entry(area.parent.as_deref()).or_default().push(area);
    }
    families
}

fn check_siblings(children: &[&AreaFeature], tolerance: &Tolerance, findings: &mut Vec<Finding>) -> usize {
    let boxes = children.iter().enumerate().map(|(number, child)| {
        let bbox = child.shape.bbox();
        let rectangle = Rectangle::from_corners([bbox.west, bbox.south], [bbox.east, bbox.north]);
        GeomWithData::new(rectangle, number)
    });
    let tree = RTree::bulk_load(boxes.collect());
    let mut near: Vec<(usize, usize)> = tree
        .intersection_candidates_with_other_tree(&tree)
        .map(|(a, b)| (a.data, b.data))
        .filter(|(a, b)| a < b)
        .collect();
    near.sort_unstable();
    for (a, b) in &near {
        let (Some(a), Some(b)) = (children.get(*a), children.get(*b)) else { continue };
        // Areas of different levels under one parent are not cut from the same cloth.
        if a.level != b.level || a.code == b.code {
            continue;
        }
        let pieces = overlap(&a.shape, &b.shape, tolerance);
        if !pieces.is_empty() {
            findings.push(Finding::Overlap { code: a.code.clone(), other: b.code.clone(), pieces });
        }
    }
    near.len()
}

fn check_within(
    parent: &AreaFeature,
    children: &[&AreaFeature],
    tolerance: &Tolerance,
    findings: &mut Vec<Finding>,
) {
    for child in children.iter().filter(|child| child.code != parent.code) {
        let pieces = outside(&child.shape, &parent.shape, tolerance);
        if !pieces.is_empty() {
            findings.push(Finding::OutsideParent {
                code: child.code.clone(),
                parent: parent.code.clone(),
                pieces,
            });
        }
    }
    let shapes: Vec<_> = children.iter().map(|child| &child.shape).collect();
    let pieces = gaps(&parent.shape, &shapes, tolerance);
    if !pieces.is_empty() {
        findings.push(Finding::Gap { code: parent.code.clone(), pieces });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::datum::Datum;
    use crate::geo::lat_lon::LatLon;
    use crate::geo::polygon::AreaShape;

    /// A block of columns and rows of a net of 0.001 degrees (90 m by 111 m).
    fn area(index: usize, code: &str, parent: Option<&str>, cells: [f64; 4]) -> AreaFeature {
        let [west, south, east, north] = cells;
        let ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
            .map(|(x, y)| LatLon { lat: 36.0 + y * 0.001, lon: 120.0 + x * 0.001 });
        AreaFeature {
            index,
            level: if parent.is_some() { "grid" } else { "community" }.to_owned(),
            code: code.to_owned(),
            name: code.to_owned(),
            parent: parent.map(str::to_owned),
            shape: AreaShape::new(&[vec![ring.to_vec()]], Datum::Wgs84).unwrap(),
        }
    }

    fn report(areas: Vec<AreaFeature>) -> BoundaryReport {
        BoundaryReport::new(&AreaFile { areas, problems: Vec::new() }, &Tolerance::default())
    }

    #[test]
    fn a_clean_division_has_nothing_to_report() {
        let report = report(vec![
            area(0, "c", None, [0.0, 0.0, 10.0, 10.0]),
            area(1, "c1", Some("c"), [0.0, 0.0, 4.0, 10.0]),
            area(2, "c2", Some("c"), [4.0, 0.0, 10.0, 10.0]),
        ]);
        assert_eq!(report.findings, []);
        assert_eq!(report.levels, BTreeMap::from([("community".to_owned(), 1), ("grid".to_owned(), 2)]));
        assert!(report.can_import());
        assert_eq!(report.pairs, 1);
    }

    #[test]
    fn overlap_gap_and_protrusion_are_found_with_their_place() {
        let report = report(vec![
            area(0, "c", None, [0.0, 0.0, 10.0, 10.0]),
            area(1, "c1", Some("c"), [0.0, 0.0, 5.0, 10.0]),
            area(2, "c2", Some("c"), [4.0, 0.0, 9.0, 11.0]),
        ]);
        let [outside, gap, shared] = [
            report.findings.iter().find(|f| matches!(f, Finding::OutsideParent { code, .. } if code == "c2")),
            report.findings.iter().find(|f| matches!(f, Finding::Gap { code, .. } if code == "c")),
            report.findings.iter().find(|f| matches!(f, Finding::Overlap { .. })),
        ]
        .map(|found| found.unwrap().en());
        assert_eq!(report.findings.len(), 3);
        assert!(outside.starts_with("c2 sticks out of its parent c: 500"), "{outside}");
        assert!(outside.contains(" m² in 1 pieces, the largest near longitude 120.0065"), "{outside}");
        assert!(gap.contains("longitude 120.0095"), "{gap}");
        assert!(shared.starts_with("c1 overlaps c2: ") && shared.contains("longitude 120.0045"), "{shared}");
        assert!(report.can_import());
        assert!(report.findings.iter().all(|finding| finding.zh().contains("平方米")));
    }

    #[test]
    fn codes_and_parents_are_checked() {
        let report = report(vec![
            area(0, "a", Some("b"), [0.0, 0.0, 1.0, 1.0]),
            area(1, "b", Some("a"), [0.0, 0.0, 1.0, 1.0]),
            area(2, "d", Some("x"), [5.0, 5.0, 6.0, 6.0]),
            area(3, "d", Some("x"), [7.0, 5.0, 8.0, 6.0]),
            area(4, "e", Some("e"), [9.0, 5.0, 10.0, 6.0]),
        ]);
        let texts: Vec<String> = report.findings.iter().map(Finding::en).collect();
        assert_eq!(
            texts,
            [
                "code d occurs more than once: features 3, 4",
                "a is above itself",
                "e is above itself",
                "parent x of 2 areas is not in the file: containment and gaps not checked",
            ]
        );
        assert!(!report.can_import());
        assert_eq!(report.findings[0].zh(), "编码d重复,见第3、4个要素");
    }
}

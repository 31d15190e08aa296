//! Reading areas from GeoJSON (RFC 7946): a `FeatureCollection` of polygons with level, code, name and parent.
//!
//! All features are read; what is wrong is collected with the feature's number and code, so that an office can mend
//! its whole file at once.

use std::fmt;

use serde_json::{Map, Value};

use super::datum::Datum;
use super::error::GeoError;
use super::lat_lon::LatLon;
use super::polygon::AreaShape;
use super::shape_check::ShapeFault;

/// Which properties of a feature hold what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyNames {
    /// The name of the level, such as `street` or `grid`.
    pub level: String,
    /// The area's code.
    pub code: String,
    /// The area's name.
    pub name: String,
    /// The code of the area above; may be missing.
    pub parent: String,
}

impl Default for PropertyNames {
    fn default() -> Self {
        let own = str::to_owned;
        Self { level: own("level"), code: own("code"), name: own("name"), parent: own("parent") }
    }
}

/// One area as the file has it, its shape in WGS-84.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaFeature {
    /// Number of the feature in the file, from 0.
    pub index: usize,
    /// Name of the level.
    pub level: String,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of the area above, if any.
    pub parent: Option<String>,
    /// Shape.
    pub shape: AreaShape,
}

/// A feature that could not be read, or one of several reasons for it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureProblem {
    /// Number of the feature in the file, from 0.
    pub index: usize,
    /// Its code, as far as it could be read.
    pub code: Option<String>,
    /// What is wrong.
    pub fault: FeatureFault,
}

/// What can be wrong with a feature.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureFault {
    /// It is not an object with `type` = `Feature`.
    NotAFeature,
    /// A property is missing or empty.
    MissingProperty {
        /// Its name.
        name: String,
    },
    /// A property is neither text nor a whole number.
    BadProperty {
        /// Its name.
        name: String,
    },
    /// There is no geometry, or one that is no `Polygon` or `MultiPolygon`.
    NotAPolygon,
    /// The coordinates are not lists of rings of `[longitude, latitude]`.
    BadCoordinates,
    /// The rings make no valid area.
    Shape(ShapeFault),
}

impl FeatureProblem {
    /// The problem with its place, in Chinese.
    pub fn zh(&self) -> String {
        let code = self.code.as_ref().map(|code| format!("({code})")).unwrap_or_default();
        let what = match &self.fault {
            FeatureFault::NotAFeature => "不是要素(Feature)".to_owned(),
            FeatureFault::MissingProperty { name } => format!("缺少属性“{name}”"),
            FeatureFault::BadProperty { name } => format!("属性“{name}”既不是文字也不是整数"),
            FeatureFault::NotAPolygon => "几何不是多边形(Polygon或MultiPolygon)".to_owned(),
            FeatureFault::BadCoordinates => "坐标结构有误,应为由[经度, 纬度]组成的环".to_owned(),
            FeatureFault::Shape(fault) => fault.zh(),
        };
        format!("第{}个要素{code}:{what}", self.index + 1)
    }

    /// The problem with its place, in English.
    pub fn en(&self) -> String {
        let code = self.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        let what = match &self.fault {
            FeatureFault::NotAFeature => "is not a Feature".to_owned(),
            FeatureFault::MissingProperty { name } => format!("has no property {name}"),
            FeatureFault::BadProperty { name } => {
                format!("has a property {name} that is neither text nor a whole number")
            }
            FeatureFault::NotAPolygon => "has no Polygon or MultiPolygon as geometry".to_owned(),
            FeatureFault::BadCoordinates => {
                "has coordinates that are not rings of [longitude, latitude]".to_owned()
            }
            FeatureFault::Shape(fault) => fault.en(),
        };
        format!("feature {}{code}: {what}", self.index + 1)
    }
}

impl fmt::Display for FeatureProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

/// What a file of areas holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AreaFile {
    /// The areas that could be read, in the order of the file.
    pub areas: Vec<AreaFeature>,
    /// Why the others could not.
    pub problems: Vec<FeatureProblem>,
}

/// Reads a file of areas whose coordinates are in `datum`.
///
/// A byte order mark is accepted. Memory grows to some tens of times the size of the file: limit that first.
///
/// # Errors
/// [`GeoError::NotJson`] or [`GeoError::NotAFeatureCollection`] if there are no features to report on.
pub fn read_areas(bytes: &[u8], datum: Datum, names: &PropertyNames) -> Result<AreaFile, GeoError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let root: Value = serde_json::from_slice(text)
        .map_err(|error| GeoError::NotJson { line: error.line(), column: error.column() })?;
    let features = match (root.get("type").and_then(Value::as_str), root.get("features")) {
        (Some("FeatureCollection"), Some(Value::Array(features))) => features,
        _ => return Err(GeoError::NotAFeatureCollection),
    };
    let mut file = AreaFile::default();
    for (index, feature) in features.iter().enumerate() {
        read_feature(index, feature, datum, names, &mut file);
    }
    Ok(file)
}

fn read_feature(index: usize, feature: &Value, datum: Datum, names: &PropertyNames, file: &mut AreaFile) {
    if feature.get("type").and_then(Value::as_str) != Some("Feature") {
        file.problems.push(FeatureProblem { index, code: None, fault: FeatureFault::NotAFeature });
        return;
    }
    let none = Map::new();
    let properties = feature.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let mut faults = Vec::new();
    let mut property = |name: &str, required: bool| match read_property(properties, name, required) {
        Ok(text) => text,
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let code = property(&names.code, true);
    let level = property(&names.level, true);
    let name = property(&names.name, true);
    let parent = property(&names.parent, false);
    let shape = read_shape(feature.get("geometry"), datum).map_err(|found| faults.extend(found)).ok();
    match (code, level, name, shape) {
        (Some(code), Some(level), Some(name), Some(shape)) if faults.is_empty() => {
            file.areas.push(AreaFeature { index, level, code, name, parent, shape });
        }
        (code, ..) => {
            let problem = |fault| FeatureProblem { index, code: code.clone(), fault };
            file.problems.extend(faults.into_iter().map(problem));
        }
    }
}

/// A text, trimmed, or a whole number as text. Offices write codes as either.
fn read_property(
    properties: &Map<String, Value>,
    name: &str,
    required: bool,
) -> Result<Option<String>, FeatureFault> {
    let text = match properties.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(FeatureFault::BadProperty { name: name.to_owned() }),
    };
    match (text.is_empty(), required) {
        (true, true) => Err(FeatureFault::MissingProperty { name: name.to_owned() }),
        (true, false) => Ok(None),
        (false, _) => Ok(Some(text)),
    }
}

fn read_shape(geometry: Option<&Value>, datum: Datum) -> Result<AreaShape, Vec<FeatureFault>> {
    let kind = geometry.and_then(|geometry| geometry.get("type")).and_then(Value::as_str);
    let coordinates = geometry.and_then(|geometry| geometry.get("coordinates"));
    let polygons = match (kind, coordinates) {
        (Some("Polygon"), Some(rings)) => read_polygon(rings).map(|polygon| vec![polygon]),
        (Some("MultiPolygon"), Some(Value::Array(polygons))) => polygons.iter().map(read_polygon).collect(),
        (Some("Polygon" | "MultiPolygon"), _) => None,
        _ => return Err(vec![FeatureFault::NotAPolygon]),
    };
    let polygons = polygons.ok_or_else(|| vec![FeatureFault::BadCoordinates])?;
    AreaShape::new(&polygons, datum).map_err(|faults| faults.into_iter().map(FeatureFault::Shape).collect())
}

fn read_polygon(rings: &Value) -> Option<Vec<Vec<LatLon>>> {
    let ring = |ring: &Value| ring.as_array()?.iter().map(read_point).collect::<Option<Vec<_>>>();
    rings.as_array()?.iter().map(ring).collect()
}

/// `[longitude, latitude]`; an altitude after them is accepted and ignored.
fn read_point(point: &Value) -> Option<LatLon> {
    let numbers = point.as_array()?;
    Some(LatLon { lon: numbers.first()?.as_f64()?, lat: numbers.get(1)?.as_f64()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::shape_check::FaultKind;

    const SQUARE: &str = "[[120,36],[120.01,36],[120.01,36.01],[120,36.01],[120,36]]";

    fn feature(properties: &str, geometry: &str) -> String {
        format!(r#"{{"type":"Feature","properties":{properties},"geometry":{geometry}}}"#)
    }

    fn read(features: &[String]) -> Result<AreaFile, GeoError> {
        let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        read_areas(text.as_bytes(), Datum::Wgs84, &PropertyNames::default())
    }

    fn polygon(rings: &str) -> String {
        format!(r#"{{"type":"Polygon","coordinates":[{rings}]}}"#)
    }

    #[test]
    fn polygons_and_multipolygons_are_read_with_their_properties() {
        let multi = format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}]]}}"#);
        let file = read(&[
            feature(r#"{"level":"grid","code":" 370 ","name":"一网格","parent":"37"}"#, &polygon(SQUARE)),
            feature(r#"{"level":"street","code":37,"name":"街道","parent":null}"#, &multi),
        ])
        .unwrap();
        assert_eq!(file.problems, []);
        let codes: Vec<_> =
            file.areas.iter().map(|area| (area.code.as_str(), area.parent.as_deref())).collect();
        assert_eq!(codes, [("370", Some("37")), ("37", None)]);
        assert_eq!(file.areas[0].shape, file.areas[1].shape);
    }

    #[test]
    fn every_problem_names_its_feature() {
        let good = r#"{"level":"grid","code":"1","name":"n"}"#;
        let file = read(&[
            "7".to_owned(),
            feature("null", &polygon(SQUARE)),
            feature(r#"{"level":"grid","code":"9","name":[]}"#, r#"{"type":"Point","coordinates":[1,2]}"#),
            feature(good, &polygon(r#"[["a",1]]"#)),
            feature(good, &polygon("[[0,0],[1,0],[1,1],[0,1]]")),
            feature(good, "null"),
        ])
        .unwrap();
        assert_eq!(file.areas, []);
        let found: Vec<String> = file.problems.iter().map(FeatureProblem::en).collect();
        assert_eq!(
            found,
            [
                "feature 1: is not a Feature",
                "feature 2: has no property code",
                "feature 2: has no property level",
                "feature 2: has no property name",
                "feature 3 (9): has a property name that is neither text nor a whole number",
                "feature 3 (9): has no Polygon or MultiPolygon as geometry",
                "feature 4 (1): has coordinates that are not rings of [longitude, latitude]",
                "feature 5 (1): polygon 1 ring 1 is not closed",
                "feature 6 (1): has no Polygon or MultiPolygon as geometry",
            ]
        );
        assert_eq!(file.problems[7].zh(), "第5个要素(1):第1个多边形第1个环没有闭合");
    }

    #[test]
    fn files_without_features_are_refused() {
        let names = PropertyNames::default();
        let read = |bytes: &[u8]| read_areas(bytes, Datum::Wgs84, &names);
        assert_eq!(read(b"{\n\"type\": "), Err(GeoError::NotJson { line: 2, column: 8 }));
        assert!(matches!(read(b"\xc9\xbd\xb6\xab"), Err(GeoError::NotJson { .. })));
        for other in ["[]", "{}", r#"{"type":"Feature"}"#, r#"{"type":"FeatureCollection","features":{}}"#] {
            assert_eq!(read(other.as_bytes()), Err(GeoError::NotAFeatureCollection), "{other}");
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(read(deep.as_bytes()), Err(GeoError::NotJson { .. })));
        assert_eq!(
            read(b"\xef\xbb\xbf{\"type\":\"FeatureCollection\",\"features\":[]}"),
            Ok(AreaFile::default())
        );
    }

    #[test]
    fn projected_coordinates_are_named_as_such() {
        let metres = polygon("[[40450000,4000000],[40450100,4000000],[40450100,4000100],[40450000,4000000]]");
        let file = read(&[feature(r#"{"level":"grid","code":"1","name":"n"}"#, &metres)]).unwrap();
        let FeatureFault::Shape(fault) = &file.problems[0].fault else { panic!("{:?}", file.problems) };
        assert_eq!(fault.kind, FaultKind::OutOfRange { vertex: 0 });
    }

    #[test]
    fn property_names_can_be_those_of_another_publisher() {
        let text = format!(
            r#"{{"type":"FeatureCollection","features":[{}]}}"#,
            feature(r#"{"level":"district","adcode":370212,"name":"崂山区"}"#, &polygon(SQUARE))
        );
        let names = PropertyNames { code: "adcode".to_owned(), ..PropertyNames::default() };
        let file = read_areas(text.as_bytes(), Datum::Gcj02, &names).unwrap();
        assert_eq!(file.areas[0].code, "370212");
    }
}

//! The three coordinate systems met in China and the conversions between them.
//!
//! GCJ-02 is the shifted system that map services in mainland China must use; BD-09 is Baidu's shift on top of
//! it. Neither has an official publication of its formula. Those here are the ones in common use since 2012,
//! published as `eviltransform` (WGS-84 to GCJ-02, with the Krasovsky ellipsoid of 1940) and, for BD-09, in the
//! many `coordtransform` ports; see "Restrictions on geographic data in China" on Wikipedia for both. The way
//! back has no closed form and is iterated. The ports disagree on whether BD-09 shifts points abroad; here it does not.
//!
//! CGCS2000, the national system of surveyed boundaries, agrees with WGS-84 to centimetres: read it as WGS-84.

use std::f64::consts::PI;

use super::lat_lon::LatLon;

/// Semi-major axis of the Krasovsky ellipsoid in metres.
const KRASOVSKY_A: f64 = 6_378_245.0;
/// Squared first eccentricity of the Krasovsky ellipsoid, with the digits of the common formula.
const KRASOVSKY_EE: f64 = 0.006_693_421_622_965_943;
/// The angle factor of BD-09.
const BD_PI: f64 = PI * 3000.0 / 180.0;
/// The fixed shift of BD-09 in degrees: longitude, latitude.
const BD_SHIFT: (f64, f64) = (0.0065, 0.006);
/// The area in which GCJ-02 differs from WGS-84, as the common formula has it: longitudes, latitudes.
const CHINA_LON: (f64, f64) = (72.004, 137.8347);
const CHINA_LAT: (f64, f64) = (0.8293, 55.8271);
/// Upper bound on the rounds of the inverse. Each gains two to three digits; three reach 0.1 mm, five the last bit
/// that matters.
const INVERSE_ROUNDS: usize = 8;
/// The inverse stops when a round moves the point by less: 1e-11 degrees, about 1 µm.
const INVERSE_DONE_DEG: f64 = 1e-11;

/// No edge is cut into more parts, so that a file of absurd edges takes no absurd memory.
const MOST_PARTS: f64 = 500.0;

/// A coordinate system in which input may come and maps may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datum {
    /// What satellite receivers give and what is stored. Stands for CGCS2000 as well.
    Wgs84,
    /// 国测局坐标: Amap, Tencent and most Chinese boundary data.
    Gcj02,
    /// 百度坐标: Baidu.
    Bd09,
}

impl Datum {
    /// The number that stands for this datum in encoded forms.
    pub const fn number(self) -> u32 {
        match self {
            Self::Wgs84 => 0,
            Self::Gcj02 => 1,
            Self::Bd09 => 2,
        }
    }

    /// The datum that a number stands for; `None` for numbers of newer versions.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Wgs84),
            1 => Some(Self::Gcj02),
            2 => Some(Self::Bd09),
            _ => None,
        }
    }

    /// The name as it is written on the stamp of a photo and on forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => "WGS-84",
            Self::Gcj02 => "GCJ-02",
            Self::Bd09 => "BD-09",
        }
    }

    /// Reads a name in any case, with or without hyphen or underscore. CGCS2000 reads as WGS-84.
    pub fn parse(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.to_ascii_lowercase().as_str() {
            "wgs84" | "cgcs2000" | "epsg4326" | "epsg4490" => Some(Self::Wgs84),
            "gcj02" => Some(Self::Gcj02),
            "bd09" | "bd09ll" => Some(Self::Bd09),
            _ => None,
        }
    }

    /// Converts a point of this datum to WGS-84.
    ///
    /// Exact to far below 0.1 mm, but for a strip of about 1 km along the edge of the shifted rectangle, at sea
    /// and abroad, where the shift jumps and no or two points may answer.
    pub fn to_wgs84(self, point: LatLon) -> LatLon {
        match self {
            Self::Wgs84 => point,
            Self::Gcj02 => invert(point, wgs84_to_gcj02),
            Self::Bd09 => invert(invert(point, gcj02_to_bd09), wgs84_to_gcj02),
        }
    }

    /// Converts a line that is drawn straight from point to point in this datum.
    ///
    /// What is straight in one datum is bent in another: an edge of 5 km in GCJ-02 strays by up to 2 m, which opens
    /// gaps where a neighbour has a corner on it. So points are put in until no edge strays by more than 0.1 m (for
    /// edges up to some 100 km; longer ones stray more). The points put in do not depend on the direction of the
    /// line, so that areas which share an edge still do. Points must be in range.
    pub fn line_to_wgs84(self, line: &[LatLon]) -> Vec<LatLon> {
        let Some(step_deg) = self.straight_for_deg() else { return line.to_vec() };
        let mut out: Vec<LatLon> = Vec::with_capacity(line.len());
        out.extend(line.first().map(|first| self.to_wgs84(*first)));
        for (from, to) in line.iter().zip(line.iter().skip(1)) {
            let span = (to.lat - from.lat).abs().max((to.lon - from.lon).abs());
            let parts = if shifted_here(*from) && shifted_here(*to) {
                (span / step_deg).ceil().clamp(1.0, MOST_PARTS)
            } else {
                1.0
            };
            let ahead = (from.lat, from.lon) <= (to.lat, to.lon);
            let (low, high) = if ahead { (from, to) } else { (to, from) };
            for part in 1..parts as u32 {
                let part = if ahead { f64::from(part) } else { parts - f64::from(part) };
                let between = |a: f64, b: f64| a + (b - a) * (part / parts);
                out.push(
                    self.to_wgs84(LatLon {
                        lat: between(low.lat, high.lat),
                        lon: between(low.lon, high.lon),
                    }),
                );
            }
            out.push(self.to_wgs84(*to));
        }
        out
    }

    /// How long an edge may be, in degrees, before it strays by 0.1 m when it is converted; from the second
    /// derivatives of the formulas.
    const fn straight_for_deg(self) -> Option<f64> {
        match self {
            Self::Wgs84 => None,
            Self::Gcj02 => Some(0.01),
            Self::Bd09 => Some(0.002),
        }
    }

    /// Converts a WGS-84 point to this datum. Outside China both shifts are the identity.
    pub fn of_wgs84(self, point: LatLon) -> LatLon {
        match self {
            Self::Wgs84 => point,
            Self::Gcj02 => wgs84_to_gcj02(point),
            Self::Bd09 => gcj02_to_bd09(wgs84_to_gcj02(point)),
        }
    }
}

/// Whether the shifts apply at a point. A plain rectangle, as in the common formula.
pub fn shifted_here(point: LatLon) -> bool {
    (CHINA_LON.0..=CHINA_LON.1).contains(&point.lon) && (CHINA_LAT.0..=CHINA_LAT.1).contains(&point.lat)
}

fn wgs84_to_gcj02(point: LatLon) -> LatLon {
    if !shifted_here(point) {
        return point;
    }
    let (east, north) = (point.lon - 105.0, point.lat - 35.0);
    let phi = point.lat.to_radians();
    let magic = 1.0 - KRASOVSKY_EE * phi.sin().powi(2);
    let meridian_radius = KRASOVSKY_A * (1.0 - KRASOVSKY_EE) / (magic * magic.sqrt());
    let parallel_radius = KRASOVSKY_A / magic.sqrt() * phi.cos();
    LatLon {
        lat: point.lat + (shift_north_m(east, north) / meridian_radius).to_degrees(),
        lon: point.lon + (shift_east_m(east, north) / parallel_radius).to_degrees(),
    }
}

/// The two series have this term in common: metres from degrees east of 105° E.
fn common_wave(east: f64) -> f64 {
    (20.0 * (6.0 * east * PI).sin() + 20.0 * (2.0 * east * PI).sin()) * 2.0 / 3.0
}

fn shift_north_m(east: f64, north: f64) -> f64 {
    -100.0
        + 2.0 * east
        + 3.0 * north
        + 0.2 * north * north
        + 0.1 * east * north
        + 0.2 * east.abs().sqrt()
        + common_wave(east)
        + (20.0 * (north * PI).sin() + 40.0 * (north / 3.0 * PI).sin()) * 2.0 / 3.0
        + (160.0 * (north / 12.0 * PI).sin() + 320.0 * (north / 30.0 * PI).sin()) * 2.0 / 3.0
}

fn shift_east_m(east: f64, north: f64) -> f64 {
    300.0
        + east
        + 2.0 * north
        + 0.1 * east * east
        + 0.1 * east * north
        + 0.1 * east.abs().sqrt()
        + common_wave(east)
        + (20.0 * (east * PI).sin() + 40.0 * (east / 3.0 * PI).sin()) * 2.0 / 3.0
        + (150.0 * (east / 12.0 * PI).sin() + 300.0 * (east / 30.0 * PI).sin()) * 2.0 / 3.0
}

fn gcj02_to_bd09(point: LatLon) -> LatLon {
    if !shifted_here(point) {
        return point;
    }
    let radius = point.lon.hypot(point.lat) + 0.000_02 * (point.lat * BD_PI).sin();
    let angle = point.lat.atan2(point.lon) + 0.000_003 * (point.lon * BD_PI).cos();
    LatLon { lat: radius * angle.sin() + BD_SHIFT.1, lon: radius * angle.cos() + BD_SHIFT.0 }
}

/// Finds the point that `forward` takes to `target`: take off the error of the last guess until it is gone.
fn invert(target: LatLon, forward: fn(LatLon) -> LatLon) -> LatLon {
    let mut guess = target;
    for _ in 0..INVERSE_ROUNDS {
        let reached = forward(guess);
        let (off_lat, off_lon) = (reached.lat - target.lat, reached.lon - target.lon);
        guess = LatLon { lat: guess.lat - off_lat, lon: guess.lon - off_lon };
        if off_lat.abs().max(off_lon.abs()) < INVERSE_DONE_DEG {
            break;
        }
    }
    guess
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Metres between two nearby points, on a sphere: good enough to judge an offset.
    fn metres(a: LatLon, b: LatLon) -> f64 {
        let north = (a.lat - b.lat) * 111_195.0;
        let east = (a.lon - b.lon) * 111_195.0 * a.lat.to_radians().cos();
        north.hypot(east)
    }

    #[test]
    fn offsets_of_two_known_districts() {
        for (name, lat, lon, offset) in [("Laoshan", 36.10, 120.47, 448.0), ("Linzi", 36.83, 118.31, 524.0)] {
            let point = LatLon { lat, lon };
            let got = metres(point, Datum::Gcj02.of_wgs84(point));
            assert!((got - offset).abs() < 3.0, "{name}: {got}");
        }
    }

    /// Examples that many ports of the formulas carry in their own tests.
    #[test]
    fn published_examples_of_the_common_formula() {
        let wgs = LatLon { lat: 31.1774276, lon: 121.5272106 };
        let gcj = Datum::Gcj02.of_wgs84(wgs);
        assert!(
            (gcj.lat - 31.175_304_181_2).abs() < 1e-5 && (gcj.lon - 121.531_541_859_8).abs() < 1e-5,
            "{gcj:?}"
        );
        let bd = gcj02_to_bd09(LatLon { lat: 39.915, lon: 116.404 });
        assert!((bd.lat - 39.921_336_993_510_2).abs() < 1e-9, "{bd:?}");
        assert!((bd.lon - 116.410_369_493_710_29).abs() < 1e-9, "{bd:?}");
    }

    #[test]
    fn three_rounds_of_the_inverse_reach_a_tenth_of_a_millimetre() {
        let truth = LatLon { lat: 36.10, lon: 120.47 };
        let target = wgs84_to_gcj02(truth);
        let mut guess = target;
        let mut errors = Vec::new();
        for _ in 0..3 {
            let reached = wgs84_to_gcj02(guess);
            guess = LatLon {
                lat: guess.lat - (reached.lat - target.lat),
                lon: guess.lon - (reached.lon - target.lon),
            };
            errors.push(metres(guess, truth));
        }
        assert!(errors[0] > 0.1, "one step is not enough: {errors:?}");
        assert!(errors[2] < 1e-4, "{errors:?}");
    }

    #[test]
    fn a_long_edge_is_bent_the_same_in_both_directions() {
        let (from, to) = (LatLon { lat: 36.10, lon: 120.40 }, LatLon { lat: 36.13, lon: 120.47 });
        for (datum, points) in [(Datum::Wgs84, 2), (Datum::Gcj02, 8), (Datum::Bd09, 36)] {
            let line = datum.line_to_wgs84(&[from, to]);
            assert_eq!(line.len(), points);
            let mut back = datum.line_to_wgs84(&[to, from]);
            back.reverse();
            assert_eq!(line, back);
            assert_eq!((line[0], line[points - 1]), (datum.to_wgs84(from), datum.to_wgs84(to)));
        }
        assert_eq!(Datum::Gcj02.line_to_wgs84(&[]), []);
        let abroad = [LatLon { lat: 46.0, lon: 13.0 }, LatLon { lat: 47.0, lon: 14.0 }];
        assert_eq!(Datum::Gcj02.line_to_wgs84(&abroad), abroad);
    }

    #[test]
    fn names_are_read_leniently() {
        assert_eq!(Datum::parse("gcj_02"), Some(Datum::Gcj02));
        assert_eq!(Datum::parse("CGCS2000"), Some(Datum::Wgs84));
        assert_eq!(Datum::parse("EPSG:4326"), Some(Datum::Wgs84));
        assert_eq!(Datum::parse("xian80"), None);
        for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
            assert_eq!(Datum::parse(datum.name()), Some(datum));
            assert_eq!(Datum::from_number(datum.number()), Some(datum));
        }
    }

    proptest! {
        #[test]
        fn both_ways_agree_inside_china(lat in 3.0..54.0f64, lon in 73.0..136.0f64) {
            let point = LatLon { lat, lon };
            for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
                let there_and_back = datum.to_wgs84(datum.of_wgs84(point));
                prop_assert!(metres(point, there_and_back) < 1e-4, "{:?} {:?}", datum, there_and_back);
                let back_and_there = datum.of_wgs84(datum.to_wgs84(point));
                prop_assert!(metres(point, back_and_there) < 1e-4, "{:?} {:?}", datum, back_and_there);
            }
        }

        #[test]
        fn the_shift_is_hundreds_of_metres_inside_china(lat in 18.0..54.0f64, lon in 73.0..135.0f64) {
            let point = LatLon { lat, lon };
            let offset = metres(point, Datum::Gcj02.of_wgs84(point));
            prop_assert!((10.0..1000.0).contains(&offset), "{}", offset);
        }

        #[test]
        fn no_edge_strays_by_more_than_a_decimetre(
            lat in 20.0..50.0f64, lon in 80.0..130.0f64, north in -0.1..0.1f64, east in -0.1..0.1f64,
        ) {
            let (from, to) = (LatLon { lat, lon }, LatLon { lat: lat + north, lon: lon + east });
            for datum in [Datum::Gcj02, Datum::Bd09] {
                let line = datum.line_to_wgs84(&[from, to]);
                for pair in line.windows(2) {
                    let middle = |a: f64, b: f64| (a + b) / 2.0;
                    let straight = LatLon {
                        lat: middle(pair[0].lat, pair[1].lat),
                        lon: middle(pair[0].lon, pair[1].lon),
                    };
                    let ends = pair.iter().map(|end| datum.of_wgs84(*end)).collect::<Vec<_>>();
                    let bent = datum.to_wgs84(LatLon {
                        lat: middle(ends[0].lat, ends[1].lat),
                        lon: middle(ends[0].lon, ends[1].lon),
                    });
                    prop_assert!(metres(straight, bent) < 0.1, "{:?} {}", datum, metres(straight, bent));
                }
            }
        }

        #[test]
        fn nothing_is_shifted_abroad(lat in -90.0..90.0f64, lon in -180.0..71.0f64) {
            let point = LatLon { lat, lon };
            for datum in [Datum::Gcj02, Datum::Bd09] {
                prop_assert_eq!(datum.of_wgs84(point), point);
                prop_assert_eq!(datum.to_wgs84(point), point);
            }
        }

        #[test]
        fn anywhere_at_all_the_result_is_in_range(lat in -90.0..=90.0f64, lon in -180.0..=180.0f64) {
            let point = LatLon { lat, lon };
            for datum in [Datum::Gcj02, Datum::Bd09] {
                prop_assert!(datum.of_wgs84(point).checked().is_ok());
                prop_assert!(datum.to_wgs84(point).checked().is_ok());
            }
        }
    }
}

//! How somebody shows that they are on site: outdoors by a position, indoors by the door.
//!
//! Doors of a tower share one point, and a satellite fix in a stairwell is a guess: so a position never speaks for a
//! door. There the label counts, or that the same dwelling was open on the phone, or a reason in words.
//!
//! A reason counts outdoors as well: between high walls a phone may be off by more than the limit, and a case must not wait
//! for better weather. What it was off by stays in the entry, and the log says so of one that is
//! [too far](crate::event::Flag::FarOff). A simulated location, which somebody has switched on, is no such trouble: with it
//! no reason counts, only what cannot be simulated.

use crate::event::Presence;
use crate::field_rules::FieldRules;
use crate::geo::{Position, distance_m};
use crate::id::RecordId;

labels! {
    /// Why nothing shows that somebody is on site.
    Away {
        /// The platform said that the location is simulated.
        Simulated = "simulated", "手机正在使用模拟定位，请关闭后重试", "The phone's location is simulated: switch that off and try again";
        /// The fix is too rough.
        Imprecise = "imprecise", "定位精度不足，请到开阔处稍候，或说明原因", "The position is too rough: wait in the open, or give a reason";
        /// The position is too far away.
        TooFar = "too_far", "当前位置距事发地点过远，请到现场核查，或说明原因", "Too far from the spot: go there, or give a reason";
        /// The label of another door or place was scanned.
        OtherDoor = "other_door", "扫描的门牌码不是该处的，请扫描该处门牌码，或说明原因", "This label belongs to another door: scan the right one, or give a reason";
        /// The label that was scanned is void.
        VoidLabel = "void_label", "扫描的门牌码已作废，请扫描该处现用的门牌码，或说明原因", "This label is void: scan the one in use, or give a reason";
        /// What was scanned is no label that this phone knows.
        UnknownLabel = "unknown_label", "扫描的不是本网格的门牌码，请扫描该处门牌码，或说明原因", "Not a label of your grids: scan the door's own, or give a reason";
        /// The event is behind a door, and neither label nor dwelling nor reason is given.
        NeedsDoor = "needs_door", "请扫描该处门牌码或打开该房屋，或说明原因", "Scan the door's label or open the dwelling, or give a reason";
        /// Where the event is, is not known.
        NoSpot = "no_spot", "该事件没有位置，请说明原因", "The event has no position: give a reason";
        /// The phone knows no position.
        NoFix = "no_fix", "手机尚未取得定位，请稍候，或说明原因", "The phone has no position yet: wait, or give a reason";
    }
}

/// Where an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Site {
    /// Its position.
    pub position: Option<Position>,
    /// The dwelling behind whose door it is.
    pub dwelling: Option<RecordId>,
    /// The place that it concerns.
    pub place: Option<RecordId>,
}

/// What a code that was scanned turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// The label of this dwelling or place.
    Of(RecordId),
    /// A label that was voided.
    Void,
    /// Nothing that this phone knows.
    Unknown,
}

/// What somebody on site has to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// Where the phone is.
    pub position: Option<Position>,
    /// Whether the platform said that this is simulated.
    pub simulated: bool,
    /// What was scanned.
    pub label: Option<Scanned>,
    /// The dwelling that is open on the phone.
    pub open: Option<RecordId>,
    /// Why none of these can be shown. Does not count with a simulated location.
    pub reason: Option<String>,
}

/// What the log keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnSite {
    /// How it was shown.
    pub presence: Presence,
    /// Metres between phone and event, where both are known.
    pub distance_m: Option<u32>,
}

/// Nothing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOnSite {
    /// Why.
    pub why: Away,
    /// Metres between phone and event, where both are known.
    pub distance_m: Option<u32>,
}

/// Judges a claim. The strongest thing shown counts: label, open dwelling, position, reason.
///
/// # Errors
/// What is missing, in words that say what to do.
pub fn judge(site: &Site, claim: &Claim, rules: &FieldRules) -> Result<OnSite, NotOnSite> {
    let metres =
        claim.position.zip(site.position).map(|(here, there)| distance_m(here.point(), there.point()));
    let distance_m = metres.map(|metres| metres.min(f64::from(u32::MAX)).ceil() as u32);
    let here = |presence| Ok(OnSite { presence, distance_m });
    let same = |shown: Option<RecordId>, wanted: Option<RecordId>| shown.is_some() && shown == wanted;
    let label = match claim.label {
        Some(Scanned::Of(record)) => Some(record),
        _ => None,
    };
    if same(label, site.dwelling) || same(label, site.place) {
        return here(Presence::DoorLabel);
    }
    if same(claim.open, site.dwelling) {
        return here(Presence::SameDwelling);
    }
    let why = match outdoors(site, claim, distance_m, rules) {
        None => return here(Presence::Outdoors),
        Some(why) => why,
    };
    let explained = claim.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
    if explained && !claim.simulated {
        return here(Presence::Explained);
    }
    let why = match claim.label {
        _ if explained => Away::Simulated,
        Some(Scanned::Of(_)) => Away::OtherDoor,
        Some(Scanned::Void) => Away::VoidLabel,
        Some(Scanned::Unknown) => Away::UnknownLabel,
        None => why,
    };
    Err(NotOnSite { why, distance_m })
}

/// Why the position does not show it; `None` if it does.
fn outdoors(site: &Site, claim: &Claim, distance_m: Option<u32>, rules: &FieldRules) -> Option<Away> {
    if site.dwelling.is_some() {
        return Some(Away::NeedsDoor);
    }
    if site.position.is_none() {
        return Some(Away::NoSpot);
    }
    let Some(here) = claim.position else { return Some(Away::NoFix) };
    if claim.simulated {
        return Some(Away::Simulated);
    }
    if here.accuracy_m().is_some_and(|accuracy| f64::from(accuracy) > f64::from(rules.site_metres)) {
        return Some(Away::Imprecise);
    }
    if distance_m.is_some_and(|metres| metres <= rules.site_metres) { None } else { Some(Away::TooFar) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::PositionSource;

    const DOOR: RecordId = RecordId::from_bytes([1; 16]);
    const OTHER: RecordId = RecordId::from_bytes([2; 16]);

    fn at(north_m: f64, accuracy: f32) -> Option<Position> {
        Position::wgs84(36.1 + north_m / 111_000.0, 120.47, Some(accuracy), PositionSource::Gps).ok()
    }

    fn shown(site: &Site, claim: &Claim) -> Result<Presence, Away> {
        judge(site, claim, &FieldRules::default()).map(|on| on.presence).map_err(|away| away.why)
    }

    #[test]
    fn outdoors_a_position_within_the_limit_counts() {
        let site = Site { position: at(0.0, 5.0), ..Site::default() };
        let claim = |position| Claim { position, ..Claim::default() };
        assert_eq!(shown(&site, &claim(at(90.0, 8.0))), Ok(Presence::Outdoors));
        assert_eq!(shown(&site, &claim(at(150.0, 8.0))), Err(Away::TooFar));
        assert_eq!(shown(&site, &claim(at(10.0, 500.0))), Err(Away::Imprecise));
        assert_eq!(shown(&site, &claim(None)), Err(Away::NoFix));
        let simulated = Claim { simulated: true, ..claim(at(1.0, 5.0)) };
        assert_eq!(shown(&site, &simulated), Err(Away::Simulated));
        assert_eq!(shown(&Site::default(), &claim(at(1.0, 5.0))), Err(Away::NoSpot));
        let wide = FieldRules { site_metres: 200, ..FieldRules::default() };
        let judged = judge(&site, &claim(at(150.0, 8.0)), &wide).unwrap();
        assert_eq!(judged.distance_m.map(|metres| (148..=152).contains(&metres)), Some(true));
    }

    #[test]
    fn behind_a_door_only_label_dwelling_or_reason_count() {
        let site = Site { position: at(0.0, 5.0), dwelling: Some(DOOR), place: None };
        let near = Claim { position: at(1.0, 3.0), ..Claim::default() };
        assert_eq!(shown(&site, &near), Err(Away::NeedsDoor));
        assert_eq!(
            shown(&site, &Claim { label: Some(Scanned::Of(DOOR)), ..near.clone() }),
            Ok(Presence::DoorLabel)
        );
        assert_eq!(
            shown(&site, &Claim { label: Some(Scanned::Of(OTHER)), ..near.clone() }),
            Err(Away::OtherDoor)
        );
        let scanned = |label| shown(&site, &Claim { label: Some(label), ..near.clone() });
        assert_eq!(scanned(Scanned::Void), Err(Away::VoidLabel));
        assert_eq!(scanned(Scanned::Unknown), Err(Away::UnknownLabel));
        assert_eq!(shown(&site, &Claim { open: Some(DOOR), ..near.clone() }), Ok(Presence::SameDwelling));
        assert_eq!(shown(&site, &Claim { open: Some(OTHER), ..near.clone() }), Err(Away::NeedsDoor));
        let explained = Claim { reason: Some("住户不在，隔窗查看".into()), ..near.clone() };
        assert_eq!(shown(&site, &explained), Ok(Presence::Explained));
        assert_eq!(shown(&site, &Claim { reason: Some("  ".into()), ..near }), Err(Away::NeedsDoor));
    }

    #[test]
    fn a_reason_counts_outdoors_and_says_how_far_but_not_with_a_simulated_location() {
        let site = Site { position: at(0.0, 5.0), ..Site::default() };
        let reason = Some("高楼之间定位漂移（虚构）".to_owned());
        let off = Claim { position: at(180.0, 8.0), reason, ..Claim::default() };
        let judged = judge(&site, &off, &FieldRules::default()).unwrap();
        assert_eq!(judged.presence, Presence::Explained);
        assert!(judged.distance_m.is_some_and(|metres| (178..=182).contains(&metres)));
        for position in [None, at(10.0, 500.0)] {
            assert_eq!(shown(&site, &Claim { position, ..off.clone() }), Ok(Presence::Explained));
        }
        let simulated = Claim { simulated: true, ..off.clone() };
        assert_eq!(shown(&site, &simulated), Err(Away::Simulated));
        let near = Claim { position: at(1.0, 5.0), ..simulated.clone() };
        assert_eq!(shown(&site, &near), Err(Away::Simulated));
        let door = Site { dwelling: Some(DOOR), ..site };
        assert_eq!(shown(&door, &simulated), Err(Away::Simulated));
        let wrong = Claim { label: Some(Scanned::Of(OTHER)), ..simulated.clone() };
        assert_eq!(shown(&door, &wrong), Err(Away::Simulated));
        let label = Claim { label: Some(Scanned::Of(DOOR)), ..simulated };
        assert_eq!(shown(&door, &label), Ok(Presence::DoorLabel), "a label is not simulated");
    }

    #[test]
    fn a_place_takes_its_label_or_a_position() {
        let site = Site { position: at(0.0, 5.0), dwelling: None, place: Some(DOOR) };
        let label = Claim { label: Some(Scanned::Of(DOOR)), ..Claim::default() };
        assert_eq!(shown(&site, &label), Ok(Presence::DoorLabel));
        let near = Claim { position: at(5.0, 5.0), ..Claim::default() };
        assert_eq!(shown(&site, &near), Ok(Presence::Outdoors));
    }
}

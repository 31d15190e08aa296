//! Grants and assignments: who may see and do what, where, and from when to when. They are the server's
//! metadata, never records that a device could write.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::RecordId;
use crate::policy::Role;
use crate::stream::{AccessClass, StreamId};
use crate::time::Timestamp;

/// From when to when, by the server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// First moment.
    pub from: Timestamp,
    /// First moment after the end; open if there is none.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether it holds at `now`.
    pub fn contains(&self, now: Timestamp) -> bool {
        self.from <= now && self.to.is_none_or(|to| now < to)
    }
}

/// Where a role is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// An area and all below it.
    Area(RecordId),
    /// A unit.
    Unit(RecordId),
    /// The whole deployment.
    Everywhere,
}

/// 授权: a person holds a role somewhere for a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The person.
    pub user: RecordId,
    /// The role.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// When.
    pub period: Period,
    /// Whether the role comes with ID numbers, care tags and appellants there.
    pub sensitive: bool,
}

words! {
    /// Why somebody is assigned to a grid.
    AssignmentKind {
        /// It is their grid.
        Primary = "primary", "责任网格员", "Primary";
        /// Somebody is away.
        Substitute = "substitute", "替班", "Substitute";
        /// For the time of an event.
        Event = "event", "活动值守", "Event duty";
    }
}

/// 网格责任: a person walks a grid for a period.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assignment {
    /// The person.
    pub user: RecordId,
    /// The grid.
    pub area: RecordId,
    /// Why.
    pub kind: AssignmentKind,
    /// When.
    pub period: Period,
    /// What for, if it was said.
    pub reason: Option<String>,
}

/// The hierarchy of areas, as far as access needs it.
pub trait Hierarchy {
    /// The area and all areas below it.
    fn with_descendants(&self, area: RecordId) -> BTreeSet<RecordId>;
}

impl Hierarchy for BTreeMap<RecordId, BTreeSet<RecordId>> {
    /// Children by parent. A loop in the data does no harm.
    fn with_descendants(&self, area: RecordId) -> BTreeSet<RecordId> {
        let mut out = BTreeSet::new();
        let mut stack = vec![area];
        while let Some(area) = stack.pop() {
            if out.insert(area) {
                stack.extend(self.get(&area).into_iter().flatten());
            }
        }
        out
    }
}

/// The streams that a person may hold at `now`. Everybody who holds anything gets the deployment's common
/// stream and their own.
///
/// A gridworker gets each grid that they are assigned to, with its sensitive class; on event duty neither, since
/// that comes without household data. A grid leader gets all grids below their area, a dispatcher likewise. A
/// handler gets the inbox of the unit and no area. Auditors and administrators read on the console and hold
/// nothing on a phone beyond the common stream. Grants of one person may be handed over together with those of
/// others; only `user`'s count.
pub fn streams_for(
    user: RecordId,
    grants: &[Grant],
    assignments: &[Assignment],
    areas: &dyn Hierarchy,
    now: Timestamp,
) -> BTreeSet<StreamId> {
    let mut out = BTreeSet::new();
    for grant in grants.iter().filter(|grant| grant.user == user && grant.period.contains(now)) {
        out.insert(StreamId::Org);
        out.insert(StreamId::User(user));
        match (grant.role, grant.scope) {
            (Role::Gridworker | Role::GridLeader | Role::Dispatcher, Scope::Area(area)) => {
                for area in areas.with_descendants(area) {
                    out.extend(area_streams(area, grant.sensitive));
                }
            }
            (Role::Handler | Role::GridLeader | Role::Dispatcher, Scope::Unit(unit)) => {
                out.insert(StreamId::Unit(unit));
            }
            _ => {}
        }
    }
    for assignment in assignments.iter().filter(|one| one.user == user && one.period.contains(now)) {
        out.insert(StreamId::Org);
        out.insert(StreamId::User(user));
        if matches!(assignment.kind, AssignmentKind::Primary | AssignmentKind::Substitute) {
            out.extend(area_streams(assignment.area, true));
        }
    }
    out
}

fn area_streams(area: RecordId, sensitive: bool) -> impl Iterator<Item = StreamId> {
    let sensitive = sensitive.then_some(StreamId::Area { area, class: AccessClass::Sensitive });
    [StreamId::Area { area, class: AccessClass::Base }].into_iter().chain(sensitive)
}

/// The roles that a person holds at `now`.
pub fn roles_of(
    user: RecordId,
    grants: &[Grant],
    assignments: &[Assignment],
    now: Timestamp,
) -> BTreeSet<Role> {
    let granted = grants.iter().filter(|grant| grant.user == user && grant.period.contains(now));
    let assigned = assignments.iter().any(|one| one.user == user && one.period.contains(now));
    granted.map(|grant| grant.role).chain(assigned.then_some(Role::Gridworker)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> RecordId {
        RecordId::from_bytes([byte; 16])
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn period(from: i64, to: Option<i64>) -> Period {
        Period { from: at(from), to: to.map(at) }
    }

    fn base(area: RecordId) -> StreamId {
        StreamId::Area { area, class: AccessClass::Base }
    }

    fn sensitive(area: RecordId) -> StreamId {
        StreamId::Area { area, class: AccessClass::Sensitive }
    }

    #[test]
    fn a_gridworker_holds_the_assigned_grids_while_the_assignment_lasts() {
        let (user, grid, other) = (id(1), id(2), id(3));
        let assignments = [
            Assignment {
                user,
                area: grid,
                kind: AssignmentKind::Primary,
                period: period(0, None),
                reason: None,
            },
            Assignment {
                user,
                area: other,
                kind: AssignmentKind::Substitute,
                period: period(10, Some(20)),
                reason: Some("休假".into()),
            },
            Assignment {
                user: id(9),
                area: id(8),
                kind: AssignmentKind::Primary,
                period: period(0, None),
                reason: None,
            },
        ];
        let hold = |now| streams_for(user, &[], &assignments, &BTreeMap::new(), at(now));
        let own = BTreeSet::from([StreamId::Org, StreamId::User(user), base(grid), sensitive(grid)]);
        assert_eq!(hold(9), own);
        assert_eq!(hold(20), own, "the end is exclusive");
        let both: BTreeSet<_> = own.into_iter().chain([base(other), sensitive(other)]).collect();
        assert_eq!(hold(10), both);
        assert_eq!(roles_of(user, &[], &assignments, at(5)), BTreeSet::from([Role::Gridworker]));
        assert_eq!(streams_for(id(7), &[], &assignments, &BTreeMap::new(), at(5)), BTreeSet::new());
    }

    #[test]
    fn roles_reach_as_far_as_they_should() {
        let (user, community, grid, unit) = (id(1), id(2), id(3), id(4));
        let areas =
            BTreeMap::from([(community, BTreeSet::from([grid])), (grid, BTreeSet::from([community]))]);
        let grant = |role, scope, sensitive| Grant { user, role, scope, period: period(0, None), sensitive };
        let hold = |grant| streams_for(user, &[grant], &[], &areas, at(1));
        let common = BTreeSet::from([StreamId::Org, StreamId::User(user)]);
        let with = |more: &[StreamId]| common.iter().chain(more).copied().collect::<BTreeSet<_>>();
        assert_eq!(hold(grant(Role::Handler, Scope::Unit(unit), false)), with(&[StreamId::Unit(unit)]));
        assert_eq!(hold(grant(Role::Handler, Scope::Area(community), true)), common);
        assert_eq!(
            hold(grant(Role::GridLeader, Scope::Area(community), false)),
            with(&[base(community), base(grid)])
        );
        assert_eq!(hold(grant(Role::Auditor, Scope::Everywhere, true)), common);
    }

    #[test]
    fn event_duty_comes_without_household_data() {
        let user = id(1);
        let duty = Assignment {
            user,
            area: id(2),
            kind: AssignmentKind::Event,
            period: period(0, None),
            reason: None,
        };
        let got = streams_for(user, &[], &[duty], &BTreeMap::new(), at(1));
        assert_eq!(got, BTreeSet::from([StreamId::Org, StreamId::User(user)]));
    }
}

//! The table of what may follow what: the whole workflow as data.

use crate::event::state::{Flag, Folded, State};
use crate::event::{Action, guards::Guard};
use crate::policy::Role;

/// Whether an act may be done without a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offline {
    /// Yes: it is written on the phone and synced.
    Yes,
    /// Yes, where the phone already holds what it answers.
    IfSynced,
    /// The phone may only ask for it, by the action's request.
    RequestOnly,
    /// No: the server decides.
    No,
}

impl Offline {
    /// Whether a device may write the entry itself.
    pub const fn device_writes(self) -> bool {
        matches!(self, Self::Yes | Self::IfSynced)
    }
}

/// Where a transition leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To this state.
    State(State),
    /// It stays where it is; closing decides for itself whether it was the last level.
    Stay,
}

/// One row.
#[derive(Debug)]
pub struct Transition {
    /// The act.
    pub action: Action,
    /// The states in which it applies.
    pub from: &'static [State],
    /// Where it leads.
    pub to: To,
    /// Who may do it; nobody where the server itself or a resident does.
    pub who: &'static [Role],
    /// Whether it may be done without a network.
    pub offline: Offline,
    /// What has to hold.
    pub guards: &'static [Guard],
    /// With what remark it counts.
    pub remark: Option<Flag>,
}

const fn row(
    action: Action,
    from: &'static [State],
    to: To,
    who: &'static [Role],
    offline: Offline,
    guards: &'static [Guard],
) -> Transition {
    Transition { action, from, to, who, offline, guards, remark: None }
}

const fn remarked(
    action: Action,
    from: &'static [State],
    to: To,
    who: &'static [Role],
    offline: Offline,
    remark: Flag,
    guards: &'static [Guard],
) -> Transition {
    Transition { action, from, to, who, offline, guards, remark: Some(remark) }
}

const FIELD: &[Role] = &[Role::Gridworker, Role::GridLeader];
const COMMUNITY: &[Role] = &[Role::GridLeader, Role::Dispatcher];
const CENTRE: &[Role] = &[Role::Dispatcher];
const HANDLERS: &[Role] = &[Role::Handler, Role::GridLeader];
const UNITS: &[Role] = &[Role::GridLeader, Role::Dispatcher, Role::Handler];
const EVERYBODY: &[Role] = &[Role::Gridworker, Role::GridLeader, Role::Dispatcher, Role::Handler];
const SYSTEM: &[Role] = &[];

const OPEN: &[State] = &[
    State::Reported,
    State::Checking,
    State::Accepted,
    State::Forwarded,
    State::Dispatched,
    State::Handling,
    State::Suspended,
    State::Rectified,
    State::Verified,
    State::AwaitingRating,
    State::Reopened,
];
const AT_WORK: &[State] =
    &[State::Accepted, State::Forwarded, State::Dispatched, State::Handling, State::Reopened];
const NEW: &[State] = &[State::Reported, State::Checking];
const IN_THE_LEAD: &[State] = &[State::Accepted, State::Reopened];
const SENT: &[State] = &[State::Dispatched, State::Handling];
const SEEN: &[State] = &[State::Rectified, State::Verified];

/// Rows of one action are tried in their order; the first whose state and guards fit applies.
pub static TABLE: &[Transition] = {
    use Action::*;
    use Guard::*;
    use To::Stay;
    use {Offline::IfSynced, Offline::No, Offline::RequestOnly, Offline::Yes};
    const fn to(state: State) -> To {
        To::State(state)
    }
    &[
        row(Report, &[State::Draft], to(State::Reported), FIELD, Yes, &[]),
        row(ResolveOnSpot, &[State::Draft], to(State::ResolvedOnSpot), FIELD, Yes, &[OnSpot, AfterPhoto]),
        // A report is never lost because it was written on the wrong form.
        remarked(ResolveOnSpot, &[State::Draft], to(State::Reported), FIELD, Yes, Flag::CountedAsReport, &[]),
        row(Withdraw, NEW, to(State::Withdrawn), FIELD, Yes, &[ByReporter]),
        row(StartCheck, &[State::Reported], to(State::Checking), FIELD, Yes, &[]),
        row(FinishCheck, &[State::Checking], to(State::Reported), FIELD, Yes, &[]),
        row(Accept, NEW, to(State::Accepted), COMMUNITY, No, &[UnitGiven]),
        row(Accept, &[State::ResolvedOnSpot], to(State::Accepted), COMMUNITY, No, &[UnitGiven]),
        row(Accept, &[State::Forwarded], to(State::Accepted), COMMUNITY, No, &[ForwardTarget]),
        row(Accept, &[State::Reopened], to(State::Accepted), COMMUNITY, No, &[UnitGiven]),
        row(Reject, NEW, to(State::Rejected), CENTRE, No, &[Reason]),
        row(Merge, NEW, to(State::Merged), CENTRE, No, &[OtherEvent]),
        row(UndoMerge, &[State::Merged], to(State::Reported), CENTRE, No, &[]),
        row(HandleSelf, IN_THE_LEAD, to(State::Handling), COMMUNITY, No, &[HasLead, ByLead]),
        row(Forward, IN_THE_LEAD, to(State::Forwarded), COMMUNITY, No, &[HasLead, ToUnit]),
        row(Dispatch, IN_THE_LEAD, to(State::Dispatched), COMMUNITY, No, &[HasLead, ToUnit]),
        row(SignFor, &[State::Dispatched], to(State::Handling), HANDLERS, IfSynced, &[ByHandler]),
        row(Return, SENT, to(State::Accepted), HANDLERS, No, &[NotRuled, FreeReturn, Reason, ByHandler]),
        remarked(Return, SENT, Stay, HANDLERS, No, Flag::RulingNeeded, &[NotRuled, Reason, ByHandler]),
        row(Return, &[State::Forwarded], to(State::Accepted), COMMUNITY, No, &[Reason, ForwardTarget]),
        row(Rule, SENT, to(State::Dispatched), CENTRE, No, &[ToUnit]),
        row(Rule, IN_THE_LEAD, to(State::Dispatched), CENTRE, No, &[HasLead, ToUnit]),
        row(
            Rectify,
            &[State::Handling],
            to(State::Rectified),
            HANDLERS,
            Yes,
            &[SameRound, ByHandler, NotFinder, Result, AfterPhotoOrReason],
        ),
        row(
            Verify,
            &[State::Rectified],
            to(State::Verified),
            FIELD,
            Yes,
            &[SameRound, ByReportersUnit, NotFixer, OnSite],
        ),
        row(FailVerification, SEEN, to(State::Handling), FIELD, Yes, &[SameRound, ByReportersUnit, Reason]),
        row(FailVerification, &[State::ResolvedOnSpot], to(State::Reported), COMMUNITY, No, &[Reason]),
        row(AwaitRating, &[State::Verified], to(State::AwaitingRating), SYSTEM, No, &[HasAppellant]),
        row(Rate, &[State::AwaitingRating], Stay, CENTRE, No, &[RatingGiven, RatingCounts]),
        remarked(Rate, &[State::Closed], Stay, SYSTEM, No, Flag::LateRating, &[RatingGiven, RatingCounts]),
        row(CallbackFailed, &[State::AwaitingRating], Stay, CENTRE, No, &[]),
        row(Rework, &[State::AwaitingRating], to(State::Handling), CENTRE, No, &[RatedUnsolved]),
        row(Close, &[State::ResolvedOnSpot], Stay, COMMUNITY, No, &[]),
        row(Close, &[State::Verified], Stay, UNITS, No, &[NobodyToAsk, ClosesNext]),
        row(Close, &[State::AwaitingRating], Stay, UNITS, No, &[RatedOrTried, ClosesNext]),
        row(Suspend, &[State::Handling], to(State::Suspended), CENTRE, No, &[Reason, Date]),
        row(Resume, &[State::Suspended], to(State::Handling), CENTRE, No, &[]),
        row(Reopen, &[State::Closed], to(State::Reopened), CENTRE, No, &[Reason]),
        row(RequestEscalation, OPEN, Stay, EVERYBODY, Yes, &[Reason]),
        row(Escalate, OPEN, Stay, UNITS, RequestOnly, &[]),
        row(RequestJointCall, OPEN, Stay, EVERYBODY, Yes, &[Reason]),
        row(JointCall, AT_WORK, Stay, COMMUNITY, RequestOnly, &[HasLead, ToUnit, Date]),
        row(Attend, AT_WORK, Stay, HANDLERS, Yes, &[AnyCalled, ByCalled]),
        row(Object, AT_WORK, Stay, HANDLERS, Yes, &[AnyCalled, ByCalled, Reason]),
        row(FinishJointCall, AT_WORK, Stay, COMMUNITY, No, &[AnyCalled, ByLead]),
        row(Supervise, OPEN, Stay, CENTRE, No, &[Level]),
        row(RequestExtension, SENT, Stay, HANDLERS, Yes, &[ExtensionLeft, ByHandler, Reason, BeforeDue]),
        row(GrantExtension, SENT, Stay, CENTRE, No, &[ExtensionAsked, ExtensionLeft, Date]),
        row(DenyExtension, SENT, Stay, CENTRE, No, &[ExtensionAsked, Reason]),
        row(Classify, OPEN, Stay, COMMUNITY, No, &[]),
        row(Received, State::ALL, Stay, SYSTEM, No, &[]),
        row(Note, State::ALL, Stay, EVERYBODY, Yes, &[]),
    ]
};

/// The rows of one action, in the order in which they are tried; none for an action of a newer version.
pub fn rows(action: &Action) -> impl Iterator<Item = &'static Transition> + use<'_> {
    TABLE.iter().filter(move |row| row.action == *action)
}

impl Action {
    /// Whether the act may be done without a network; `None` for an action of a newer version.
    pub fn offline(&self) -> Option<Offline> {
        rows(self).map(|row| row.offline).min()
    }

    /// Whether one of `roles` may write the entry from a device, without asking the server.
    pub fn open_to(&self, roles: &[Role]) -> bool {
        rows(self)
            .filter(|row| row.offline.device_writes())
            .any(|row| row.who.iter().any(|role| roles.contains(role)))
    }
}

/// The acts that somebody with this role may do next, in the order of the table: what a screen offers. The fold
/// still judges the entry by what it says.
pub fn legal_next(folded: &Folded, role: Role) -> Vec<Action> {
    let mut out: Vec<Action> = Vec::new();
    for row in TABLE {
        let fits = row.from.contains(&folded.state)
            && row.who.contains(&role)
            && row.guards.iter().all(|guard| guard.holds_for(folded).is_ok());
        if fits && !out.contains(&row.action) {
            out.push(row.action.clone());
        }
    }
    out
}

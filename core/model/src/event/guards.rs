//! What has to hold for a transition, one rule each.

use crate::event::state::{Flag, Folded};
use crate::event::{EventRules, LogEntry, Presence, RatingChannel};
use crate::time::Timestamp;

/// A condition of a transition. Each names the flag that an entry gets when it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The category may be settled on the spot.
    OnSpot,
    /// There is a photo of the result.
    AfterPhoto,
    /// There is one, or a reason why not.
    AfterPhotoOrReason,
    /// The author is the reporter.
    ByReporter,
    /// The author acts for the unit that reported, if one did.
    ByReportersUnit,
    /// The author acts for a unit.
    UnitGiven,
    /// The author acts for the unit that it was forwarded to.
    ForwardTarget,
    /// There is a lead unit.
    HasLead,
    /// The author acts for it.
    ByLead,
    /// The author acts for the unit that handles it.
    ByHandler,
    /// A reason is given.
    Reason,
    /// The receiving unit is given.
    ToUnit,
    /// The other event is given.
    OtherEvent,
    /// A date is given.
    Date,
    /// A level of supervision is given.
    Level,
    /// No ruling binds the unit.
    NotRuled,
    /// A return is free.
    FreeReturn,
    /// The author saw the round that is running.
    SameRound,
    /// The author is not the finder, unless the category may be settled on the spot.
    NotFinder,
    /// The author is not one who handled it.
    NotFixer,
    /// The entry says what was done.
    Result,
    /// The author was there.
    OnSite,
    /// Somebody is to be asked.
    HasAppellant,
    /// Nobody is to be asked.
    NobodyToAsk,
    /// The entry says whether it was solved.
    RatingGiven,
    /// The rating did not come in on the device of whoever found or handled it.
    RatingCounts,
    /// The appellant said that it is not solved.
    RatedUnsolved,
    /// The appellant said that it is solved, or could not be reached often enough.
    RatedOrTried,
    /// The author acts for the level that closes next.
    ClosesNext,
    /// A unit was called.
    AnyCalled,
    /// The author acts for one.
    ByCalled,
    /// There is a deadline and it has not passed.
    BeforeDue,
    /// An extension was asked for.
    ExtensionAsked,
    /// One may still be granted.
    ExtensionLeft,
}

/// What a guard looks at.
pub(crate) struct Context<'a> {
    pub entry: &'a LogEntry,
    pub at: Timestamp,
    /// The round that the author saw, if that is known.
    pub round_seen: Option<u32>,
    pub folded: &'a Folded,
    pub rules: &'a EventRules,
}

fn given(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(|text| !text.trim().is_empty())
}

fn check(holds: bool, flag: Flag) -> Result<(), Flag> {
    if holds { Ok(()) } else { Err(flag) }
}

impl Guard {
    /// Judges by the state alone; conditions on the entry itself pass.
    pub(crate) fn holds_for(self, folded: &Folded) -> Result<(), Flag> {
        let rated = folded.rating.as_ref().map(|rating| rating.solved);
        match self {
            Self::HasLead => check(folded.lead_unit.is_some(), Flag::NoLead),
            Self::NotRuled => check(!folded.ruled, Flag::RulingBinds),
            Self::HasAppellant => check(folded.has_appellant, Flag::NoAppellant),
            Self::NobodyToAsk => check(!folded.has_appellant, Flag::AppellantWaits),
            Self::RatedUnsolved => check(rated == Some(false), Flag::NotUnsolved),
            Self::RatedOrTried => {
                let tried = rated.is_none() && folded.callbacks_left == 0;
                check(rated == Some(true) || tried, Flag::AppellantWaits)
            }
            Self::AnyCalled => check(!folded.called.is_empty(), Flag::NotCalled),
            Self::ExtensionAsked => check(folded.extension_requested.is_some(), Flag::NoRequest),
            Self::ExtensionLeft => check(folded.extensions_left > 0, Flag::NoExtensionLeft),
            _ => Ok(()),
        }
    }

    /// Judges by the state and by the entry.
    pub(crate) fn holds(self, context: &Context<'_>) -> Result<(), Flag> {
        self.holds_for(context.folded)?;
        self.facts(context)?;
        self.author(context)
    }

    /// Conditions on what the entry says.
    fn facts(self, context: &Context<'_>) -> Result<(), Flag> {
        let Context { entry, folded, rules, .. } = context;
        let category = entry.category.as_deref().or(folded.category.as_deref());
        match self {
            Self::OnSpot => check(rules.on_spot(category), Flag::NotOnSpot),
            Self::AfterPhoto => check(!entry.after_photos.is_empty(), Flag::NeedsAfterPhoto),
            Self::AfterPhotoOrReason => {
                check(!entry.after_photos.is_empty() || given(&entry.reason), Flag::NeedsAfterPhoto)
            }
            Self::Reason => check(given(&entry.reason), Flag::NeedsReason),
            Self::UnitGiven => check(entry.unit.is_some(), Flag::NeedsUnit),
            Self::ToUnit => check(entry.to_unit.is_some(), Flag::NeedsUnit),
            Self::OtherEvent => check(entry.event.is_some(), Flag::NeedsEvent),
            Self::Date => check(entry.until.is_some(), Flag::NeedsDate),
            Self::Level => check(entry.supervision.is_some(), Flag::NeedsLevel),
            Self::Result => {
                check(given(&entry.public_reply) || given(&entry.internal_note), Flag::NeedsResult)
            }
            Self::FreeReturn => check(folded.returns < rules.free_returns, Flag::RulingNeeded),
            Self::SameRound => {
                check(context.round_seen.is_none_or(|round| round == folded.round), Flag::StaleRound)
            }
            Self::OnSite => check(on_site(entry, rules), Flag::NotOnSite),
            Self::RatingGiven => check(entry.solved.is_some(), Flag::NeedsRating),
            Self::BeforeDue => {
                let due = folded.sla.as_ref().and_then(|sla| sla.due).ok_or(Flag::NoDeadline)?;
                check(context.at <= due, Flag::AfterDue)
            }
            _ => Ok(()),
        }
    }

    /// Conditions on who wrote it.
    fn author(self, context: &Context<'_>) -> Result<(), Flag> {
        let Context { entry, folded, rules, .. } = context;
        let finder = entry.by.is_some() && entry.by == folded.reporter;
        let fixer = entry.by.is_some_and(|by| folded.handled_by.contains(&by));
        match self {
            Self::ByReporter => check(entry.by == folded.reporter, Flag::NotTheReporter),
            Self::ByReportersUnit => check(
                folded.reporter_unit.is_none() || entry.unit == folded.reporter_unit,
                Flag::NotReportersUnit,
            ),
            Self::ForwardTarget => {
                check(entry.unit.is_some() && entry.unit == folded.forwarded_to, Flag::NotTheTarget)
            }
            Self::ByLead => check(entry.unit.is_some() && entry.unit == folded.lead_unit, Flag::NotTheLead),
            Self::ByHandler => {
                check(entry.unit.is_some() && entry.unit == folded.handler, Flag::NotTheHandler)
            }
            Self::NotFinder => {
                check(!finder || rules.on_spot(folded.category.as_deref()), Flag::FinderIsFixer)
            }
            Self::NotFixer => check(!fixer, Flag::FixerIsVerifier),
            Self::RatingCounts => {
                let on_device = matches!(entry.channel, None | Some(RatingChannel::Device));
                let counts = !(on_device && (finder || fixer));
                check(counts, Flag::RatingNotCounted)
            }
            Self::ClosesNext => {
                let next = folded.closes_next();
                check(next.is_none() || entry.unit == next, Flag::NotTheirTurn)
            }
            Self::ByCalled => {
                check(entry.unit.is_some_and(|unit| folded.called.contains_key(&unit)), Flag::NotCalled)
            }
            _ => Ok(()),
        }
    }
}

fn on_site(entry: &LogEntry, rules: &EventRules) -> bool {
    match &entry.presence {
        Some(Presence::Outdoors) => entry.distance_m.is_some_and(|metres| metres <= rules.verify_distance_m),
        Some(Presence::DoorLabel | Presence::SameDwelling) => true,
        Some(Presence::Explained) => given(&entry.reason),
        Some(Presence::Other(_)) | None => false,
    }
}

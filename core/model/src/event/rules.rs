//! What a deployment decides about events: data, edited without a release.

use std::collections::BTreeMap;

use crate::calendar::{Calendar, Span};
use crate::categories::{STARTER_CATEGORIES, Severity};
use crate::event::SlaClass;

/// What the rules say of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryRule {
    /// How bad.
    pub severity: Severity,
    /// Whether a gridworker may settle it on the spot. Counts for low severity only.
    pub on_spot: bool,
    /// Which deadlines count.
    pub sla: SlaClass,
}

/// Deadlines of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlaRule {
    /// From the server's receipt until somebody accepts.
    pub respond: Span,
    /// From acceptance until it is put right. Yellow at the deadline.
    pub handle: Span,
    /// Red at this many times the span.
    pub red_times: u32,
}

/// The rules. Server and phones of a deployment hold the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRules {
    /// Categories by code; one that is not listed is general, ordinary, and never settled on the spot.
    pub categories: BTreeMap<String, CategoryRule>,
    /// Deadlines by class; a class that is not listed has none.
    pub sla: BTreeMap<SlaClass, SlaRule>,
    /// Workdays.
    pub calendar: Calendar,
    /// How many failed callbacks stand in for a rating.
    pub callback_tries: u32,
    /// How many returns are free; the next one goes to a binding ruling.
    pub free_returns: u32,
    /// How many extensions may be granted.
    pub extensions: u32,
    /// Metres within which an outdoor verification counts.
    pub verify_distance_m: u32,
    /// Days after closing until the look-back.
    pub look_back_days: u32,
    /// Minutes by which an author's clock may be ahead before it is flagged.
    pub clock_skew_minutes: u32,
}

impl Default for EventRules {
    /// The starter categories and the deadlines of the design: urgent respond in 30 minutes and feed back in 2
    /// hours, pressing 2 and 24 hours, ordinary 1 and 5 workdays, complex 1 and 15.
    fn default() -> Self {
        let categories = STARTER_CATEGORIES
            .iter()
            .map(|category| {
                let rule = CategoryRule {
                    severity: category.severity.clone(),
                    on_spot: category.on_spot,
                    sla: category.sla.clone(),
                };
                (category.code.to_owned(), rule)
            })
            .collect();
        let class = |respond, handle| SlaRule { respond, handle, red_times: 2 };
        Self {
            categories,
            sla: BTreeMap::from([
                (SlaClass::Urgent, class(Span::Minutes(30), Span::Minutes(120))),
                (SlaClass::Pressing, class(Span::Minutes(120), Span::Minutes(24 * 60))),
                (SlaClass::Ordinary, class(Span::Workdays(1), Span::Workdays(5))),
                (SlaClass::Complex, class(Span::Workdays(1), Span::Workdays(15))),
            ]),
            calendar: Calendar::default(),
            callback_tries: 3,
            free_returns: 1,
            extensions: 1,
            verify_distance_m: 100,
            look_back_days: 30,
            clock_skew_minutes: 10,
        }
    }
}

impl EventRules {
    /// Rules under which no limit stops an entry: for working out which units have to see an event, where a
    /// deployment's own limits are not at hand.
    pub fn for_routing() -> Self {
        Self {
            categories: BTreeMap::new(),
            sla: BTreeMap::new(),
            calendar: Calendar::empty(),
            callback_tries: 0,
            free_returns: u32::MAX,
            extensions: u32::MAX,
            verify_distance_m: u32::MAX,
            look_back_days: 0,
            clock_skew_minutes: 0,
        }
    }

    /// Whether a gridworker may settle this category on the spot.
    pub fn on_spot(&self, category: Option<&str>) -> bool {
        self.category(category).is_some_and(|rule| rule.on_spot && rule.severity == Severity::Low)
    }

    /// How bad this category is; general where it is not listed.
    pub fn severity(&self, category: Option<&str>) -> Severity {
        self.category(category).map_or(Severity::General, |rule| rule.severity.clone())
    }

    /// Which deadlines count for this category; the ordinary ones where it is not listed.
    pub fn class(&self, category: Option<&str>) -> SlaClass {
        self.category(category).map_or(SlaClass::Ordinary, |rule| rule.sla.clone())
    }

    fn category(&self, code: Option<&str>) -> Option<&CategoryRule> {
        self.categories.get(code?)
    }
}

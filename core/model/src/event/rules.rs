//! What a deployment decides about events: data, edited without a release. The file that new deployments start with is
//! `schemas/rules/events.json`; the limits that phones need for more than events stand in `field.json`.

use std::collections::BTreeMap;

use crate::calendar::{Calendar, Span};
use crate::categories::{STARTER_CATEGORIES, Severity, StarterCategory};
use crate::event::SlaClass;
use crate::field_rules::{DayOfYear, FieldRules};
use crate::local_time::LocalTime;

/// One category, and what the rules say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// As it stands in an event.
    pub code: String,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// The group under which a screen shows it, in Chinese.
    pub group_zh: String,
    /// The group in English.
    pub group_en: String,
    /// How bad.
    pub severity: Severity,
    /// Whether a gridworker may settle it on the spot. Counts for low severity only.
    pub on_spot: bool,
    /// Which deadlines count.
    pub sla: SlaClass,
    /// The kind of unit that usually handles it, in Chinese: a suggestion for the dispatcher.
    pub routing_zh: String,
    /// The kind of unit in English.
    pub routing_en: String,
}

impl From<&StarterCategory> for Category {
    fn from(starter: &StarterCategory) -> Self {
        Self {
            code: starter.code.to_owned(),
            zh: starter.zh.to_owned(),
            en: starter.en.to_owned(),
            group_zh: starter.group_zh.to_owned(),
            group_en: starter.group_en.to_owned(),
            severity: starter.severity.clone(),
            on_spot: starter.on_spot,
            sla: starter.sla.clone(),
            routing_zh: starter.routing_zh.to_owned(),
            routing_en: starter.routing_en.to_owned(),
        }
    }
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
    /// Categories in the order of the screen; one that is not listed is general, ordinary, never settled on the spot,
    /// and shown by its code.
    pub categories: Vec<Category>,
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
    /// The day on which the season of a category begins: see [`FieldRules::seasons`].
    pub seasons: BTreeMap<String, DayOfYear>,
    /// Days before that day from which a look back settles it: see [`FieldRules::ahead_days`].
    pub ahead_days: u32,
}

impl Default for EventRules {
    /// The starter categories and the deadlines of the design: urgent respond in 30 minutes and feed back in 2
    /// hours, pressing 2 and 24 hours, ordinary 1 and 5 workdays, complex 1 and 15.
    fn default() -> Self {
        let limits = FieldRules::default();
        let class = |respond, handle| SlaRule { respond, handle, red_times: 2 };
        Self {
            categories: STARTER_CATEGORIES.iter().map(Category::from).collect(),
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
            seasons: limits.seasons,
            ahead_days: limits.ahead_days,
        }
    }
}

impl EventRules {
    /// Rules under which no limit stops an entry: for working out which units have to see an event, where a
    /// deployment's own limits are not at hand.
    pub fn for_routing() -> Self {
        Self {
            categories: Vec::new(),
            sla: BTreeMap::new(),
            calendar: Calendar::empty(),
            callback_tries: 0,
            free_returns: u32::MAX,
            extensions: u32::MAX,
            verify_distance_m: u32::MAX,
            look_back_days: 0,
            clock_skew_minutes: 0,
            seasons: BTreeMap::new(),
            ahead_days: 0,
        }
    }

    /// The same with the limits that stand in the other file: the distance on site, the days until the look-back, the
    /// seasons, local time.
    #[must_use]
    pub fn with_limits(self, limits: &FieldRules) -> Self {
        let mut rules = self;
        rules.calendar.utc_offset_minutes = limits.utc_offset_minutes;
        rules.verify_distance_m = limits.site_metres;
        rules.look_back_days = limits.look_back_days;
        rules.seasons.clone_from(&limits.seasons);
        rules.ahead_days = limits.ahead_days;
        rules
    }

    /// The deployment's local time.
    pub const fn local(&self) -> LocalTime {
        LocalTime::ahead_of_utc(self.calendar.utc_offset_minutes)
    }

    /// The name of a category in Chinese and English; a code that is not listed is shown as it is.
    pub fn label<'a>(&'a self, code: &'a str) -> (&'a str, &'a str) {
        self.category(Some(code)).map_or((code, code), |category| (&*category.zh, &*category.en))
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

    /// A category by its code.
    pub fn category(&self, code: Option<&str>) -> Option<&Category> {
        let code = code?;
        self.categories.iter().find(|category| category.code == code)
    }
}

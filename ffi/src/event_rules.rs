//! The deployment's rules for events: categories for a screen, their deadlines, the limits of an act on site.

use gridwalk_model::calendar::Span;
use gridwalk_model::categories::Severity;
use gridwalk_model::event::{Category, EventRules, SlaClass, SlaRule};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::mirror::limit;

/// One category of events.
#[uniffi::remote(Record)]
#[uniffi(name = "EventCategory")]
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

/// A length of time to a deadline.
#[uniffi::remote(Enum)]
#[uniffi(name = "DeadlineSpan")]
pub enum Span {
    /// Minutes of any day.
    Minutes(u32),
    /// Workdays of 24 hours each: what starts on a Friday at 15:00 is one workday old on Monday at 15:00.
    Workdays(u32),
}

/// The deadlines of one class of events.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EventDeadlines {
    /// The class.
    pub class: SlaClass,
    /// From the server's receipt until somebody accepts.
    pub respond: Span,
    /// From acceptance until it is put right. Yellow at the deadline.
    pub handle: Span,
    /// Red at this many times the span.
    pub red_times: u32,
}

/// What a deployment decides about events. Server and phones of a deployment hold the same.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeploymentEventRules {
    /// Categories in the order of the screen; one that is not listed is shown by its code.
    pub categories: Vec<Category>,
    /// Deadlines by class; a class that is not listed has none.
    pub deadlines: Vec<EventDeadlines>,
    /// Minutes that local time is ahead of UTC; 480 in China.
    pub utc_offset_minutes: i32,
    /// Days that are not worked, or worked, other than Monday to Friday tells: lines such as
    /// `2026-02-15..2026-02-23 off` and `2026-02-14 work`.
    pub calendar: Vec<String>,
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

impl From<EventRules> for DeploymentEventRules {
    fn from(core: EventRules) -> Self {
        let EventRules {
            categories,
            sla,
            calendar,
            callback_tries,
            free_returns,
            extensions,
            verify_distance_m,
            look_back_days,
            clock_skew_minutes,
        } = core;
        let deadlines = |(class, rule)| {
            let SlaRule { respond, handle, red_times } = rule;
            EventDeadlines { class, respond, handle, red_times }
        };
        Self {
            categories,
            deadlines: sla.into_iter().map(deadlines).collect(),
            utc_offset_minutes: calendar.utc_offset_minutes,
            calendar: calendar.lines(),
            callback_tries,
            free_returns,
            extensions,
            verify_distance_m,
            look_back_days,
            clock_skew_minutes,
        }
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The deployment's rules for events: the categories for a screen in their order, their names and deadlines. Those
    /// that come with the app until the server gave others.
    pub async fn event_rules(&self) -> Result<DeploymentEventRules, GridwalkError> {
        Ok(self.call(async |core| core.event_rules().await).await?.into())
    }

    /// The categories to be offered first: those of the worker's own events on this phone, the latest first, then the
    /// deployment's first ones. Throws `NotEnrolled`.
    pub async fn recent_categories(&self, limit: u32) -> Result<Vec<Category>, GridwalkError> {
        self.call(async move |core| core.recent_categories(self::limit(limit)).await).await
    }
}
